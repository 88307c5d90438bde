"""What a Creator may say beside its configuration: a claim that code can test, further
configurations, a range to widen. What is not valid is left out and noted; it never costs the
proposal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agenthpo.agents.reply.forms import CHANGES, MOST_FURTHER
from agenthpo.agents.reply.validate import Draft, read_creator, words_of
from agenthpo.records import Claim, Further, Params, Proposal, Trial, Widening
from agenthpo.scalars import as_number
from agenthpo.space import Parameter, format_number, same
from agenthpo.task import Task
from agenthpo.trials import next_number

__all__ = ["Extras", "read_extras"]

_WHY = 200


@dataclass(frozen=True)
class Extras:
    """What of it stands."""

    claim: Claim | None = None
    further: tuple[Further, ...] = ()
    widening: Widening | None = None
    notes: tuple[str, ...] = ()
    """What was left out and why, a sentence each."""


def read_extras(data: Any, task: Task, trials: Sequence[Trial], params: Params) -> Extras:
    """Return what of a reply's extras stands beside ``params``. Never raises."""
    if not isinstance(data, dict):
        return Extras()
    notes = list[str]()
    claim = _claim(data.get("claim"), trials, params, notes)
    further = _further(data.get("more"), task, trials, params, notes)
    widening = _widening(data.get("widen"), task, notes)
    return Extras(claim, further, widening, tuple(notes))


def _claim(raw: Any, trials: Sequence[Trial], params: Params, notes: list[str]) -> Claim | None:
    if not isinstance(raw, dict):
        return None
    name, change, than = raw.get("parameter"), raw.get("change"), raw.get("than")
    base = next((t for t in trials if t.number == than and not isinstance(than, bool)), None)
    if base is None or not isinstance(name, str) or change not in CHANGES:
        notes.append("its claim was left out, since it names no trial, parameter or change")
        return None
    before, after = base.proposal.params.get(name), params.get(name)
    if not _is_so(change, before, after):
        notes.append(
            f"its claim was left out, since {name} is {format_number(after)} here and "
            f"{format_number(before)} in trial {base.number}"
        )
        return None
    return Claim(name, change, base.number, is_better=raw.get("is_better") is not False)


def _is_so(change: str, before: Any, after: Any) -> bool:
    """Return whether a value went from ``before`` to ``after`` as it is said to."""
    if before is None or after is None or same(before, after):
        return False
    if change == "change":
        return True
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (before, after))
    return numbers and (after > before) == (change == "raise")


def _further(
    raw: Any, task: Task, trials: Sequence[Trial], params: Params, notes: list[str]
) -> tuple[Further, ...]:
    known = [*trials, Trial(next_number(trials), Proposal(params, "creator"))]
    kept = list[Further]()
    for each in raw[:MOST_FURTHER] if isinstance(raw, list) else ():
        read = read_creator(each, task, known)
        if isinstance(read, Draft):
            kept.append(Further(read.params, read.rationale, read.hypothesis, read.expected))
            known.append(Trial(next_number(known), Proposal(read.params, "creator")))
        else:
            notes.append(f"a further configuration was left out: {'; '.join(read)[:200]}")
    return tuple(kept)


def _widening(raw: Any, task: Task, notes: list[str]) -> Widening | None:
    if not isinstance(raw, dict):
        return None
    name, to = raw.get("parameter"), as_number(raw.get("to"))
    parameter = task.space[name] if isinstance(name, str) and name in task.space.names else None
    if parameter is None or not _is_beyond(parameter, to):
        notes.append("its advice to widen a range was left out, since it names no wider one")
        return None
    return Widening(parameter.name, float(to), words_of(raw.get("why"), _WHY))


def _is_beyond(parameter: Parameter, to: Any) -> bool:
    if parameter.is_discrete or isinstance(to, bool) or not isinstance(to, int | float):
        return False
    if abs(to) > 1e300 or not math.isfinite(to) or (parameter.log and to <= 0):
        return False
    assert parameter.low is not None and parameter.high is not None
    return to < parameter.low or to > parameter.high
