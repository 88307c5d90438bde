"""Where trials run: the seam between the loop, which waits for futures, and a process, a machine or
a cluster.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from agenthpo.records import Outcome, RunSpec
from agenthpo.training.runner import OnPoint, run

__all__ = ["InlinePool", "Pool"]


class Pool(Protocol):
    """Run trials; ``slots`` at a time."""

    slots: int

    def submit(self, spec: RunSpec, on_point: OnPoint) -> Future[Outcome]:
        """Begin a trial. Where its training fails, the future still has an ``Outcome``."""
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
