"""The Executor: reads what came out of a trial and writes what it means into the experience log."""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.agents.diagnosis import diagnose
from agenthpo.records import Analysis, Outcome, Trial
from agenthpo.task import Task

__all__ = ["Executor"]


class Executor:
    """Diagnosis, evidence and advice by rules."""

    def analyse(self, task: Task, trial: Trial, outcome: Outcome, trials: Sequence[Trial]) -> Analysis:
        """Return what ``outcome`` means, given the other ``trials``."""
        return diagnose(task, trial, outcome, trials)
