"""A Gaussian process over encoded configurations: Matérn-5/2 with a length scale a parameter, learnt noise, fitted by maximum a posteriori.

The length scales' prior grows with the root of the number of parameters (Hvarfner, Hellsten, Nardi: *Vanilla Bayesian Optimization
Performs Great in High Dimensions*, arXiv 2402.02229), so that many parameters are taken for simple until the data say otherwise.
Values are expected standardised. numpy and scipy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from agenthpo.search.encoding import Encoding, Matrix, Vector

__all__ = ["Process", "Settings", "fit", "squared_differences"]

_SQRT5 = math.sqrt(5)
_JITTER = 1e-8


@dataclass(frozen=True)
class Settings:
    """The priors, log-normal: of a length scale (in unit cubes), of the noise variance and of the signal variance (of standardised values)."""

    scale_location: float = math.sqrt(2)
    """Plus half the logarithm of the number of parameters."""
    scale_spread: float = math.sqrt(3)
    noise_location: float = -4.0
    noise_spread: float = 1.5
    least_noise: float = 1e-5
    signal_spread: float = 0.0
    """Around 1; 0 keeps it there."""
    iterations: int = 40


@dataclass(frozen=True, eq=False)
class Process:
    """A fitted process: what it says about rows it has not seen."""

    encoding: Encoding
    rows: Matrix
    scales: Vector
    noise: float
    """Variance of a single observation around the mean."""
    signal: float
    mean: float
    factor: Matrix
    """Lower Cholesky factor of the covariance of the observations."""
    weights: Vector
    loss: float = 0.0

    def at(self, rows: Matrix) -> tuple[Vector, Vector]:
        """Return mean and standard deviation (of the mean loss, without noise) at ``rows``."""
        cross = self.covariance(rows, self.rows)
        solved = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        variance = self.signal - np.einsum("ij,ij->j", solved, solved)
        return self.mean + cross @ self.weights, np.sqrt(np.maximum(variance, 1e-12))

    def joint(self, rows: Matrix) -> tuple[Vector, Matrix]:
        """Return mean and covariance at ``rows``."""
        cross = self.covariance(rows, self.rows)
        solved = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        return self.mean + cross @ self.weights, self.covariance(rows, rows) - solved.T @ solved

    def covariance(self, left: Matrix, right: Matrix) -> Matrix:
        """Return the prior covariance between two sets of rows."""
        a, b = (self._points if rows is self.rows else self.encoding.spread(rows, self.scales) for rows in (left, right))
        squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * a @ b.T
        return self.signal * _matern(np.sqrt(np.maximum(squared, 0.0)))

    @cached_property
    def _points(self) -> Matrix:
        return self.encoding.spread(self.rows, self.scales)

    def with_observed(self, rows: Matrix, values: Vector) -> Process:
        """Return the process that has seen ``values`` at ``rows`` as well, with the same hyperparameters."""
        targets = np.concatenate([self.factor @ (self.factor.T @ self.weights), values - self.mean])
        return _conditioned(self.encoding, np.concatenate([self.rows, rows]), targets, self.scales, self.noise, self.signal, self.mean)


def fit(encoding: Encoding, rows: Matrix, values: Vector, settings: Settings | None = None, *, apart: np.ndarray | None = None) -> Process:
    """Return the process of the most probable hyperparameters given ``values`` (standardised) at ``rows``.

    :param apart: :func:`squared_differences` of the rows, where they are known.
    """
    settings = settings or Settings()
    width = encoding.width
    location = settings.scale_location + 0.5 * math.log(width)
    differences = squared_differences(encoding, rows) if apart is None else apart
    centre = np.concatenate([np.full(width, location), [settings.noise_location, 0.0]])
    spread = np.concatenate([np.full(width, settings.scale_spread), [settings.noise_spread, max(settings.signal_spread, 1e-6)]])
    bounds = [(math.log(0.02), math.log(1e3))] * width + [(math.log(settings.least_noise), math.log(2.0))]
    bounds += [(-3.0, 3.0) if settings.signal_spread > 0 else (0.0, 0.0)]
    # The prior's centre is nearly flat: a start at a fraction of it lets the data speak.
    first = np.concatenate([np.full(width, math.log(0.5) + 0.25 * math.log(width)), [-3.0, 0.0]])
    best = minimize(
        _loss,
        first,
        args=(differences, values, centre, spread),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": settings.iterations},
    )
    scales, noise, signal = np.exp(best.x[:width]), math.exp(best.x[width]), math.exp(best.x[width + 1])
    mean = _level(differences, values, scales, noise, signal)
    return replace(_conditioned(encoding, rows, values - mean, scales, noise, signal, mean), loss=best.fun)


def _conditioned(encoding: Encoding, rows: Matrix, targets: Vector, scales: Vector, noise: float, signal: float, mean: float) -> Process:
    process = Process(encoding, rows, scales, noise, signal, mean, np.empty(0), np.empty(0))
    covariance = process.covariance(rows, rows)
    covariance[np.diag_indices_from(covariance)] += noise + _JITTER
    factor = cholesky(covariance, lower=True, check_finite=False)
    return Process(encoding, rows, scales, noise, signal, mean, factor, cho_solve((factor, True), targets, check_finite=False))


def squared_differences(encoding: Encoding, rows: Matrix) -> np.ndarray:
    """Return the squared difference of each two rows in each parameter, shape (parameters, rows * rows)."""
    apart = rows.T[:, :, None] - rows.T[:, None, :]
    squared = np.where(encoding.names[:, None, None], (np.abs(apart) > 1e-9).astype(float), apart * apart)
    return squared.reshape(encoding.width, -1)


def _matern(distance: np.ndarray) -> np.ndarray:
    scaled = _SQRT5 * distance
    return (1 + scaled + scaled * scaled / 3) * np.exp(-scaled)


def _level(differences: np.ndarray, values: Vector, scales: Vector, noise: float, signal: float) -> float:
    """Return the constant mean that is most probable (generalised least squares), drawn towards 0 where data are few."""
    count = len(values)
    covariance = signal * _matern(np.sqrt((1 / scales**2) @ differences)).reshape(count, count)
    covariance[np.diag_indices(count)] += noise + _JITTER
    ones = np.ones(count)
    solved = np.linalg.solve(covariance, np.stack([values, ones], axis=1))
    return float(ones @ solved[:, 0] / (ones @ solved[:, 1] + 1.0))


def _loss(theta: Vector, differences: np.ndarray, values: Vector, centre: Vector, spread: Vector) -> tuple[float, Vector]:
    """Return the negative logarithm of the posterior density and its gradient."""
    count, width = len(values), len(theta) - 2
    inverse_squares = np.exp(-2 * theta[:width])
    noise, signal = math.exp(theta[width]), math.exp(theta[width + 1])
    distance = np.sqrt(inverse_squares @ differences)
    scaled = _SQRT5 * distance
    decay = np.exp(-scaled)
    kernel = (signal * (1 + scaled + scaled * scaled / 3) * decay).reshape(count, count)
    covariance = kernel.copy()
    covariance[np.diag_indices(count)] += noise + _JITTER
    try:
        factor = cholesky(covariance, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e10, np.zeros_like(theta)
    inverse, _ = dpotri(factor, lower=True)
    inverse = inverse + inverse.T  # above the diagonal, the factor and so its inverse hold zeros
    inverse[np.diag_indices(count)] *= 0.5
    weights = inverse @ values
    away = (theta - centre) / spread
    loss = 0.5 * values @ weights + np.log(np.diag(factor)).sum() + 0.5 * away @ away
    pull = 0.5 * (inverse - np.outer(weights, weights))  # d loss / d covariance
    # d kernel / d log scale_i = signal * 5/3 (1 + sqrt5 r) exp(-sqrt5 r) * difference_i / scale_i^2
    slope = pull.ravel() * (signal * 5 / 3) * (1 + scaled) * decay
    gradient = np.concatenate([(differences @ slope) * inverse_squares, [np.trace(pull) * noise, (pull * kernel).sum()]])
    return float(loss), gradient + away / spread
