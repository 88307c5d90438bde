"""How well results are held to a limit, on LCBench: the most accurate network that trains in time.

    pip install onnxruntime
    .venv/bin/python benchmarks/limits.py [--half held-out] [--seeds 2] [--share 0.3]

34 data sets, networks of seven hyperparameters, as YAHPO Gym's surrogate tells them
(``AGENTHPO_DATA``/yahpo/lcbench). The limit on the training's time is one that a share of random
configurations keeps. Printed for engine, Optuna's TPE (which is told the constraint) and random
search after 10, 25 and 50 trials: the mean regret of the best that keeps the limit, as a share of
the distance from the median of those that keep it to the best of 2,000, and the share of trials
that break it.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from stopping import SPACE, Surrogate

from agenthpo.limit import Limit
from agenthpo.records import Outcome, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.engine.engine import Engine
from agenthpo.search.optuna_samplers import OptunaSampler
from agenthpo.task import Objective, Task, Train
from agenthpo.taskfile.space import parse_space

AT = (10, 25, 50)
DRAWN = 2000
ARMS = {
    "engine": Engine,
    "tpe": lambda seed: OptunaSampler(seed, "tpe"),
    "random": lambda seed: OptunaSampler(seed, "random"),
}


def played(proposer: Proposer, task: Task, surrogate: Surrogate, name: str) -> list[Trial]:
    """Play a study."""
    trials: list[Trial] = []
    for number in range(AT[-1]):
        proposal = proposer.propose(task, trials)
        assert not isinstance(proposal, Stop)
        accuracy, seconds = (
            float(surrogate.curves(name, [proposal.params], column)[0, -1]) for column in (1, 0)
        )
        margins = {limit.text: limit.margin(seconds) for limit in task.limits}
        trials.append(Trial(number, proposal, Outcome("complete", accuracy, margins=margins)))
    return trials


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=["tuning", "held-out"], default="held-out")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.3)
    given = parser.parse_args()
    surrogate = Surrogate(Path(os.environ["AGENTHPO_DATA"], "yahpo/lcbench"))
    task = Task("lcbench", Objective("acc", "maximize"), parse_space(SPACE), Train(("true",)))
    encoding = Encoding(task.space)
    print("proposer  " + "  ".join(f"T={at}" for at in AT) + "  broken")
    games = []
    for name in surrogate.tasks[given.half == "held-out" :: 2]:
        drawn = encoding.drawn(np.random.default_rng(0), DRAWN)
        configs = [encoding.params(row) for row in drawn]
        seconds = surrogate.curves(name, configs, 0)[:, -1]
        accuracy = surrogate.curves(name, configs, 1)[:, -1]
        limit = float(np.quantile(seconds, given.share))
        kept = accuracy[seconds <= limit]
        games.append((name, limit, float(kept.max()), float(np.median(kept))))
    for arm, make in ARMS.items():
        regrets, broken = [], []
        for name, limit, best, middle in games:
            for seed in range(given.seeds):
                bound = replace(task, limits=(Limit("seconds", "<=", limit),))
                trials = played(make(seed), bound, surrogate, name)
                # one that nothing has kept yet is as good as the median
                found = [
                    max((t.score for t in trials[:at] if t.score is not None), default=middle)
                    for at in AT
                ]
                regrets.append([(best - value) / (best - middle) for value in found])
                broken.append(np.mean([not t.is_kept for t in trials]))
        means = "  ".join(f"{value:.3f}" for value in np.mean(regrets, axis=0))
        print(f"{arm:9} {means}  {np.mean(broken):.0%}", flush=True)


if __name__ == "__main__":
    main()
