"""``agenthpo bench run``: do the runs that are missing, with progress, and print what they came to."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from agenthpo.bench.runs import Where, checked_run, missing_runs, play_runs, read_runs
from agenthpo.bench.scores import scores_table, table_words
from agenthpo.bench.trained import TASKS, load_bench_task

__all__ = ["bench_run"]


def bench_run(
    where: Where,
    tasks: Sequence[str],
    proposers: Sequence[str],
    *,
    model: str,
    trials: int,
    seeds: int,
    jobs: int,
    as_json: bool,
) -> None:
    """Do the runs that are not stored in ``where.results`` yet, and print the table of scores."""
    names = list(tasks) or list(TASKS)
    for name in names:
        load_bench_task(name, where.tasks)
    # Seed by seed, so that what a call that is stopped leaves is a smaller table, not half of one.
    runs = [checked_run(task, proposer, model, seed, trials) for seed in range(seeds) for task in names for proposer in proposers]
    todo = missing_runs(where.results, runs)
    if todo:
        columns = *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task(f"{len(runs) - len(todo)} of {len(runs)} runs are stored, doing the others", total=len(todo))
            for done in play_runs(where, todo, jobs=jobs):
                progress.console.log(f"{done.task}, {done.proposer}, seed {done.seed}")
                progress.advance(bar)
    wanted = {run.key for run in runs}
    stored = [
        line for line in read_runs(where.results, names) if tuple(line["run"][k] for k in ("task", "proposer", "model", "seed")) in wanted
    ]
    table = scores_table(stored, where.tasks)
    print(json.dumps(table) if as_json else table_words(table))
