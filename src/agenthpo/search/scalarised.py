"""Several objectives for a proposer of one: each trial looks along another direction.

ParEGO (Knowles 2006): with weights w drawn anew for each trial, the scaled objectives y become
max_i w_i (1 - y_i) + 0.05 sum_i w_i (1 - y_i), which is to be small; its optima for all weights are
the Pareto front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agenthpo.exchange import View
from agenthpo.pareto import points_of
from agenthpo.records import Expected, Params, Proposal, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.seeds import spawn_seed
from agenthpo.task import Objective, Task
from agenthpo.trials import next_number

__all__ = ["Scalarised"]

_SUM = 0.05
"""The share of the sum, which tells apart what is equal in the worst objective."""


class Scalarised:
    """Ask ``proposer`` for the best in a mixture of all objectives, another one at each trial."""

    def __init__(self, proposer: Proposer, seed: int) -> None:
        self.proposer, self.seed = proposer, seed

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the proposal; its prediction is in no objective's units, and is dropped."""
        if not task.goals:
            return self.proposer.propose(task, trials)
        number = next_number(trials)
        rng = np.random.default_rng(spawn_seed(self.seed, "weights", number))
        weights = rng.dirichlet(np.ones(1 + len(task.goals)))
        mixed = replace(task, objective=Objective("mixture", "minimize"), goals=())
        found = self.proposer.propose(mixed, _mixed(task, trials, weights))
        if isinstance(found, Stop) or found.expected is None:
            return found
        names = [task.objective.metric, *(goal.metric for goal in task.goals)]
        shares = ", ".join(f"{w:.0%} {n}" for w, n in zip(weights, names, strict=True))
        return replace(
            found,
            expected=None,
            rationale=f"The engine expects it to be good where what counts is {shares}.",
        )

    def view(self, task: Task, trials: Sequence[Trial]) -> View | None:
        """Return nothing: what it thinks is of a mixture."""
        return None

    def forecast(self, task: Task, trials: Sequence[Trial], params: Params) -> Expected | None:
        """Return nothing, likewise."""
        return None

    def options(self, task: Task, trials: Sequence[Trial]) -> tuple[Proposal, ...]:
        """Return nothing to choose among."""
        return ()


def _mixed(task: Task, trials: Sequence[Trial], weights: np.ndarray) -> list[Trial]:
    """Return the trials with the mixture as their value."""
    # those that break a limit have values, which teach as well
    free = [
        replace(t, outcome=replace(t.outcome, margins={})) if t.outcome is not None else t
        for t in trials
    ]
    points = points_of(free, task.objective.direction, task.goals)
    if not points:
        return list(trials)
    values = np.array(list(points.values()))
    low, high = values.min(axis=0), values.max(axis=0)
    lacks = weights * (1 - (values - low) / np.where(high > low, high - low, 1.0))
    losses = dict(zip(points, lacks.max(axis=1) + _SUM * lacks.sum(axis=1), strict=True))
    return [
        replace(t, outcome=replace(t.outcome, value=float(losses[t.number])))
        if t.outcome is not None and t.number in losses
        else t
        for t in trials
    ]
