"""Creator and engine: after the default configuration, the Creator leads while it earns it, and the
engine takes over where it does not.

Where the Creator has nothing valid to offer, the engine steps in, and the trial says so: its source
is ``fallback``, its note the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from agenthpo.exchange import Attempt, Choice, View
from agenthpo.llm.model_class import WEAK, ModelClass
from agenthpo.records import Params, Proposal, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.search.ahead import is_slow, thought
from agenthpo.search.informed import Informed, Sees
from agenthpo.search.optuna_samplers import default_proposal
from agenthpo.search.trust import Record, assessed, has_earned, is_creators
from agenthpo.space import short_number
from agenthpo.task import Task

__all__ = ["ASKING", "CREATOR", "EARNED", "HYBRID", "INFORMED", "PAPER", "Hybrid", "Suggests"]

HYBRID = "hybrid"
"""The name of this proposer, which is the default."""
CREATOR = "creator"
"""The name of the one in which the Creator proposes every trial after the default."""
PAPER = "paper"
"""The name of the one as in the paper: the first configuration is the Creator's too, and no engine
stands beside it.
"""
INFORMED = (HYBRID, "engine")
"""The names of those that begin with what is known from elsewhere."""
ASKING = (HYBRID, CREATOR, PAPER)
"""The names of those that ask a language model."""
EARNED = "earned by forecasts, six of eight nearer than the engine's"
"""Why a weak model has a trial of its own."""
_TOLD = 3
"""Parameters that a choice's rationale names."""


class Suggests(Protocol):
    """The Creator, or what stands for it."""

    def attempt(self, task: Task, trials: Sequence[Trial], view: View | None = None) -> Attempt:
        """Ask for a proposal, given what the engine thinks."""
        ...

    def choose(self, task: Task, trials: Sequence[Trial], candidates: Sequence[Params]) -> Choice:
        """Ask which of the candidates it would try, in more than one order."""
        ...

    def has_next(self, task: Task, trials: Sequence[Trial]) -> bool:
        """Return whether an earlier reply holds the next proposal, so that nothing is asked."""
        ...


