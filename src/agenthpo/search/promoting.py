"""A search over fidelities: what another proposer proposes begins with little, and of each rung the
best third goes on to the next.

The rule is asynchronous successive halving (ASHA; Li et al., *A System for Massively Parallel
Hyperparameter Tuning*, MLSys 2020), and a model proposes in place of random draws, as in BOHB
(Falkner et al., 2018). The proposer is asked for a whole training; the engine's process knows the
fidelity as one more parameter, so that short trainings tell it of whole ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agenthpo.fidelity import Fidelity
from agenthpo.records import Params, Proposal, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.search.optuna_samplers import default_proposal
from agenthpo.space import format_number
from agenthpo.task import Task
from agenthpo.trials import upward, whole_trainings

__all__ = ["Promoting"]


class Promoting:
    """Promote what is among the best of its rung, else begin what ``proposer`` proposes."""

    def __init__(self, proposer: Proposer) -> None:
        self.proposer = proposer
        self._held: tuple[Task, Task] | None = None

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the next trial with its fidelity; the default is a whole training, which the end
        is compared with.
        """
        fidelity = task.fidelity
        if fidelity is None:
            return self.proposer.propose(task, trials)
        if default := default_proposal(task, trials):
            return default
        if promoted := _promoted(task, fidelity, trials):
            return promoted
        proposal = self.proposer.propose(self._at_whole(task, fidelity), trials)
        if isinstance(proposal, Stop):
            return proposal
        for rung in fidelity.rungs:
            params = {**proposal.params, fidelity.parameter: rung}
            if not task.space.violations(params) and task.tried_in(params, trials) is None:
                return _at(proposal, params, is_whole=rung == fidelity.rungs[-1])
        return proposal

    def _at_whole(self, task: Task, fidelity: Fidelity) -> Task:
        """Return ``task`` for a proposer of whole trainings; the same one for the same task, by
        which an engine knows what it has worked out.
        """
        if self._held is None or self._held[0] is not task:
            name, whole = fidelity.parameter, fidelity.rungs[-1]
            said = (
                f"{name} is not to be searched: a configuration begins with "
                f"{format_number(fidelity.rungs[0])}, and the best third go on up to "
                f"{format_number(whole)}. Propose for {whole}."
            )
            words = task.background.noted(said)
            held = replace(task, pins={**task.pins, name: whole}, background=words)
            self._held = task, held
        return self._held[1]


def _at(proposal: Proposal, params: Params, *, is_whole: bool) -> Proposal:
    if is_whole:
        return replace(proposal, params=params)
    # what was predicted was predicted of a whole training
    return replace(proposal, params=params, expected=None, forecast=None, claim=None)


def _promoted(task: Task, fidelity: Fidelity, trials: Sequence[Trial]) -> Proposal | None:
    """Return the best trial that may go on, at its next rung, from the highest rung down; with what
    the budget has left for a last training, the best one of all, at once to a whole one.
    """
    name, sign = fidelity.parameter, upward(task.objective.direction)

    def key(trial: Trial) -> tuple[tuple[str, str], ...]:
        return task.space.key(fidelity.rest(trial.proposal.params))

    def rank(trial: Trial) -> tuple[bool, float, int]:
        value = trial.value
        return not trial.is_kept, float("inf") if value is None else -sign * value, trial.number

    reached = dict[tuple[tuple[str, str], ...], float]()
    for trial in trials:
        reached[key(trial)] = max(
            reached.get(key(trial), 0.0), float(trial.proposal.params.get(name, fidelity.high))
        )
    is_last = _left(task, trials) <= 1
    for rung, above in reversed(list(zip(fidelity.rungs, fidelity.rungs[1:], strict=False))):
        here = [t for t in trials if t.outcome is not None and t.proposal.params.get(name) == rung]
        most = len(here) if is_last else len(here) // fidelity.eta
        for place, trial in enumerate(sorted(here, key=rank)[:most]):
            if trial.value is None or reached[key(trial)] > rung:
                continue
            params = {**trial.proposal.params, name: fidelity.rungs[-1] if is_last else above}
            if task.space.violations(params):
                continue
            return _going_on(trial, params, _first(trial, trials), (
                f"Trial {trial.number} was {'the best' if place == 0 else f'number {place + 1}'} "
                f"of {len(here)} with {name} {format_number(rung)}, and goes on."
            ))  # fmt: skip
    return None


def _left(task: Task, trials: Sequence[Trial]) -> float:
    """Return how many whole trainings the budget has left; infinite where it has no such limit."""
    if task.budget.trials is None:
        return float("inf")
    return task.budget.trials - whole_trainings(trials)


def _going_on(trial: Trial, params: Params, first: Trial, words: str) -> Proposal:
    """Return ``trial`` with more of a training; ``first`` is the one that it began with."""
    return Proposal(
        params,
        trial.proposal.source,
        rationale=f"{words} {first.proposal.rationale}".strip(),
        hypothesis=trial.proposal.hypothesis,
        model=trial.proposal.model,
        by=trial.proposal.by,
        promoted_from=trial.number,
    )


def _first(trial: Trial, trials: Sequence[Trial]) -> Trial:
    """Return the trial that ``trial`` goes on from, at its lowest rung."""
    known = {t.number: t for t in trials}
    while trial.proposal.promoted_from in known:
        trial = known[trial.proposal.promoted_from]
    return trial
