"""Configurations that came together in one reply: the later ones are tried without asking again,
until a result is not as expected.
"""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.records import Proposal, Trial
from agenthpo.task import Task
from agenthpo.trials import improvements

__all__ = ["next_of_batch"]


def next_of_batch(task: Task, trials: Sequence[Trial]) -> Proposal | None:
    """Return the next configuration of the latest reply that held several, None where none is left
    or something was learnt since.

    Learnt is what its author did not expect: a failure, a value outside its interval, or a best
    value that somebody else found since. As long as there is none of these it would say the same
    again. What still runs has taught nothing yet.
    """
    root = next((t for t in reversed(trials) if _is_asked(t)), None)
    if root is None or not root.proposal.further:
        return None
    taken = [t for t in trials if t.proposal.given_with == root.number]
    own = [root, *taken]
    if len(taken) >= len(root.proposal.further) or any(map(_is_news, own)):
        return None
    found = improvements(trials, task.objective.direction)
    if any(t.number > root.number and t not in own for t in found):
        return None
    further = root.proposal.further[len(taken)]
    known = task.barred(trials)
    if task.space.violations(further.params) or task.space.key(further.params) in known:
        return None
    return Proposal(
        further.params,
        "creator",
        rationale=further.rationale,
        hypothesis=further.hypothesis,
        expected=further.expected,
        model=root.proposal.model,
        given_with=root.number,
    )


def _is_asked(trial: Trial) -> bool:
    """Return whether the Creator was asked for a configuration of its own in this trial."""
    proposal = trial.proposal
    return proposal.mode == "free" and proposal.given_with is None


def _is_news(trial: Trial) -> bool:
    if trial.outcome is None:
        return False
    expected = trial.proposal.expected
    return trial.value is None or expected is None or not expected.holds(trial.value)
