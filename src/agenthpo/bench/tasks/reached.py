"""How many trials it takes to reach what ten random trials reach: that tuning takes long is the
first complaint of the paper's abstract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from agenthpo.bench.tasks.groups import Runs, directions_of
from agenthpo.bench.tasks.scores import AT, label, scored, trials_of
from agenthpo.bench.tasks.stored_runs import StoredRun
from agenthpo.bench.tasks.trained import TASKS_FOLDER
from agenthpo.trials import upward

__all__ = ["reached", "reached_words"]

_RANDOM = "random"


def reached(runs: Runs, folder: Path = TASKS_FOLDER) -> list[dict[str, Any]]:
    """Return for each task and proposer the trials that it took, the mean over the seeds that
    random search has as well, and in how many of these it got there within ten.

    A run that did not counts as eleven. The mark of a seed is the best validation score of random
    search's first ten trials with it.
    """
    rows = []
    for task, direction in directions_of(runs, folder).items():
        here = [run for run in runs if run.task == task and len(run.trials) >= max(AT)]
        marks = {
            run.seed: found[0]
            for run in here
            if run.proposer == _RANDOM and (found := scored(trials_of(run)[: max(AT)], direction))
        }
        for who in sorted({label(run) for run in here}):
            taken = [
                _trials_to(run, marks[run.seed], upward(direction))
                for run in here
                if label(run) == who and run.seed in marks
            ]
            if taken:
                there = sum(number <= max(AT) for number in taken)
                rows.append(
                    {
                        "task": task,
                        "proposer": who,
                        "trials": mean(taken),
                        "reached": there,
                        "seeds": len(taken),
                    }
                )
    return rows


def _trials_to(run: StoredRun, mark: float, sign: int) -> int:
    for number, trial in enumerate(run.trials[: max(AT)], 1):
        if trial.value is not None and sign * (trial.value - mark) >= 0:
            return number
    return max(AT) + 1


def reached_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table in Markdown: a row a task, a column a proposer, the mean over all last."""
    names = sorted({row["proposer"] for row in rows})
    lines = [f"| task | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    for task in dict.fromkeys(row["task"] for row in rows):
        cells = {row["proposer"]: _cell(row) for row in rows if row["task"] == task}
        lines.append(f"| {task} | {' | '.join(cells.get(who, '') for who in names)} |")
    means = [mean(row["trials"] for row in rows if row["proposer"] == who) for who in names]
    lines.append(f"| all | {' | '.join(f'{value:.1f}' for value in means)} |")
    return "\n".join(lines)


def _cell(row: Mapping[str, Any]) -> str:
    return f"{row['trials']:.1f} ({row['reached']} of {row['seeds']})"
