"""What a training will come to, by its curve so far and those of earlier trials.

Learning curves of one task rank configurations early (Domhan, Springenberg and Hutter 2015,
https://www.ijcai.org/Proceedings/15/Papers/487.pdf; Bohdal et al. 2023, https://arxiv.org/abs/
2207.06940), so that a regression on the value now, which learns what is still gained from here on,
does without a model of the curve's form. docs/stopping.md has what else was tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

__all__ = ["CurveForecast", "Past", "forecast_curve"]

Curve = Sequence[tuple[float, float]]
_LOOK_BACK = 1 / 3
"""The share of the curve so far whose gain tells how fast it still rises."""
_PRIOR_SPREADS = (10.0, 0.5, 0.5)
"""Of the gain, of its change with the value now, and with the latest gain, in variances of the
noise.
"""
_PRIOR_SHAPE = 1.5
_PRIOR_NOISE = 0.1
"""The noise that is expected, as a share of the spread of final values; counts for three trials."""


@dataclass(frozen=True)
class Past:
    """An earlier trial: its curve and the value that it came to."""

    curve: Curve
    value: float


@dataclass(frozen=True)
class CurveForecast:
    """The final value, as Student's t distribution."""

    value: float
    spread: float
    freedom: float

    def chance_above(self, value: float) -> float:
        """Return the probability that the final value is above ``value``."""
        return float(student.sf((value - self.value) / self.spread, self.freedom))

    def interval(self, share: float = 0.8) -> tuple[float, float]:
        """Return the central interval that holds the final value with a probability of
        ``share``.
        """
        low, high = student.interval(share, self.freedom, self.value, self.spread)
        return float(low), float(high)


def forecast_curve(curve: Curve, earlier: Sequence[Past]) -> CurveForecast | None:
    """Return what the training whose ``curve`` is given will come to; None where fewer than two of
    the ``earlier`` ones have come as far.
    """
    # Trial i had the value c_i at this step, had gained d_i in the third of the course before it,
    # and came to f_i. What was still gained is regressed on both,
    #
    #     f_i - c_i = b_0 + b_1 (c_i - c) / s + b_2 d_i / s + e_i,   e_i ~ N(0, v / w_i),
    #
    # where s is the spread of the f_i, and trials count the less, the farther their value now is
    # from this one's: w_i = 1 / (1 + ((c_i - c) / s)^2). With b ~ N(0, v V) and v ~ IG(a, a m^2),
    # the final value of this trial is distributed by Student's t.
    step = curve[-1][0]
    there = [past for past in earlier if past.curve and past.curve[-1][0] >= step]
    if len(there) < 2:
        return None
    now, gain = _now(curve, step)
    points = np.array([_now(past.curve, step) for past in there])
    final = np.array([past.value for past in there])
    spread = float(np.std([past.value for past in earlier])) or abs(now) or 1.0
    away = (points[:, 0] - now) / spread
    weights = 1 / (1 + away**2)
    x = np.column_stack([np.ones(len(there)), away, points[:, 1] / spread])
    y = (final - points[:, 0]) / spread
    precision = np.diag(1 / np.array(_PRIOR_SPREADS)) + (x.T * weights) @ x
    mean = np.linalg.solve(precision, (x.T * weights) @ y)
    shape = _PRIOR_SHAPE + len(there) / 2
    rate = _PRIOR_SHAPE * _PRIOR_NOISE**2 + 0.5 * float(
        (weights * y**2).sum() - mean @ precision @ mean
    )
    at = np.array([1.0, 0.0, gain / spread])
    about = 1 + at @ np.linalg.solve(precision, at)
    scale = float(np.sqrt(max(rate, 1e-12) / shape * about))
    return CurveForecast(now + spread * float(at @ mean), spread * scale, 2 * shape)


def _now(curve: Curve, step: float) -> tuple[float, float]:
    """Return the value at ``step``, and what was gained in the third of the course before it."""
    begin = curve[0][0]
    then = step - (step - begin) * _LOOK_BACK
    now, before = (_value_at(curve, at) for at in (step, then))
    return now, now - before


def _value_at(curve: Curve, step: float) -> float:
    value = curve[0][1]
    for at, found in curve:
        if at > step:
            break
        value = found
    return value
