"""The search space as a study's own trials have it, for those who have no task file beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution

from agenthpo.errors import SpaceError
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.stored import frozen_trials
from agenthpo.foreign_space import read_foreign
from agenthpo.records import Params
from agenthpo.space import Space, among
from agenthpo.taskfile.space import parse_space

__all__ = ["conditions", "seen_space"]

_CHANGED = re.compile(r" \(changed \d+\)$")
"""What a database's name of a parameter ends with after its kind was changed."""
_PARENTS = ("bool", "categorical", "int")
"""Kinds of parameters that others can depend on."""
_MOST = 12
"""Different values that a parameter on which another depends was seen with at most."""


def seen_space(log: ExperienceLog) -> Space | None:
    """Return the ranges that the trials of the study were stored with, the latest where they were
    changed, and what ``conditions`` finds; None where there is no trial, or none that has any.
    """
    ranges: dict[str, BaseDistribution] = {}
    for trial in frozen_trials(log.study, log.folder):
        ranges |= {_CHANGED.sub("", name): each for name, each in trial.distributions.items()}
    if not ranges:
        return None
    try:
        raw = read_foreign(ranges).raw
        rows = [t.proposal.params for t in log.trials()]
        for name, when in conditions(raw, rows).items():
            raw[name]["when"] = when
        return parse_space(raw)
    except SpaceError:  # of another program
        return None


def conditions(
    raw: Mapping[str, Mapping[str, Any]], rows: Sequence[Params]
) -> dict[str, dict[str, list[Any]]]:
    """Return of each parameter that some configurations lack on which values of which others it
    depends, as far as one value, or several together, tell those that have it from those that
    lack it: parameter -> parent -> values.

    >>> space = {"opt": {"type": "categorical"}, "momentum": {"type": "float"}}
    >>> conditions(space, [{"opt": "adam"}, {"opt": "sgd", "momentum": 0.9}])
    {'momentum': {'opt': ['sgd']}}
    """
    having = {name: {i for i, row in enumerate(rows) if name in row} for name in raw}
    found = {}
    for name, mine in having.items():
        if 0 < len(mine) < len(rows):
            # a parent is there wherever its child is, and elsewhere too: no circle can come of it
            parents = [q for q in raw if raw[q].get("type") in _PARENTS and having[q] > mine]
            if when := _condition(rows, mine, parents):
                found[name] = when
    return found


def _condition(
    rows: Sequence[Params], mine: set[int], parents: Sequence[str]
) -> dict[str, list[Any]]:
    """Return what tells the rows ``mine`` from the others by as few values as can be: one parent's,
    else those of several; nothing where none do.
    """
    told: dict[str, list[Any]] = {}
    for parent in parents:
        values = list[Any]()
        for value in (rows[i][parent] for i in sorted(mine)):
            if len(values) <= _MOST and not among(value, values):
                values.append(value)
        if 0 < len(values) <= _MOST:
            told[parent] = values

    def holds(row: Params, names: Sequence[str]) -> bool:
        return all(name in row and among(row[name], told[name]) for name in names)

    others = [row for i, row in enumerate(rows) if i not in mine]
    alone = [q for q in told if not any(holds(row, [q]) for row in others)]
    if alone:
        best = min(alone, key=lambda q: len(told[q]))
        return {best: told[best]}
    every = list(told)
    if any(holds(row, every) for row in others):
        return {}
    for name in list(every):  # without those that tell nothing more
        fewer = [each for each in every if each != name]
        if not any(holds(row, fewer) for row in others):
            every = fewer
    return {name: told[name] for name in every}
