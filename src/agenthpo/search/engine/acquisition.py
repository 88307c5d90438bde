"""Which row to evaluate next: expected improvement, found by many candidates, near and far, and by
climbing from the best of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import erfcx, ndtr

from agenthpo.search.engine.encoding import Encoding, Matrix, Vector

__all__ = ["candidates", "climbed", "fingerprints", "log_expected_improvement"]

Score = Callable[[Matrix], Vector]


def log_expected_improvement(mean: Vector, spread: Vector, best: float) -> Vector:
    """Return the logarithm of the expected improvement below ``best``, finite however small (Ament
    et al. 2023, arXiv 2310.20708).
    """
    # With z = (best - mean) / spread, and phi and Phi the standard normal's density and
    # distribution:
    #
    #     EI = spread (phi(z) + z Phi(z))
    #
    # Below z = -1 both terms nearly cancel. There
    #
    #     phi(z) + z Phi(z) = phi(z) (1 + z sqrt(pi/2) erfcx(-z / sqrt2)),
    #
    # and below z = -10^4, where that cancels too, it is phi(z) / z^2 to first order.
    z = (best - mean) / spread
    low = np.minimum(z, -1.0)
    tail = (
        -0.5 * low * low
        - 0.5 * math.log(2 * math.pi)
        + np.log(np.maximum(1 + low * math.sqrt(math.pi / 2) * erfcx(-low / math.sqrt(2)), 1e-300))
    )
    far = -0.5 * low * low - 0.5 * math.log(2 * math.pi) - 2 * np.log(-low)
    high = np.maximum(z, -1.0)
    near = np.log(np.exp(-0.5 * high * high) / math.sqrt(2 * math.pi) + high * ndtr(high))
    logarithm: Vector = np.log(spread) + np.where(z > -1, near, np.where(z > -1e4, tail, far))
    return logarithm


def candidates(
    encoding: Encoding, centres: Matrix, rng: np.random.Generator, *, far: int, near: int
) -> Matrix:
    """Return ``far`` rows drawn uniformly and ``near`` rows about each of ``centres``, by steps
    from small to large.
    """
    drawn = encoding.drawn(rng, far)
    if not len(centres) or not near:
        return drawn
    around = np.repeat(centres, near, axis=0)
    steps = np.exp(rng.uniform(math.log(0.01), math.log(0.4), size=len(around)))
    return np.concatenate(
        [drawn, encoding.near(around, rng, steps=steps, changes=max(1.0, 0.3 * encoding.width))]
    )


def climbed(
    encoding: Encoding,
    rows: Matrix,
    *,
    score: Score,
    rng: np.random.Generator,
    rounds: int,
    width: int,
) -> tuple[Matrix, Vector]:
    """Return the rows that climbing from ``rows`` by small changes leads to, and their scores."""
    best = rows.copy()
    value = score(rows)
    for turn in range(rounds):
        around = np.repeat(best, width, axis=0)
        steps = np.full(len(around), 0.2 / 2.0**turn) * np.exp(rng.normal(size=len(around)))
        tried = encoding.near(around, rng, steps=steps, changes=1.0 if turn % 2 else 2.0)
        scores = score(tried).reshape(len(best), width)
        chosen = scores.argmax(axis=1)
        found = scores[np.arange(len(best)), chosen]
        better = found > value
        best[better] = tried.reshape(len(best), width, -1)[np.arange(len(best)), chosen][better]
        value = np.where(better, found, value)
    return best, value


def fingerprints(rows: Matrix) -> list[bytes]:
    """Return what two equal rows share."""
    return [row.tobytes() for row in np.round(rows, 8) + 0.0]
