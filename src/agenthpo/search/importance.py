"""Which parameters the differences between configurations come from, and how sure that is.

PED-ANOVA (Watanabe, Bansal and Hutter 2023, arXiv 2304.10255), as Optuna has it, one parameter at
a time among the trials that had it; the interval is of trials drawn again with replacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agenthpo.optuna_space import model_distribution, to_model
from agenthpo.records import Direction, Trial
from agenthpo.space import Space
from agenthpo.trials import upward

__all__ = ["FEWEST", "Importance", "importances"]

FEWEST = 8
"""Results below which nothing is said."""
_DRAWS, _MOST = 30, 400
"""How often trials are drawn again, and how many are looked at."""
_BEST = 0.25
"""The share of the best trials that are compared with all; of few, a tenth would be one."""


@dataclass(frozen=True)
class Importance:
    """The share of what tells good configurations from others that one parameter has."""

    name: str
    share: float
    """From 0 to 1, of all parameters together."""
    low: float
    """What nine in ten draws are between, likewise."""
    high: float


def importances(
    space: Space, trials: Sequence[Trial], direction: Direction, *, seed: int = 0
) -> list[Importance]:
    """Return the share of each parameter that had two values or more, the largest first; nothing
    while there are fewer than ``FEWEST`` results, or all are the same.
    """
    known = [t for t in trials if t.score is not None and not space.violations(t.proposal.params)]
    known = known[-_MOST:]
    if len(known) < FEWEST:
        return []
    rows = [to_model(space, t.proposal.params) for t in known]
    losses = np.array([-upward(direction) * (t.score or 0.0) for t in known])
    names = [n for n in space.names if len({repr(row[n]) for row in rows if n in row}) > 1]
    if not names:
        return []
    rng = np.random.default_rng(seed)
    every = np.arange(len(known))
    drawn = [rng.choice(every, len(every)) for _ in range(_DRAWS)]
    shares = np.array([_shares(space, rows, losses, names, places) for places in (every, *drawn)])
    if not shares[0].any():
        return []
    low, high = np.quantile(shares[1:], (0.05, 0.95), axis=0)
    found = [
        Importance(name, float(shares[0, i]), float(low[i]), float(high[i]))
        for i, name in enumerate(names)
    ]
    return sorted(found, key=lambda each: -each.share)


def _shares(
    space: Space,
    rows: Sequence[dict[str, object]],
    losses: np.ndarray,
    names: Sequence[str],
    places: np.ndarray,
) -> np.ndarray:
    """Return the shares of ``names`` in the trials at ``places``; all 0 where nothing differs."""
    found = np.array([
        _alone(space, rows, losses, name, [i for i in places.tolist() if name in rows[i]])
        for name in names
    ])  # fmt: skip
    total = found.sum()
    return found / total if total > 0 else found


def _alone(
    space: Space,
    rows: Sequence[dict[str, object]],
    losses: np.ndarray,
    name: str,
    places: Sequence[int],
) -> float:
    """Return how far the best trials' values of ``name`` are distributed otherwise than all."""
    import warnings

    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator
    from optuna.trial import create_trial

    if len({repr(rows[i][name]) for i in places}) < 2:
        return 0.0
    distribution = model_distribution(space[name])
    study = optuna.create_study()
    study.add_trials([
        create_trial(
            params={name: rows[i][name]}, distributions={name: distribution}, value=losses[i]
        )
        for i in places
    ])  # fmt: skip
    evaluator = PedAnovaImportanceEvaluator(target_quantile=_BEST, region_quantile=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            share = evaluator.evaluate(study, params=[name])[name]
        except UserWarning:  # the best are as many as all, since values are the same
            return 0.0
    # of those in which a conditional parameter was there at all
    return max(float(share), 0.0) * len(places) / len(rows)
