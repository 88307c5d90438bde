"""Creator and classical engine in turn, after the default configuration. Each trial names who proposed it.

Where the Creator has nothing valid to offer, the engine steps in, and the trial says so: its source is ``fallback``, its note the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from agenthpo.records import Proposal, Stop, Trial, Usage
from agenthpo.search import Proposer
from agenthpo.search.samplers import default_proposal
from agenthpo.task import Task

__all__ = ["HYBRID", "Hybrid"]

HYBRID = "hybrid"
"""The name of this proposer, which is the default."""


class _Attempt(Protocol):
    @property
    def proposal(self) -> Proposal | Stop | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def usage(self) -> Usage: ...


class _Asker(Protocol):
    def attempt(self, task: Task, trials: Sequence[Trial]) -> _Attempt: ...


class Hybrid:
    """The simplest honest mix: default, Creator, engine, Creator, engine …"""

    def __init__(self, creator: _Asker, engine: Proposer, *, model: str) -> None:
        self.creator, self.engine, self.model = creator, engine, model

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the proposal of whoever's turn it is; the turn follows from the trials alone, so that a resumed study keeps it."""
        if proposal := default_proposal(task, trials):
            return proposal
        if sum(t.proposal.source != "default" for t in trials) % 2:
            return self.engine.propose(task, trials)
        attempt = self.creator.attempt(task, trials)
        if attempt.proposal is not None:
            return attempt.proposal
        stand_in = self.engine.propose(task, trials)
        if isinstance(stand_in, Stop):
            return stand_in
        return replace(stand_in, source="fallback", note=f"instead of the Creator: {attempt.reason}", model=self.model, usage=attempt.usage)
