"""What runs on the twelve tasks came to: scores after 1, 3, 5 and 10 trials, and the peak of a
hundred pooled trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from agenthpo.bench.tasks.stored_runs import StoredRun
from agenthpo.bench.tasks.trained import TASKS, TASKS_FOLDER, load_bench_task
from agenthpo.llm.names import parse_model
from agenthpo.records import Direction, Outcome, Proposal, Trial
from agenthpo.trials import best_measured, mean_value, upward

__all__ = [
    "AT",
    "PEAK_RUNS",
    "gain",
    "label",
    "peak",
    "scored",
    "scores_table",
    "shared_means",
    "sources_of",
    "trials_of",
]

AT = (1, 3, 5, 10)
"""Trials after which the paper shows scores."""
PEAK_RUNS = 5
"""Runs of ten trials by random search, and as many by TPE, that the peak is the best of."""
_POOLED = ("random", "tpe")
"""The proposers whose trials the peak is taken from."""


def trials_of(run: StoredRun) -> list[Trial]:
    """Return a stored run's trials, as far as scores need them."""
    return [
        Trial(
            t.number,
            Proposal(t.params, t.source),
            Outcome(
                "complete" if t.value is not None else "failed",
                t.value,
                test_value=t.test_value,
                duration_s=t.duration_s or 0.0,
            ),
        )
        for t in run.trials
    ]


def scored(trials: Sequence[Trial], direction: Direction) -> tuple[float, float] | None:
    """Return validation and test score of the best configuration of ``trials``, each the mean of
    its measurements; None without any.
    """
    best = best_measured(trials, direction)
    if not best:
        return None
    tested = [
        t.outcome.test_value
        for t in best
        if t.outcome is not None and t.outcome.test_value is not None
    ]
    return mean_value(best), mean(tested) if tested else float("nan")


def label(run: StoredRun) -> str:
    """Return what a run's proposer is called: with its model, where it asks one."""
    proposer, model = run.proposer, run.model
    named = parse_model(model)
    called = named.own if named.is_embedded else named.text
    return proposer if named.is_none else f"{proposer} ({called})"


def sources_of(runs: Sequence[StoredRun]) -> str:
    """Return whose data ``runs`` were trained on."""
    return ", ".join(sorted({run.source.get("source", "") for run in runs}))


def peak(runs: Sequence[StoredRun], direction: Direction) -> dict[str, Any] | None:
    """Return the 100-trial peak of one task: the best single value of ten runs of ten trials, five
    of random search and five of TPE.

    None where runs are missing.
    """
    pooled = [
        r for r in runs if r.proposer in _POOLED and r.seed < PEAK_RUNS and r.run.trials >= max(AT)
    ]
    if len(pooled) < PEAK_RUNS * len(_POOLED):
        return None
    trials = [(run, t) for run in pooled for t in run.trials[: max(AT)] if t.value is not None]
    run, best = max(trials, key=lambda pair: upward(direction) * (pair[1].value or 0.0))
    return {
        "value": best.value,
        "test_value": best.test_value,
        "params": best.params,
        "by": run.proposer,
        "of": len(trials),
    }


def scores_table(
    runs: Sequence[StoredRun],
    folder: Path = TASKS_FOLDER,
    pool: Sequence[StoredRun] = (),
) -> list[dict[str, Any]]:
    """Return for each task its direction, source, default, peak and, for each proposer, the scores
    at each number of trials.

    :param pool: what the peaks are taken from; ``runs`` where it is empty.

    ``gain_random`` and ``gain_peak`` are percent of the reference, positive for the better; mean
    and deviation are over seeds, the gain over random search over those that both have.
    """
    rows = []
    for name in TASKS:
        here = [run for run in runs if run.task == name]
        if not here:
            continue
        objective = load_bench_task(name, folder).objective
        pooled = [run for run in pool or runs if run.task == name]
        best = peak(pooled, objective.direction)
        labels = sorted({label(run) for run in here})
        found = {
            who: _scores([run for run in here if label(run) == who], objective.direction)
            for who in labels
        }
        for at in map(str, AT):
            base = found.get("random", {}).get(at)
            for scores in found.values():
                if at in scores:
                    own, others = shared_means(scores[at], base) if base else (None, None)
                    scores[at]["gain_random"] = gain(own, others, objective.direction)
                    scores[at]["gain_peak"] = best and gain(
                        scores[at]["mean"], best["value"], objective.direction
                    )
        rows.append(
            {
                "task": name,
                "metric": objective.metric,
                "direction": objective.direction,
                "source": sources_of(here),
                "data": ", ".join(sorted({run.source.get("data", "") for run in here})),
                "peak": best,
                "proposers": found,
            }
        )
    return rows


def _scores(runs: Sequence[StoredRun], direction: Direction) -> dict[str, dict[str, Any]]:
    found = {}
    for at in AT:
        known = {
            run.seed: s
            for run in runs
            if len(run.trials) >= at and (s := scored(trials_of(run)[:at], direction))
        }
        if known:
            values, tests = zip(*known.values(), strict=True)
            found[str(at)] = {
                "mean": mean(values),
                "std": stdev(values) if len(values) > 1 else 0.0,
                "test": mean(tests),
                "seeds": len(values),
                "by_seed": {str(seed): value for seed, (value, _) in known.items()},
            }
    return found


def shared_means(*scores: Mapping[str, Any]) -> list[float | None]:
    """Return the mean of each over the seeds that all of them have: one seed's folds or weights are
    luckier than another's.
    """
    seeds = set.intersection(*(set(s["by_seed"]) for s in scores))
    return [mean(s["by_seed"][seed] for seed in seeds) if seeds else None for s in scores]


def gain(value: float | None, reference: float | None, direction: Direction) -> float | None:
    """Return by how much ``value`` is better than ``reference``, in percent of it; None where there
    is no such percentage.
    """
    return (
        100 * upward(direction) * (value - reference) / abs(reference)
        if reference and value is not None
        else None
    )
