"""Where trials fail: by memory and time as amounts with a limit, by whatever else as a border.

A trial that ran out of memory or time says by its amount how far to go back, and so does every one
that finished; where only the end is known, a process of 1 for what ran and -1 for what failed is
read through a probit. Each kind of failure has its own, since each has its own direction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from agenthpo.knowledge.names import Role, recognised
from agenthpo.records import Outcome, Status, Trial
from agenthpo.search.engine.encoding import Encoding, Matrix, Vector
from agenthpo.search.engine.gp import Process, Settings, fit
from agenthpo.task import Train

__all__ = ["Feasible", "feasible_of"]

_BORDER = Settings()
_DOUBT = 0.01
"""Variance of the border between what runs and what fails: at 0.1 the search continued beyond
it.
"""
_BEYOND = 0.3
"""By how much, in logarithms, what hit a limit would have gone beyond it, at least: where it was
stopped, nobody knows.
"""
_ROUNDS, _RIDGE = 3, 0.1
_SAME = 0.9
"""A failed trial's share of the largest amount that finished from which on the amount explains
the failure: a device's memory is not what was measured.
"""
_TAKES: dict[Status, tuple[Role, ...]] = {
    "oom": ("memory", "capacity"),
    "timeout": ("length", "capacity"),
}
"""Roles of the parameters that take what ran out."""
_UNLIKELY = 0.1
"""Probability to run where the names say that it will not: names may mislead."""
_NOT_FAILED: frozenset[Status] = frozenset({"complete", "interrupted", "pruned"})
"""An interruption says nothing of the configuration, and what was pruned ran."""
_AMOUNTS: dict[Status, Callable[[Outcome], float | None]] = {
    "oom": lambda outcome: outcome.peak_mb,
    "timeout": lambda outcome: outcome.duration_s,
}
"""What a trial used of that which ran out."""


@dataclass(frozen=True, eq=False)
class _Border:
    """One kind of failure of which only the end is known."""

    process: Process

    def log_probability(self, rows: Matrix) -> Vector:
        # P(g + e > 0) for g ~ N(mean, spread^2) and e ~ N(0, doubt):
        # Phi(mean / sqrt(doubt + spread^2))
        mean, spread = self.process.at(rows)
        logarithm: Vector = log_ndtr(mean / np.sqrt(_DOUBT + spread**2))
        return logarithm


@dataclass(frozen=True, eq=False)
class _Limit:
    """One amount that may run out: its logarithm, a linear function of the row and a process of
    what is left.
    """

    slopes: Vector
    process: Process
    deviation: float
    limit: float

    def log_probability(self, rows: Matrix) -> Vector:
        # P(amount < limit) for log amount ~ N(line + d mean, d^2 (spread^2 + noise))
        mean, spread = self.process.at(rows)
        middle = _features(self.process.encoding, rows) @ self.slopes + self.deviation * mean
        width = self.deviation * np.sqrt(spread**2 + self.process.noise)
        logarithm: Vector = log_ndtr((self.limit - middle) / width)
        return logarithm


@dataclass(frozen=True, eq=False)
class _Larger:
    """What their names say: a configuration that is as large as one that ran out, in everything
    that takes memory or time, runs out as well.
    """

    failed: Matrix
    columns: np.ndarray
    ways: Vector

    def log_probability(self, rows: Matrix) -> Vector:
        sizes = rows[:, self.columns] * self.ways
        limits = self.failed[:, self.columns] * self.ways
        is_larger = (sizes[:, None, :] >= limits[None, :, :] - 1e-9).all(axis=2).any(axis=1)
        logarithm: Vector = np.where(is_larger, math.log(_UNLIKELY), 0.0)
        return logarithm


@dataclass(frozen=True, eq=False)
class Feasible:
    """What is known of where trials fail."""

    kinds: tuple[_Border | _Limit | _Larger, ...]

    def log_probability(self, rows: Matrix) -> Vector:
        """Return the logarithm of the probability that ``rows`` do not fail in any known way."""
        total = np.zeros(len(rows))
        for kind in self.kinds:
            total = total + kind.log_probability(rows)
        return total


def feasible_of(
    encoding: Encoding, rows: Matrix, trials: Sequence[Trial], train: Train
) -> Feasible | None:
    """Return what ``trials``, at ``rows``, say of where trials fail; None where none has."""
    ran = np.array([t.value is not None for t in trials], dtype=bool)
    failures = {t.outcome.status for t in trials if t.outcome is not None} - _NOT_FAILED
    kinds: list[_Border | _Limit | _Larger] = []
    for status in sorted(failures):
        failed = np.array([t.outcome is not None and t.outcome.status == status for t in trials])
        if larger := _larger(encoding, rows[failed], status):
            kinds.append(larger)
        limit = _limit(encoding, rows, trials, status=status, failed=failed, train=train)
        if limit is None:
            seen = ran | failed
            values = np.where(failed[seen], -1.0, 1.0)
            kinds.append(_Border(fit(encoding, rows[seen], values=values, settings=_BORDER)))
        else:
            kinds.append(limit)
    return Feasible(tuple(kinds)) if kinds else None


def _limit(
    encoding: Encoding,
    rows: Matrix,
    trials: Sequence[Trial],
    *,
    status: Status,
    failed: np.ndarray,
    train: Train,
) -> _Limit | None:
    """Return the limit by which trials end as ``status``; None where their amounts are not known,
    or do not explain it.
    """
    if status not in _AMOUNTS:
        return None
    used = np.array([_amount(t, status) for t in trials])
    finished = np.array([t.value is not None for t in trials], dtype=bool) & (used > 0)
    if not finished.any() or not (used[failed] > 0).all():
        return None
    most = float(used[finished].max())
    if used[failed].min() < _SAME * most:
        return None
    given = train.memory_mb if status == "oom" else train.timeout_s
    limit = math.log(given or max(float(used[failed].min()), most))
    seen = finished | failed
    is_beyond = failed[seen]
    amounts = np.log(used[seen])
    features = _features(encoding, rows[seen])
    beyond = limit + _BEYOND
    for _ in range(_ROUNDS):
        # what hit the limit is taken to be where the others put it, beyond the limit
        amounts = np.where(is_beyond, beyond, amounts)
        slopes = np.linalg.solve(
            features.T @ features + _RIDGE * np.eye(features.shape[1]), features.T @ amounts
        )
        beyond = np.maximum(features @ slopes, limit + _BEYOND)
    amounts = np.where(is_beyond, beyond, amounts)
    left = amounts - features @ slopes
    deviation = max(float(left.std()), 1e-3)
    process = fit(encoding, rows[seen], values=left / deviation, settings=_BORDER)
    return _Limit(slopes, process=process, deviation=deviation, limit=limit)


def _larger(encoding: Encoding, failed: Matrix, status: Status) -> _Larger | None:
    known = recognised(encoding.space.names)
    ways = {
        place: way
        for place, axis in enumerate(encoding.axes)
        if axis.parameter.is_ordered
        and (entry := known.get(axis.parameter.name))
        and (way := sum(entry.way(role) for role in _TAKES.get(status, ())))
    }
    if not ways:
        return None
    return _Larger(failed, np.array(list(ways)), np.array(list(ways.values()), dtype=float))


def _amount(trial: Trial, status: Status) -> float:
    found = None if trial.outcome is None else _AMOUNTS[status](trial.outcome)
    return found if found is not None and math.isfinite(found) else 0.0


def _features(encoding: Encoding, rows: Matrix) -> Matrix:
    """Return 1 and the places of the numbers, each on its own scale: products are sums there."""
    return np.concatenate([np.ones((len(rows), 1)), rows[:, ~encoding.names]], axis=1)
