"""A proposer that heeds what agents and people ask for: their configurations come before what it
would propose itself, and what is pinned is held.

A person's configuration is tried next. An agent beside the study is a Creator of unknown class: its
configuration is tried where it is the Creator's turn, and waits where the engine has earned it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from agenthpo.experience.requests import Asked, Request
from agenthpo.records import Expected, Params, Proposal, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.search.ahead import Thinks
from agenthpo.search.engine.engine import Engine
from agenthpo.search.heard import heard
from agenthpo.search.informed import Sees
from agenthpo.search.optuna_samplers import default_proposal
from agenthpo.search.preflight import checked
from agenthpo.search.trust import assessed, is_creators
from agenthpo.space import format_number
from agenthpo.task import Task

__all__ = ["NOTHING_ASKED", "Heeding", "hindrance", "turn_of", "with_pins"]

NOTHING_ASKED = "nothing more is asked for"
_LONG = 20
"""Trials from which on a noisy study can spare one for the default once more."""


class Heeding:
    """Propose what is asked for, else what ``proposer`` proposes."""

    def __init__(
        self, proposer: Proposer, read: Callable[[], Asked], *, only_asked: bool = False
    ) -> None:
        """:param read: what has been asked of the study by now.
        :param only_asked: whether a trial is run only where somebody asked for one.
        """
        self.proposer, self.read, self.only_asked = proposer, read, only_asked
        self._held: tuple[Task, tuple[Params, tuple[str, ...]], Task] | None = None

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the next proposal, with what it will take; where only what is asked for is run,
        the default configuration comes before it all the same, and the reason to stop where nothing
        is.
        """
        asked = self.read()
        task = self._told(task, asked)
        proposal = self._next(task, trials, asked)
        return proposal if isinstance(proposal, Stop) else checked(task, trials, proposal)

    def _next(self, task: Task, trials: Sequence[Trial], asked: Asked) -> Proposal | Stop:
        left = asked.left_to_run(trials)
        if self.only_asked and not left:
            return Stop(NOTHING_ASKED)
        # the default is what everything is compared with
        if not trials and task.space.default() is not None:
            return (self.only_asked and default_proposal(task, trials)) or self._own(task, trials)
        if not self.only_asked and _is_measured_again(task, trials):
            default = default_proposal(task, [])
            assert default is not None
            why = "The default once more, to know how much a value moves by chance."
            return replace(default, rationale=why)
        run = left[0][0] if left else None
        by_engine = run is not None and run.by_engine
        proposal = self._queued(task, trials, asked, by_engine=by_engine)
        proposal = proposal or self._own(task, trials)
        if run is None or isinstance(proposal, Stop):
            return proposal
        return replace(proposal, asked=run.id)

    def think(self, task: Task, trials: Sequence[Trial], slots: int) -> None:
        """Have the proposer think ahead, where it is not somebody else whose configuration is
        next.
        """
        asked = self.read()
        if isinstance(self.proposer, Thinks) and not (self.only_asked or asked.waiting(trials)):
            self.proposer.think(self._told(task, asked), trials, slots)

    def _told(self, task: Task, asked: Asked) -> Task:
        """Return ``task`` with what is pinned and what people have said; the same one for the same
        words, by which an engine knows what it has worked out already.
        """
        said = heard(asked)
        if not asked.pins and not said:
            return task
        key = asked.pins, said
        if self._held is None or self._held[0] is not task or self._held[1] != key:
            self._held = task, key, _with_words(with_pins(task, asked.pins), said)
        return self._held[2]

    def _queued(
        self, task: Task, trials: Sequence[Trial], asked: Asked, *, by_engine: bool
    ) -> Proposal | Stop | None:
        """Return the first configuration that waits and can be tried, the engine's where that has
        the turn, or None where there is neither.
        """
        for request in asked.waiting(trials):
            if (by_engine and not request.is_person) or hindrance(task, trials, request):
                continue
            if request.is_person:
                return _proposal(request, "human")
            is_its_turn, why = turn_of(task, trials)
            if not is_its_turn:
                proposal = self._own(task, trials)
                return proposal if isinstance(proposal, Stop) else replace(proposal, turn=why)
            return replace(
                _proposal(request, "agent"),
                mode="free",
                turn=why,
                forecast=self._forecast(task, trials, request.params),
            )
        return None

    def _forecast(self, task: Task, trials: Sequence[Trial], params: Params) -> Expected | None:
        sees = self.proposer if isinstance(self.proposer, Sees) else None
        return sees.forecast(task, trials, params) if sees else None

    def _own(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the proposer's own proposal, with what is pinned; the default is tried as it is,
        since everything is compared with it.
        """
        proposal = self.proposer.propose(task, trials)
        if isinstance(proposal, Stop) or proposal.source == "default":
            return proposal
        changed = task.off_pins(proposal.params)
        if not changed:
            return proposal
        meant = {**(task.space.default() or {}), **proposal.params, **task.pins}
        params = task.space.restrict(meant)
        if task.space.violations(params) or task.tried_in(params, trials):
            # what is left of the proposal has been tried: the engine knows of another one
            stand_in = Engine().propose(task, trials)
            if isinstance(stand_in, Stop):
                return stand_in
            return replace(stand_in, note="instead of one that is tried, but for what is pinned")
        said = f"{', '.join(changed)} as pinned, not as proposed"
        note = ". ".join(filter(None, [proposal.note, said]))
        return replace(proposal, params=params, expected=None, forecast=None, claim=None, note=note)


def _is_measured_again(task: Task, trials: Sequence[Trial]) -> bool:
    """Return whether the default is to be run once more: values are noisy, and the study is long
    enough to spare a trial.
    """
    if not task.objective.noisy or task.repeats > 1 or len(trials) != 1:
        return False
    first = trials[0]
    has_failed = first.outcome is not None and first.value is None
    is_long = task.budget.trials is not None and task.budget.trials >= _LONG
    return first.proposal.source == "default" and is_long and not has_failed


def with_pins(task: Task, pins: Params) -> Task:
    """Return ``task`` with those of the ``pins`` that fit its space, which its words tell too."""
    fitting = {
        name: value
        for name, value in pins.items()
        if name in task.space.names and task.space[name].violation(value) is None
    }
    if not fitting:
        return task
    words = ", ".join(f"{name}={format_number(value)}" for name, value in fitting.items())
    said = f"A person holds {words}; propose nothing else for it."
    return replace(task, pins=fitting, background=task.background.noted(said))


def _with_words(task: Task, said: Sequence[str]) -> Task:
    """Return ``task`` with what people have ``said`` in its words."""
    if not said:
        return task
    words = f"While it ran, {' '.join(said)}"
    return replace(task, background=task.background.noted(words))


def turn_of(task: Task, trials: Sequence[Trial]) -> tuple[bool, str]:
    """Return whether the next trial is an agent's rather than the engine's, and why."""
    trust = assessed(trials, task.objective.direction)
    return is_creators(trials, trust), trust.words()


def hindrance(task: Task, trials: Sequence[Trial], request: Request) -> str:
    """Return why a configuration that waits cannot be tried as things are; empty where it can."""
    if problems := task.space.violations(request.params):
        return problems[0]
    if held := task.off_pins(request.params):
        return f"{', '.join(held)} is pinned to another value"
    same = task.tried_in(request.params, trials)
    return "" if same is None else f"trial {same.number} has tried it"


def _proposal(request: Request, source: str) -> Proposal:
    return Proposal(
        dict(request.params),
        source,  # type: ignore[arg-type]
        rationale=request.rationale,
        hypothesis=request.hypothesis,
        expected=request.expected,
        claim=request.claim,
        usage=request.usage,
        by=request.by,
        queued=request.id,
    )
