"""Scores on the twelve tasks in Markdown: the table, and mean ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from statistics import mean
from typing import Any

from agenthpo.bench.tasks.scores import AT, shared_means
from agenthpo.records import Direction
from agenthpo.trials import upward

__all__ = ["number_words", "percent_words", "ranks_words", "table_words"]


def table_words(table: Sequence[Mapping[str, Any]]) -> str:
    """Return the table in Markdown: a row a task and proposer, the best mean of a task after each
    number of trials in bold.

    ``test`` is what the configuration that was best after the last of them has on test, the mean
    over seeds. A column that says nothing is left out.
    """
    rows = [
        [
            "task",
            "proposer",
            "seeds",
            *(f"T={at}" for at in AT),
            "test",
            "over random",
            "over the peak",
        ]
    ]
    for row in table:
        name, best = f"{row['task']} ({row['source']})", {}
        for at in map(str, AT):
            means = [scores[at]["mean"] for scores in row["proposers"].values() if at in scores]
            best[at] = max(means, key=lambda value: upward(row["direction"]) * value, default=None)
        for who, scores in row["proposers"].items():
            cells = [_cell(scores.get(str(at)), best[str(at)]) for at in AT]
            last = scores.get(str(max(AT)), {})
            gains = [percent_words(last.get(gain)) for gain in ("gain_random", "gain_peak")]
            seeds = max((s["seeds"] for s in scores.values()), default=0)
            rows.append([name, who, str(seeds), *cells, _tested(last.get("test")), *gains])
        if peak := row["peak"]:
            before = [""] * len(AT)
            rows.append(
                [
                    name,
                    "100-trial peak",
                    *before,
                    number_words(peak["value"]),
                    _tested(peak["test_value"]),
                    "",
                    "",
                ]
            )
    kept = [column for column in range(len(rows[0])) if any(row[column] for row in rows[1:])]
    lines = ["| " + " | ".join(row[column] for column in kept) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(kept), *lines[1:]])


def ranks_words(table: Sequence[Mapping[str, Any]]) -> str:
    """Return in Markdown each proposer's mean rank among all on a task (1 is best, equals share
    theirs), over the tasks and seeds that all have tuned.
    """
    names = sorted({who for row in table for who in row["proposers"]})
    lines = [
        "| mean rank | tasks | " + " | ".join(f"T={at}" for at in AT) + " |",
        "|---|---|" + "---|" * len(AT),
    ]
    found: dict[str, list[str]] = {who: [] for who in names}
    counts = 0
    for at in map(str, AT):
        rows = []
        for row in table:
            scores = [row["proposers"].get(who, {}).get(at) for who in names]
            if None in scores:
                continue
            means = shared_means(*scores)
            if None not in means:
                rows.append((dict(zip(names, means, strict=True)), row["direction"]))
        counts = max(counts, len(rows))
        for who in names:
            places = [_rank(who, means, direction) for means, direction in rows]
            found[who].append(f"{mean(places):.2f}" if places else "")
    return "\n".join(
        [*lines, *(f"| {who} | {counts} | {' | '.join(cells)} |" for who, cells in found.items())]
    )


def _rank(who: str, means: Mapping[str, float], direction: Direction) -> float:
    ahead = [upward(direction) * (value - means[who]) for value in means.values()]
    return 1 + sum(a > 0 for a in ahead) + (sum(a == 0 for a in ahead) - 1) / 2


def _cell(scores: Mapping[str, Any] | None, best: float | None) -> str:
    if scores is None:
        return ""
    text = number_words(scores["mean"]) + (
        f" ± {number_words(scores['std'])}" if scores["seeds"] > 1 else ""
    )
    return f"**{text}**" if scores["mean"] == best else text


def _tested(value: float | None) -> str:
    return "" if value is None or isnan(value) else number_words(value)


def percent_words(value: float | None) -> str:
    """Return a gain with one decimal, nothing for none."""
    # adding 0.0 makes 0.0 of -0.0
    return "" if value is None else f"{round(value, 1) + 0.0:+.1f} %"


def number_words(value: float) -> str:
    """Return a score with four decimals, two where it is 10 or more."""
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"
