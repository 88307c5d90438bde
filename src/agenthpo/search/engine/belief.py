"""What the engine takes the objective for, and what it expects at a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp, stdtrit

from agenthpo.records import Expected
from agenthpo.search.engine.acquisition import log_expected_improvement
from agenthpo.search.engine.encoding import Encoding, Matrix, Vector
from agenthpo.search.engine.feasibility import Feasible
from agenthpo.search.engine.gp import Process
from agenthpo.search.engine.limits import OnResults
from agenthpo.search.engine.prior import log_inside
from agenthpo.search.engine.warp import Warp

__all__ = ["CAUTION", "Belief"]

_NINE_IN_TEN = 0.95
"""Quantile of Student's t on either side: how far values are apart is not known from a few of them.
"""
_LOUD = 0.1
"""Noise, as a share of how values differ, from which on the margin holds: in less, the last steps
can be told.
"""
CAUTION = 4.0
"""Power of the probability not to fail: at 1, half of all trials failed where the optimum is near a
border.
"""


@dataclass(frozen=True, eq=False)
class Belief:
    """What the engine takes the objective for: processes of standardised losses, their weights, and
    where trials fail.
    """

    encoding: Encoding
    processes: tuple[Process, ...]
    weights: Vector
    """Logarithms, which sum to 1."""
    feasible: Feasible | None
    known: Matrix
    """Rows that have a value."""
    kept: np.ndarray
    """Which of them keep the limits on results."""
    limits: tuple[OnResults, ...]
    """What is known of those limits."""
    pending: Matrix
    """Rows whose trials still run; what is expected of them is to be improved upon too, or the next
    trial would stand beside them.
    """
    warp: Warp
    sign: int
    """A value is ``sign`` times a loss."""
    margin: float = 0.0
    """What to improve by, standardised, where small improvements cannot be told from noise."""
    inside: float = 0.0
    """Weight of the prior that good values are inside their ranges."""

    def score(self, rows: Matrix) -> Vector:
        """Return the logarithm of the expected improvement at ``rows``, less at the ends of ranges
        and where trials are likely to fail.
        """
        # A trial at x improves on the best by more than the margin, does not fail and keeps the
        # limits on results (Gardner et al., "Bayesian Optimization with Inequality Constraints",
        # 2014), and good values are more probable inside their ranges:
        #
        #     log score = log sum_k w_k EI_k(x) + inside log p(x)
        #                 + caution log P(x does not fail) + sum_j log P(x keeps limit j)
        bests = self._bests - (self.margin if self._noise > _LOUD else 0.0)
        each = [
            w + log_expected_improvement(*p.at(rows), b)
            for p, w, b in zip(self.processes, self.weights, bests, strict=True)
        ]
        improvement = logsumexp(each, axis=0) + self.inside * log_inside(self.encoding, rows)
        found: Vector = improvement + self.log_allowed(rows)
        return found

    def log_allowed(self, rows: Matrix) -> Vector:
        """Return the logarithm of the probability that trials at ``rows`` do not fail, to the power
        of the caution, and keep the limits on results.
        """
        found = np.zeros(len(rows))
        if self.feasible is not None:
            found = found + CAUTION * self.feasible.log_probability(rows)
        for limit in self.limits:
            found = found + limit.log_probability(rows)
        return found

    def at(self, rows: Matrix) -> tuple[Vector, Vector]:
        """Return mean and standard deviation of the loss at ``rows``, standardised, without
        noise.
        """
        # The mixture of the processes: its variance is the mean of theirs, and that of their means.
        means, spreads = zip(*(p.at(rows) for p in self.processes), strict=True)
        weights = np.exp(self.weights)
        mean = weights @ np.array(means)
        return mean, np.sqrt(weights @ (np.array(spreads) ** 2 + (np.array(means) - mean) ** 2))

    def centres(self, count: int) -> Matrix:
        """Return the ``count`` best rows that were tried, to look about."""
        return self.known[np.argsort(self.at(self.known)[0])[:count]]

    @property
    def noise(self) -> float:
        """Standard deviation of a single value about the best, in the objective's units."""
        return self._noise * self.warp.slope(
            self.warp.loss(float(np.exp(self.weights) @ self._bests))
        )

    def expected(self, row: Vector) -> Expected:
        """Return the value that one trial at ``row`` is expected to come to; nine in ten fall into
        the interval.
        """
        mean, spread = self.at(row[None, :])
        away = float(
            stdtrit(max(len(self.known) - 1, 1), _NINE_IN_TEN) * np.hypot(spread[0], self._noise)
        )
        low, middle, high = (
            self.sign * self.warp.loss(loss) for loss in (mean[0] - away, mean[0], mean[0] + away)
        )
        return Expected(middle, min(low, high), max(low, high))

    @cached_property
    def _bests(self) -> Vector:
        if not self.kept.any() and len(self.known):
            # nothing keeps the limits: whatever does is an improvement
            return np.array([p.at(self.known)[0].max() for p in self.processes])
        rows = np.concatenate([self.known[self.kept], self.pending])
        return np.array([p.at(rows)[0].min() for p in self.processes])

    @property
    def _noise(self) -> float:
        return float(np.sqrt(np.exp(self.weights) @ [p.noise for p in self.processes]))
