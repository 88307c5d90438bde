"""Trials an hour beside Optuna's own threads: ``python benchmarks/throughput.py``.

The same training (a process that sleeps for half a second), the same space, two at once, in one
run, the contestants in turn. Also how long the two workers stood idle.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import optuna

from agenthpo.events import Event, Finished, Started
from agenthpo.session import begin
from agenthpo.taskfile.reading import load_task

TRIALS, WORKERS, ROUNDS = 40, 2, 3
TRAINING = "import sys, time; time.sleep({seconds}); print('score:', float(sys.argv[1]))"
TASK = """\
name: sleep
objective: {{metric: score, direction: maximize}}
train: {{command: "{{python}} train.py {{x}} {{y}}"}}
space:
  x: {{type: float, low: 0.0, high: 1.0, default: 0.5}}
  y: {{type: float, low: 0.0, high: 1.0, default: 0.5}}
budget: {{trials: {trials}}}
"""


def ours(seconds: float) -> tuple[float, float]:
    """Return the seconds of our study, and the share of its workers' time without a training."""
    Path("train.py").write_text(TRAINING.format(seconds=seconds))
    Path("task.yaml").write_text(TASK.format(trials=TRIALS))
    task = load_task("task.yaml")
    busy, began = 0.0, time.monotonic()
    starts: dict[int, float] = {}

    def seen(event: Event) -> None:
        nonlocal busy
        if isinstance(event, Started):
            starts[event.trial.number] = time.monotonic()
        elif isinstance(event, Finished):
            busy += time.monotonic() - starts[event.trial.number]

    begin(task, Path(f".agenthpo/{time.time_ns()}"), workers=WORKERS, on_event=seen)
    took = time.monotonic() - began
    return took, 1 - busy / (WORKERS * took)


def optunas(seconds: float) -> float:
    """Return the seconds that Optuna takes, whose objective runs the same process."""
    Path("train.py").write_text(TRAINING.format(seconds=seconds))
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: optuna.Trial) -> float:
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        words = [sys.executable, "train.py", str(x), str(y)]
        return float(subprocess.run(words, capture_output=True, text=True).stdout.split()[-1])

    began = time.monotonic()
    study = optuna.create_study(direction="maximize", storage=optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(f"{time.time_ns()}.log")
    ))  # fmt: skip
    study.optimize(objective, n_trials=TRIALS, n_jobs=WORKERS)
    return time.monotonic() - began


def main() -> None:
    """Print both, for half a second and for two."""
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        for seconds in (0.5, 2.0):
            rounds = [
                (ours(seconds), optunas(seconds)) for _ in range(ROUNDS if seconds < 1 else 1)
            ]
            took = min(each[0][0] for each in rounds)
            theirs = min(each[1] for each in rounds)
            print(json.dumps({
                "training_s": seconds,
                "trials": TRIALS,
                "ours_an_hour": round(3600 * TRIALS / took),
                "optuna_an_hour": round(3600 * TRIALS / theirs),
                "ratio": round(theirs / took, 3),
                "idle": round(min(each[0][1] for each in rounds), 3),
            }))  # fmt: skip
        os.chdir("/")


if __name__ == "__main__":
    main()
