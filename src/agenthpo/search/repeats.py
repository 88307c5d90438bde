"""A trial of several runs: the same configuration with other seeds, the same in every trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from agenthpo.records import Outcome, Trial
from agenthpo.search.racing import beaten_by
from agenthpo.seeds import spawn_seed
from agenthpo.task import Task

__all__ = ["Repeats", "seed_of"]


def seed_of(seed: int, run: int) -> int:
    """Return the seed of a trial's ``run``, counted from 0, of which the first has the study's."""
    return seed if run == 0 else spawn_seed(seed, "repeat", run)


class Repeats:
    """What the runs of the trials that still run have come to."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._runs: dict[int, list[Outcome]] = {}

    def forget(self, number: int) -> None:
        """Forget the runs of trial ``number``, which is run again."""
        self._runs.pop(number, None)

    def took(self, trial: Trial, outcome: Outcome, trials: Sequence[Trial]) -> Outcome | int:
        """Take the outcome of the latest run of ``trial``, and return what its next run is, counted
        from 0, or the outcome of them all.

        It ends early where a run has no value, or where it is clearly beaten by one of ``trials``.
        """
        task = self._task
        if task.repeats == 1:
            return outcome
        runs = self._runs.setdefault(trial.number, [])
        runs.append(outcome)
        values = [run.value for run in runs if run.value is not None]
        if len(values) < len(runs):
            self.forget(trial.number)
            return _failed(runs, task.repeats)
        if len(runs) < task.repeats:
            others = [t for t in trials if t.number != trial.number]
            better = beaten_by(values, others, task.objective.direction, task.repeats)
            if better is None:
                return len(runs)
            self.forget(trial.number)
            return replace(_together(runs), beaten_by=better.number)
        self.forget(trial.number)
        return _together(runs)


def _together(runs: Sequence[Outcome]) -> Outcome:
    """Return the outcome of runs that all have a value: their mean, and the first one's curves and
    words.
    """
    values = tuple(run.value for run in runs if run.value is not None)
    tests = [run.test_value for run in runs if run.test_value is not None]
    margins = {text: fmean(run.margins[text] for run in runs) for text in runs[0].margins}
    others = {name: fmean(run.others[name] for run in runs) for name in runs[0].others}
    warnings = runs[0].warnings
    if len(values) > 1 and len(set(values)) == 1:
        warnings = (
            *warnings,
            f"its {len(values)} runs gave the very same value: let the script take {{seed}} or "
            "AGENTHPO_SEED, or drop repeats",
        )
    return replace(
        _whole(runs[0], runs),
        value=fmean(values),
        test_value=fmean(tests) if len(tests) == len(runs) else None,
        margins=margins,
        others=others,
        repeats=values,
        warnings=warnings,
    )


def _failed(runs: Sequence[Outcome], most: int) -> Outcome:
    """Return the outcome of runs of which the last has no value."""
    last = _whole(runs[-1], runs)
    if len(runs) == 1:
        return last
    values = tuple(run.value for run in runs if run.value is not None)
    return replace(last, error=f"run {len(runs)} of {most}: {last.error}", repeats=values)


def _whole(outcome: Outcome, runs: Sequence[Outcome]) -> Outcome:
    peaks = [run.peak_mb for run in runs if run.peak_mb is not None]
    return replace(
        outcome,
        duration_s=sum(run.duration_s for run in runs),
        peak_mb=max(peaks, default=None),
    )
