"""Play methods on problems, in several processes, and keep every result in a file a method, so that
a second run plays only what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agenthpo.bench.store import about, append, stored
from agenthpo.bench.tables.continuous import CONTINUOUS, load_continuous
from agenthpo.bench.tables.players import METHODS, bare
from agenthpo.bench.tables.problems import Problem, regret
from agenthpo.bench.tables.stored_tables import load_table
from agenthpo.bench.trainings.failing import FAILING, load_failing
from agenthpo.bench.trainings.live import LIVE, load_live
from agenthpo.bench.workers import in_processes
from agenthpo.seeds import spawn_seed

__all__ = [
    "CHECKPOINTS",
    "Game",
    "Played",
    "load_problem",
    "missing",
    "play",
    "read_results",
    "run_games",
]

CHECKPOINTS = (1, 3, 5, 10, 25, 50, 100)
"""Trials after which the regret of what a method would return is written down."""


@dataclass(frozen=True)
class Game:
    """One method on one problem with one seed."""

    method: str
    problem: str
    seed: int
    trials: int
    has_default: bool = True


@dataclass(frozen=True)
class Played:
    """What a game came to: the normalised regret at each checkpoint it reached, seconds in all,
    trials that failed.
    """

    method: str
    problem: str
    seed: int
    trials: int
    has_default: bool
    regret: dict[str, float]
    seconds: float
    failed: int = 0


def load_problem(name: str) -> Problem:
    """Return the problem ``name``: a table, a continuous one, a live game or a failing one.

    :raises TaskError: if it is not known.
    """
    if name in LIVE:
        return load_live(name)
    if name in FAILING:
        return load_failing(name)
    return load_continuous(name) if name in CONTINUOUS else load_table(name)


def play(game: Game) -> Played:
    """Play ``game`` to its end."""
    problem = load_problem(game.problem)
    problem = problem if game.has_default else bare(problem)
    # by problem too: else a seed draws the same points of the cube on all of them
    seed = spawn_seed(game.seed, game.problem)
    player = METHODS[game.method].make(problem, seed)
    rng = np.random.default_rng(spawn_seed(seed, "noise"))
    found = dict[str, float]()
    failed = 0
    began = time.perf_counter()
    for number in range(1, game.trials + 1):
        params = player.ask()
        problem.space.check(params)
        value = problem.observe(params, rng)
        failed += value is None
        player.tell(params, value)
        if number in CHECKPOINTS:
            found[str(number)] = round(regret(problem, player.recommended()), 5)
    return Played(
        **asdict(game), regret=found, seconds=round(time.perf_counter() - began, 3), failed=failed
    )


def read_results(folder: Path, methods: Iterable[str]) -> list[Played]:
    """Return every stored result of ``methods``."""
    return [
        Played(**line)
        for method in methods
        for line in _lines(folder / f"{method}.jsonl")
        if "regret" in line
    ]


def missing(folder: Path, games: Iterable[Game]) -> list[Game]:
    """Return the games that are not stored, or were stored with fewer trials."""
    games = list(games)
    known = {
        _key(result): result.trials
        for result in read_results(folder, {game.method for game in games})
    }
    return [game for game in games if known.get(_key(game), 0) < game.trials]


def run_games(folder: Path, games: Sequence[Game], *, jobs: int) -> Iterator[Played]:
    """Play ``games`` in ``jobs`` processes and yield each result as soon as it is stored."""
    folder.mkdir(parents=True, exist_ok=True)
    for _, result in in_processes(play, games, jobs=jobs):
        _keep(folder / f"{result.method}.jsonl", result)
        yield result


def _key(game: Game | Played) -> tuple[str, str, int, bool]:
    return game.method, game.problem, game.seed, game.has_default


def _keep(path: Path, result: Played) -> None:
    lines = [asdict(result)]
    if not path.exists():
        lines.insert(0, about(METHODS[result.method].packages))
    append(path, *lines)


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    """Return the lines of ``path``, of each game the last."""
    return {
        tuple(line.get(key) for key in ("method", "problem", "seed", "has_default")): line
        for line in stored(path)
    }.values()
