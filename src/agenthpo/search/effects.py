"""How much each of several configurations differs from the first, by runs on the same seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

__all__ = ["Effect", "effects"]


@dataclass(frozen=True)
class Effect:
    """By how much the first configuration is larger than another one."""

    mean: float
    low: float
    high: float
    """The interval, which may be endless where there is too little to say it."""


def effects(
    values: Sequence[Sequence[float]], *, noise: float | None = None, error: float = 0.05
) -> list[Effect]:
    """Return the differences of the first row of ``values`` to each other row; all intervals hold
    at once with a probability of at least 1 - ``error``.

    :param values: a row for each configuration, at least two, and a column for each seed.
    :param noise: the standard deviation of a single value where it is known, for a single seed.
    """
    # With configurations i and seeds j, y_ij = c_i + s_j + e_ij. What is left of y_ij when the
    # means of its row and column are taken off says how large e is, with (m - 1)(n - 1) degrees of
    # freedom; the difference of two rows has the variance 2 s^2 / n (a two-way layout).
    table = np.asarray(values, dtype=float)
    m, n = table.shape
    differences = table[0] - table[1:]
    means = differences.mean(axis=1)
    each = error / (m - 1)
    if n > 1:
        left = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
        free = (m - 1) * (n - 1)
        spread = math.sqrt(float((left**2).sum()) / free)
        # values that no seed changes say nothing by chance; a few of them may be the same by luck
        half = float(stdtrit(free, 1 - each / 2)) * spread * math.sqrt(2 / n)
    elif noise is not None:
        half = float(stdtrit(1e6, 1 - each / 2)) * noise * math.sqrt(2)
    else:
        half = math.inf
    return [Effect(float(mean), float(mean - half), float(mean + half)) for mean in means]
