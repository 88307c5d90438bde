"""How good a proposal is: the share of random draws on its task that it beats. Winners tell of luck, this of every trial."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

from agenthpo.bench.groups import Runs, tasks_of
from agenthpo.bench.scores import label
from agenthpo.bench.trained import TASKS_FOLDER, load_bench_task
from agenthpo.records import upward

__all__ = ["PARTS", "standing", "standing_words"]

PARTS = {"trial 1": range(1), "2 to 4": range(1, 4), "5 to 7": range(4, 7), "8 to 10": range(7, 10)}
"""The parts of a run, by the numbers of their trials (in words counted from 1)."""
Standing = Mapping[tuple[str, str], Mapping[str, float | None]]


def standing(runs: Runs, pool: Runs, folder: Path = TASKS_FOLDER) -> Standing:
    """Return for each proposer and source, and each part of a run, the percentage of random draws that its trials beat.

    :param pool: where random search's draws are taken from, defaults left out.

    It is the mean over the trials of a task, then over tasks: 50 is a random draw's. A failed trial beats none.
    """
    told: dict[tuple[str, str], dict[str, list[float]]] = {}
    for name in tasks_of(runs):
        sign = upward(load_bench_task(name, folder).objective.direction)
        drawn = [t for run in pool if run["run"]["task"] == name and run["run"]["proposer"] == "random" for t in run["trials"][1:]]
        values = sorted(float("-inf") if t["value"] is None else sign * t["value"] for t in drawn)
        here: dict[tuple[str, str], dict[str, list[float]]] = {}
        for run in runs if values else ():
            if run["run"]["task"] != name:
                continue
            for part, numbers in PARTS.items():
                for trial in run["trials"][numbers.start : numbers.stop]:
                    beaten = 0 if trial["value"] is None else bisect_left(values, sign * trial["value"])
                    row = here.setdefault((label(run), trial["source"]), {})
                    row.setdefault(part, []).append(100 * beaten / len(values))
        for key, parts in here.items():
            for part, shares in parts.items():
                told.setdefault(key, {}).setdefault(part, []).append(mean(shares))
    return {key: {part: mean(parts[part]) if part in parts else None for part in PARTS} for key, parts in sorted(told.items())}


def standing_words(found: Standing) -> str:
    """Return the table in Markdown."""
    lines = ["| proposer | source | " + " | ".join(PARTS) + " |", "|---|---|" + "---|" * len(PARTS)]
    for (who, source), parts in found.items():
        cells = ("" if share is None else f"{share:.0f} %" for share in parts.values())
        lines.append(f"| {who} | {source} | {' | '.join(cells)} |")
    return "\n".join(lines)
