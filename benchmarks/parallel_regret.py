"""What several trials at once cost in regret at equal trials: ``python
benchmarks/parallel_regret.py [tuning]``.

The engine on one half of the tables and the continuous problems (the held-out one), with one trial
at a time and with four: a trial takes a random time, so that results come in another order than
proposals.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from agenthpo.bench.tables.continuous import CONTINUOUS
from agenthpo.bench.tables.play import load_problem
from agenthpo.bench.tables.players import METHODS
from agenthpo.bench.tables.problems import regret
from agenthpo.bench.tables.stored_tables import TABLES
from agenthpo.seeds import spawn_seed

MARKS, SEEDS = (10, 25, 50), 3


def played(name: str, seed: int, workers: int) -> list[float]:
    """Return the regret of what would be returned after so many results."""
    problem = load_problem(name)
    own = spawn_seed(seed, name)
    player = METHODS["engine"].make(problem, own)
    noise = np.random.default_rng(spawn_seed(own, "noise"))
    clock = np.random.default_rng(spawn_seed(own, "clock"))
    running: list[tuple[float, dict[str, object]]] = []
    now, asked, found = 0.0, 0, []
    for told in range(1, max(MARKS) + 1):
        while len(running) < workers and asked < max(MARKS):
            running.append((now + clock.uniform(0.5, 1.5), player.ask()))
            asked += 1
        running.sort(key=lambda each: each[0])
        now, params = running.pop(0)
        player.tell(params, problem.observe(params, noise))
        if told in MARKS:
            found.append(regret(problem, player.recommended()))
    return found


def main() -> None:
    """Print the mean regret of both, and their ratio, a group at a time."""
    half = sys.argv[1] if len(sys.argv) > 1 else "held out"
    first = 0 if half == "tuning" else 1
    for group, names in (("tables", TABLES[first::2]), ("continuous", CONTINUOUS[first::2])):
        rows = {}
        for workers in (1, 4):
            each = [played(name, seed, workers) for name in names for seed in range(SEEDS)]
            rows[workers] = np.mean(each, axis=0)
            print(group, workers, rows[workers].round(4), file=sys.stderr, flush=True)
        ratio = rows[4] / rows[1]
        print(json.dumps({
            "group": f"{group}, {half}",
            "games": len(names) * SEEDS,
            "trials": MARKS,
            "one": rows[1].round(4).tolist(),
            "four": rows[4].round(4).tolist(),
            "ratio": ratio.round(3).tolist(),
        }), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
