"""What failed in the same way, as a statement: ``batch_size ≥ 256 with width ≥ 512 ran out of
memory 3 of 3 times``.

A statement holds for every trial so far: all that fit its conditions failed in that way. It is made
only where that is unlikely to be chance, given how many statements could have been made.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agenthpo.knowledge.names import Known, Role, recognised
from agenthpo.records import Outcome, Params, Status, Trial
from agenthpo.space import format_number

__all__ = ["Condition", "FailureRule", "cause_of", "failure_rules", "forbidden"]

_DETAILS = re.compile(r"0x[0-9a-f]+|[-+]?\d[\d.,e+-]*|/\S*/")
_MOST, _LATEST = 3, 300
"""Statements, and the trials that are looked at."""
_LEVELS = 8
"""Values of a parameter that a condition may begin at."""
_CHANCE = 0.05
"""How probable a statement by chance may be."""
_FEWEST = 2
_BINDING = 3
"""Failures from which on a statement is held to."""
_SAID: dict[Status, str] = {
    "oom": "ran out of memory",
    "timeout": "hit the time limit",
    "diverged": "diverged",
}
_TAKES: dict[Status, tuple[Role, ...]] = {
    "oom": ("memory", "capacity"),
    "timeout": ("length", "capacity"),
    "diverged": ("step",),
}
"""Roles of the parameters of which more leads to it."""


@dataclass(frozen=True)
class Condition:
    """A parameter at, above or below a value, both inclusive."""

    name: str
    sign: Literal["=", "≥", "≤"]
    value: Any

    def holds(self, params: Params) -> bool:
        """Return whether a configuration has the parameter, and it is so."""
        if self.name not in params:
            return False
        value = params[self.name]
        if self.sign == "=":
            return bool(value == self.value) and isinstance(value, bool) == isinstance(
                self.value, bool
            )
        if not _is_number(value):
            return False
        return bool(value >= self.value if self.sign == "≥" else value <= self.value)

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {format_number(self.value)}"


@dataclass(frozen=True)
class FailureRule:
    """All trials that fit the ``conditions`` failed in one way."""

    conditions: tuple[Condition, ...]
    status: Status
    said: str
    """How they failed, in words."""
    count: int
    """How many."""

    def holds(self, params: Params) -> bool:
        """Return whether a configuration fits all conditions."""
        return all(condition.holds(params) for condition in self.conditions)

    def __str__(self) -> str:
        where = " with ".join(map(str, self.conditions))
        return f"{where} {self.said} {self.count} of {self.count} times"


@dataclass(frozen=True)
class _Candidate:
    """Conditions, as the sets of trials (bits) that fit them."""

    conditions: tuple[Condition, ...]
    failed: int
    ran: int
    plausible: bool
    """Whether the names say that this leads to the failure."""

    def __and__(self, other: _Candidate) -> _Candidate:
        return _Candidate(
            (*self.conditions, *other.conditions),
            self.failed & other.failed,
            self.ran & other.ran,
            self.plausible and other.plausible,
        )


def cause_of(outcome: Outcome) -> str:
    """Return the error without what differs from run to run: numbers, addresses, folders."""
    return _DETAILS.sub("#", outcome.error)


def failure_rules(trials: Sequence[Trial]) -> tuple[FailureRule, ...]:
    """Return at most three statements, those of the most failures first."""
    ended = [t for t in trials if t.outcome is not None][-_LATEST:]
    ran = [t for t in ended if t.value is not None or (t.outcome and t.outcome.status == "pruned")]
    groups: dict[tuple[Status, str], list[Trial]] = {}
    for trial in ended:
        outcome = trial.outcome
        assert outcome is not None
        if outcome.status in ("complete", "pruned", "interrupted"):
            continue
        cause = cause_of(outcome) if outcome.status == "failed" else ""
        groups.setdefault((outcome.status, cause), []).append(trial)
    found = [rule for (status, _), failed in groups.items() for rule in _rules(status, failed, ran)]
    return tuple(sorted(found, key=lambda rule: -rule.count)[:_MOST])


def forbidden(params: Params, trials: Sequence[Trial]) -> str:
    """Return the statement that speaks against a configuration, of three failures or more; empty
    where none does. What diverged may run with other values of what the statement does not name.
    """
    return next(
        (
            f"{rule}; stay out of it"
            for rule in failure_rules(trials)
            if rule.count >= _BINDING and rule.status != "diverged" and rule.holds(params)
        ),
        "",
    )


def _rules(status: Status, failed: Sequence[Trial], ran: Sequence[Trial]) -> list[FailureRule]:
    """Return statements about one kind of failure, each of failures that those before it do not
    cover.
    """
    if len(failed) < _FEWEST or not ran:
        return []
    singles = _singles(status, failed, ran)
    pairs = [
        a & b
        for a, b in itertools.combinations(singles, 2)
        if a.conditions[0].name != b.conditions[0].name
    ]
    left, found = (1 << len(failed)) - 1, list[FailureRule]()
    while left.bit_count() >= _FEWEST and len(found) < _MOST:
        best = max(
            (
                each
                for each in (*singles, *pairs)
                if not each.ran
                and (each.failed & left).bit_count() >= _FEWEST
                and _is_no_chance(each, len(failed), len(ran), singles)
            ),
            key=lambda each: (
                (each.failed & left).bit_count(),
                each.plausible,
                -len(each.conditions),
                each.failed.bit_count(),
            ),
            default=None,
        )
        if best is None:
            break
        left &= ~best.failed
        outcome = failed[best.failed.bit_length() - 1].outcome
        assert outcome is not None
        said = _SAID.get(status) or f"failed ({outcome.error[:120]})"
        found.append(FailureRule(best.conditions, status, said, best.failed.bit_count()))
    return found


def _singles(status: Status, failed: Sequence[Trial], ran: Sequence[Trial]) -> list[_Candidate]:
    names = list(dict.fromkeys(name for t in failed for name in t.proposal.params))
    known = recognised(names)
    found = []
    for name in names:
        for condition in _conditions(name, failed):
            candidate = _Candidate(
                (condition,),
                _fitting(condition, failed),
                _fitting(condition, ran),
                _is_plausible(condition, known.get(name), status),
            )
            # what all fit says nothing
            if candidate.ran.bit_count() < len(ran):
                found.append(candidate)
    return found


def _conditions(name: str, failed: Sequence[Trial]) -> list[Condition]:
    values = [t.proposal.params[name] for t in failed if name in t.proposal.params]
    if not all(map(_is_number, values)):
        kinds = {(type(value).__name__, repr(value)): value for value in values}
        return [Condition(name, "=", value) for value in kinds.values()]
    levels = sorted(set(values))
    kept = {levels[round(i * (len(levels) - 1) / (_LEVELS - 1))] for i in range(_LEVELS)}
    return [Condition(name, sign, value) for value in sorted(kept) for sign in ("≥", "≤")]


def _fitting(condition: Condition, trials: Sequence[Trial]) -> int:
    return sum(1 << i for i, t in enumerate(trials) if condition.holds(t.proposal.params))


def _is_plausible(condition: Condition, known: Known | None, status: Status) -> bool:
    if known is None or condition.sign == "=":
        return False
    way = sum(known.way(role) for role in _TAKES.get(status, ()))
    return way > 0 if condition.sign == "≥" else way < 0


def _is_no_chance(each: _Candidate, failed: int, ran: int, singles: Sequence[_Candidate]) -> bool:
    """Return whether so many trials, drawn from all, would rarely all have failed, for any of the
    statements that could have been made in as many conditions.
    """
    count = each.failed.bit_count()
    by_chance = math.comb(failed, count) / math.comb(failed + ran, count)
    # a second condition may begin at many values too
    by_chance *= _LEVELS ** (len(each.conditions) - 1)
    if each.plausible:
        return count > len(each.conditions) and by_chance <= _CHANCE
    directions = len({(c.name, c.sign) for s in singles for c in s.conditions})
    return bool(by_chance * math.comb(directions, len(each.conditions)) <= _CHANCE)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
