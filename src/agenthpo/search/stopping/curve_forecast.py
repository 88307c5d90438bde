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
from scipy.special import stdtr, stdtrit

__all__ = ["CurveForecast", "Past", "forecast_curve"]

Curve = Sequence[tuple[float, float]]
_ROUNDING = 1e-9
"""The share of the values that is taken for no difference."""
_PRIOR_SPREADS = (10.0, 0.5)
"""Of what is still gained, and of its change with the value now, in variances of the noise."""
_PRIOR_SHAPE = 1.5
_PRIOR_NOISE = 0.3
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
        return float(stdtr(self.freedom, (self.value - value) / self.spread))

    def interval(self, share: float = 0.8) -> tuple[float, float]:
        """Return the central interval that holds the final value with a probability of
        ``share``.
        """
        away = self.spread * float(stdtrit(self.freedom, (1 + share) / 2))
        return self.value - away, self.value + away


def forecast_curve(curve: Curve, earlier: Sequence[Past]) -> CurveForecast | None:
    """Return what the training whose ``curve`` is given will come to; None where fewer than two of
    the ``earlier`` ones have come as far.
    """
    # Trial i had the value c_i at this step and came to f_i; this one has c. What was still gained
    # is regressed on how far c_i is from c,
    #
    #     f_i - c_i = b_0 + b_1 (c_i - c) / s + e_i,   e_i ~ N(0, v / w_i),
    #
    # where s is the spread of the f_i, and trials count the less, the farther they were from this
    # one: w_i = 1 / (1 + ((c_i - c) / s)^2), both for b and for v. With b ~ N(0, v V) and
    # v ~ IG(a, a m^2), the final value of this trial, c + b_0 + e, is distributed by Student's t.
    step, now = curve[-1]
    there = [past for past in earlier if past.curve and past.curve[-1][0] >= step]
    if len(there) < 2:
        return None
    values = np.array([_value_at(past.curve, step) for past in there])
    final = np.array([past.value for past in there])
    spread = float(np.std([past.value for past in earlier]))
    size = float(np.abs([*values, *final, now]).max())
    if spread <= _ROUNDING * size:  # they differ by less than can be told
        spread = abs(now) or size or 1.0
    away = (values - now) / spread
    weights = 1 / (1 + away**2)
    x = np.column_stack([np.ones(len(there)), away])
    y = (final - values) / spread
    precision = np.diag(1 / np.array(_PRIOR_SPREADS)) + (x.T * weights) @ x
    mean = np.linalg.solve(precision, (x.T * weights) @ y)
    shape = _PRIOR_SHAPE + float(weights.sum()) / 2
    rate = _PRIOR_SHAPE * _PRIOR_NOISE**2 + 0.5 * float(
        (weights * y**2).sum() - mean @ precision @ mean
    )
    about = 1 + float(np.linalg.inv(precision)[0, 0])
    scale = float(np.sqrt(rate / shape * about))
    return CurveForecast(now + spread * float(mean[0]), spread * scale, 2 * shape)


def _value_at(curve: Curve, step: float) -> float:
    """Return the last value until ``step``."""
    value = curve[0][1]
    for at, found in curve:
        if at > step:
            break
        value = found
    return value
