"""The engine for several objectives: one model for each, and the hypervolume that they promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agenthpo.exchange import View
from agenthpo.pareto import Goal
from agenthpo.records import Expected, Params, Proposal, Stop, Trial
from agenthpo.search.engine.engine import Engine
from agenthpo.search.engine.front import Front
from agenthpo.search.engine.threads import one_thread
from agenthpo.search.optuna_samplers import exhausted
from agenthpo.search.scalarised import Scalarised
from agenthpo.task import Objective, Task

__all__ = ["ForObjectives"]

_MOST = 3
"""Objectives up to which the hypervolume is worked out: the boxes grow as a power of them."""


class ForObjectives:
    """Propose where the front is expected to grow the most; for one objective, as the engine."""

    def __init__(self, seed: int = 0) -> None:
        # an engine keeps what it last believed, so each objective has its own
        self._engines = [Engine(seed) for _ in range(_MOST)]
        self._mixed = Scalarised(Engine(seed), seed)

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the next configuration, with the value of the first objective that is expected.

        Before there is a model, past the hand-over and for more than three objectives it is one
        that is good in a mixture of them (see ``Scalarised``).
        """
        engine = self._engines[0]
        if not task.goals:
            return engine.propose(task, trials)
        if len(task.goals) >= _MOST or not engine.has_model(task, trials):
            return self._mixed.propose(task, trials)
        with one_thread():
            return self._proposed(task, trials)

    def _proposed(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        goals = (Goal(task.objective.metric, task.objective.direction), *task.goals)
        beliefs = tuple(
            each.belief(*_alone(task, trials, goal))
            for each, goal in zip(self._engines, goals, strict=False)
        )
        row = self._engines[0].next_row(task, trials, Front(beliefs))
        if row is None:
            return exhausted(task.space, trials)
        expected = [belief.expected(row) for belief in beliefs]
        words = ", ".join(
            f"{goal.metric} {e.value:.4g} ({e.low:.4g} to {e.high:.4g})"
            for goal, e in zip(goals, expected, strict=True)
        )
        return Proposal(
            beliefs[0].encoding.params(row),
            "engine",
            rationale=f"The engine expects the front to grow the most here: {words}.",
            expected=expected[0],
        )

    def view(self, task: Task, trials: Sequence[Trial]) -> View | None:
        """Return what the engine thinks of the objective; nothing where there are several."""
        return None if task.goals else self._engines[0].view(task, trials)

    def forecast(self, task: Task, trials: Sequence[Trial], params: Params) -> Expected | None:
        """Return the value that ``params`` are expected to come to, likewise."""
        return None if task.goals else self._engines[0].forecast(task, trials, params)

    def options(self, task: Task, trials: Sequence[Trial]) -> tuple[Proposal, ...]:
        """Return proposals to choose among, likewise."""
        return () if task.goals else self._engines[0].options(task, trials)


def _alone(task: Task, trials: Sequence[Trial], goal: Goal) -> tuple[Task, list[Trial]]:
    """Return the task with ``goal`` as its only objective, and the trials with its values."""
    if goal.metric == task.objective.metric:
        return task, list(trials)
    alone = replace(task, objective=Objective(goal.metric, goal.direction), goals=())
    return alone, [
        replace(t, outcome=replace(t.outcome, value=t.outcome.others[goal.metric]))
        if t.outcome is not None and t.value is not None
        else t
        for t in trials
    ]
