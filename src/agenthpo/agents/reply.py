"""What the agents' replies look like, and reading them: the form a model is held to, and the validation nothing gets past.

A form has a JSON schema, for models that follow one, and a grammar that cannot be broken, for embedded ones: there a reply is a list
without keys, and every number is one of a grid, since a grammar does not hold numbers to a range and a small model writes digits for ever.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agenthpo.llm.client import Form
from agenthpo.records import Expected, Params, Trial, incumbent
from agenthpo.space import Parameter, Space, same
from agenthpo.task import Task

__all__ = ["Draft", "creator_form", "executor_form", "grid", "read_creator", "whole_sentences"]

_GRID = 11
_RATIONALE, _HYPOTHESIS, _INSIGHT = 110, 55, 110
"""Characters a held reply may have; an embedded model writes about three of them a token."""
_LONGEST = 800
_PLUS_MINUS = re.compile(r"\s*([^\s±]+)\s*(?:\+-|±|\+/-)\s*(\S+)\s*")


@dataclass(frozen=True)
class Draft:
    """A Creator's reply that is valid in every point."""

    params: Params
    rationale: str
    hypothesis: str
    expected: Expected


def creator_form(task: Task, trials: Sequence[Trial]) -> Form:
    """Return the form of a proposal: rationale, params, hypothesis, expected."""
    number = {"type": "number"}
    properties = {
        "rationale": {"type": "string", "description": "Why, in one or two sentences that name trials by number."},
        "params": {
            "type": "object",
            "properties": {p.name: _schema(p) for p in task.space},
            "required": [p.name for p in task.space],
            "additionalProperties": False,
        },
        "hypothesis": {"type": "string", "description": "What the result will confirm or refute."},
        "expected": {
            "type": "object",
            "description": f"The value of {task.objective.metric} you expect, and an interval it falls into nine times in ten.",
            "properties": {"value": number, "low": number, "high": number},
            "required": ["value", "low", "high"],
            "additionalProperties": False,
        },
    }
    best = incumbent(list(trials), task.objective.direction)
    choices = _untried({p.name: grid(p, best) for p in task.space}, task.space, trials)
    rules = [f"v{i}: {_choice([json.dumps(v) for v in choices[p.name]])}" for i, p in enumerate(task.space)]
    rules.append(f"expected: {_choice([json.dumps(text) for text in _guesses(trials)])}")
    start = _row(["why", *(f"v{i}" for i in range(len(task.space))), "claim", "expected"])
    grammar = "\n".join([start, _text("why", _RATIONALE, task, "(Since|Because) "), _text("claim", _HYPOTHESIS, task), *rules])
    return Form("proposal", _object(properties), grammar)


def executor_form(task: Task) -> Form:
    """Return the form of an insight."""
    lines = ["%llguidance {}", r'start: "{\"insight\": " said "}"', _text("said", _INSIGHT, task)]
    return Form("analysis", _object({"insight": {"type": "string"}}), "\n".join(lines))


def read_creator(data: Any, task: Task, trials: Sequence[Trial]) -> Draft | list[str]:
    """Return the draft in a reply, or every reason why there is none in it. Never raises.

    Read without guessing: a number written as text, the parameters whose condition does not hold, bounds in the wrong order.
    """
    if isinstance(data, list) and len(data) == len(task.space) + 3:
        why, *values, claim, expected = data
        data = {"rationale": why, "params": dict(zip(task.space.names, values, strict=True)), "hypothesis": claim, "expected": expected}
    if not isinstance(data, dict):
        return ["the reply is not a JSON object with rationale, params, hypothesis and expected"]
    raw = data.get("params")
    params = applicable(task.space, raw) if isinstance(raw, dict) else raw
    problems = task.space.violations(params)
    if not problems:
        problems += _repeated(task.space, params, trials)
    rationale, hypothesis = _words(data.get("rationale")), _words(data.get("hypothesis"))
    problems += [f"{name} is empty" for name, text in (("rationale", rationale), ("hypothesis", hypothesis)) if not text]
    expected = _expected(data.get("expected"))
    if isinstance(expected, str):
        problems.append(expected)
    return problems if problems or isinstance(expected, str) else Draft(params, rationale, hypothesis, expected)


def applicable(space: Space, raw: dict[str, Any]) -> Params:
    """Return ``raw`` snapped, without the parameters of the space whose condition does not hold."""
    snapped = space.snap(raw)
    active = {p.name for p in space.active(snapped)}
    return {name: value for name, value in snapped.items() if name in active or name not in space.names}


def grid(parameter: Parameter, best: Trial | None = None) -> list[Any]:
    """Return values of ``parameter`` to choose from: all of a choice, else about a dozen over the range, with default and incumbent."""
    if parameter.is_discrete:
        return list(parameter.values)
    low, high = float(parameter.low or 0), float(parameter.high or 0)
    if parameter.log:
        points = [math.exp(math.log(low) + i / (_GRID - 1) * (math.log(high) - math.log(low))) for i in range(_GRID)]
    else:
        points = [low + i / (_GRID - 1) * (high - low) for i in range(_GRID)]
    rounded = [_rounded(parameter, point) for point in points]
    kept = [
        parameter.low,
        parameter.high,
        *[parameter.default] * parameter.has_default,
        best.proposal.params.get(parameter.name) if best else None,
    ]
    values = [parameter.snap(v) for v in [*rounded, *kept] if v is not None]
    return sorted({v for v in values if parameter.violation(v) is None})


