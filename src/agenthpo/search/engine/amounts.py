"""What a configuration takes of time or memory, learnt from trials: a part that each takes, such as
the libraries in memory, and one whose logarithm is a linear function of the row, since products are
sums there, and a process of what is left.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from agenthpo.search.engine.encoding import Encoding, Matrix, Vector
from agenthpo.search.engine.gp import Process, Settings, fit

__all__ = ["Amount", "amount_of"]

_BEYOND = 0.3
"""By how much, in logarithms, what hit a limit would have gone beyond it, at least: where it was
stopped, nobody knows.
"""
_ROUNDS = 3
_SHARES = (0.0, 0.5, 0.8, 0.9, 0.95)
"""Shares of the least amount that was seen, of which the most probable is what each takes."""
_ENOUGH = 8
"""Amounts from which on that can be told."""
_SLOPES = (0.1, 0.3, 1.0, 3.0, 10.0)
_NOISES = (0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 1.0)
"""Variances of the slopes and of what is left, of which the most probable are taken; logarithms are
standardised.
"""
_LEFT = Settings(noise_location=-1.0)


@dataclass(frozen=True, eq=False)
class _Line:
    """A linear function of the row by Bayesian regression: z ~ N(F w, noise), w ~ N(0, slope
    relevance).
    """

    weights: Vector
    spread: Matrix
    noise: float
    evidence: float
    """The logarithm of the probability of z, and of the noise."""

    @classmethod
    def of(cls, features: Matrix, amounts: Vector, relevance: Vector) -> _Line:
        found = []
        for slope, noise in itertools.product(_SLOPES, _NOISES):
            prior = np.diag([1.0, *(slope * relevance)])
            factor = np.linalg.cholesky(
                features @ prior @ features.T + noise * np.eye(len(features))
            )
            white = np.linalg.solve(factor, amounts)
            # log p(z | slope, noise), and that little noise is as improbable as much
            evidence = (
                -0.5 * white @ white
                - np.log(np.diag(factor)).sum()
                - 0.125 * (math.log(noise) + 1.5) ** 2
            )
            found.append((float(evidence), slope, noise))
        evidence, slope, noise = max(found)
        precision = np.diag([1.0, *(1 / (slope * relevance))])
        spread = np.linalg.inv(precision + features.T @ features / noise)
        return cls(spread @ features.T @ amounts / noise, spread, noise, evidence)

    def at(self, features: Matrix) -> tuple[Vector, Vector]:
        variance = np.einsum("ij,jk,ik->i", features, self.spread, features)
        return features @ self.weights, variance


@dataclass(frozen=True, eq=False)
class Amount:
    """An amount as a function of the configuration."""

    base: float
    """What each takes."""
    middle: float
    deviation: float
    """Mean and standard deviation of the logarithms of what was taken beyond it."""
    line: _Line
    process: Process
    """Of what the line leaves, in the line's noise."""

    def at(self, rows: Matrix, away: float = 0.0) -> Vector:
        """Return what trials at ``rows`` take, or ``away`` standard deviations more than that."""
        mean, variance = self.line.at(_features(self.process.encoding, rows))
        left, spread = self.process.at(rows)
        mean = mean + math.sqrt(self.line.noise) * left
        variance = variance + self.line.noise * (spread**2 + self.process.noise)
        logarithm = self.middle + self.deviation * (mean + away * np.sqrt(variance))
        taken: Vector = self.base + np.exp(np.minimum(logarithm, 700.0))
        return taken


def amount_of(
    encoding: Encoding,
    rows: Matrix,
    amounts: Vector,
    *,
    relevance: Vector,
    is_beyond: np.ndarray,
    limit: float,
) -> Amount:
    """Return what ``amounts`` at ``rows`` say, all above 0.

    :param relevance: how much each column is expected to matter, above 0; 1 where nothing is known.
    :param is_beyond: which of them ended at ``limit``, and would have taken more.
    """
    least = limit * math.exp(_BEYOND)
    amounts = np.where(is_beyond, least, amounts)
    found = _amount(encoding, rows, amounts, relevance)
    for _ in range(_ROUNDS if is_beyond.any() else 0):
        # what hit the limit is taken to be where the others put it, beyond the limit
        put = np.maximum(found.at(rows), least)
        found = _amount(encoding, rows, np.where(is_beyond, put, amounts), relevance)
    return found


def _amount(encoding: Encoding, rows: Matrix, amounts: Vector, relevance: Vector) -> Amount:
    features = _features(encoding, rows)
    found = []
    for share in _SHARES if len(amounts) >= _ENOUGH else _SHARES[:1]:
        base = share * float(amounts.min())
        logarithms = np.log(amounts - base)
        middle, deviation = float(logarithms.mean()), max(float(logarithms.std()), 1e-3)
        standard = (logarithms - middle) / deviation
        line = _Line.of(features, standard, relevance[~encoding.names])
        # of the amounts themselves: d standard / d amount = 1 / (deviation (amount - base))
        evidence = line.evidence - logarithms.sum() - len(amounts) * math.log(deviation)
        found.append((evidence, -share, base, middle, deviation, line, standard))
    _, _, base, middle, deviation, line, standard = max(found, key=lambda each: each[:2])
    left = (standard - line.at(features)[0]) / math.sqrt(line.noise)
    process = fit(encoding, rows, values=left, settings=_LEFT)
    return Amount(base, middle, deviation, line, process)


def _features(encoding: Encoding, rows: Matrix) -> Matrix:
    """Return 1 and the places of the numbers about their middle, each on its own scale."""
    return np.concatenate([np.ones((len(rows), 1)), rows[:, ~encoding.names] - 0.5], axis=1)
