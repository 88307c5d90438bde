"""Which parameters the differences between configurations come from, and how sure that is.

PED-ANOVA (Watanabe, Bansal and Hutter 2023, arXiv 2304.10255; with conditional parameters, arXiv
2601.20800), as Optuna has it; the interval is of trials drawn again with replacement.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

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
    losses = [-upward(direction) * (t.score or 0.0) for t in known]
    names = [n for n in space.names if len({repr(row[n]) for row in rows if n in row}) > 1]
    if not names:
        return []
    frozen = [
        create_trial(
            params=row,
            distributions={name: model_distribution(space[name]) for name in row},
            value=loss,
        )
        for row, loss in zip(rows, losses, strict=True)
    ]
    rng = np.random.default_rng(seed)
    every = np.arange(len(known))
    draws = [every, *(rng.choice(every, len(every)) for _ in range(_DRAWS))]
    shares = np.array([_shares([frozen[i] for i in places], names) for places in draws])
    if not shares[0].any():
        return []
    low, high = np.quantile(shares[1:], (0.05, 0.95), axis=0)
    found = [
        Importance(name, float(shares[0, i]), float(low[i]), float(high[i]))
        for i, name in enumerate(names)
    ]
    return sorted(found, key=lambda each: -each.share)


def _shares(trials: Sequence[FrozenTrial], names: list[str]) -> np.ndarray:
    """Return the share of each parameter in ``trials``; all 0 where nothing differs."""
    from optuna.importance import PedAnovaImportanceEvaluator

    evaluator = PedAnovaImportanceEvaluator(target_quantile=_BEST, region_quantile=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            # a draw may have no trial with a parameter that only some configurations have
            there = [name for name in names if any(name in t.params for t in trials)]
            found = evaluator.evaluate(_Drawn.of(trials), params=there)
        except UserWarning:  # the best are as many as all, since values are the same
            return np.zeros(len(names))
    shares = np.maximum([found.get(name, 0.0) for name in names], 0.0)
    total = shares.sum()
    return np.asarray(shares / total if total > 0 else shares)


class _Drawn(optuna.Study):
    """A study of these trials. Adding them to one copies each, which took most of the time."""

    drawn: list[FrozenTrial]

    @classmethod
    def of(cls, trials: Sequence[FrozenTrial]) -> _Drawn:
        """Return the study of ``trials``, to be minimised; one that is there twice is two."""
        empty = optuna.create_study()
        study = cls(empty.study_name, empty._storage)
        study.drawn = [copy.copy(trial) for trial in trials]
        for number, trial in enumerate(study.drawn):
            trial._trial_id = number
        return study

    def get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return its trials, all of which are complete."""
        return self.drawn
