"""Studies of the same objective over one another: the best value so far, with its uncertainty over
seeds.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from agenthpo.errors import StudyError
from agenthpo.experience.log import ExperienceLog
from agenthpo.records import Direction
from agenthpo.reporting.border import passed
from agenthpo.trials import course, upward

__all__ = ["Comparison", "Group", "Pair", "compared"]

_DRAWS = 1000
_AT = (5, 10, 25, 50, 100, 200)
"""Trials at which values are told."""


@dataclass(frozen=True)
class Group:
    """Studies that differ by their seeds alone, as far as is known."""

    name: str
    """Who proposed, and which model."""
    studies: tuple[str, ...]
    mean: tuple[float, ...]
    """The best value so far after each trial, on average over the studies."""
    low: tuple[float, ...]
    high: tuple[float, ...]
    """What the mean lies between in 95 % of draws of the studies; the mean itself for one study."""


@dataclass(frozen=True)
class Pair:
    """Two groups after as many trials."""

    one: str
    another: str
    trials: int
    ahead: float
    """By how much the first is better, on average."""
    low: float | None
    high: float | None
    """What that lies between in 95 % of draws; None where a group has a single study."""


@dataclass(frozen=True)
class Comparison:
    """Groups of studies of one objective."""

    metric: str
    direction: Direction
    groups: tuple[Group, ...]
    pairs: tuple[Pair, ...]

    @property
    def points(self) -> tuple[int, ...]:
        """Numbers of trials at which every group has a value, for a table."""
        shortest = min(len(group.mean) for group in self.groups)
        return tuple(dict.fromkeys([*(n for n in _AT if n < shortest), shortest]))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def compared(folders: Sequence[Path], *, each: bool = False, seed: int = 0) -> Comparison:
    """Return the studies in ``folders`` grouped by who proposed and by the model.

    :param each: whether every study is a group of its own.
    :param seed: of the draws.
    :raises StudyError: where there are fewer than two, they have another objective, or one has no
        value.
    """
    if len(folders) < 2:
        raise StudyError("name two studies or more to compare")
    groups: dict[str, list[tuple[str, list[float]]]] = {}
    first: tuple[str, Direction, Path] | None = None
    for folder in folders:
        with ExperienceLog.open(folder, space=None, read_only=True) as log:
            meta, trials, direction = log.meta, log.trials(), log.direction
        if first is None:
            first = meta.metric, direction, folder
        elif first[:2] != (meta.metric, direction):
            raise StudyError(
                f"{folder} is to {direction} {meta.metric} and {first[2]} to {first[1]} "
                f"{first[0]}; compare studies of the same objective"
            )
        values = course(trials, direction)[1]
        if not values:
            raise StudyError(f"no trial of {folder} has a value that counts; leave it out")
        # before the first value there is none; nothing is made up for it but the first itself
        values = [values[0]] * (len(trials) - len(values)) + values
        name = folder.resolve().name if each else _name(meta.proposer, meta.model)
        groups.setdefault(name, []).append((folder.resolve().name, values))
    assert first is not None
    rng = random.Random(seed)
    drawn = {name: _drawn(runs, rng) for name, runs in groups.items()}
    sign = upward(first[1])
    names = list(groups)
    found = Comparison(
        first[0],
        first[1],
        tuple(_group(name, groups[name], drawn[name]) for name in names),
        tuple(
            _pair(one, another, drawn, groups, sign)
            for i, one in enumerate(names)
            for another in names[i + 1 :]
        ),
    )
    return passed(found)


def _name(proposer: str, model: str) -> str:
    return proposer if model in ("", "none") else f"{proposer}, {model}"


def _drawn(runs: Sequence[tuple[str, list[float]]], rng: random.Random) -> list[list[float]]:
    """Return the mean course of studies drawn with replacement, many times; first of all, of the
    studies themselves. All are as long as the shortest.
    """
    length = min(len(values) for _, values in runs)
    every = [values[:length] for _, values in runs]
    draws = [every]
    if len(every) > 1:
        draws += [rng.choices(every, k=len(every)) for _ in range(_DRAWS)]
    return [[fmean(column) for column in zip(*each, strict=True)] for each in draws]


def _between(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    out = int(0.025 * len(ordered))
    return ordered[out], ordered[-1 - out]


def _group(
    name: str, runs: Sequence[tuple[str, list[float]]], drawn: Sequence[Sequence[float]]
) -> Group:
    ends = [_between(column[1:] or column) for column in zip(*drawn, strict=True)]
    return Group(
        name,
        tuple(study for study, _ in runs),
        tuple(drawn[0]),
        tuple(low for low, _ in ends),
        tuple(high for _, high in ends),
    )


def _pair(
    one: str,
    another: str,
    drawn: dict[str, list[list[float]]],
    groups: dict[str, list[tuple[str, list[float]]]],
    sign: int,
) -> Pair:
    at = min(len(drawn[one][0]), len(drawn[another][0])) - 1
    ahead = sign * (drawn[one][0][at] - drawn[another][0][at])
    low = high = None
    if min(len(groups[one]), len(groups[another])) > 1:
        differences = [
            sign * (a[at] - b[at]) for a, b in zip(drawn[one][1:], drawn[another][1:], strict=True)
        ]
        low, high = _between(differences)
    return Pair(one, another, at + 1, ahead, low, high)
