"""How long a proposal takes after so many trials, the engine's beside the peers', on one core.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/suggest.py [--trials 10 100 1000] [--proposers
    engine tpe gp]

All of them propose for the same history on the same space, in turn, five times each; the median
counts.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from agenthpo.assembly import proposer_named
from agenthpo.bench.tables.continuous import load_continuous
from agenthpo.bench.tables.problems import sampled
from agenthpo.records import Outcome, Proposal, Trial
from agenthpo.task import Objective, Task, Train

_REPEATS = 5


def history(problem, trials):
    """Return ``trials`` random trials and their values."""
    rng, made = np.random.default_rng(0), []
    for number in range(trials):
        params = sampled(problem.space, rng)
        made.append(
            Trial(
                number,
                Proposal(params, "engine"),
                Outcome("complete", problem.observe(params, rng)),
            )
        )
    return made


def milliseconds(name, task, trials):
    """Return how long the proposer ``name`` takes, a proposer new to the history each time, as
    after a resume.
    """
    took = []
    for repeat in range(_REPEATS):
        proposer = proposer_named(name, None, seed=repeat)
        # what a running study has behind it: the history but for its last trial
        proposer.propose(task, trials[:-1])
        began = time.perf_counter()
        proposer.propose(task, trials)
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, nargs="+", default=[10, 25, 100, 299, 1000])
    parser.add_argument("--proposers", nargs="+", default=["engine", "tpe", "gp"])
    parser.add_argument("--problem", default="boosting", help="its space has eight parameters")
    arguments = parser.parse_args()
    problem = load_continuous(arguments.problem)
    task = Task("suggest", Objective("loss", "minimize", noisy=True), problem.space, Train())
    print("| trials | " + " | ".join(f"{name}, ms" for name in arguments.proposers) + " |")
    print("|---" * (1 + len(arguments.proposers)) + "|")
    for count in arguments.trials:
        made = history(problem, count)
        print(
            f"| {count} | "
            + " | ".join(f"{milliseconds(name, task, made):.0f}" for name in arguments.proposers)
            + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
