"""Which hyperparameters a proposer changes from trial to trial, and by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agenthpo.bench.tasks.scores import trials_of
from agenthpo.bench.tasks.stored_runs import StoredRun
from agenthpo.records import Direction
from agenthpo.space import Parameter, Space
from agenthpo.trials import best_measured

__all__ = ["change", "changes"]


def change(parameter: Parameter, before: Any, after: Any) -> float:
    """Return how far ``after`` is from ``before``: a share of the range (of its logarithm where it
    has one); 0 or 1 for a choice.

    Where the parameter applies on one side only it has changed by 1, where on neither by nothing.
    """
    if before is None or after is None:
        return float((before is None) != (after is None))
    values = parameter.values
    if parameter.is_discrete and not all(
        isinstance(v, (int, float)) and not isinstance(v, bool) for v in values
    ):
        return float(before != after)
    ends = (min(values), max(values)) if parameter.is_discrete else (parameter.low, parameter.high)
    low, high, first, second = (float(v) for v in (*ends, before, after))
    if (parameter.is_discrete and low > 0 and high / low >= 4) or parameter.log:
        low, high, first, second = (math.log(v) for v in (low, high, first, second))
    return abs(second - first) / (high - low)


def changes(
    runs: Sequence[StoredRun], space: Space, *, direction: Direction, trials: int
) -> NDArray[np.float64]:
    """Return parameters x (trials - 1): how far each trial's value is from the incumbent's at that
    time, the mean over ``runs``.

    nan where no run has that trial.
    """
    found = np.full((len(runs), len(space), trials - 1), np.nan)
    for row, run in enumerate(runs):
        done = trials_of(run)[:trials]
        for number in range(1, len(done)):
            best = best_measured(done[:number], direction) or [done[0]]
            before, after = best[0].proposal.params, done[number].proposal.params
            found[row, :, number - 1] = [
                change(p, before.get(p.name), after.get(p.name)) for p in space
            ]
    counted = np.isfinite(found).sum(axis=0)
    return np.where(counted > 0, np.nansum(found, axis=0) / np.maximum(counted, 1), np.nan)
