"""The search space as a study's own trials have it, for those who have no task file beside it."""

from __future__ import annotations

import re

from optuna.distributions import BaseDistribution

from agenthpo.errors import SpaceError
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.stored import frozen_trials
from agenthpo.foreign_space import read_foreign
from agenthpo.space import Space
from agenthpo.taskfile.space import parse_space

__all__ = ["seen_space"]

_CHANGED = re.compile(r" \(changed \d+\)$")
"""What a database's name of a parameter ends with after its kind was changed."""


def seen_space(log: ExperienceLog) -> Space | None:
    """Return the ranges that the trials of the study were stored with, the latest where they were
    changed; None where there is no trial, or none that has any.
    """
    ranges: dict[str, BaseDistribution] = {}
    for trial in frozen_trials(log.study, log.folder):
        ranges |= {_CHANGED.sub("", name): each for name, each in trial.distributions.items()}
    try:
        return parse_space(read_foreign(ranges).raw) if ranges else None
    except SpaceError:  # of another program
        return None
