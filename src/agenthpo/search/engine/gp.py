"""A Gaussian process over encoded configurations: Matérn-5/2 with a length scale a parameter,
learnt noise, fitted by maximum a posteriori.

The length scales' prior grows with the root of the number of parameters (Hvarfner, Hellsten, Nardi:
*Vanilla Bayesian Optimization Performs Great in High Dimensions*, arXiv 2402.02229), so that many
parameters are assumed to be simple until the data say otherwise. Values are expected standardised.
numpy and scipy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from agenthpo.search.engine.encoding import Encoding, Matrix, Vector

__all__ = ["Process", "Settings", "fit", "squared_differences"]

_SQRT5 = math.sqrt(5)
_JITTER = 1e-8


@dataclass(frozen=True)
class Settings:
    """The priors, log-normal: of a length scale (in unit cubes) and of the noise variance (the
    signal's is 1, values being standardised).
    """

    scale_location: float = math.sqrt(2)
    """Plus half the logarithm of the number of parameters."""
    scale_spread: float = math.sqrt(3)
    noise_location: float = -4.0
    noise_spread: float = 1.5
    least_noise: float = 1e-5
    iterations: int = 40


@dataclass(frozen=True, eq=False)
class Process:
    """A fitted process: what it says about rows it has not seen."""

    encoding: Encoding
    rows: Matrix
    scales: Vector
    noise: float
    """Variance of a single observation around the mean."""
    mean: float
    factor: Matrix
    """Lower Cholesky factor of the covariance of the observations."""
    weights: Vector
    loss: float = 0.0

    def at(self, rows: Matrix) -> tuple[Vector, Vector]:
        """Return mean and standard deviation (of the mean loss, without noise) at ``rows``."""
        # With K = L L^T the covariance of the observations z, k(x) that of x with them, and
        # alpha = K^-1 (z - m):
        #
        #     E[f(x)]   = m + k(x)^T alpha
        #     Var[f(x)] = k(x, x) - k(x)^T K^-1 k(x) = 1 - |L^-1 k(x)|^2
        cross = self.covariance(rows, self.rows)
        solved = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        variance = 1 - np.einsum("ij,ij->j", solved, solved)
        return self.mean + cross @ self.weights, np.sqrt(np.maximum(variance, 1e-12))

    def covariance(self, left: Matrix, right: Matrix) -> Matrix:
        """Return the prior covariance between two sets of rows."""
        a, b = (
            self._points if rows is self.rows else self.encoding.spread(rows, self.scales)
            for rows in (left, right)
        )
        # |a - b|^2 = |a|^2 + |b|^2 - 2 a.b, by one matrix product
        squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * a @ b.T
        return _matern(np.sqrt(np.maximum(squared, 0.0)))

    @cached_property
    def _points(self) -> Matrix:
        return self.encoding.spread(self.rows, self.scales)

    def with_observed(self, rows: Matrix, values: Vector) -> Process:
        """Return the process that has seen ``values`` at ``rows`` as well, with the same
        hyperparameters.
        """
        # The Cholesky factor of the covariance with the new rows B beside the old ones A, without
        # factoring A again, O(n^2 b) instead of O((n + b)^3):
        #
        #     [K_AA  K_AB]   [L    0] [L^T  C  ]
        #     [K_BA  K_BB] = [C^T  M] [0    M^T]    C = L^-1 K_AB,  M M^T = K_BB - C^T C
        #
        # K_BB has the noise on its diagonal. The old targets are L L^T alpha.
        cross = solve_triangular(
            self.factor, self.covariance(self.rows, rows), lower=True, check_finite=False
        )
        corner = self.covariance(rows, rows) - cross.T @ cross
        corner[np.diag_indices_from(corner)] += self.noise + _JITTER
        zeros = np.zeros((len(self.rows), len(rows)))
        factor = np.block(
            [[self.factor, zeros], [cross.T, cholesky(corner, lower=True, check_finite=False)]]
        )
        targets = np.concatenate([self.factor @ (self.factor.T @ self.weights), values - self.mean])
        weights = cho_solve((factor, True), targets, check_finite=False)
        return replace(self, rows=np.concatenate([self.rows, rows]), factor=factor, weights=weights)


def fit(
    encoding: Encoding,
    rows: Matrix,
    *,
    values: Vector,
    settings: Settings | None = None,
    apart: np.ndarray | None = None,
) -> Process:
    """Return the process of the most probable hyperparameters given ``values`` (standardised) at
    ``rows``.

    :param apart: ``squared_differences`` of the rows, where they are known.
    """
    settings = settings or Settings()
    width = encoding.width
    location = settings.scale_location + 0.5 * math.log(width)
    differences = squared_differences(encoding, rows) if apart is None else apart
    centre = np.append(np.full(width, location), settings.noise_location)
    spread = np.append(np.full(width, settings.scale_spread), settings.noise_spread)
    bounds = [(math.log(0.02), math.log(1e3))] * width + [
        (math.log(settings.least_noise), math.log(2.0))
    ]
    # The prior's centre is nearly flat: a start at a fraction of it lets the data speak.
    first = np.append(np.full(width, math.log(0.5) + 0.25 * math.log(width)), -3.0)
    best = minimize(
        _loss,
        first,
        args=(differences, values, centre, spread),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": settings.iterations},
    )
    scales = np.exp(best.x[:width])
    noise = math.exp(best.x[width])
    factor = cholesky(
        _covariance(differences, scales, noise=noise, count=len(values)),
        lower=True,
        check_finite=False,
    )
    solved = cho_solve(
        (factor, True), np.stack([values, np.ones(len(values))], axis=1), check_finite=False
    )
    # The constant mean that is most probable (generalised least squares), with a prior N(0, 1) that
    # draws it towards 0 where data are few:
    #
    #     m = 1^T K^-1 z / (1^T K^-1 1 + 1),    alpha = K^-1 (z - m 1) = K^-1 z - m K^-1 1
    mean = float(solved[:, 0].sum() / (solved[:, 1].sum() + 1.0))
    return Process(
        encoding=encoding,
        rows=rows,
        scales=scales,
        noise=noise,
        mean=mean,
        factor=factor,
        weights=solved[:, 0] - mean * solved[:, 1],
        loss=best.fun,
    )


def squared_differences(encoding: Encoding, rows: Matrix) -> np.ndarray:
    """Return the squared difference of each two rows in each parameter, shape (parameters, rows *
    rows).
    """
    apart = rows.T[:, :, None] - rows.T[:, None, :]
    differs = (np.abs(apart) > 1e-9).astype(float)
    squared: Matrix = np.where(encoding.names[:, None, None], differs, apart * apart)
    return squared.reshape(encoding.width, -1)


def _matern(distance: np.ndarray) -> np.ndarray:
    # Matern-5/2: k(r) = (1 + sqrt5 r + 5/3 r^2) exp(-sqrt5 r)
    scaled = _SQRT5 * distance
    return (1 + scaled + scaled * scaled / 3) * np.exp(-scaled)


def _covariance(differences: np.ndarray, scales: Vector, *, noise: float, count: int) -> Matrix:
    covariance = _matern(np.sqrt((1 / scales**2) @ differences)).reshape(count, count)
    covariance[np.diag_indices(count)] += noise + _JITTER
    return covariance


def _loss(
    theta: Vector, differences: np.ndarray, values: Vector, centre: Vector, spread: Vector
) -> tuple[float, Vector]:
    """Return the negative logarithm of the posterior density and its gradient."""
    # theta = (log l_1 ... log l_d, log s2), with r^2 = sum_i difference_i / l_i^2 and
    # K = k(r) + s2 I:
    #
    #     loss = 1/2 z^T K^-1 z + 1/2 log |K| + 1/2 sum_i ((theta_i - centre_i) / spread_i)^2
    #     d loss / d K = 1/2 (K^-1 - alpha alpha^T),    alpha = K^-1 z
    #     d k / d log l_i = 5/3 (1 + sqrt5 r) exp(-sqrt5 r) difference_i / l_i^2
    #     d K / d log s2 = s2 I
    count = len(values)
    width = len(theta) - 1
    inverse_squares = np.exp(-2 * theta[:width])
    noise = math.exp(theta[width])
    distance = np.sqrt(inverse_squares @ differences)
    scaled = _SQRT5 * distance
    decay = np.exp(-scaled)
    covariance = ((1 + scaled + scaled * scaled / 3) * decay).reshape(count, count)
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
    pull = 0.5 * (inverse - np.outer(weights, weights))
    slope = pull.ravel() * (5 / 3) * (1 + scaled) * decay
    gradient = np.concatenate([(differences @ slope) * inverse_squares, [np.trace(pull) * noise]])
    return float(loss), gradient + away / spread