class Hybrid:
    """Whose turn it is follows from the results of each side's trials; the same trials give the
    same turn.

    A weak model (small or embedded) spends no trial on ideas of its own that it has not earned by
    forecasts. It chooses among what the engine would try, and only a choice that stands in either
    order counts: else the engine's own first candidate is tried.
    """

    def __init__(
        self,
        creator: Suggests,
        engine: Proposer,
        *,
        model: str,
        kind: ModelClass = "unknown",
        record: Record = (0.0, 0.0),
        always: bool = False,
        default_first: bool = True,
    ) -> None:
        """:param record: what the model showed in earlier studies; ``always``: whether the turn is
        always the Creator's, and free; ``default_first``: whether the default configuration is
        the first trial.
        """
        self.creator, self.engine, self.model, self.kind, self.always, self.record = (
            creator,
            engine,
            model,
            kind,
            always,
            record,
        )
        self.default_first = default_first
        self._idea: Future[Proposal | Stop] | None = None

    def think(self, task: Task, trials: Sequence[Trial], slots: int) -> None:
        """Begin to think of what is proposed after ``trials``, the last of which still run.

        Where several run and the model takes long beside them, the results that it does not see
        yet are worth less than the time. A weak model's first choice is among candidates that do
        not depend on the default's result; its later ones would.
        """
        if self._idea is not None or (self.default_first and default_proposal(task, trials)):
            return
        is_first = all(t.outcome is None for t in trials)
        if not (is_first if self._is_weak else slots > 1 and is_slow(trials)):
            return
        trust = assessed(trials, task.objective.direction, kind=self.kind, record=self.record)
        if not (self.always or is_creators(trials, trust, kind=self.kind)):
            return
        if self._is_weak:
            if not self._has_hint(task, trials):
                self._idea = thought(self._choosing(task, trials))
        elif not self.creator.has_next(task, trials):
            self._idea = thought(lambda: self._free(task, trials))

    @property
    def _is_weak(self) -> bool:
        return self.kind in WEAK and not self.always

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the proposal of whoever's turn it is."""
        if self.default_first and (proposal := default_proposal(task, trials)):
            return proposal
        is_weak = self._is_weak
        # it knows no better than what was good elsewhere
        if is_weak and self._has_hint(task, trials):
            return self.engine.propose(task, trials)
        trust = assessed(trials, task.objective.direction, kind=self.kind, record=self.record)
        if (idea := self._thought(task, trials)) is not None:
            return _with(idea, turn=trust.words())
        if is_weak and has_earned(trials):
            return _with(self._free(task, trials), turn=f"{EARNED}; {trust.words()}")
        if not self.always and not is_creators(trials, trust, kind=self.kind):
            return _with(self.engine.propose(task, trials), turn=trust.words())
        if is_weak:
            return _with(self._chosen(task, trials), turn=trust.words())
        return _with(self._free(task, trials), turn=trust.words())

    def _has_hint(self, task: Task, trials: Sequence[Trial]) -> bool:
        return isinstance(self.engine, Informed) and self.engine.hint(task, trials) is not None

    def _free(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        view = self.engine.view(task, trials) if isinstance(self.engine, Sees) else None
        attempt = self.creator.attempt(task, trials, view)
        if isinstance(attempt.proposal, Proposal):
            # the other side's word on it costs nothing, and the result will judge both
            forecast = None
            if isinstance(self.engine, Sees):
                forecast = self.engine.forecast(task, trials, attempt.proposal.params)
            return replace(attempt.proposal, mode="free", forecast=forecast)
        if attempt.proposal is not None:
            return attempt.proposal
        stand_in = self.engine.propose(task, trials)
        if isinstance(stand_in, Stop):
            return stand_in
        note = f"instead of the Creator: {attempt.reason}"
        return replace(
            stand_in,
            source="fallback",
            mode="free",
            note=note,
            model=self.model,
            usage=attempt.usage,
        )

    def _thought(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop | None:
        """Return what was thought of while trainings ran, None where that is nothing to try."""
        if self._idea is None:
            return None
        idea, self._idea = self._idea.result(), None
        if isinstance(idea, Stop):
            return idea
        params = idea.params
        is_new = task.tried_in(params, trials) is None
        can_be = is_new and task.is_pinned(params) and not task.space.violations(params)
        return idea if can_be else None

    def _chosen(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        return self._choosing(task, trials)()

    def _choosing(self, task: Task, trials: Sequence[Trial]) -> Callable[[], Proposal | Stop]:
        """Return what asks for a choice; the engine has thought by then."""
        options = self.engine.options(task, trials) if isinstance(self.engine, Sees) else ()
        if len(options) < 2:
            only = self.engine.propose(task, trials)
            return lambda: only
        candidates = [each.params for each in options]
        return lambda: self._taken(options, self.creator.choose(task, trials, candidates))

    def _taken(self, options: Sequence[Proposal], choice: Choice) -> Proposal:
        taken = replace(options[choice.index or 0], model=self.model, usage=choice.usage)
        if choice.index is None:
            return replace(taken, mode="by position", note=choice.reason)
        place = f"{choice.index + 1} of {len(options)}"
        others = [each.params for each in options if each.params != taken.params]
        words = f"The model chose the engine's candidate {place}, in either order"
        return replace(
            taken,
            source="creator",
            rationale=f"{words}{_differing(taken.params, others)}.",
            mode="choice",
        )


def _differing(taken: Params, others: Sequence[Params]) -> str:
    """Return in words what ``taken`` has and none of the ``others``."""
    words = []
    for name, value in taken.items():
        theirs = [short_number(other[name]) for other in others if name in other]
        if theirs and short_number(value) not in theirs:
            rest = " or ".join(dict.fromkeys(theirs))
            words.append(f"{name} {short_number(value)} rather than {rest}")
    return f": {'; '.join(words[:_TOLD])}" if words else ""


def _with(proposal: Proposal | Stop, *, turn: str) -> Proposal | Stop:
    return proposal if isinstance(proposal, Stop) else replace(proposal, turn=turn)
