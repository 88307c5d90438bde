"""What the coordinator costs a trial beside bare Optuna, and how large prompts become. No model, no
training: everything else is real.

    .venv/bin/python benchmarks/overhead.py [--trials 10 100 1000]

Both sides run in turn in one process, TPE with three start-up trials on the same space, in a
journal file of the same folder; the ratio is what counts, the seconds are the machine's.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import optuna

from agenthpo.agents.creator import creator_messages
from agenthpo.agents.executor import Executor
from agenthpo.agents.prompt.trials import estimate_tokens
from agenthpo.budget import Budget
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta
from agenthpo.experience.storage import open_storage
from agenthpo.llm.opening import manner_of
from agenthpo.loop import run_trials
from agenthpo.records import Analysis, Expected, Outcome, Proposal, RunSpec, Trial
from agenthpo.search.optuna_samplers import STARTUP_TRIALS, OptunaSampler
from agenthpo.task import Background, Objective, Task, Train
from agenthpo.taskfile.space import parse_space

SPACE = {
    "lr": {"type": "float", "low": 1e-5, "high": 0.1, "log": True, "default": 0.001},
    "size": {"type": "int", "values": [8, 16, 32, 64], "default": 16},
    "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
    "dropout": {"type": "float", "low": 0.0, "high": 0.9, "default": 0.5},
    "epochs": {"type": "int", "low": 1, "high": 200, "default": 20},
}


class Instant:
    """A pool whose trainings take no time."""

    slots = 1

    def submit(self, spec: RunSpec, on_point) -> Future[Outcome]:
        """Return a value at once."""
        future: Future[Outcome] = Future()
        value = objective(spec.params)
        future.set_result(
            Outcome(
                "complete",
                value,
                float(9),
                curves={"acc": tuple((float(i), value * i / 9) for i in range(10))},
            )
        )
        return future


def objective(params):
    """Return a value that depends on the parameters."""
    return (
        1
        - abs(params["lr"] - 0.01)
        - 0.001 * abs(params["epochs"] - 80)
        - 0.1 * params["dropout"]
        + 0.01 * (params["opt"] == "adam")
    )


def task(trials):
    """Return the task of this benchmark."""
    return Task(
        "overhead",
        Objective("acc"),
        parse_space(SPACE),
        Train(command=("true",)),
        Background(task="A toy."),
        Budget(trials),
    )


def ours(trials, folder):
    """Return the seconds that a study of ``trials`` takes the coordinator, the engine included."""
    began = time.perf_counter()
    todo = task(trials)
    with ExperienceLog.create(
        folder, space=todo.space, meta=StudyMeta(direction="maximize")
    ) as log:
        run_trials(todo, OptunaSampler(0), executor=Executor(), log=log, pool=Instant())
    return time.perf_counter() - began


def bare(trials, folder):
    """Return the seconds that bare Optuna takes: ask, tell, and the value's curve as an
    attribute.
    """
    began = time.perf_counter()
    folder.mkdir()
    sampler = optuna.samplers.TPESampler(seed=0, n_startup_trials=STARTUP_TRIALS)
    study = optuna.create_study(storage=open_storage(folder), direction="maximize", sampler=sampler)
    for _ in range(trials):
        trial = study.ask()
        params = {
            "lr": trial.suggest_float("lr", 1e-5, 0.1, log=True),
            "size": trial.suggest_categorical("size", [8, 16, 32, 64]),
            "opt": trial.suggest_categorical("opt", ["adam", "sgd"]),
            "dropout": trial.suggest_float("dropout", 0.0, 0.9),
            "epochs": trial.suggest_int("epochs", 1, 200),
        }
        value = objective(params)
        trial.set_user_attr("curve", [value * i / 9 for i in range(10)])
        study.tell(trial, value)
    return time.perf_counter() - began


def prompt_tokens(count, name):
    """Return about how many tokens the Creator's prompt has after ``count`` trials with words,
    predictions and long logs.
    """
    trials = []
    for i in range(count):
        params = {
            "lr": 1e-4 * 1.1 ** (i % 60),
            "size": 8 << i % 4,
            "opt": ("adam", "sgd")[i % 2],
            "dropout": i % 9 / 10,
            "epochs": i % 200 + 1,
        }
        value = None if i % 9 == 4 else objective(params)
        words = {
            "rationale": "Since trial 3 learnt slowly, I raise lr and leave the rest.",
            "hypothesis": "A larger step helps.",
        }
        proposal = Proposal(
            params, "creator" if i % 2 else "engine", expected=Expected(0.7, 0.6, 0.8), **words
        )
        curve = tuple((float(e), 0.5 + e / 100) for e in range(20))
        status = "failed" if value is None else "complete"
        outcome = Outcome(
            status,
            value,
            curves={"acc": curve},
            error="" if value else "x" * 10_000,
            log_tail="y" * 10_000,
        )
        evidence = (
            "acc from 0.5 to 0.69 at step 19, best 0.69 at step 19",
            "the last quarter brought 25% of its range",
        )
        analysis = Analysis(
            "crashed" if value is None else "completed",
            evidence,
            "It learnt slowly. " * 100,
            "raise epochs",
            i % 2 == 0,
            "x",
        )
        trials.append(Trial(i, proposal, outcome, analysis))
    manner = manner_of(name)
    head, user = creator_messages(manner, replace(task(10)), trials=trials)
    return {"head": estimate_tokens(head.text), "rest": estimate_tokens(user.text)}


def main():
    """Measure and print, one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[10, 100, 1000])
    for trials in parser.parse_args().trials:
        with tempfile.TemporaryDirectory() as folder:
            seconds = {
                "bare": bare(trials, Path(folder, "bare")),
                "ours": ours(trials, Path(folder, "ours")),
            }
        each = {f"{name}_ms_a_trial": round(1000 * s / trials, 2) for name, s in seconds.items()}
        print(
            json.dumps(
                {"trials": trials, **each, "ratio": round(seconds["ours"] / seconds["bare"], 2)}
            ),
            flush=True,
        )
    for name in ("openai:any", "local:any"):
        for count in (5, 20, 100, 1000):
            print(
                json.dumps({"model": name, "after": count, **prompt_tokens(count, name)}),
                flush=True,
            )


if __name__ == "__main__":
    main()
