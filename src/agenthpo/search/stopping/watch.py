"""Trainings are watched while they run: what they report is kept, and a stop rule may end one."""

from __future__ import annotations

import threading

from agenthpo.errors import first_line
from agenthpo.events import OnEvent, Waiting
from agenthpo.experience.log import ExperienceLog
from agenthpo.search.stopping.rules import Stopper
from agenthpo.task import Task
from agenthpo.training.metrics import Point
from agenthpo.training.stopping import ask_to_stop

__all__ = ["Watch"]


class Watch:
    """Keeps the metric's values of running trials with the study, for dashboards and for the stop
    rule, and asks a training to stop where the rule says so. Trials may report from threads.
    """

    def __init__(self, task: Task, log: ExperienceLog, on_event: OnEvent) -> None:
        self._metric, self._log, self._on_event = task.objective.metric, log, on_event
        self._stopper = None if task.stop is None else Stopper(task.stop)
        self._one_at_a_time = threading.Lock()
        self._stopped = set[int]()

    def begin(self, number: int) -> None:
        """Watch an attempt of trial ``number``."""
        with self._one_at_a_time:
            self._stopped.discard(number)
            self._log.curves.begin(number)

    def take(self, number: int, point: Point) -> None:
        """Take in what trial ``number`` has reported."""
        value = point.values.get(self._metric)
        if value is None:
            return
        with self._one_at_a_time:
            frozen = self._log.curves.report(number, point.step, value)
            if frozen is None or self._stopper is None or number in self._stopped:
                return
            if why := self._stopper.reason(self._log.curves.study, frozen):
                self._stop(number, why)

    def _stop(self, number: int, why: str) -> None:
        assert self._stopper is not None
        by = f"the rule {self._stopper.rule.rule}"
        self._stopped.add(number)
        try:
            ask_to_stop(self._log.workdir(number), by=by, why=why)
        except OSError as problem:  # a full disk, perhaps: the trial goes on
            self._on_event(
                Waiting(f"trial {number} cannot be stopped by {by} ({first_line(problem)})")
            )
