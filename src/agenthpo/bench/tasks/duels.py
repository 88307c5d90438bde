"""How often a proposer is ahead of another: run against run of the same task and seed. Mean ranks
of a few proposers hide how much is luck.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan, sqrt
from pathlib import Path
from statistics import mean, stdev

from agenthpo.bench.tasks.groups import Runs, directions_of
from agenthpo.bench.tasks.scores import AT, label, scored, trials_of
from agenthpo.bench.tasks.trained import TASKS_FOLDER
from agenthpo.records import Direction
from agenthpo.trials import upward

__all__ = ["duels", "duels_words"]

Shares = Mapping[str, Mapping[int, tuple[float, float] | None]]


def duels(runs: Runs, opponent: str, folder: Path = TASKS_FOLDER) -> Shares:
    """Return for each proposer and number of trials the share of duels with ``opponent`` won, in
    percent, and its standard error over the tasks.

    An equal score is half a win. A seed draws the same random numbers on every task, so that its
    luck is not that of one task alone: the error is rather too small.
    """
    found: dict[str, dict[int, tuple[float, float] | None]] = {
        who: {} for who in sorted({label(run) for run in runs} - {opponent})
    }
    for at in AT[1:]:
        scores = [
            _scores(runs, name, direction, at)
            for name, direction in directions_of(runs, folder).items()
        ]
        for who, row in found.items():
            shares = [
                share
                for each in scores
                if (share := _share(each.get(who, {}), each.get(opponent, {}))) is not None
            ]
            error = stdev(shares) / sqrt(len(shares)) if len(shares) > 1 else nan
            row[at] = (100 * mean(shares), 100 * error) if shares else None
    return found


def _scores(runs: Runs, task: str, direction: Direction, at: int) -> dict[str, dict[int, float]]:
    """Return by proposer and seed what is best of ``task`` after ``at`` trials; more is better."""
    found: dict[str, dict[int, float]] = {}
    for run in runs:
        if run.task == task and len(run.trials) >= at:
            best = scored(trials_of(run)[:at], direction)
            found.setdefault(label(run), {})[run.seed] = (
                upward(direction) * best[0] if best else -inf
            )
    return found


def _share(own: Mapping[int, float], others: Mapping[int, float]) -> float | None:
    """Return the share of seeds on which ``own`` is ahead; None where there is none that
    both have.
    """
    pairs = [(own[seed], theirs) for seed, theirs in others.items() if seed in own]
    return mean((a > b) + 0.5 * (a == b) for a, b in pairs) if pairs else None


def duels_words(found: Shares, opponent: str) -> str:
    """Return the table in Markdown."""
    lines = [
        f"| ahead of {opponent} | " + " | ".join(f"T={at}" for at in AT[1:]) + " |",
        "|---|" + "---|" * (len(AT) - 1),
    ]
    for who, shares in found.items():
        cells = [
            "" if share is None else f"{share[0]:.0f} ± {share[1]:.0f} %"
            for share in shares.values()
        ]
        lines.append(f"| {who} | {' | '.join(cells)} |")
    return "\n".join(lines)
