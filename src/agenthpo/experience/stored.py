"""From a trial as Optuna stores it to ours; one that cannot be read is damaged, not absent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from agenthpo.codec import decode_analysis, decode_outcome, decode_proposal
from agenthpo.errors import StudyError, first_line
from agenthpo.experience.journal import DAMAGED
from agenthpo.experience.patience import Patience
from agenthpo.records import Analysis, Outcome, Proposal, Trial

__all__ = ["ATTEMPT", "DRIVER", "OUTCOME", "frozen_trials", "is_left", "trial_of"]

OUTCOME = "outcome"
DRIVER = "driver"
"""The attribute of a trial that says which of several drivers runs it."""
ATTEMPT = "attempt"
"""The attribute of a trial that says which attempt runs, where an earlier one was lost."""


def frozen_trials(
    study: optuna.Study, folder: Path, patiently: Patience | None = None
) -> list[FrozenTrial]:
    """Return the trials of ``study`` as they are stored.

    :raises StudyError: if they cannot be read.
    """
    patiently = patiently or Patience(seconds=0)
    try:
        return patiently(lambda: study.get_trials(deepcopy=False)) or []
    except Exception as problem:  # what a damaged database makes Optuna or its driver raise
        raise StudyError(
            f"the storage of the study {folder} cannot be read "
            f"({first_line(problem)[:200]}); fix or restore it"
        ) from None


def is_left(frozen: FrozenTrial) -> bool:
    """Return whether the trial has ended and its process was killed before it had closed it."""
    return frozen.state == TrialState.RUNNING and OUTCOME in frozen.user_attrs


def trial_of(frozen: FrozenTrial) -> Trial:
    """Return what ``frozen`` holds; one that has not ended has no outcome."""
    attributes = frozen.user_attrs
    if DAMAGED in attributes:
        return _damaged(frozen.number, f"its line {attributes[DAMAGED]} of the journal is damaged")
    if "proposal" not in attributes:
        return _foreign(frozen)
    try:
        trial = Trial(
            frozen.number,
            decode_proposal(attributes["proposal"]),
            started_at=float(attributes["started_at"]),
        )
        if not frozen.state.is_finished() and not is_left(frozen):
            return trial
        outcome = decode_outcome(attributes[OUTCOME])
        analysis = decode_analysis(attributes["analysis"])
        return replace(
            trial, outcome=outcome, analysis=analysis, finished_at=float(attributes["finished_at"])
        )
    except (KeyError, TypeError, ValueError) as problem:
        return _damaged(frozen.number, f"its record cannot be read ({type(problem).__name__})")


def _damaged(number: int, error: str) -> Trial:
    """Return what stands for a trial whose record cannot be read."""
    outcome = Outcome("failed", error=error)
    return Trial(
        number=number,
        proposal=Proposal({}, "engine", note=error),
        outcome=outcome,
        analysis=Analysis("crashed", (error,), f"It is lost: {error}."),
    )


def _foreign(frozen: FrozenTrial) -> Trial:
    """Return a trial that another program put into the study: its value counts, and what it left
    unfinished is not run.
    """
    proposal = Proposal(
        dict(frozen.params), "engine", rationale="Another program put it into the study."
    )
    value = frozen.values[0] if frozen.state == TrialState.COMPLETE else None
    error = "" if value is not None else f"another program left it {frozen.state.name.lower()}"
    outcome = Outcome("failed" if value is None else "complete", value, error=error)
    return Trial(
        number=frozen.number,
        proposal=proposal,
        outcome=outcome,
        analysis=Analysis("crashed" if value is None else "completed", insight=error),
    )
