"""Whether a configuration that is run with several seeds can still become the best.

Its runs are compared with those of the best so far, seed by seed (F-Race, Birattari et al. 2002:
what is clearly worse is not run to the end). How much a run differs by chance is learnt from all
trials that have more than one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from agenthpo.records import Direction, Trial
from agenthpo.trials import incumbent, upward

__all__ = ["beaten_by", "deviation_of"]

_ERROR = 0.05
"""Probability to give up what is no worse, over all looks of a trial."""
_FREE = 3
"""Degrees of freedom from which on seeds have an effect of their own."""


def beaten_by(
    values: Sequence[float], trials: Sequence[Trial], direction: Direction, runs: int
) -> Trial | None:
    """Return the trial by which a configuration with the ``values`` of its first runs is clearly
    beaten; None where it may still be the best.

    :param trials: those that have ended.
    :param runs: how many runs a trial has at most.
    """
    best = incumbent(trials, direction)
    if best is None or best.outcome is None or len(best.outcome.repeats) < len(values):
        return None
    deviation, free = deviation_of([t.outcome.repeats for t in trials if t.outcome])
    if free < 1:
        return None
    pairs = zip(values, best.outcome.repeats, strict=False)
    ahead = upward(direction) * sum(ours - theirs for ours, theirs in pairs) / len(values)
    # of the mean of differences between two runs each
    error = deviation * math.sqrt(2 / len(values))
    most = ahead + float(stdtrit(free, 1 - _ERROR / max(runs - 1, 1))) * error
    return best if most < 0 else None


def deviation_of(groups: Sequence[Sequence[float]]) -> tuple[float, int]:
    """Return the standard deviation of a single run about its configuration's mean, and the degrees
    of freedom behind it, 0 where nothing is known.

    :param groups: for each configuration the values of its runs, with the same seeds in the same
        places; what a seed does to all is no noise where there is enough to tell it.
    """
    several = [list(group) for group in groups if len(group) > 1]
    if not several:
        return 0.0, 0
    values = np.array([value for group in several for value in group])
    which = np.array([i for i, group in enumerate(several) for _ in group])
    seeds = np.array([seed for group in several for seed in range(len(group))])
    configs = (which[:, None] == np.arange(len(several))).astype(float)
    both = np.concatenate([configs, (seeds[:, None] == np.arange(1, seeds.max() + 1))], axis=1)
    for design in (both, configs):
        free = len(values) - int(np.linalg.matrix_rank(design))
        if free >= (_FREE if design is both else 1):
            left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
            return float(math.sqrt(left @ left / free)), free
    return 0.0, 0
