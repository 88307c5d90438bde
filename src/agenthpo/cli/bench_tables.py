"""``agenthpo bench tables``: play what is missing, with progress, and print the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from agenthpo.bench.tables.continuous import CONTINUOUS
from agenthpo.bench.tables.play import Game, missing, read_results, run_games
from agenthpo.bench.tables.players import METHODS
from agenthpo.bench.tables.report import GROUP_OF, GROUPS, as_json, failures, promises, regrets
from agenthpo.bench.tables.stored_tables import TABLES
from agenthpo.codec import to_json
from agenthpo.errors import TaskError

__all__ = ["bench_tables", "counted"]

T = TypeVar("T")


def bench_tables(
    methods: Sequence[str],
    problems: Sequence[str],
    *,
    seeds: int | None,
    trials: int | None,
    has_default: bool,
    jobs: int,
    folder: Path,
    as_json_: bool,
) -> None:
    """Play the games that are not stored in ``folder`` yet, and print the tables."""
    chosen = _known(methods, METHODS, "method") or list(METHODS)
    named = [name for each in problems for name in GROUPS.get(each, (each,))]
    names = _known(named, GROUP_OF, "problem") or [*TABLES, *CONTINUOUS]
    games = [
        Game(
            method=method,
            problem=name,
            seed=seed,
            trials=min(trials or 1000, METHODS[method].trials),
            has_default=has_default,
        )
        for method in chosen
        for seed in range(min(seeds or METHODS[method].seeds, METHODS[method].seeds))
        for name in names
        if GROUP_OF[name] in METHODS[method].groups
    ]
    todo = missing(folder, games)
    if todo:
        words = f"{len(games) - len(todo)} of {len(games)} games are stored, playing the others"
        counted(run_games(folder, todo, jobs=jobs), words, total=len(todo))
    results = [
        r
        for r in read_results(folder, chosen)
        if r.has_default == has_default and r.problem in names
    ]
    if as_json_:
        print(to_json(as_json(results, chosen)))
        return
    for group, members in GROUPS.items():
        if set(members) <= set(names):
            print(
                "\n".join(
                    [f"\n## Mean normalised regret, {group}\n", *regrets(results, chosen, group)]
                )
            )
    if failed := failures(results, chosen):
        print("\n".join(["\n## Failures\n", *failed]))
    print("\n".join(["\n## Ratios\n", *promises(results)]))


def counted(
    items: Iterable[T], words: str, *, total: int, said: Callable[[T], str] | None = None
) -> list[T]:
    """Take ``items`` under a progress bar on standard error, and return them.

    :param words: what stands before the bar.
    :param said: the line to write for an item when it is done; none without it.
    """
    columns = *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn()
    done = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(words, total=total)
        for item in items:
            done.append(item)
            if said is not None:
                progress.console.log(said(item))
            progress.advance(bar)
    return done


def _known(given: Sequence[str], known: object, what: str) -> list[str]:
    names = list(known)  # type: ignore[call-overload]
    for name in given:
        if name not in names:
            raise TaskError(f"there is no {what} '{name}'; known are {', '.join(names)}")
    return list(given)
