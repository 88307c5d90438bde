"""Where results keep the task's limits: a process of how far each is beyond its bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from agenthpo.records import Trial
from agenthpo.search.engine.encoding import Encoding, Matrix, Vector
from agenthpo.search.engine.gp import Process, Settings, fit

__all__ = ["OnResults", "limits_of"]

_SETTINGS = Settings()
_FARTHEST = 5.0
"""Deviations beyond which a margin says no more."""


@dataclass(frozen=True, eq=False)
class OnResults:
    """One limit: its margin as a process, in deviations, and where its bound lies there."""

    process: Process
    bound: float

    def log_probability(self, rows: Matrix) -> Vector:
        """Return the logarithm of the probability that trials at ``rows`` keep the limit."""
        mean, spread = self.process.at(rows)
        logarithm: Vector = log_ndtr((self.bound - mean) / np.sqrt(spread**2 + self.process.noise))
        return logarithm


def limits_of(encoding: Encoding, rows: Matrix, trials: Sequence[Trial]) -> tuple[OnResults, ...]:
    """Return what ``trials``, at ``rows``, all of which have a value, say of each limit."""
    texts = dict.fromkeys(text for t in trials if t.outcome for text in t.outcome.margins)
    found = []
    for text in texts:
        seen = np.array([t.outcome is not None and text in t.outcome.margins for t in trials])
        margins = np.array(
            [t.outcome.margins[text] for t in trials if t.outcome and text in t.outcome.margins]
        )
        # the middle half says how margins differ: a few may be far beyond all others
        low, middle, high = np.quantile(margins, (0.25, 0.5, 0.75))
        scale = float((high - low) / 1.35) or float(margins.std()) or 1.0
        standard = np.clip((margins - middle) / scale, -_FARTHEST, _FARTHEST)
        # the bound stays where it is, however far it lies from what was seen
        bound = float(np.clip(-middle / scale, -_FARTHEST, _FARTHEST))
        process = fit(encoding, rows[seen], values=standard, settings=_SETTINGS)
        found.append(OnResults(process, bound))
    return tuple(found)
