"""What the agents' replies look like: the forms a model is asked to follow, or held to. Reading
replies is ``reading``.

A form has a JSON schema, for models that follow one, and a grammar that cannot be broken, for
embedded ones: there a reply is a list without keys, and every number is one of a grid, since a
grammar does not hold numbers to a range and a small model writes digits for ever.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from agenthpo.llm.client import Form
from agenthpo.records import Trial
from agenthpo.space import Parameter, Space, among
from agenthpo.task import Task
from agenthpo.trials import incumbent, next_number

__all__ = [
    "CHANGES",
    "HYPOTHESIS",
    "INSIGHT",
    "MOST_FURTHER",
    "RATIONALE",
    "closed",
    "creator_form",
    "executor_form",
    "expected_form",
    "grid",
    "params_form",
]

_GRID = 11
MOST_FURTHER = 2
"""Configurations that a reply may hold beside the first one."""
CHANGES = "raise", "lower", "change"
"""What a claim may say of a parameter."""
RATIONALE, HYPOTHESIS, INSIGHT = 200, 120, 200
"""Characters a held sentence may have; an embedded model writes about three of them a token. What
is longer was cut.
"""


def creator_form(task: Task, trials: Sequence[Trial]) -> Form:
    """Return the form of a proposal: rationale, params, hypothesis, expected."""
    properties = {
        "rationale": {
            "type": "string",
            "description": "Why, in one or two sentences that name trials by number.",
        },
        "params": _params(task.space),
        "hypothesis": {"type": "string", "description": "What the result will confirm or refute."},
        "expected": _expectation(task),
    }
    required = list(properties)
    properties |= _extra_fields(task, dict(properties))
    if task.budget.creator_may_stop:
        properties["stop"] = {
            "type": "boolean",
            "description": "True to end the study, where nothing more is to be gained; say why "
            "in rationale.",
        }
    best = incumbent(list(trials), task.objective.direction)
    choices = _untried({p.name: grid(p, best) for p in task.space}, task.space, trials)
    rules = _values(task.space, choices)
    rules.append(_guess_rule(trials))
    start = _row(["why", *(f"v{i}" for i in range(len(task.space))), "claim", "expected"])
    grammar = "\n".join(
        [
            start,
            _text("why", RATIONALE, task, "(Since|Because) "),
            _text("claim", HYPOTHESIS, task),
            *rules,
        ]
    )
    return Form("proposal", closed(properties) | {"required": required}, grammar)


def _extra_fields(task: Task, proposal: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of what may stand beside a proposal, whose own ones are given; none of it
    has to. ``extras`` reads it.
    """
    text = {"type": "string"}
    ranges = [p.name for p in task.space if not p.is_discrete]
    fields: dict[str, Any] = {
        "claim": closed(
            {
                "parameter": {"enum": list(task.space.names)},
                "change": {"enum": list(CHANGES)},
                "than": {"type": "integer", "description": "The trial it is compared with."},
                "is_better": {"type": "boolean"},
            }
        )
        | {"description": "The hypothesis, as code will test it."},
        "more": {
            "type": "array",
            "items": closed(proposal),
            "maxItems": MOST_FURTHER,
            "description": "What to try next, without asking you, while results are as expected.",
        },
    }
    if task.objective.noisy:
        fields["again"] = {
            "type": "integer",
            "description": "A trial to be measured again; its params are used.",
        }
    if ranges:
        fields["widen"] = closed(
            {"parameter": {"enum": ranges}, "to": {"type": "number"}, "why": text}
        ) | {"description": "A range that is too narrow; the user decides."}
    return fields


def params_form(space: Space) -> Form:
    """Return the form of a configuration alone; a model that is held to it writes the values as a
    list, in the space's order.
    """
    start = _row([f"v{i}" for i in range(len(space))])
    return Form(
        "configuration",
        _params(space),
        "\n".join([start, *_values(space, {p.name: grid(p) for p in space})]),
    )


def expected_form(task: Task, trials: Sequence[Trial]) -> Form:
    """Return the form of a forecast: the value that is expected, and an interval."""
    start = r'start: "{\"expected\": " expected "}"'
    grammar = "\n".join(["%llguidance {}", start, _guess_rule(trials)])
    return Form("forecast", closed({"expected": _expectation(task)}), grammar)


def executor_form(task: Task) -> Form:
    """Return the form of an insight."""
    lines = ["%llguidance {}", r'start: "{\"insight\": " said "}"', _text("said", INSIGHT, task)]
    return Form("analysis", closed({"insight": {"type": "string"}}), "\n".join(lines))


