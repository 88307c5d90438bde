"""How well the time of a training is foretold, on LCBench.

    pip install onnxruntime
    .venv/bin/python benchmarks/preflight.py [--half held-out]

34 data sets, networks of seven hyperparameters, as YAHPO Gym's surrogate tells them
(``AGENTHPO_DATA``/yahpo/lcbench), with five per cent of noise. Random configurations are timed, and
200 others foretold. Printed for each number of trials: the share of the intervals that hold (nine
in ten are meant to), the mean error of the logarithm, and, with a time limit that three in ten
would break, the share of those that is held back, and of the others that is held back by mistake.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from stopping import SPACE, Surrogate

from agenthpo.records import Outcome, Proposal, Trial
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.preflight import Preflight
from agenthpo.task import Objective, Task, Train
from agenthpo.taskfile.space import parse_space

TRIALS = (4, 6, 10, 20, 40)
FORETOLD, NOISE, BEYOND = 200, 0.05, 0.3


def trial(number: int, params: dict[str, object], seconds: float, limit: float) -> Trial:
    """Return a trial that ended by itself or at the limit."""
    outcome = (
        Outcome("complete", 0.5, duration_s=seconds)
        if seconds <= limit
        else Outcome("timeout", duration_s=limit)
    )
    return Trial(number, Proposal(params, "engine"), outcome)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=["tuning", "held-out"], default="held-out")
    half = parser.parse_args().half
    surrogate = Surrogate(Path(os.environ["AGENTHPO_DATA"], "yahpo/lcbench"))
    task = Task("lcbench", Objective("value", "maximize"), parse_space(SPACE), Train(("true",)))
    encoding = Encoding(task.space)
    print("trials  hold  error  held back  by mistake")
    for count in TRIALS:
        held, errors, caught, wrong = [], [], [], []
        for seed, name in enumerate(surrogate.tasks[half == "held-out" :: 2]):
            rng = np.random.default_rng(seed)
            configs = [encoding.params(row) for row in encoding.drawn(rng, count + FORETOLD)]
            seconds = np.maximum(surrogate.curves(name, configs, 0)[:, -1], 1e-3)
            seconds = seconds * np.exp(rng.normal(0, NOISE, len(seconds)))
            pairs = list(zip(configs, seconds.tolist(), strict=True))
            seen, rest = pairs[:count], pairs[count:]
            # a limit, so that times are foretold however short they are
            free = replace(task, train=replace(task.train, timeout_s=1e9))
            flight = Preflight(free, [trial(i, c, s, 1e9) for i, (c, s) in enumerate(seen)])
            for config, actual in rest:
                needs = flight.needs(config)
                assert needs is not None and needs.seconds is not None
                held.append(needs.seconds.holds(actual))
                errors.append(abs(np.log(needs.seconds.value / actual)))
            limit = float(np.quantile(seconds[count:], 1 - BEYOND))
            bound = replace(task, train=replace(task.train, timeout_s=limit))
            flight = Preflight(bound, [trial(i, c, s, limit) for i, (c, s) in enumerate(seen)])
            for config, actual in rest:
                (caught if actual > limit else wrong).append(bool(flight.refusal(config)))
        means = [float(np.mean(each)) for each in (held, errors, caught, wrong)]
        print(f"{count:6} {means[0]:5.0%} {means[1]:6.2f} {means[2]:10.0%} {means[3]:11.1%}")


if __name__ == "__main__":
    main()
