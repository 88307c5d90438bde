"""How often a proposer is ahead of another: run against run of the same task and seed. Mean ranks of a few proposers hide how much is luck."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan, sqrt
from pathlib import Path
from statistics import mean, stdev

from agenthpo.bench.groups import Runs, tasks_of
from agenthpo.bench.scores import AT, label, scored, trials_of
from agenthpo.bench.trained import TASKS_FOLDER, load_bench_task
from agenthpo.records import upward

__all__ = ["duels", "duels_words"]

Shares = Mapping[str, Mapping[int, tuple[float, float] | None]]


def duels(runs: Runs, opponent: str, folder: Path = TASKS_FOLDER) -> Shares:
    """Return for each proposer and number of trials the share of duels with ``opponent`` won, in percent, and its standard error over the tasks.

    An equal score is half a win. A seed draws the same random numbers on every task, so that its luck is not that of one task alone: the
    error is rather too small.
    """
    found: dict[str, dict[int, tuple[float, float] | None]] = {}
    for who in sorted({label(run) for run in runs} - {opponent}):
        for at in AT[1:]:
            shares = [share for name in tasks_of(runs) if (share := _share(runs, name, who, opponent, at, folder)) is not None]
            error = stdev(shares) / sqrt(len(shares)) if len(shares) > 1 else nan
            found.setdefault(who, {})[at] = (100 * mean(shares), 100 * error) if shares else None
    return found


def _share(runs: Runs, task: str, who: str, opponent: str, at: int, folder: Path) -> float | None:
    """Return the share of duels that ``who`` won on ``task``; None where there are none."""
    direction = load_bench_task(task, folder).objective.direction
    scores: dict[str, dict[int, float]] = {}
    for run in runs:
        if run["run"]["task"] == task and len(run["trials"]) >= at:
            best = scored(trials_of(run)[:at], direction)
            scores.setdefault(label(run), {})[run["run"]["seed"]] = upward(direction) * best[0] if best else float("-inf")
    own = scores.get(who, {})
    pairs = [(own[seed], theirs) for seed, theirs in scores.get(opponent, {}).items() if seed in own]
    return mean((a > b) + 0.5 * (a == b) for a, b in pairs) if pairs else None


def duels_words(found: Shares, opponent: str) -> str:
    """Return the table in Markdown."""
    lines = [f"| ahead of {opponent} | " + " | ".join(f"T={at}" for at in AT[1:]) + " |", "|---|" + "---|" * (len(AT) - 1)]
    for who, shares in found.items():
        cells = ["" if share is None else f"{share[0]:.0f} ± {share[1]:.0f} %" for share in shares.values()]
        lines.append(f"| {who} | {' | '.join(cells)} |")
    return "\n".join(lines)
