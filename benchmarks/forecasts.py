"""Whether a model knows which of two finished trials came out better, both left out of its prompt:
a probe that costs no trial.

    .venv/bin/python benchmarks/forecasts.py [--model local:smollm2] [--problems car,kc1] [--pairs
    3]

The trials are the default and eleven random ones; the two of a pair lie half of the ranking apart.
Each pair is asked about in both orders, and an answer counts where both name the same one. Chance
is one right for one wrong; who answers by place has neither.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from agenthpo.agents.choice import choose
from agenthpo.bench.tables.problems import Problem, sampled
from agenthpo.bench.tables.stored_tables import TABLES, load_table
from agenthpo.llm.opening import open_model
from agenthpo.records import Outcome, Proposal, Trial, Usage

_TRIALS = 12


def history(problem: Problem, seed: int) -> list[Trial]:
    """Return the default's and random trials with their values."""
    rng = np.random.default_rng(seed)
    drawn = [
        problem.space.default() or sampled(problem.space, rng),
        *(sampled(problem.space, rng) for _ in range(_TRIALS - 1)),
    ]
    return [
        Trial(i, Proposal(p, "engine"), Outcome("complete", problem.observe(p, rng)))
        for i, p in enumerate(drawn)
    ]


def main() -> None:
    """Ask and print what came of it, a line a problem and one for all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="local:smollm2")
    parser.add_argument(
        "--problems", default=",".join(TABLES), help="which tables, separated by commas"
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=3,
        choices=range(1, _TRIALS // 2 + 1),
        help="how many pairs of the twelve trials",
    )
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    llm, total, usage = open_model(asked.model), Counter[str](), Usage()
    for name in asked.problems.split(","):
        problem, found = load_table(name), Counter[str]()
        trials = history(problem, asked.seed)
        ranking = sorted(trials, key=lambda t: float("inf") if t.value is None else t.value)
        for place in range(asked.pairs):
            # the better one comes first in one of the two orders
            pair = [ranking[place], ranking[place + _TRIALS // 2]]
            seen = [t for t in trials if t not in pair]
            choice = choose(
                llm, problem.task, seen, [t.proposal.params for t in pair], seed=asked.seed
            )
            found[
                "right"
                if choice.index == 0
                else "wrong"
                if choice.index == 1
                else "by place"
                if choice.by_position
                else "neither"
            ] += 1
            usage += choice.usage
        total += found
        print(f"{name}: {dict(found)}", flush=True)
    llm.close()
    print(
        f"{asked.model}: {dict(total)}; {usage.tokens} tokens in {usage.requests} "
        f"requests, {usage.seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
