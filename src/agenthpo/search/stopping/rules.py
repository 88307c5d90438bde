"""The stop rules: Optuna's pruners, and one of ours, behind one question."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from statistics import median

import optuna
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    PatientPruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from agenthpo.search.stopping.curve_forecast import CurveForecast, Past, forecast_curve
from agenthpo.space import format_number
from agenthpo.stop_rule import StopRule

__all__ = ["ForecastPruner", "Stopper"]

_WARMUP = 0.1
"""The share of a whole training before which nothing is known of its end."""


class ForecastPruner(BasePruner):
    """Stop a trial whose final value is unlikely to be the best.

    :param chance: the probability below which it is, from 0 to 1.
    """

    def __init__(self, chance: float = 0.05) -> None:
        self.chance = chance
        self._past: dict[int, Past] = {}
        """Of trials that have ended, by their ids in the storage: they change no more."""

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return whether ``trial``, by its intermediate values, is to be stopped."""
        return self.why(study, trial, _ended(study)) is not None

    def why(
        self, study: optuna.Study, trial: FrozenTrial, done: Sequence[FrozenTrial]
    ) -> tuple[CurveForecast, float] | None:
        """Return what the trial is expected to come to and with which probability it is the best,
        where that is too little; None where it is not, or nothing can be said.

        :param done: the study's trials that have a value.
        """
        sign = 1 if study.direction == StudyDirection.MAXIMIZE else -1
        for each in done:
            if each._trial_id not in self._past and each.value is not None:
                self._past[each._trial_id] = Past(_curve(each, sign), sign * each.value)
        earlier = [self._past[each._trial_id] for each in done]
        if not earlier or not trial.intermediate_values:
            return None
        found = forecast_curve(_curve(trial, sign), earlier)
        if found is None:
            return None
        chance = found.chance_above(max(past.value for past in earlier))
        if chance >= self.chance:
            return None
        return CurveForecast(sign * found.value, found.spread, found.freedom), chance


def _ended(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _curve(trial: FrozenTrial, sign: int) -> Sequence[tuple[float, float]]:
    return [(step, sign * value) for step, value in sorted(trial.intermediate_values.items())]


class Stopper:
    """Say whether a training is to be stopped, by the rule that the task asks for."""

    def __init__(self, rule: StopRule) -> None:
        self.rule = rule
        with warnings.catch_warnings():  # some are called experimental
            warnings.simplefilter("ignore")
            self._pruner = _pruner_of(rule)

    def reason(self, study: optuna.Study, trial: FrozenTrial) -> str:
        """Return in words why the running ``trial`` is to be stopped, by its intermediate values
        and those of the study's other trials; empty where it goes on.
        """
        rule = self.rule
        done = _ended(study)
        if len(done) < rule.trials or len(trial.intermediate_values) < self._warmup(done):
            return ""
        if isinstance(self._pruner, ForecastPruner):
            found = self._pruner.why(study, trial, done)
            return _forecast_words(*found) if found else ""
        with warnings.catch_warnings():  # such as of folds that the best trial lacks
            warnings.simplefilter("ignore")
            is_stopped = self._pruner.prune(study, trial)
        return self._words(trial) if is_stopped else ""

    def _warmup(self, done: Sequence[FrozenTrial]) -> int:
        """Return how many reports a trial makes before it may be stopped."""
        if self.rule.warmup is not None:
            return self.rule.warmup
        if self.rule.rule in ("asha", "hyperband"):
            return 1
        return max(1, round(_WARMUP * median(len(t.intermediate_values) for t in done)))

    def _words(self, trial: FrozenTrial) -> str:
        step = trial.last_step
        assert step is not None
        value = format_number(trial.intermediate_values[step])
        rule = self.rule
        said = {
            "median": "worse than half of the earlier trials had been there",
            "patient": f"for {rule.patience} reports worse than it had been",
            "asha": f"not among the best of {rule.reduction} that came there",
            "hyperband": f"not among the best of {rule.reduction} of its bracket that came there",
            "wilcoxon": "worse than the best on the folds so far",
        }
        return f"{value} at step {step}, {said[rule.rule]}"


def _forecast_words(found: CurveForecast, chance: float) -> str:
    low, high = (format_number(float(f"{end:.4g}")) for end in found.interval())
    return (
        f"it would come to about {found.value:.4g} ({low} to {high}), and be the best with a "
        f"probability of {chance:.1%}"
    )


def _pruner_of(rule: StopRule) -> BasePruner:
    match rule.rule:
        case "forecast":
            return ForecastPruner(rule.chance)
        case "median":
            return MedianPruner(n_startup_trials=rule.trials, n_warmup_steps=0)
        case "patient":
            return PatientPruner(None, rule.patience)
        case "asha":
            return SuccessiveHalvingPruner(
                min_resource=rule.warmup or 1, reduction_factor=rule.reduction
            )
        case "hyperband":
            return HyperbandPruner(
                min_resource=rule.warmup or 1,
                max_resource="auto" if rule.longest is None else rule.longest,
                reduction_factor=rule.reduction,
            )
        case "wilcoxon":
            return WilcoxonPruner(p_threshold=rule.chance, n_startup_steps=rule.warmup or 0)
