"""What is thought of while trainings run, in a thread that keeps no process from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from statistics import median
from typing import Generic, Protocol, TypeVar, runtime_checkable

from agenthpo.records import Trial
from agenthpo.task import Task

__all__ = ["Thinks", "Thought", "is_slow"]

_T = TypeVar("_T")
_SHARE = 0.05
"""The share of a training's time from which on a model's is worth hiding: less than that, and the
next result is worth more.
"""


@runtime_checkable
class Thinks(Protocol):
    """A proposer that can think ahead."""

    def think(self, task: Task, trials: Sequence[Trial], slots: int) -> None:
        """Begin to think of what is proposed after ``trials``, of which the last still run, at
        most ``slots`` of them; returns at once.
        """
        ...


class Thought(Generic[_T]):
    """One thing that is being thought of."""

    def __init__(self, think: Callable[[], _T]) -> None:
        self._future: Future[_T] = Future()

        def go() -> None:
            try:
                self._future.set_result(think())
            except BaseException as problem:  # whoever takes it raises it
                self._future.set_exception(problem)

        threading.Thread(target=go, name="agenthpo-ahead", daemon=True).start()

    def take(self) -> _T:
        """Return what was thought, and wait for it."""
        return self._future.result()


def is_slow(trials: Sequence[Trial]) -> bool:
    """Return whether a Creator takes long to answer, measured by how long trainings take."""
    thought = [
        t.proposal.usage.seconds
        for t in trials
        if t.proposal.mode == "free" and t.proposal.usage.requests
    ]
    trained = [t.outcome.duration_s for t in trials if t.outcome]
    return bool(thought and trained) and median(thought) > _SHARE * median(trained)