def grid(parameter: Parameter, best: Trial | None = None) -> list[Any]:
    """Return values of ``parameter`` to choose from: all of a choice, else about a dozen over the
    range, with default and incumbent.
    """
    if parameter.is_discrete:
        return list(parameter.values)
    low, high = float(parameter.low or 0), float(parameter.high or 0)
    if parameter.log:
        points = [
            math.exp(math.log(low) + i / (_GRID - 1) * (math.log(high) - math.log(low)))
            for i in range(_GRID)
        ]
    else:
        points = [low + i / (_GRID - 1) * (high - low) for i in range(_GRID)]
    rounded = [_rounded(parameter, point) for point in points]
    kept = [
        parameter.low,
        parameter.high,
        parameter.default if parameter.has_default else None,
        best.proposal.params.get(parameter.name) if best else None,
    ]
    values = [parameter.snap(v) for v in [*rounded, *kept] if v is not None]
    return sorted({v for v in values if parameter.violation(v) is None})


def _untried(
    choices: dict[str, list[Any]], space: Space, trials: Sequence[Trial]
) -> dict[str, list[Any]]:
    """Return ``choices`` without the values that one parameter has had: what is chosen is no
    configuration that was tried.

    The parameter takes turns among those that always apply and have a value left; where none has, a
    repetition is sent back.
    """
    left = {p.name: _not_had(p.name, choices[p.name], trials) for p in space if not p.when}
    movable = [name for name, values in left.items() if values]
    if not trials or not movable:
        return choices
    name = movable[next_number(trials) % len(movable)]
    return {**choices, name: left[name]}


def _rounded(parameter: Parameter, point: float) -> Any:
    if parameter.kind == "int":
        return round(point)
    if parameter.step is not None:
        low = float(parameter.low or 0)
        return low + round((point - low) / parameter.step) * parameter.step
    return float(f"{point:.2g}")


def _expectation(task: Task) -> dict[str, Any]:
    number = {"type": "number"}
    about = (
        f"The value of {task.objective.metric} you expect, and an interval it falls into nine "
        "times in ten."
    )
    return closed({"value": number, "low": number, "high": number}) | {"description": about}


def _guess_rule(trials: Sequence[Trial]) -> str:
    return f"expected: {_choice([json.dumps(text) for text in _guesses(trials)])}"


def _guesses(trials: Sequence[Trial]) -> list[str]:
    """Return predictions to choose from, around the best value and spread as the values so
    far are.
    """
    values = [t.value for t in trials if t.value is not None] or [0.5]
    center = sorted(values)[len(values) // 2]
    spread = max(values) - min(values)
    unit = max(spread, abs(center) * 0.04, 1e-6) / 4
    middles = {
        f"{base + k * unit:.3g}"
        for base in (min(values), center, max(values))
        for k in (-1, 0, 1, 2)
    }
    return [
        f"{middle} +- {share * unit:.2g}"
        for middle in sorted(middles, key=float)
        for share in (0.5, 2)
    ]


def _not_had(name: str, values: list[Any], trials: Sequence[Trial]) -> list[Any]:
    had = [t.proposal.params.get(name) for t in trials]
    return [v for v in values if not among(v, had)]


def _params(space: Space) -> dict[str, Any]:
    return closed({p.name: _schema(p) for p in space})


def _values(space: Space, choices: dict[str, list[Any]]) -> list[str]:
    """Return a rule for each parameter: one of its choices."""
    rules = []
    for i, parameter in enumerate(space):
        words = [json.dumps(value) for value in choices[parameter.name]]
        rules.append(f"v{i}: {_choice(words)}")
    return rules


def _schema(parameter: Parameter) -> dict[str, Any]:
    if parameter.is_discrete:
        return {"enum": list(parameter.values), "description": parameter.describe()}
    kind = "integer" if parameter.kind == "int" else "number"
    return {
        "type": kind,
        "minimum": parameter.low,
        "maximum": parameter.high,
        "description": parameter.describe(),
    }


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has all of ``properties`` and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _row(rules: Sequence[str]) -> str:
    """Return the head of a grammar for a JSON list: without the keys, it is written in half the
    tokens.
    """
    between = ' ", " '.join(rules)
    return f'%llguidance {{}}\nstart: "[" {between} "]"'


def _choice(texts: Sequence[str]) -> str:
    return " | ".join(json.dumps(text) for text in texts)


def _text(rule: str, longest: int, task: Task, opening: str = "[A-Z]") -> str:
    """Return a rule for a JSON string of one sentence: no escapes, no control characters, and no
    ``=``, by which a small model copies the log.

    The first mark that ends a sentence ends the text, so that it is whole unless it comes to its
    limit; the point within a number is none. ``opening`` is a regular expression for
    how it begins: a word that promises a reason is followed by one. Where the task is told in
    ASCII, so is the reply; a small model slips into another script in mid-sentence else.
    """
    if task.background.describe().isascii():
        letters, ends = r"[ #-\-\/-<>@-\[\]-~]", "[.!?]"
    else:
        letters, ends = r"[^\"\\=.!?。！？\x00-\x1f]", "[.!?。！？]"
    return f'{rule}: /"{opening}({letters}|[0-9]\\.[0-9]){{15,{longest}}}{ends}"/'
