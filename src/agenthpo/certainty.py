"""How sure a difference is, at every look: an interval for the mean of paired differences that
holds however often it is looked at.

Scale-invariant t confidence sequences (Lai 1976; Wang and Ramdas 2023, Anytime-valid t-tests and
confidence sequences for Gaussian means with unknown variance, https://arxiv.org/abs/2310.03722).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

__all__ = ["anytime_interval"]

_EFFECT = 2.0
"""The variance of the effects, in standard deviations, that the test is made for."""


def anytime_interval(
    differences: Sequence[float], *, error: float = 0.05, resolution: float = 0.0
) -> tuple[float, float]:
    """Return the interval that holds the mean of the differences with a probability of at least
    1 - ``error``, at every number of differences at once; it is infinite while there are few.

    :param differences: independent, and about normal.
    :param error: from 0 to 1, both ends together.
    :param resolution: the steps in which values come, such as 1/400 of an accuracy on 400 pictures.
        Differences that are equal by chance say no more than that.

    >>> low, high = anytime_interval([0.9, 1.1, 1.0, 1.2, 0.8, 1.0, 1.1, 0.9])
    >>> 0.7 < low < 1.0 < high < 1.3
    True
    """
    # With n differences of mean m and standard deviation s, and an effect d = mu / sigma ~ N(0, g),
    # the likelihood ratio of the t statistic t = sqrt(n) (m - mu0) / s against d = 0 is
    #
    #     B_n = a^(-1/2) ((1 + t^2 / v) / (1 + t^2 / (a v)))^(n / 2),   v = n - 1, a = 1 + n g,
    #
    # a martingale if mu0 is the mean, so that it ever reaches 1 / error with a probability of at
    # most ``error`` (Ville). The interval holds every mu0 with B_n below that:
    #
    #     t^2 < v (k - 1) / (1 - k / a),   k = (a^(1/2) / error)^(2 / n).
    n = len(differences)
    if n < 2:
        return -math.inf, math.inf
    mean, spread = fmean(differences), stdev(differences)
    # of a uniform error within a step, for each of the two values
    spread = max(spread, resolution / math.sqrt(6))
    a = 1 + n * _EFFECT
    k = (math.sqrt(a) / error) ** (2 / n)
    if k >= a:
        return -math.inf, math.inf
    half = spread * math.sqrt((n - 1) * (k - 1) / (1 - k / a) / n)
    return mean - half, mean + half
