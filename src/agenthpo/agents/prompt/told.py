"""What a model is told of a study that goes without some of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agenthpo.parts import ANALYSIS, BACKGROUND, HISTORY, without_background
from agenthpo.records import Trial
from agenthpo.task import Task

__all__ = ["told", "unworded"]


def told(task: Task, trials: Sequence[Trial], without: frozenset[str]) -> tuple[Task, list[Trial]]:
    """Return task and trials without the parts named, of ``agenthpo.parts``."""
    if BACKGROUND in without:
        task = without_background(task)
    if HISTORY in without:
        return task, []
    if ANALYSIS in without:
        trials = [replace(t, analysis=None) for t in trials]
    return task, list(trials)


def unworded(trials: Sequence[Trial]) -> list[Trial]:
    """Return ``trials`` without what a model said of them; diagnosis, evidence and advice stay."""
    return [
        replace(t, analysis=replace(t.analysis, insight="", author="rules")) if t.analysis else t
        for t in trials
    ]
