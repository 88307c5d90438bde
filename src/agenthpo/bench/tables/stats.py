"""From results to a table: mean, median, mean rank, bootstrap intervals over problems, paired
differences. Tables and continuous problems apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agenthpo.bench.tables.play import CHECKPOINTS, Played

__all__ = ["Row", "by_problem", "ratio", "summary"]

_RESAMPLES, _SEED = 2000, 0


@dataclass(frozen=True)
class Row:
    """One method after ``trials`` trials, over ``problems`` problems: the mean over each problem's
    seeds comes first.
    """

    method: str
    trials: int
    problems: int
    mean: float
    low: float
    high: float
    """The 95 % bootstrap interval of the mean, over problems."""
    median: float
    rank: float
    """Mean rank among the methods of the summary, 1 the best, per problem."""
    difference: float | None
    """Mean regret less the baseline's on the same problems and seeds."""
    difference_low: float | None
    difference_high: float | None
    seconds: float
    """Mean seconds a trial."""


def by_problem(
    results: Sequence[Played], method: str, *, trials: int, problems: Sequence[str]
) -> np.ndarray:
    """Return the mean regret on each of ``problems`` (nan where there is none), over the seeds."""
    found = {name: list[float]() for name in problems}
    for r in results:
        if r.method == method and r.problem in found and str(trials) in r.regret:
            found[r.problem].append(r.regret[str(trials)])
    return np.array([np.mean(found[name]) if found[name] else np.nan for name in problems])


def summary(
    results: Sequence[Played],
    methods: Sequence[str],
    problems: Sequence[str],
    *,
    baseline: str | None = None,
) -> list[Row]:
    """Return a row for each method and checkpoint that has results on all of ``problems``."""
    rows = []
    for trials in CHECKPOINTS:
        means = {
            method: by_problem(results, method, trials=trials, problems=problems)
            for method in methods
        }
        means = {method: found for method, found in means.items() if not np.isnan(found).any()}
        if not means:
            continue
        ranks = dict(zip(means, _ranks(np.array(list(means.values()))), strict=True))
        for method, found in means.items():
            low, high = _bootstrap(found)
            against = means.get(baseline) if baseline else None
            difference = None if against is None else found - against
            gap_low, gap_high = (None, None) if difference is None else _bootstrap(difference)
            mean = None if difference is None else float(difference.mean())
            seconds = [
                r.seconds / r.trials
                for r in results
                if r.method == method and r.problem in problems
            ]
            rows.append(
                Row(
                    method=method,
                    trials=trials,
                    problems=len(problems),
                    mean=float(found.mean()),
                    low=low,
                    high=high,
                    median=float(np.median(found)),
                    rank=float(ranks[method]),
                    difference=mean,
                    difference_low=gap_low,
                    difference_high=gap_high,
                    seconds=float(np.mean(seconds)),
                )
            )
    return rows


def ratio(
    results: Sequence[Played],
    method: str,
    *,
    others: Sequence[str],
    trials: int,
    problems: Sequence[str],
) -> tuple[float, str] | None:
    """Return the mean regret of ``method`` over that of the best of ``others``, and which that is;
    None where one is missing.

    Two methods are compared on the games that both have played: each problem's seeds differ by more
    than most methods do.
    """
    found = {
        other: _paired(results, method, other=other, trials=trials, problems=problems)
        for other in others
    }
    known = {other: value for other, value in found.items() if value is not None}
    best = max(known, key=lambda other: known[other], default=None)
    return None if best is None else (known[best], best)


def _paired(
    results: Sequence[Played], method: str, *, other: str, trials: int, problems: Sequence[str]
) -> float | None:
    games: dict[str, set[tuple[str, int]]] = {name: set() for name in (method, other)}
    for r in results:
        if r.method in games and str(trials) in r.regret:
            games[r.method].add((r.problem, r.seed))
    shared = games[method] & games[other]
    kept = [r for r in results if (r.problem, r.seed) in shared]
    ours, theirs = (
        by_problem(kept, name, trials=trials, problems=problems).mean() for name in (method, other)
    )
    return None if np.isnan(ours) or np.isnan(theirs) else float(ours / theirs)


def _ranks(means: np.ndarray) -> np.ndarray:
    """Return each row's mean rank over the columns; equals share the mean of their ranks."""
    smaller = (means[:, None, :] > means[None, :, :]).sum(axis=1)
    equal = (means[:, None, :] == means[None, :, :]).sum(axis=1)
    ranks: np.ndarray = (smaller + (equal + 1) / 2).mean(axis=1)
    return ranks


def _bootstrap(values: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(_SEED)
    drawn = rng.choice(values, (_RESAMPLES, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
