"""What a configuration will take of time and memory, foretold from the trials that have ended, and
what to make of one that cannot fit its limit: it is shrunk along what takes most, or another one is
tried.

A person's configuration, an agent's and the default run as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from agenthpo.knowledge.names import Role, recognised
from agenthpo.records import Expected, Needs, Outcome, Params, Proposal, Source, Stop, Trial
from agenthpo.search.engine.amounts import Amount, amount_of
from agenthpo.search.engine.encoding import Encoding, Vector
from agenthpo.search.engine.engine import Engine
from agenthpo.search.engine.threads import one_thread
from agenthpo.space import differing, short_number
from agenthpo.task import Task
from agenthpo.units import format_duration, format_memory

__all__ = ["Preflight", "checked"]

Kind = Literal["time", "memory"]
_AS_THEY_ARE: frozenset[Source] = frozenset({"default", "human", "agent"})
"""Whose configurations are run as they are; an agent is told before, when it proposes."""
_LEAST = 4
"""Trials that have to have ended before anything is foretold."""
_MOST = 120
"""The latest trials are looked at: what a fit costs grows with their cube."""
_WORTH_S = 10.0
"""Seconds of a training from which on a prediction is worth its time where nothing limits it."""
_SURE = 0.95
"""Probability to go beyond the limit from which on a configuration is held back."""
_FITS = 0.8
"""Probability to fit that a shrunk one has."""
_PLACES = 41
_ROLES: dict[Kind, tuple[Role, ...]] = {
    "time": ("length", "capacity"),
    "memory": ("memory", "capacity"),
}
"""Roles of the parameters that take it."""
_IRRELEVANT: frozenset[Role] = frozenset({"step", "regularise"})
"""Roles of those that take neither."""
_RELEVANT = 4.0


def checked(task: Task, trials: Sequence[Trial], proposal: Proposal) -> Proposal | Stop:
    """Return the proposal with what it will take, as far as that can be foretold. Where it cannot
    fit the task's limits it is shrunk, or another one, and its note says so.
    """
    flight = Preflight(task, trials)
    needs = flight.needs(proposal.params)
    found = replace(proposal, needs=needs) if needs else proposal
    why = flight.refusal(proposal.params)
    # what goes on with more of a training is that configuration and no other
    is_as_it_is = proposal.source in _AS_THEY_ARE or proposal.promoted_from is not None
    if not why or is_as_it_is:
        return found
    if shrunk := flight.shrunk(proposal.params):
        said = f"{_changed(proposal.params, shrunk)}, since {why}"
        return replace(
            proposal,
            params=shrunk,
            needs=flight.needs(shrunk),
            # they were said of another configuration
            expected=None,
            forecast=None,
            claim=None,
            note=". ".join(filter(None, [proposal.note, said])),
        )
    if proposal.source == "engine" or task.fidelity is not None:
        return found
    stand_in = Engine().propose(task, trials)
    if isinstance(stand_in, Stop):
        return stand_in
    return replace(
        stand_in,
        source="fallback",
        needs=flight.needs(stand_in.params),
        model=proposal.model,
        usage=proposal.usage,
        note=f"instead of one of the {proposal.who}'s, since {why}",
    )


def _changed(before: Params, after: Params) -> str:
    """Return in words what was shrunk."""
    return ", ".join(
        f"{name} {short_number(after.get(name))} instead of {short_number(before.get(name))}"
        for name in differing(before, after)
    )


@dataclass(frozen=True)
class _Gauge:
    """One amount: what is known of it, and its limit."""

    kind: Kind
    amount: Amount
    limit: float | None
    seen: int

    def expected(self, row: Vector) -> Expected:
        away = float(stdtrit(max(self.seen - 1, 1), _SURE))
        low, middle, high = (
            float(self.amount.at(row[None, :], by)[0]) for by in (-away, 0.0, away)
        )
        return Expected(middle, low, high)

    def fits(self, rows: np.ndarray) -> np.ndarray:
        """Return which rows fit with the probability that a shrunk configuration has."""
        assert self.limit is not None
        away = float(stdtrit(max(self.seen - 1, 1), _FITS))
        return np.asarray(self.amount.at(rows, away) <= self.limit)


class Preflight:
    """What the trials of a study say of time and memory."""

    def __init__(self, task: Task, trials: Sequence[Trial]) -> None:
        self.task, self.trials = task, trials
        self._encoding = Encoding(task.space, task.pins)

    @cached_property
    def _gauges(self) -> tuple[_Gauge, ...]:
        with one_thread():
            gauges = (self._gauge("time"), self._gauge("memory"))
        return tuple(each for each in gauges if each is not None)

    def _gauge(self, kind: Kind) -> _Gauge | None:
        train = self.task.train
        limit = train.timeout_s if kind == "time" else train.memory_mb
        ended = "timeout" if kind == "time" else "oom"
        seen = [
            (t, used, t.value is None)
            for t in self.trials[-_MOST:]
            if t.outcome is not None
            and (used := _used(t.outcome, kind))
            and (
                t.value is not None or (limit and t.outcome.status == ended and used >= limit * 0.9)
            )
        ]
        finished = [used for _, used, is_beyond in seen if not is_beyond]
        durations = [t.outcome.duration_s for t, _, _ in seen if t.outcome]
        if len(finished) < _LEAST or not (limit or median(durations) >= _WORTH_S):
            return None
        rows = self._encoding.rows(
            [self.task.space.restrict(t.proposal.params) for t, _, _ in seen]
        )
        amount = amount_of(
            self._encoding,
            rows,
            np.array([used for _, used, _ in seen]),
            relevance=relevance_of(self._encoding, kind),
            is_beyond=np.array([is_beyond for _, _, is_beyond in seen]),
            limit=limit or max(finished),
        )
        return _Gauge(kind, amount, limit, len(seen))

    def needs(self, params: Params) -> Needs | None:
        """Return what a configuration will take; None where too little has ended to say."""
        if not self._gauges:
            return None
        row = self._row(params)
        found = {gauge.kind: gauge.expected(row) for gauge in self._gauges}
        return Needs(found.get("time"), found.get("memory"))

    def refusal(self, params: Params) -> str:
        """Return in words why a configuration cannot fit a limit of the task's; empty where it
        may.
        """
        row = self._row(params)
        for gauge in self._gauges:
            expected = gauge.expected(row)
            if gauge.limit is not None and expected.low > gauge.limit:
                words = format_duration if gauge.kind == "time" else format_memory
                field = "timeout" if gauge.kind == "time" else "memory"
                return (
                    f"it would take about {words(expected.value)} "
                    f"(at least {words(expected.low)}), "
                    f"and train.{field} is {words(gauge.limit)}"
                )
        return ""

    def hint(self, params: Params) -> str:
        """Return the refusal with what would fit instead; empty where the configuration may fit."""
        if not (why := self.refusal(params)):
            return ""
        shrunk = self.shrunk(params)
        return why if shrunk is None else f"{why}; {_changed(params, shrunk)} would fit"

    def shrunk(self, params: Params) -> Params | None:
        """Return the configuration nearest to ``params`` that fits, was not tried and differs in
        what takes the time or the memory only; None where there is none.
        """
        bound = [gauge for gauge in self._gauges if gauge.limit is not None]
        row, space = self._row(params), self.task.space
        moved = list[Vector]()
        for columns in self._guilty(bound, row):
            # each alone first, then on top of those before it
            for start in (row, moved[-1]) if moved else (row,):
                rows = self._lowered(start, columns)
                fits = np.all([gauge.fits(rows) for gauge in bound], axis=0)
                fits &= self._encoding.allowed(rows)
                for place in np.flatnonzero(fits):
                    found = self._params(rows[place], params)
                    if not space.violations(found) and not self.task.tried_in(found, self.trials):
                        return found
                moved.append(rows[-1])
        return None

    def _params(self, row: Vector, params: Params) -> Params:
        """Return the configuration of a row, with those values of ``params`` that have not moved:
        their places say them but for a rounding.
        """
        before, found = self._row(params), self._encoding.params(row)
        names = [axis.parameter.name for axis in self._encoding.axes]
        stays = {name for name, old, new in zip(names, before, row, strict=True) if old == new}
        return {n: params[n] if n in stays and n in params else v for n, v in found.items()}

    def _guilty(self, bound: Sequence[_Gauge], row: Vector) -> list[tuple[int, int]]:
        """Return columns and the ways to go in them: what names say takes most first, and of those
        what takes most by the trials.
        """
        known = recognised(self.task.space.names)
        over = [g for g in bound if g.limit is not None and g.expected(row).low > g.limit]
        found = []
        fidelity = self.task.fidelity
        held = {*self.task.pins, *([fidelity.parameter] if fidelity else [])}
        active = self._encoding.active(row[None, :])[0]
        for column, axis in enumerate(self._encoding.axes):
            if axis.is_name or not active[column] or axis.parameter.name in held:
                continue
            entry = known.get(axis.parameter.name)
            for gauge in over:
                way = sum(entry.way(role) for role in _ROLES[gauge.kind]) if entry else 0
                for end in (0.0, 1.0):
                    other = row.copy()
                    other[column] = end
                    before, after = gauge.amount.at(np.stack([row, other]))
                    goes = -1 if end == 0.0 else 1
                    if after < before and way * goes <= 0:
                        found.append((way == 0, float(after - before), column, goes))
        return [(column, goes) for _, _, column, goes in sorted(found)]

    def _lowered(self, row: Vector, towards: tuple[int, int]) -> np.ndarray:
        """Return rows that go from ``row`` to one end of a column, in small steps."""
        column, goes = towards
        rows = np.repeat(row[None, :], _PLACES - 1, axis=0)
        end = 0.0 if goes < 0 else 1.0
        places = np.linspace(row[column], end, _PLACES)[1:]
        rows[:, column] = self._encoding.axes[column].snapped(places)
        return self._encoding.settled(rows)

    def _row(self, params: Params) -> Vector:
        row: Vector = self._encoding.rows([self.task.space.restrict(params)])[0]
        return row


def relevance_of(encoding: Encoding, kind: Kind) -> Vector:
    """Return how much each column is expected to matter for time or memory, by its name."""
    known = recognised(encoding.space.names)
    found = np.ones(encoding.width)
    for column, axis in enumerate(encoding.axes):
        if entry := known.get(axis.parameter.name):
            if entry.role in _ROLES[kind]:
                found[column] = _RELEVANT
            elif entry.role in _IRRELEVANT:
                found[column] = 1 / _RELEVANT**2
    return found


def _used(outcome: Outcome, kind: Kind) -> float:
    # the limit is on each of its runs
    found = outcome.duration_s / outcome.runs if kind == "time" else outcome.peak_mb
    return found if found and math.isfinite(found) else 0.0
