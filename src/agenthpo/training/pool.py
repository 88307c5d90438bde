"""Where trials run: the seam between the loop, which waits for futures, and a process, a machine or
a cluster.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from agenthpo.background import in_thread
from agenthpo.records import Outcome, RunSpec
from agenthpo.training.attempts import end_processes, mark_of
from agenthpo.training.memory import has_room
from agenthpo.training.metrics import Point
from agenthpo.training.runner import OnPoint, run
from agenthpo.training.slots import Slot, placed
from agenthpo.training.supervisor import GRACE_S

__all__ = ["InlinePool", "LocalPool", "Pool", "end_left"]


def end_left(pool: Pool, study: str, folder: Path) -> None:
    """End the trainings in ``folder`` that a killed driver and supervisor of the study have left
    running; a cluster ends its own.
    """
    if study and isinstance(pool, InlinePool | LocalPool):
        end_processes(mark_of(study, folder))


class Pool(Protocol):
    """Run trials; ``slots`` at a time."""

    slots: int

    def submit(self, spec: RunSpec, on_point: OnPoint) -> Future[Outcome]:
        """Begin a trial. Where its training fails, the future still has an ``Outcome``."""
        ...

    def has_room(self, needs_mb: float) -> bool:
        """Return whether there is memory for one more trial of that need, in 10^6 bytes, beside
        those that run.
        """
        ...

    def close(self) -> None:
        """End what still runs, which is recorded nowhere and can be run again."""
        ...


class InlinePool:
    """One trial at a time in the caller's thread, so that Ctrl-C reaches the runner, which ends the
    training.
    """

    slots = 1

    def submit(self, spec: RunSpec, on_point: OnPoint) -> Future[Outcome]:
        """Run the trial to its end and return a future that is done."""
        future: Future[Outcome] = Future()
        future.set_result(run(spec, on_point))
        return future

    def has_room(self, needs_mb: float) -> bool:
        """Return True: nothing runs beside it."""
        return True

    def close(self) -> None:
        """Do nothing: nothing runs between two calls."""


class LocalPool:
    """Several trials at once on this machine, each in a thread that follows its process, in a slot
    of its own. ``on_point`` is called from these threads.
    """

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.slots = len(slots)
        self._free = deque(slots)
        self._stopped = threading.Event()
        self._threads: set[threading.Thread] = set()

    def submit(self, spec: RunSpec, on_point: OnPoint) -> Future[Outcome]:
        """Begin the trial in a free slot; no more may be submitted than there are."""
        slot = self._free.popleft()
        future: Future[Outcome] = Future()

        def follow() -> Outcome:
            try:
                on_point(Point.at(str(slot)))
                return run(placed(spec, slot), on_point, self._stopped.is_set)
            finally:
                self._free.append(slot)

        # a function cannot be ended from outside, and must not keep the process
        thread = in_thread(follow, f"agenthpo-trial-{spec.trial}", future)
        self._threads = {each for each in self._threads if each.is_alive()} | {thread}
        return future

    def has_room(self, needs_mb: float) -> bool:
        """Return whether what is free would do, should those that run grow as large; True where
        none does.
        """
        running = self.slots - len(self._free)
        return running == 0 or needs_mb <= 0 or has_room(needs_mb, running)

    def close(self) -> None:
        """End the trainings that still run, and wait until they have ended; a function is left to
        its end.
        """
        self._stopped.set()
        for thread in self._threads:
            thread.join(2 * GRACE_S)
