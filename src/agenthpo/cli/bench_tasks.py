"""``agenthpo bench run`` and ``figures``: do the runs that are missing, with progress, and print or
draw the results.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agenthpo.bench.tasks.contributions import credit, credit_words
from agenthpo.bench.tasks.runs import Where, checked_run, missing_runs, play_runs
from agenthpo.bench.tasks.score_tables import ranks_words, table_words
from agenthpo.bench.tasks.scores import scores_table
from agenthpo.bench.tasks.stored_runs import read_runs
from agenthpo.bench.tasks.trained import TASKS, load_bench_task
from agenthpo.cli.bench_tables import counted
from agenthpo.codec import to_json
from agenthpo.errors import TaskError

__all__ = ["bench_figures", "bench_run"]


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
    runs = [
        checked_run(task, proposer, model=model, seed=seed, trials=trials)
        for seed in range(seeds)
        for task in names
        for proposer in proposers
    ]
    todo = missing_runs(where.results, runs)
    if todo:
        counted(
            play_runs(where, todo, jobs=jobs),
            f"{len(runs) - len(todo)} of {len(runs)} runs are stored, doing the others",
            total=len(todo),
            said=lambda done: f"{done.task}, {done.proposer}, seed {done.seed}",
        )
    wanted = {run.key for run in runs}
    known = read_runs(where.results, names)
    stored = [one for one in known if one.run.key in wanted]
    table = scores_table(stored, where.tasks, known)
    if as_json:
        print(to_json(table))
        return
    told = (table_words(table), ranks_words(table), credit_words(credit(stored, where.tasks)))
    print("\n\n".join(told))


def bench_figures(where: Where, out: Path, *, as_json: bool) -> None:
    """Draw what is stored in ``where.results`` into ``out``: PNG files, one HTML page, tables,
    every trial as CSV; and the tasks' READMEs.
    """
    from agenthpo.bench.tasks.figures import draw
    from agenthpo.bench.tasks.page import page, write_trials
    from agenthpo.bench.tasks.summary import tables, tables_words
    from agenthpo.bench.tasks.task_facts import facts, with_facts

    runs = read_runs(where.results, TASKS)
    if not runs:
        raise TaskError(f"there are no runs in {where.results}; make some by: agenthpo bench run")
    figures = draw(runs, out, where.tasks)
    told = tables(runs, where.tasks)
    write_trials(runs, out / "trials.csv")
    (out / "index.html").write_text(page(runs, figures, told), encoding="utf-8")
    (out / "tables.md").write_text(tables_words(told), encoding="utf-8")
    for name in {run.task for run in runs}:
        readme = where.tasks / name / "README.md"
        known = facts(runs, name, load_bench_task(name, where.tasks).objective.direction)
        readme.write_text(with_facts(readme.read_text(encoding="utf-8"), known), encoding="utf-8")
    written = [
        str(path)
        for path in [*figures, *(out / name for name in ("trials.csv", "tables.md", "index.html"))]
    ]
    print(
        to_json({"runs": len(runs), "files": written})
        if as_json
        else "\n".join([f"{len(runs)} runs:", *written])
    )
