"""Several objectives: the expected gain of the hypervolume that the front dominates.

Each objective has a belief of its own; what a configuration comes to in one is taken to say nothing
about the others (Emmerich et al. 2006; Yang et al. 2019, arXiv 1904.03766, for the closed form).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from agenthpo.search.engine.acquisition import log_expected_improvement
from agenthpo.search.engine.belief import Belief
from agenthpo.search.engine.encoding import Encoding, Matrix, Vector

__all__ = ["Front", "free_boxes"]

_BEYOND = 0.1
"""How far beyond the worst values the reference point lies, in deviations."""
_NOTHING = -1e300
"""The logarithm of 0, finite so that a difference of two of them is a number."""


@dataclass(frozen=True, eq=False)
class Front:
    """What the engine takes the front for: one belief for each objective, of the same trials."""

    beliefs: tuple[Belief, ...]

    def score(self, rows: Matrix) -> Vector:
        """Return the logarithm of the expected gain in hypervolume at ``rows``, less where trials
        are likely to fail or to break a limit.
        """
        # The losses that are better than the front, up to the reference point, are disjoint boxes.
        # With independent losses, and mixtures of processes for each, the expected volume is
        #
        #     sum_boxes prod_i sum_k w_ik (EI_ik(upper_i) - EI_ik(lower_i)),
        #
        # where EI(b) = E[(b - loss)+] is the expected improvement below b.
        # the ends of a front are at ends of ranges, so that no prior draws inside (see Belief)
        found = self.beliefs[0].log_allowed(rows)
        # while nothing keeps the limits, whatever does is the gain (Gelbart et al. 2014)
        if len(self._points):
            strips = [
                _log_strips(belief, rows, self._boxes[:, :, i])
                for i, belief in enumerate(self.beliefs)
            ]
            found = found + logsumexp(np.sum(strips, axis=0), axis=0)
        return found

    @property
    def encoding(self) -> Encoding:
        """How configurations are rows."""
        return self.beliefs[0].encoding

    def centres(self, count: int) -> Matrix:
        """Return rows of the front that were tried, to look about: ``count`` of them, spread over
        it in the first objective.
        """
        points = self._points[: len(self._rows)]
        front = np.flatnonzero([_is_free(p, points) for p in points])
        front = front[np.argsort(points[front, 0], kind="stable")]
        if not len(front):
            return self.beliefs[0].centres(count)
        places = np.unique(np.linspace(0, len(front) - 1, count).round().astype(int))
        found: Matrix = self._rows[front[places]]
        return found

    @cached_property
    def _rows(self) -> Matrix:
        first = self.beliefs[0]
        kept: Matrix = first.known[first.kept]
        return kept

    @cached_property
    def _points(self) -> Matrix:
        """Standardised losses, as they are believed to be without noise: what was tried, then what
        still runs.
        """
        rows = np.concatenate([self._rows, self.beliefs[0].pending])
        return np.stack([belief.at(rows)[0] for belief in self.beliefs], axis=1)

    @cached_property
    def _boxes(self) -> np.ndarray:
        front = self._points[[_is_free(p, self._points) for p in self._points]]
        # the worst that was seen, not the worst of the front: else the front's ends, which are
        # where one objective is bought with the other, would be worth nothing
        return free_boxes(front, self._points.max(axis=0) + _BEYOND)


def _is_free(point: Vector, points: Matrix) -> bool:
    """Return whether none of ``points`` beats ``point``: all losses at most as large, one less."""
    return not bool(((points <= point).all(axis=1) & (points < point).any(axis=1)).any())


def free_boxes(front: Matrix, reference: Vector) -> np.ndarray:
    """Return disjoint boxes, shape (boxes, 2, objectives), lower end first, of the losses below
    ``reference`` that no point of ``front`` is at least as good as.
    """
    width = len(reference)
    inside = front[(front < reference).all(axis=1)] if len(front) else front.reshape(0, width)
    if not len(inside):
        return np.array([[np.full(width, -np.inf), reference]])
    if width == 1:
        return np.array([[[-np.inf], [inside.min()]]])
    # slices along the last objective: in each, those count that are at least as good in it
    levels = np.unique(inside[:, -1])
    found = []
    for low, high in zip([-np.inf, *levels], [*levels, reference[-1]], strict=True):
        below = free_boxes(inside[inside[:, -1] <= low][:, :-1], reference[:-1])
        ends = np.broadcast_to(np.array([[[low], [high]]]), (len(below), 2, 1))
        found.append(np.concatenate([below, ends], axis=2))
    return np.concatenate(found)


def _log_strips(belief: Belief, rows: Matrix, ends: Matrix) -> np.ndarray:
    """Return, shape (boxes, rows), the logarithm of the expected length of each box, from
    ``ends[:, 0]`` to ``ends[:, 1]`` of a loss, that lies above the loss at each row.
    """
    levels, places = np.unique(ends, return_inverse=True)
    places = places.reshape(ends.shape)
    each = []
    for process, weight in zip(belief.processes, belief.weights, strict=True):
        mean, spread = process.at(rows)
        improvement = np.array([
            np.full(len(rows), _NOTHING) if np.isinf(level)
            else log_expected_improvement(mean, spread, level) for level in levels
        ])  # fmt: skip
        upper, lower = improvement[places[:, 1]], improvement[places[:, 0]]
        less = np.minimum(lower - upper, -1e-12)
        each.append(weight + upper + np.log(-np.expm1(less)))
    found: np.ndarray = logsumexp(each, axis=0)
    return found
