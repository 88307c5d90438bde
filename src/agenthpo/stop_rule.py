"""When a training is stopped before its end, as a task asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["RuleName", "StopRule"]

RuleName = Literal["forecast", "median", "patient", "asha", "hyperband", "wilcoxon"]


@dataclass(frozen=True)
class StopRule:
    """A rule that looks at each report of the metric, and its settings."""

    rule: RuleName
    """``forecast``: its end is unlikely to be the best; ``median``: worse than half of the earlier
    trials at the same step; ``patient``: worse than it was, for a while; ``asha`` and
    ``hyperband``: not among the best that came so far; ``wilcoxon``: worse than the best on the
    folds so far.
    """
    warmup: int | None = None
    """Reports of a trial before which it is not stopped; without it a tenth of those of a whole
    training, and one for ``asha`` and ``hyperband``.
    """
    trials: int = 4
    """Trials with a value before which none is stopped."""
    chance: float = 0.05
    """For ``forecast``: the probability of becoming the best below which a trial is stopped. For
    ``wilcoxon``: the p-value.
    """
    patience: int = 10
    """For ``patient``: reports in a row that are all worse than the best before them."""
    reduction: int = 3
    """For ``asha`` and ``hyperband``: of so many trials one goes on."""
    longest: int | None = None
    """For ``hyperband``: the reports of a whole training; as many as the first one had without
    it.
    """
