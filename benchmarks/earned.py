"""What a model would earn by forecasts: beside the engine on tables of real trainings, it is asked
what every other trial will come to, as in a study.

    .venv/bin/python benchmarks/earned.py [--model local:smollm2] [--problems car,kc1] [--trials 25]

Printed for each problem: how many of its forecasts were nearer to the result than the engine's, and
how many trials they earned (six of eight nearer earn one).
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from agenthpo.agents.foresight import foresee
from agenthpo.bench.tables.problems import Problem
from agenthpo.bench.tables.stored_tables import TABLES, load_table
from agenthpo.llm.client import LLM
from agenthpo.llm.opening import open_model
from agenthpo.records import Analysis, Outcome, Stop, Trial, Usage
from agenthpo.search.engine.engine import Engine
from agenthpo.search.trust import has_earned, is_nearer
from agenthpo.seeds import spawn_seed


def play(llm: LLM, problem: Problem, *, trials: int, seed: int) -> tuple[int, int, int, Usage]:
    """Return how many forecasts were nearer than the engine's, of how many, the trials earned, and
    what asking cost.
    """
    seed = spawn_seed(seed, problem.name)
    engine, rng, done, usage = Engine(seed), np.random.default_rng(seed), list[Trial](), Usage()
    nearer = compared = earned = 0
    for number in range(trials):
        if has_earned(done):
            earned += 1
            # spent: what came before counts no longer
            done[-1] = replace(done[-1], proposal=replace(done[-1].proposal, mode="free"))
        proposal = engine.propose(problem.task, done)
        if isinstance(proposal, Stop):
            break
        analysis, value = Analysis("completed"), problem.observe(proposal.params, rng)
        if proposal.expected is not None and number % 2 == 0:
            foreseen, spent = foresee(llm, problem.task, done, proposal.params, seed=seed + number)
            analysis, usage = replace(analysis, foreseen=foreseen), usage + spent
        outcome = Outcome("complete", value) if value is not None else Outcome("failed")
        done.append(Trial(number, proposal, outcome, analysis))
        is_hit = is_nearer(done[-1], analysis.foreseen, proposal.expected)
        compared += is_hit is not None
        nearer += bool(is_hit)
    return nearer, compared, earned, usage


def main() -> None:
    """Ask and print what came of it, a line a problem and one for all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="local:smollm2")
    parser.add_argument(
        "--problems", default=",".join(TABLES), help="which tables, separated by commas"
    )
    parser.add_argument("--trials", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    llm, total, usage = open_model(asked.model), np.zeros(3, dtype=int), Usage()
    for name in asked.problems.split(","):
        *found, spent = play(llm, load_table(name), trials=asked.trials, seed=asked.seed)
        total, usage = total + found, usage + spent
        print(f"{name}: {found[0]} of {found[1]} nearer, {found[2]} earned", flush=True)
    llm.close()
    print(
        f"{asked.model}: {total[0]} of {total[1]} nearer, {total[2]} earned; {usage.tokens} tokens "
        f"in {usage.requests} requests, {usage.seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
