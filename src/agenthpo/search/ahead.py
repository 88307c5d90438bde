"""What is thought of while trainings run, in a thread that keeps no process from ending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from statistics import median
from typing import Protocol, TypeVar, runtime_checkable

from agenthpo.background import in_thread
from agenthpo.records import Trial
from agenthpo.task import Task

__all__ = ["Thinks", "is_slow", "thought"]

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


def thought(think: Callable[[], _T]) -> Future[_T]:
    """Begin to think, and return what will be thought of."""
    future: Future[_T] = Future()
    in_thread(think, "agenthpo-ahead", future)
    return future


def is_slow(trials: Sequence[Trial]) -> bool:
    """Return whether a Creator takes long to answer, measured by how long trainings take."""
    thought = [
        t.proposal.usage.seconds
        for t in trials
        if t.proposal.mode == "free" and t.proposal.usage.requests
    ]
    trained = [t.outcome.duration_s for t in trials if t.outcome]
    return bool(thought and trained) and median(thought) > _SHARE * median(trained)
