"""Reading the agents' replies: the validation that nothing gets past. A reply is data; nothing in
it is executed or believed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agenthpo.agents.reply.forms import HYPOTHESIS, RATIONALE
from agenthpo.agents.reply.repair import meant_params
from agenthpo.failures import forbidden
from agenthpo.records import Expected, Params, Trial
from agenthpo.scalars import as_number
from agenthpo.space import Space
from agenthpo.task import Task

__all__ = [
    "Draft",
    "applicable",
    "read_creator",
    "read_expected",
    "wants_to_stop",
    "was_cut",
    "whole_sentences",
    "words_of",
]

_LONGEST = 800
_PLUS_MINUS = re.compile(r"\+-|±|\+/-")


@dataclass(frozen=True)
class Draft:
    """A Creator's reply that is valid in every point."""

    params: Params
    rationale: str
    hypothesis: str
    expected: Expected
    repairs: tuple[str, ...] = ()
    """What was read otherwise than it was written, in words."""


def read_creator(data: Any, task: Task, trials: Sequence[Trial]) -> Draft | list[str]:
    """Return the draft in a reply, or every reason why there is none in it. Never raises.

    Read without guessing, and noted in the draft's ``repairs``: numbers written as text, names and
    choices in another case, the parameters whose condition does not hold, bounds in the wrong
    order.
    """
    longest = _LONGEST, _LONGEST
    if isinstance(data, list) and len(data) == len(task.space) + 3:
        longest = RATIONALE, HYPOTHESIS
        why, *values, claim, expected = data
        data = {
            "rationale": why,
            "params": dict(zip(task.space.names, values, strict=True)),
            "hypothesis": claim,
            "expected": expected,
        }
    if not isinstance(data, dict):
        return ["the reply is not a JSON object with rationale, params, hypothesis and expected"]
    raw, repairs = meant_params(_with_params(data, task, trials), task.space)
    params = applicable(task.space, raw) if isinstance(raw, dict) else raw
    problems = task.space.violations(params)
    if not problems:
        problems += _repeated(task, params, trials)
        problems += filter(None, [forbidden(params, trials)])
    rationale = words_of(data.get("rationale"), longest[0])
    hypothesis = words_of(data.get("hypothesis"), longest[1])
    problems += [
        f"{name} is empty"
        for name, text in (("rationale", rationale), ("hypothesis", hypothesis))
        if not text
    ]
    expected = read_expected(data.get("expected"))
    if isinstance(expected, str):
        problems.append(expected)
    return (
        problems
        if problems or isinstance(expected, str)
        else Draft(
            params=params,
            rationale=rationale,
            hypothesis=hypothesis,
            expected=expected,
            repairs=tuple(repairs),
        )
    )


def _with_params(data: dict[str, Any], task: Task, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return ``data`` with the params of the trial that it asks to be measured again."""
    number = as_number(data.get("again"))
    if not task.objective.noisy or isinstance(number, bool) or not isinstance(number, int | float):
        return data
    again = next((t for t in trials if t.number == number), None)
    return data if again is None else {**data, "params": again.proposal.params}


def wants_to_stop(data: Any) -> str:
    """Return why a reply proposes to stop, or nothing where it does not."""
    if not isinstance(data, dict) or data.get("stop") is not True:
        return ""
    return words_of(data.get("rationale")) or "it gave no reason"


def applicable(space: Space, raw: dict[str, Any]) -> Params:
    """Return ``raw`` snapped, without the parameters of the space whose condition does not hold."""
    snapped = space.snap(raw)
    active = {p.name for p in space.active(snapped)}
    return {
        name: value for name, value in snapped.items() if name in active or name not in space.names
    }


def whole_sentences(text: str, most: int) -> str:
    """Return ``text`` in at most ``most`` characters and whole sentences: without a last one that
    was cut off, unless it is the only one, which then ends after a whole word.
    """
    whole = " ".join(text.split())
    kept = whole[:most]
    if not kept or kept[-1] in ".!?":
        return kept
    if (end := _last_end(kept)) > 0:
        return kept[: end + 1]
    if len(text) >= most and whole[most : most + 1] != " ":  # its last word may be half of one
        kept = kept.rsplit(" ", 1)[0]
    return f"{kept[: most - 1].rstrip(' ,;:-…')}."


def was_cut(text: str, most: int) -> bool:
    """Return whether no sentence of ``text`` ends within ``most`` characters, so that what would be
    kept of it is no sentence.
    """
    whole = " ".join(text.split())
    return len(whole) > most and _last_end(whole[: most + 1]) <= 0


def _last_end(text: str) -> int:
    """Return where the last mark in ``text`` is that ends a sentence before another one; -1 where
    none does.
    """
    return max(text.rfind(mark) for mark in (". ", "! ", "? "))


def _repeated(task: Task, params: Params, trials: Sequence[Trial]) -> list[str]:
    same = task.tried_in(params, trials)
    if same is None:
        return []
    came = f", which ended as {same.outcome.status}" if same.outcome and same.value is None else ""
    return [f"params are those of trial {same.number}{came}; change at least one of them"]


def words_of(value: Any, most: int = _LONGEST) -> str:
    """Return the text in a field of a reply, in whole sentences; empty where it is no text."""
    return whole_sentences(value, most) if isinstance(value, str) else ""


def read_expected(value: Any) -> Expected | str:
    """Return the prediction in ``{value, low, high}`` or in ``"0.92 +- 0.02"``, else what is wrong
    with it.
    """
    if isinstance(value, str) and len(parts := _PLUS_MINUS.split(value)) == 2:
        middle, margin = map(_number, parts)
        value = {"value": middle, "low": middle - abs(margin), "high": middle + abs(margin)}
    if not isinstance(value, dict):
        return "expected must be an object with the numbers value, low and high"
    numbers = [_number(value.get(key)) for key in ("value", "low", "high")]
    if not all(map(math.isfinite, numbers)):
        return "expected must have finite numbers for value, low and high"
    middle = numbers[0]
    low = min(numbers[1:])
    high = max(numbers[1:])
    if not low <= middle <= high:
        return f"expected.value {middle:g} must lie between low {low:g} and high {high:g}"
    return Expected(middle, low, high)


def _number(value: Any) -> float:
    value = as_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan
