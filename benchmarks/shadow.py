"""Whether the shadow of a study says what the engine alone really reaches.

    .venv/bin/python benchmarks/shadow.py [--by random] [--trials 10,25] [--seeds 3] [--problems …]

A study by another method is played on a table, its shadow estimated, and the engine played alone
with as many trials and other seeds. Both are normalised as the regret is, but by the values that a
user sees: (best value observed - best mean) / (median - best mean). A line a problem, then for each
half the means, and the gain over the default that was said as a share of the real one.
"""

from __future__ import annotations

import argparse

import numpy as np

from agenthpo.bench.tables.players import METHODS, Player
from agenthpo.bench.tables.problems import Problem
from agenthpo.bench.tables.stored_tables import TABLES, load_table
from agenthpo.records import Outcome, Proposal, Trial
from agenthpo.search.engine.shadow import shadow_of
from agenthpo.seeds import spawn_seed
from agenthpo.task import Objective, Task, Train


def played(problem: Problem, player: Player, *, trials: int, seed: int) -> list[Trial]:
    """Return the trials of a study."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(trials):
        params = player.ask()
        value = problem.observe(params, rng)
        player.tell(params, value)
        outcome = Outcome("failed") if value is None else Outcome("complete", value)
        found.append(Trial(number, Proposal(params, "engine"), outcome))
    return found


def best(trials: list[Trial]) -> float:
    """Return the lowest value."""
    return min(t.value for t in trials if t.value is not None)


def main() -> None:
    """Play, estimate, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--by", default="random")
    parser.add_argument("--trials", default="10,25")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--problems", default=",".join(TABLES))
    asked = parser.parse_args()
    for trials in map(int, asked.trials.split(",")):
        halves: dict[str, list[tuple[float, ...]]] = {"tuning": [], "held out": []}
        for name in asked.problems.split(","):
            problem = load_table(name)
            task = Task(name, Objective("loss", "minimize"), problem.space, Train())
            scale = problem.median - problem.best
            said, real, default = [], [], []
            for seed in range(asked.seeds):
                own = spawn_seed(seed, name)
                study = played(
                    problem, METHODS[asked.by].make(problem, own), trials=trials, seed=own
                )
                shadow = shadow_of(task, study, own)
                other = spawn_seed(seed, name, "alone")
                alone = played(
                    problem, METHODS["engine"].make(problem, other), trials=trials, seed=other
                )
                if shadow is not None and study[0].value is not None:
                    default.append((study[0].value - problem.best) / scale)
                    said.append((shadow.value - problem.best) / scale)
                    real.append((best(alone) - problem.best) / scale)
            half = "held out" if list(TABLES).index(name) % 2 else "tuning"
            means = tuple(float(np.mean(values)) for values in (said, real, default))
            halves[half].append(means)
            print(f"T={trials} {name}: {means[0]:.3f} said, {means[1]:.3f} real", flush=True)
        for half, pairs in halves.items():
            if pairs:
                told, came, began = np.mean(pairs, axis=0)
                share = (began - told) / (began - came)
                print(f"T={trials} {half}: {told:.3f} said, {came:.3f} real; gain {share:.2f}")


if __name__ == "__main__":
    main()