def _untried(choices: dict[str, list[Any]], space: Space, trials: Sequence[Trial]) -> dict[str, list[Any]]:
    """Return ``choices`` without the values that one parameter has had: what is chosen is no configuration that was tried.

    The parameter takes turns among those that always apply and have a value left; where none has, a repetition is sent back.
    """
    left = {
        p.name: [v for v in choices[p.name] if not any(same(v, t.proposal.params.get(p.name)) for t in trials)] for p in space if not p.when
    }
    movable = [name for name, values in left.items() if values]
    if not trials or not movable:
        return choices
    name = movable[len(trials) % len(movable)]
    return {**choices, name: left[name]}


def whole_sentences(text: str) -> str:
    """Return ``text`` without a last sentence that was cut off, unless it is the only one: then it ends with an ellipsis."""
    text = " ".join(text.split())
    if not text or text[-1] in ".!?":
        return text
    end = max(text.rfind(mark) for mark in (". ", "! ", "? "))
    if end > 0:
        return text[: end + 1]
    return f"{text.rsplit(' ', 1)[0]} …" if " " in text else f"{text} …"


def _rounded(parameter: Parameter, point: float) -> Any:
    if parameter.kind == "int":
        return round(point)
    if parameter.step is not None:
        low = float(parameter.low or 0)
        return low + round((point - low) / parameter.step) * parameter.step
    return float(f"{point:.2g}")


def _repeated(space: Space, params: Params, trials: Sequence[Trial]) -> list[str]:
    key = space.key(params)
    same = next((t.number for t in trials if space.key(t.proposal.params) == key), None)
    return [] if same is None else [f"params are those of trial {same}; change at least one of them"]


def _words(value: Any) -> str:
    return whole_sentences(value[:_LONGEST]) if isinstance(value, str) else ""


def _expected(value: Any) -> Expected | str:
    """Return the prediction in ``{value, low, high}`` or in ``"0.92 +- 0.02"``, else what is wrong with it."""
    if isinstance(value, str) and (match := _PLUS_MINUS.fullmatch(value)):
        middle, margin = _number(match[1]), _number(match[2])
        value = {"value": middle, "low": middle - abs(margin), "high": middle + abs(margin)}
    if not isinstance(value, dict):
        return "expected must be an object with the numbers value, low and high"
    numbers = [_number(value.get(key)) for key in ("value", "low", "high")]
    if not all(map(math.isfinite, numbers)):
        return "expected must have finite numbers for value, low and high"
    middle, low, high = numbers[0], min(numbers[1:]), max(numbers[1:])
    if not low <= middle <= high:
        return f"expected.value {middle:g} must lie between low {low:g} and high {high:g}"
    return Expected(middle, low, high)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _guesses(trials: Sequence[Trial]) -> list[str]:
    """Return predictions to choose from, around the best value and spread as the values so far are."""
    values = [t.value for t in trials if t.value is not None] or [0.5]
    center, spread = sorted(values)[len(values) // 2], max(values) - min(values)
    unit = max(spread, abs(center) * 0.04, 1e-6) / 4
    middles = {f"{base + k * unit:.3g}" for base in (min(values), center, max(values)) for k in (-1, 0, 1, 2)}
    return [f"{middle} +- {share * unit:.2g}" for middle in sorted(middles, key=float) for share in (0.5, 2)]


def _schema(parameter: Parameter) -> dict[str, Any]:
    if parameter.is_discrete:
        return {"enum": list(parameter.values), "description": parameter.describe()}
    kind = "integer" if parameter.kind == "int" else "number"
    return {"type": kind, "minimum": parameter.low, "maximum": parameter.high, "description": parameter.describe()}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _row(rules: Sequence[str]) -> str:
    """Return the head of a grammar for a JSON list: without the keys, it is written in half the tokens."""
    between = ' ", " '.join(rules)
    return f'%llguidance {{}}\nstart: "[" {between} "]"'


def _choice(texts: Sequence[str]) -> str:
    return " | ".join(json.dumps(text) for text in texts)


def _text(rule: str, longest: int, task: Task, opening: str = "[A-Z]") -> str:
    """Return a rule for a JSON string of some words: no escapes, no control characters, and no ``=``, by which a small model copies the log.

    ``opening`` is a regular expression for how it begins: a word that promises a reason is followed by one.
    Where the task is told in ASCII, so is the reply; a small model slips into another script in mid-sentence else.
    """
    letters = r" !#-<>-\[\]-~" if task.background.describe().isascii() else r"^\"\\=\x00-\x1f"
    return f'{rule}: /"{opening}[{letters}]{{15,{longest}}}"/'
