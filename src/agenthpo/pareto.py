"""Several objectives: which trials no other beats in all of them, and how much they are worth
together.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from agenthpo.records import Direction, Outcome, Trial
from agenthpo.space import format_number
from agenthpo.trials import upward

__all__ = ["Goal", "front", "goals_words", "hypervolume", "others_words", "points_of", "values_of"]


@dataclass(frozen=True)
class Goal:
    """An objective beside the first."""

    metric: str
    direction: Direction


def values_of(trial: Trial, goals: Sequence[Goal]) -> list[float] | None:
    """Return the values of all objectives, the first one first; None where the trial has none."""
    if trial.value is None or trial.outcome is None:
        return None
    return [trial.value, *(trial.outcome.others[goal.metric] for goal in goals)]


def others_words(outcome: Outcome) -> str:
    """Return the values of the objectives beside the first, to be put after it: ``, lag 30``."""
    return "".join(f", {name} {format_number(value)}" for name, value in outcome.others.items())


def points_of(
    trials: Sequence[Trial], direction: Direction, goals: Sequence[Goal]
) -> dict[int, tuple[float, ...]]:
    """Return, by number, the values of each trial that may be on the front, so that more is
    better.
    """
    return {
        t.number: (
            upward(direction) * t.score,
            *(upward(goal.direction) * t.outcome.others[goal.metric] for goal in goals),
        )
        for t in trials
        if t.score is not None
        and t.outcome is not None
        and all(goal.metric in t.outcome.others for goal in goals)
    }


def front(trials: Sequence[Trial], direction: Direction, goals: Sequence[Goal]) -> list[Trial]:
    """Return the trials that no other beats in one objective without losing in another, the best in
    the first objective first; of equals the earliest.
    """
    points = points_of(trials, direction, goals)
    kept = [
        number
        for number, point in points.items()
        if not any(
            _beats(other, point) or (other == point and earlier < number)
            for earlier, other in points.items()
        )
    ]
    known = {t.number: t for t in trials}
    return [known[n] for n in sorted(kept, key=lambda n: points[n], reverse=True)]


def _beats(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a != b and all(x >= y for x, y in zip(a, b, strict=True))


def hypervolume(trials: Sequence[Trial], direction: Direction, goals: Sequence[Goal]) -> float:
    """Return the share, from 0 to 1, of the box between the worst and the best values that were
    seen in each objective which the front dominates; 0 while there is no such box.
    """
    points = list(points_of(trials, direction, goals).values())
    if not points:
        return 0.0
    low = [min(values) for values in zip(*points, strict=True)]
    high = [max(values) for values in zip(*points, strict=True)]
    if any(a == b for a, b in zip(low, high, strict=True)):
        return 0.0
    scaled = [
        tuple((x - a) / (b - a) for x, a, b in zip(point, low, high, strict=True))
        for point in points
    ]
    return volume(scaled)


def volume(points: Sequence[tuple[float, ...]]) -> float:
    """Return how much of the space from 0 on ``points`` dominate together.

    >>> volume([(1.0, 0.5), (0.5, 1.0)])
    0.75
    """
    if not points:
        return 0.0
    if len(points[0]) == 1:
        return max(max(point[0] for point in points), 0.0)
    # slices along the last objective, from the highest down: in each those that reach it count
    levels = sorted({point[-1] for point in points if point[-1] > 0}, reverse=True)
    total = 0.0
    for level, below in itertools.pairwise([*levels, 0.0]):
        reach = [point[:-1] for point in points if point[-1] >= level]
        total += (level - below) * volume(reach)
    return total


def goals_words(metric: str, direction: Direction, goals: Sequence[Goal]) -> str:
    """Return ``maximize acc and minimize latency_ms``."""
    every = [Goal(metric, direction), *goals]
    return " and ".join(f"{goal.direction} {goal.metric}" for goal in every)
