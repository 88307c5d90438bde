"""How good a proposal is: the share of random draws on its task that it beats. Winners tell of
luck, this of every trial.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from pathlib import Path
from statistics import mean

from agenthpo.bench.tasks.groups import Runs, directions_of
from agenthpo.bench.tasks.scores import label
from agenthpo.bench.tasks.trained import TASKS_FOLDER
from agenthpo.records import Direction
from agenthpo.trials import upward

__all__ = ["PARTS", "standing", "standing_words"]

PARTS = {"trial 1": range(1), "2 to 4": range(1, 4), "5 to 7": range(4, 7), "8 to 10": range(7, 10)}
"""The parts of a run, by the numbers of their trials (in words counted from 1)."""
Standing = Mapping[tuple[str, str], Mapping[str, float | None]]


def standing(runs: Runs, pool: Runs, folder: Path = TASKS_FOLDER) -> Standing:
    """Return for each proposer and source, and each part of a run, the percentage of random draws
    that its trials beat.

    :param pool: where random search's draws are taken from, defaults left out.

    It is the mean over the trials of a task, then over tasks: 50 is a random draw's. A failed trial
    beats none.
    """
    directions = directions_of(runs, folder)
    drawn = {name: _drawn(pool, name, direction) for name, direction in directions.items()}
    shares: dict[tuple[str, str], dict[str, dict[str, list[float]]]] = {}
    for run in runs:
        task = run.task
        who = label(run)
        for number, trial in enumerate(run.trials if drawn[task] else ()):
            part = next((part for part, numbers in PARTS.items() if number in numbers), None)
            if part is not None:
                beaten = (
                    0
                    if trial.value is None
                    else bisect_left(drawn[task], upward(directions[task]) * trial.value)
                )
                row = shares.setdefault((who, trial.source), {name: {} for name in PARTS})
                row[part].setdefault(task, []).append(100 * beaten / len(drawn[task]))
    return {
        key: {part: _mean_of_means(of.values()) for part, of in row.items()}
        for key, row in sorted(shares.items())
    }


def _drawn(pool: Runs, task: str, direction: Direction) -> list[float]:
    """Return the values of random search's draws on ``task`` from the worst to the best, more being
    better.
    """
    trials = [
        t for run in pool if run.task == task and run.proposer == "random" for t in run.trials[1:]
    ]
    return sorted(-inf if t.value is None else upward(direction) * t.value for t in trials)


def _mean_of_means(groups: Iterable[Sequence[float]]) -> float | None:
    means = [mean(group) for group in groups]
    return mean(means) if means else None


def standing_words(found: Standing) -> str:
    """Return the table in Markdown."""
    lines = ["| proposer | source | " + " | ".join(PARTS) + " |", "|---|---|" + "---|" * len(PARTS)]
    for (who, source), parts in found.items():
        cells = ("" if share is None else f"{share:.0f} %" for share in parts.values())
        lines.append(f"| {who} | {source} | {' | '.join(cells)} |")
    return "\n".join(lines)
