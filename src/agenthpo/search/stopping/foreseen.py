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
        measured = [t for t in trials if t.value is not None]
        new = [t for t in stopped if not self._is_known(t, len(measured))]
        if new:
            earlier = [
                Past(_upward(t, metric, sign), sign * t.value)
                for t in measured
                if t.value is not None and t.outcome and t.outcome.curves.get(metric)
            ]
            for trial in new:
                found = _foreseen(trial, metric, sign, earlier)
                self._known[trial.number] = trial, len(measured), found
        given = {t.number: self._known[t.number][2] for t in stopped}
        return [given.get(t.number, t) for t in trials]

    def _is_known(self, trial: Trial, measured: int) -> bool:
        known = self._known.get(trial.number)
        return known is not None and known[0] is trial and known[1] == measured


def _upward(trial: Trial, metric: str, sign: int) -> list[tuple[float, float]]:
    assert trial.outcome is not None
    return [(step, sign * value) for step, value in trial.outcome.curves.get(metric, ())]


def _foreseen(trial: Trial, metric: str, sign: int, earlier: Sequence[Past]) -> Trial:
    curve = _upward(trial, metric, sign)
    forecast = forecast_curve(curve, earlier) if curve else None
    if forecast is None or trial.outcome is None:
        return trial
    value = sign * min(forecast.value, max(past.value for past in earlier))
    return replace(trial, outcome=replace(trial.outcome, status="complete", value=value))
