"""The commands of the benchmark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from agenthpo.cli.exit_codes import DONE, INTERRUPTED
from agenthpo.cli.options import Json
from agenthpo.text.printing import say

__all__ = ["bench"]

bench = typer.Typer(help="The benchmark against peers.", no_args_is_help=True)


def _benched(play: Callable[[], None]) -> int:
    """Run a benchmark and return the exit code; an interruption says how to resume."""
    try:
        play()
    except KeyboardInterrupt:
        say(
            "Interrupted. What was done is stored; the same command continues from there.",
            error=True,
        )
        return INTERRUPTED
    return DONE


@bench.command("tables")
def bench_tables(
    methods: Annotated[
        str, typer.Option("--methods", metavar="A,B", help="Which methods; all without it.")
    ] = "",
    problems: Annotated[
        str,
        typer.Option(
            "--problems",
            metavar="A,B",
            help="Which problems, or groups: tables, continuous, live and failing (real "
            "trainings, which take longer); tables and continuous without it.",
        ),
    ] = "",
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, help="How many seeds, at most what each method is worth."),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, help="How many trials, at most what each method is worth."),
    ] = None,
    without_default: Annotated[
        bool, typer.Option("--without-default", help="Begin without a default configuration.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many processes.")] = 1,
    results: Annotated[Path, typer.Option("--results", help="Where results are kept.")] = Path(
        "benchmarks/results/tables"
    ),
    json: Json = False,
) -> int:
    """Play tables of real trainings and made-up problems against peers; only what is not stored
    yet.
    """
    from agenthpo.cli.bench_tables import bench_tables as play

    chosen_methods = [name for name in methods.split(",") if name]
    chosen_problems = [name for name in problems.split(",") if name]
    return _benched(
        lambda: play(
            chosen_methods,
            chosen_problems,
            seeds=seeds,
            trials=trials,
            has_default=not without_default,
            jobs=jobs,
            folder=results,
            as_json_=json,
        )
    )


@bench.command("run")
def bench_run(
    tasks: Annotated[
        str, typer.Option("--tasks", help="Which, by commas; all twelve unless named.")
    ] = "",
    proposers: Annotated[
        str,
        typer.Option(
            "--proposers",
            help="Which, by commas; PROPOSER-without-PART+PART and PROPOSER-at-TEMPERATURE "
            "are others.",
        ),
    ] = "random,tpe,creator,hybrid",
    model: Annotated[
        str, typer.Option("--model", help="The language model that creator, hybrid and opro ask.")
    ] = "local:smollm2",
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trials a run.")] = 10,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Runs of each proposer.")] = 3,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many processes.")] = 1,
    smoke: Annotated[
        bool,
        typer.Option("--smoke", help="A reduced form: two quick tasks, three trials, one seed."),
    ] = False,
    folder: Annotated[Path, typer.Option("--folder", help="Where the tasks are.")] = Path(
        "benchmarks/tasks"
    ),
    results: Annotated[Path, typer.Option("--results", help="Where results are kept.")] = Path(
        "benchmarks/results/tasks"
    ),
    cache: Annotated[
        Path, typer.Option("--cache", help="Where every training and every reply is kept.")
    ] = Path(".agenthpo/bench"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> int:
    """Tune the twelve tasks by every proposer, real trainings all, where that is not stored yet,
    and print the scores.
    """
    from agenthpo.bench.tasks.runs import Where
    from agenthpo.bench.tasks.trained import QUICK
    from agenthpo.cli.bench_tasks import bench_run as play

    chosen = [name for name in tasks.split(",") if name] or (list(QUICK) if smoke else [])
    least = {"trials": min(trials, 3), "seeds": 1} if smoke else {"trials": trials, "seeds": seeds}
    who = [name for name in proposers.split(",") if name]
    return _benched(
        lambda: play(
            Where(folder, results, cache),
            chosen,
            who,
            model=model,
            jobs=jobs,
            as_json=as_json,
            **least,
        )
    )


@bench.command("figures")
def bench_figures(
    folder: Annotated[Path, typer.Option("--folder", help="Where the tasks are.")] = Path(
        "benchmarks/tasks"
    ),
    results: Annotated[Path, typer.Option("--results", help="Where results are kept.")] = Path(
        "benchmarks/results/tasks"
    ),
    out: Annotated[Path, typer.Option("--out", help="Where figures and page are written.")] = Path(
        "benchmarks/results/figures"
    ),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print which files were written as JSON.")
    ] = False,
) -> None:
    """Draw the runs that are stored: figures as PNG, one HTML page, every trial as CSV; and write
    what is known of each task into its README.
    """
    from agenthpo.bench.tasks.runs import Where
    from agenthpo.cli.bench_tasks import bench_figures as write

    write(Where(folder, results, Path()), out, as_json=as_json)


@bench.command("record")
def bench_record(
    pairs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FAMILY-on-DATA]", help="Which pairs; all without it."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many processes.")] = 1,
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the recordings are kept, a file per pair.")
    ] = Path("benchmarks/recorded"),
    json: Json = False,
) -> int:
    """Train model families on small data sets and keep the results; only what is not kept yet."""
    from agenthpo.cli.bench_record import bench_record as record

    return _benched(lambda: record(folder, pairs or [], jobs=jobs, as_json=json))


@bench.command("portfolios")
def bench_portfolios(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the recordings are, a file per pair.")
    ] = Path("benchmarks/recorded"),
    out: Annotated[
        Path, typer.Option("--out", help="The file that the package reads them from.")
    ] = Path("src/agenthpo/knowledge/portfolios.json"),
    json: Json = False,
) -> None:
    """Choose, for each family of models, the configurations that were better than the default on
    most of the recorded data sets.
    """
    from agenthpo.cli.bench_record import bench_portfolios as write

    write(folder, out, as_json=json)
