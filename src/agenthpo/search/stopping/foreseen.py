"""Stopped trials as results: what their curves foretell counts, where a model of the objective asks
for values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agenthpo.records import Trial
from agenthpo.search.stopping.curve_forecast import Past, forecast_curve
from agenthpo.task import Task
from agenthpo.trials import upward

__all__ = ["Foreseen"]


class Foreseen:
    """Give stopped trials the value that they would have come to. It is never better than the best
    that was measured.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Trial, int, Trial]] = {}

    def __call__(self, task: Task, trials: Sequence[Trial]) -> Sequence[Trial]:
        """Return ``trials``, with a value where one was stopped and enough others came as far; the
        same objects as long as nothing is learnt.
        """
        stopped = [t for t in trials if t.outcome is not None and t.outcome.status == "pruned"]
        if not stopped:
            return trials
        metric, sign = task.objective.metric, upward(task.objective.direction)
        earlier = [
            Past([(step, sign * value) for step, value in t.outcome.curves[metric]], sign * t.value)
            for t in trials
            if t.outcome is not None and t.value is not None and t.outcome.curves.get(metric)
        ]
        best = max((past.value for past in earlier), default=None)
        found: dict[int, Trial] = {}
        for trial in stopped:
            known = self._known.get(trial.number)
            if known is None or known[0] is not trial or known[1] != len(earlier):
                known = trial, len(earlier), _foreseen(trial, metric, sign, earlier, best)
                self._known[trial.number] = known
            found[trial.number] = known[2]
        return [found.get(t.number, t) for t in trials]


def _foreseen(
    trial: Trial, metric: str, sign: int, earlier: Sequence[Past], best: float | None
) -> Trial:
    assert trial.outcome is not None
    curve = [(step, sign * value) for step, value in trial.outcome.curves.get(metric, ())]
    forecast = forecast_curve(curve, earlier) if curve else None
    if forecast is None or best is None:
        return trial
    value = sign * min(forecast.value, best)
    return replace(trial, outcome=replace(trial.outcome, status="complete", value=value))
