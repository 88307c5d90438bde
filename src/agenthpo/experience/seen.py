"""The search space as a study's own trials have it, for those who have no task file beside it."""

from __future__ import annotations

from pathlib import Path

from optuna.distributions import BaseDistribution

from agenthpo.errors import SpaceError
from agenthpo.experience.finding import found_study, no_study
from agenthpo.experience.stored import frozen_trials
from agenthpo.foreign_space import read_foreign
from agenthpo.space import Space
from agenthpo.taskfile.space import parse_space

__all__ = ["seen_space"]


def seen_space(folder: Path) -> Space | None:
    """Return the ranges that the trials of the study in ``folder`` were stored with, the latest
    where they were changed; None where there is no trial, or one that cannot be read.

    :raises StudyError: if there is no study.
    """
    found = found_study(folder)
    if found is None:
        raise no_study(folder)
    ranges: dict[str, BaseDistribution] = {}
    for trial in frozen_trials(found[0], folder):
        ranges |= trial.distributions
    try:
        return parse_space(read_foreign(ranges).raw) if ranges else None
    except SpaceError:  # of another program
        return None
