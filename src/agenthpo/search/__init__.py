"""Who proposes what to try next: the engine, Optuna's samplers and the hybrid with the Creator,
all behind one small protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agenthpo.records import Proposal, Stop, Trial
from agenthpo.task import Task

__all__ = ["Proposer"]


class Proposer(Protocol):
    """Propose the next configuration from the task and all trials so far; it keeps no history of
    its own.
    """

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return a proposal that is a point of ``task.space``, or the reason why there is none to
        try.
        """
        ...
