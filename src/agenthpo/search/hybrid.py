"""Creator and engine: after the default configuration, the Creator leads while it earns it, and the engine takes over where it does not.

Where the Creator has nothing valid to offer, the engine steps in, and the trial says so: its source is ``fallback``, its note the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from agenthpo.records import Proposal, Stop, Trial, Usage
from agenthpo.search import Proposer
from agenthpo.search.engine import Engine
from agenthpo.search.samplers import default_proposal
from agenthpo.search.trust import ModelClass, assessed, is_creators
from agenthpo.task import Task
from agenthpo.view import View

__all__ = ["CREATOR", "HYBRID", "Attempted", "Hybrid", "Suggests"]

HYBRID = "hybrid"
"""The name of this proposer, which is the default."""
CREATOR = "creator"
"""The name of the one in which the Creator proposes every trial after the default, as in the paper."""
_FIRST_TURNS: dict[ModelClass, int] = {"strong": 3, "unknown": 2, "small": 1, "embedded": 1}


class Attempted(Protocol):
    """What asking the Creator came to."""

    @property
    def proposal(self) -> Proposal | Stop | None:
        """What it proposed, or None."""
        ...

    @property
    def reason(self) -> str:
        """Why there is none."""
        ...

    @property
    def usage(self) -> Usage:
        """What it cost."""
        ...


class Suggests(Protocol):
    """The Creator, or what stands for it."""

    def attempt(self, task: Task, trials: Sequence[Trial], view: View | None = None) -> Attempted:
        """Ask for a proposal, given what the engine thinks."""
        ...


class Hybrid:
    """Whose turn it is follows from what each side's trials came to; the same trials give the same turn."""

    def __init__(self, creator: Suggests, engine: Proposer, *, model: str, kind: ModelClass = "unknown", always: bool = False) -> None:
        """:param always: whether the turn is always the Creator's."""
        self.creator, self.engine, self.model, self.kind, self.always = creator, engine, model, kind, always

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the proposal of whoever's turn it is."""
        if proposal := default_proposal(task, trials):
            return proposal
        trust = assessed(trials, task.objective.direction, self.kind)
        turn = trust.words()
        if not self.always and not is_creators(trials, trust, first_turns=_FIRST_TURNS[self.kind]):
            return _with(self.engine.propose(task, trials), turn=turn)
        attempt = self.creator.attempt(task, trials, self._view(task, trials))
        if attempt.proposal is not None:
            return _with(attempt.proposal, turn=turn)
        stand_in = self.engine.propose(task, trials)
        if isinstance(stand_in, Stop):
            return stand_in
        return replace(
            stand_in, source="fallback", turn=turn, note=f"instead of the Creator: {attempt.reason}", model=self.model, usage=attempt.usage
        )

    def _view(self, task: Task, trials: Sequence[Trial]) -> View | None:
        return self.engine.view(task, trials) if isinstance(self.engine, Engine) else None


def _with(proposal: Proposal | Stop, *, turn: str) -> Proposal | Stop:
    return proposal if isinstance(proposal, Stop) else replace(proposal, turn=turn)
