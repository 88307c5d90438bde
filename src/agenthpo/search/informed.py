"""A proposer that first tries what was good elsewhere, while that earns its trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from agenthpo.exchange import Hint, View
from agenthpo.records import Expected, Params, Proposal, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.search.optuna_samplers import default_proposal
from agenthpo.task import Task
from agenthpo.trials import upward

__all__ = ["Informed", "Sees"]


@runtime_checkable
class Sees(Protocol):
    """A proposer that says what it thinks of the objective."""

    def view(self, task: Task, trials: Sequence[Trial]) -> View | None:
        """Return what it thinks, None before it has a model."""
        ...

    def forecast(self, task: Task, trials: Sequence[Trial], params: Params) -> Expected | None:
        """Return the value that it expects ``params`` to come to, None before it has a model."""
        ...

    def options(self, task: Task, trials: Sequence[Trial]) -> tuple[Proposal, ...]:
        """Return what may be tried next at no cost: what it proposes, and others as promising to
        its knowledge. Empty where there is no choice.
        """
        ...


class Informed:
    """After the default, the first hint gets one trial. Each further hint is tried only if the one
    before was better than all that came before it; else the rest are dropped, and ``proposer`` goes
    its way with what was seen.
    """

    def __init__(self, proposer: Proposer, hints: Sequence[Hint]) -> None:
        self.proposer, self.hints = proposer, tuple(hints)

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the default, the next hint that has earned its trial, or what the proposer
        proposes.
        """
        if proposal := default_proposal(task, trials):
            return proposal
        if hint := self.hint(task, trials):
            return Proposal(dict(hint.params), "knowledge", rationale=hint.rationale)
        return self.proposer.propose(task, trials)

    def view(self, task: Task, trials: Sequence[Trial]) -> View | None:
        """Return the proposer's view, where it has one, with the hints that are left."""
        seen = self.proposer.view(task, trials) if isinstance(self.proposer, Sees) else None
        left = tuple(self._left(task, trials))
        return replace(seen or View(()), known=left) if left else seen

    def forecast(self, task: Task, trials: Sequence[Trial], params: Params) -> Expected | None:
        """Return what the proposer expects, where it says so."""
        sees = self.proposer if isinstance(self.proposer, Sees) else None
        return sees.forecast(task, trials, params) if sees else None

    def options(self, task: Task, trials: Sequence[Trial]) -> tuple[Proposal, ...]:
        """Return what the proposer would try next, where it says so."""
        return self.proposer.options(task, trials) if isinstance(self.proposer, Sees) else ()

    def hint(self, task: Task, trials: Sequence[Trial]) -> Hint | None:
        """Return the hint that is next, None where none is left or has earned its trial."""
        given = [t for t in trials if t.proposal.source == "knowledge"]
        if given and not _is_best(task, trials, given[-1]):
            return None
        return next(self._left(task, trials, after=len(given)), None)

    def _left(self, task: Task, trials: Sequence[Trial], after: int = 0) -> Iterator[Hint]:
        """Yield the hints beyond the first so many that can be tried here."""
        barred = task.barred(trials)
        for hint in self.hints[after:]:
            if not task.space.violations(hint.params) and task.space.key(hint.params) not in barred:
                yield hint


def _is_best(task: Task, trials: Sequence[Trial], trial: Trial) -> bool:
    """Return whether the trial came out better than all before it."""
    if trial.value is None:
        return False
    sign = upward(task.objective.direction)
    before = [t.value for t in trials if t.number < trial.number and t.value is not None]
    return all(sign * (trial.value - value) > 0 for value in before)
