"""How well a search finds the front of two objectives, on LCBench: accuracy and training time.

    pip install onnxruntime
    .venv/bin/python benchmarks/objectives.py [--half held-out] [--seeds 1] [--arms engine,tpe]

34 data sets, networks of seven hyperparameters, as YAHPO Gym's surrogate tells them
(``AGENTHPO_DATA``/yahpo/lcbench). Printed for the engine, Optuna's TPE, GP and NSGA-II and random
search after 10, 25 and 50 trials: the mean share of the hypervolume of 2,000 random configurations,
both objectives scaled between their 5th and 95th per cent, time as its logarithm.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
from stopping import SPACE, Surrogate

from agenthpo.pareto import Goal, volume
from agenthpo.records import Outcome, Stop, Trial
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.engine.engine import Engine
from agenthpo.search.engine.objectives import ForObjectives
from agenthpo.search.optuna_samplers import OptunaSampler
from agenthpo.search.scalarised import Scalarised
from agenthpo.search.stateful_samplers import Stateful
from agenthpo.task import Objective, Task, Train
from agenthpo.taskfile.space import parse_space

AT = (10, 25, 50)
DRAWN = 2000
ARMS = {
    "engine": ForObjectives,
    "mixtures": lambda seed: Scalarised(Engine(seed), seed),
    "tpe": lambda seed: OptunaSampler(seed, "tpe"),
    "gp": lambda seed: OptunaSampler(seed, "gp"),
    "nsgaii": lambda seed: Stateful(seed, "nsgaii"),
    "random": lambda seed: OptunaSampler(seed, "random"),
}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=["tuning", "held-out"], default="held-out")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--arms", default=",".join(ARMS))
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    surrogate = Surrogate(Path(os.environ["AGENTHPO_DATA"], "yahpo/lcbench"))
    goals = (Goal("seconds", "minimize"),)
    task = Task("lcbench", Objective("acc", "maximize"), parse_space(SPACE), Train(("true",)))
    task = replace(task, goals=goals)
    encoding = Encoding(task.space)
    print("proposer  " + "  ".join(f"T={at}" for at in AT))
    found: dict[str, list[list[float]]] = {arm: [] for arm in given.arms.split(",")}
    for name in surrogate.tasks[given.half == "held-out" :: 2]:
        drawn = encoding.drawn(np.random.default_rng(0), DRAWN)
        configs = [encoding.params(row) for row in drawn]
        seconds = np.log(np.maximum(surrogate.curves(name, configs, 0)[:, -1], 1e-3))
        accuracy = surrogate.curves(name, configs, 1)[:, -1]
        (a, b), (c, d) = (np.quantile(each, (0.05, 0.95)) for each in (accuracy, -seconds))

        def scaled(
            acc: float, log_s: float, ends: tuple[float, ...] = (a, b, c, d)
        ) -> tuple[float, float]:
            low, high, left, right = ends
            return (acc - low) / (high - low), (-log_s - left) / (right - left)

        whole = volume([p for p in map(scaled, accuracy.tolist(), seconds.tolist()) if min(p) > 0])
        for arm in found:
            make = ARMS[arm]
            for seed in range(given.seeds):
                proposer, trials, points = make(seed), list[Trial](), list[tuple[float, float]]()
                for number in range(AT[-1]):
                    proposal = proposer.propose(task, trials)
                    assert not isinstance(proposal, Stop)
                    acc, took = (
                        float(surrogate.curves(name, [proposal.params], column)[0, -1])
                        for column in (1, 0)
                    )
                    outcome = Outcome("complete", acc, others={"seconds": took})
                    trials.append(Trial(number, proposal, outcome))
                    points.append(scaled(acc, float(np.log(max(took, 1e-3)))))
                found[arm].append(
                    [volume([p for p in points[:at] if min(p) > 0]) / whole for at in AT]
                )
    for arm, rows in found.items():
        print(f"{arm:9} " + "  ".join(f"{value:.3f}" for value in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
