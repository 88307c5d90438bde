"""How often a certificate is right, where the means are known.

    .venv/bin/python benchmarks/certify.py [--seeds 5] [--trials 20] [--runs 40]

The engine plays each table of recorded trainings; what is recorded of a configuration with several
seeds is its noise, and their mean the truth. Its best configurations and the default then go
through the rounds of ``agenthpo certify``. Printed: how often *better* was said of a configuration
that is not better, how often a true gain of two deviations of the noise was found, and the regret
of what is returned, without and with the certificate.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from agenthpo.bench.tables.problems import Problem, regret
from agenthpo.bench.tables.stored_tables import TABLES, load_table
from agenthpo.certificate import Certificate, Rounds, judged
from agenthpo.records import Analysis, Outcome, Stop, Trial
from agenthpo.rounds import contenders_of, default_of, most_for
from agenthpo.search.engine.engine import Engine
from agenthpo.seeds import spawn_seed
from agenthpo.trials import incumbent


@dataclass(frozen=True)
class Played:
    """One study and its certificate."""

    found: Certificate
    gain: float
    """Of the leader over the default, in deviations of a single value's noise; of true means."""
    without: float
    """The regret of the incumbent."""
    certified: float
    """The regret of what is returned with the certificate: the default where it is better."""


def searched(problem: Problem, seed: int, trials: int) -> list[Trial]:
    """Return the trials of the engine."""
    engine, rng, done = Engine(seed), np.random.default_rng(seed), list[Trial]()
    for number in range(trials):
        proposal = engine.propose(problem.task, done)
        if isinstance(proposal, Stop):
            break
        value = problem.observe(proposal.params, rng)
        outcome = Outcome("failed") if value is None else Outcome("complete", value)
        done.append(Trial(number, proposal, outcome, Analysis("completed")))
    return done


def played(problem: Problem, seed: int, *, trials: int, runs: int) -> Played | None:
    """Play one study; None where nothing seemed better than the default."""
    done = searched(problem, spawn_seed(seed, problem.name), trials)
    default = default_of(problem.task, done)
    contenders = contenders_of(problem.task, done, most_for(runs))
    best = incumbent(done, "minimize")
    if default is None or not contenders or best is None:
        return None
    rng = np.random.default_rng(spawn_seed(seed, problem.name, "certify"))
    params = {t.number: t.proposal.params for t in (default, *contenders)}
    rounds = Rounds(contenders={t.number: {} for t in contenders})
    while True:
        found = judged(rounds, "minimize", default=default.number, trials=len(done))
        alive = [c.trial for c in found.contenders if not c.is_out]
        if found.judgement != "unknown" or not alive or found.runs + 1 + len(alive) > runs:
            break
        number = len(rounds.default)
        for trial in (default.number, *alive):
            value = problem.observe(params[trial], rng)
            if value is None:
                rounds.failed[trial] = "failed"
            elif trial == default.number:
                rounds.default[number] = value
            else:
                rounds.contenders[trial][number] = value
    leader = found.winner if found.winner is not None else (found.leader and found.leader.trial)
    shown = params[leader] if leader is not None else params[default.number]
    noise = _noise(problem, params[default.number])
    mine, base = problem.mean(shown), problem.mean(params[default.number])
    gain = 0.0 if mine is None or base is None else (base - mine) / noise
    return Played(found, gain, regret(problem, best.proposal.params), regret(problem, shown))


def _noise(problem: Problem, params: dict[str, object]) -> float:
    rng = np.random.default_rng(0)
    values = [problem.observe(params, rng) for _ in range(200)]
    return float(np.std([v for v in values if v is not None])) or 1e-12


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--runs", type=int, default=40)
    asked = parser.parse_args()
    every = list[Played]()
    for name in TABLES:
        problem = load_table(name)
        for seed in range(asked.seeds):
            one = played(problem, seed, trials=asked.trials, runs=asked.runs)
            every += [one] if one else []
        print(f"{name} played", flush=True)
    better = [p for p in every if p.found.judgement == "better"]
    wrong = [p for p in better if p.gain <= 0]
    large = [p for p in every if p.gain >= 2]
    small = [p for p in every if p.gain <= 0]
    print(f"\n{len(every)} studies whose best seemed better than the default")
    for judgement in ("better", "tie", "worse", "unknown"):
        chosen = [p for p in every if p.found.judgement == judgement]
        runs = np.mean([p.found.runs for p in chosen]) if chosen else 0.0
        print(f"    {judgement}: {len(chosen)}, after {runs:.0f} runs")
    print(f"better, and is not: {len(wrong)} of {len(every)} (no gain in truth: {len(small)})")
    hits = sum(p.found.judgement == "better" for p in large)
    print(f"a gain of two deviations or more: found in {hits} of {len(large)}")
    print(
        f"regret without {np.mean([p.without for p in every]):.4f}, with "
        f"{np.mean([p.certified for p in every]):.4f}"
    )


if __name__ == "__main__":
    main()
