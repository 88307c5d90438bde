"""The Executor's words, found in a thread while the next training runs, so that no training waits
for a sentence; and what a weak model expects of that training, by which it may earn a trial. The
log is written by the loop's thread alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from statistics import median
from typing import NamedTuple, Protocol, Self

from agenthpo.agents.executor import Executor
from agenthpo.background import in_thread
from agenthpo.events import Analysed, Analysing, OnEvent
from agenthpo.llm.model_class import is_weak
from agenthpo.records import Analysis, Expected, Trial, Usage
from agenthpo.task import Task

__all__ = ["Words"]

_COLD = 2.0
"""How much longer than a training a weak model's first sentence may take: it is the slowest."""
_NOW_AND_THEN = 2
"""Of so many trials one is forecast."""
_SLOWER = "longer than a training"


class Log(Protocol):
    """The experience log, in which a trial stays open until its words are found."""

    def settle(self, number: int, analysis: Analysis | None = None) -> Trial:
        """Close a trial, with another analysis where one is given."""
        ...

    def fitting_trials(self) -> list[Trial]:
        """Return the trials that are points of the space."""
        ...


_Foreseen = tuple[Expected | None, Usage]


class _Thinking(NamedTuple):
    trial: Trial
    running: Trial | None
    future: Future[tuple[Analysis, _Foreseen]]


class Words:
    """The trials that have ended and are not closed yet, the oldest first. As a context, it leaves
    none of them open.
    """

    def __init__(
        self,
        task: Task,
        executor: Executor,
        *,
        log: Log,
        on_event: OnEvent,
        may_earn: bool = False,
        at_once: int = 1,
    ) -> None:
        """:param at_once: how many trials run at once; for so many words are sought at a time, but
            by a weak model, which does one thing at a time.
        :param may_earn: whether a weak model's forecasts are asked for, by which it may earn a
        trial.
        """
        self._task, self._executor, self._log, self._on_event = task, executor, log, on_event
        self._waiting: deque[Trial] = deque()
        self._thinking = list[_Thinking]()
        self._foreseen: dict[int, _Foreseen] = {}
        self._weak = executor.llm if executor.llm is not None and is_weak(executor.llm) else None
        self._may_earn = may_earn and self._weak is not None
        self._at_once = 1 if self._weak is not None else at_once

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close every trial in the rules' words, without waiting for others."""
        left = [*(thinking.trial for thinking in self._thinking), *self._waiting]
        self._thinking, self._waiting = [], deque()
        for trial in left:
            self._log.settle(trial.number)

    def add(self, trial: Trial) -> None:
        """Take a ``trial`` that is recorded."""
        if self._executor.llm is None:
            self._log.settle(trial.number)
        else:
            self._waiting.append(trial)

    def begin(self, running: Trial | None = None) -> None:
        """Have words sought for the oldest trials that wait, and a forecast of the one that is
        ``running``; returns at once.
        """
        while len(self._thinking) < self._at_once and self._waiting:
            trial = self._waiting.popleft()
            # what was known when it ended, so that the same is asked every time
            trials = [t for t in self._log.fitting_trials() if t.number <= trial.number]
            if why := self._too_slow(trials):
                is_new = not any(_SLOWER in t.analysis.note for t in trials if t.analysis)
                self._close(trial, replace(_analysis(trial), note=why if is_new else ""))
                continue
            self._on_event(Analysing(trial))
            asked = running if running is not None and self._is_foreseen(running) else None
            future = _sought(self._executor, self._task, trial, asked, trials=trials)
            self._thinking.append(_Thinking(trial, asked, future))

    def collect(self, *, waits: bool = True) -> None:
        """Close the trials whose words were sought, once they are found.

        :param waits: whether they are waited for where a Creator is to be told them; what a weak
            model says nobody is.
        :raises ModelError: where a request failed, and that is to stop the study.
        """
        waits = waits and self._weak is None
        for thinking in [t for t in self._thinking if waits or t.future.done()]:
            self._collect(thinking)

    def _collect(self, thinking: _Thinking) -> None:
        self._thinking.remove(thinking)
        try:
            analysis, foreseen = thinking.future.result()
        except BaseException:  # Ctrl-C as well, while it is waited for
            self._log.settle(thinking.trial.number)
            raise
        self._close(thinking.trial, analysis)
        if thinking.running is not None:
            self._foreseen[thinking.running.number] = foreseen

    def finish(self) -> None:
        """Wait for the words of all trials."""
        while self._thinking or self._waiting:
            self.begin()
            if self._thinking:
                self._collect(self._thinking[0])

    def _is_foreseen(self, running: Trial) -> bool:
        """Return whether a model is asked about a trial: now and then, where the engine has a
        forecast that it can be compared with.
        """
        proposal = running.proposal
        return (
            self._may_earn
            and proposal.expected is not None
            and proposal.mode != "free"
            and running.number % _NOW_AND_THEN == 0
        )

    def _close(self, trial: Trial, analysis: Analysis) -> None:
        expected, usage = self._foreseen.pop(trial.number, (None, Usage()))
        analysis = replace(analysis, foreseen=expected, usage=analysis.usage + usage)
        is_new = analysis != trial.analysis
        settled = self._log.settle(trial.number, analysis)
        if is_new:
            self._on_event(Analysed(settled))

    def _too_slow(self, trials: Sequence[Trial]) -> str:
        """Return why a weak model is not asked, empty where it is: its sentence is worth no longer
        wait than a training takes.
        """
        if self._weak is None:
            return ""
        took = [
            t.analysis.usage.seconds for t in trials if t.analysis and t.analysis.usage.requests
        ]
        trained = [t.outcome.duration_s for t in trials if t.outcome]
        if not took or min(took) <= median(trained) * (_COLD if len(took) == 1 else 1.0):
            return ""
        return (
            f"in the rules' words from here on: a sentence of {self._weak.name} takes "
            f"{min(took):.2g} s, {_SLOWER} ({median(trained):.2g} s)"
        )


def _analysis(trial: Trial) -> Analysis:
    assert trial.analysis is not None, "it is not diagnosed"
    return trial.analysis


def _sought(
    executor: Executor,
    task: Task,
    trial: Trial,
    running: Trial | None,
    *,
    trials: Sequence[Trial],
) -> Future[tuple[Analysis, _Foreseen]]:
    """Seek words on ``trial``, and a forecast of the one that is ``running``, in a thread that does
    not keep the process from ending.
    """
    future: Future[tuple[Analysis, _Foreseen]] = Future()

    def seek() -> tuple[Analysis, _Foreseen]:
        analysis = executor.worded(task, trial, trials)
        if running is None:
            return analysis, (None, Usage())
        return analysis, executor.foreseen(task, running, trials)

    in_thread(seek, "agenthpo-words", future)
    return future
