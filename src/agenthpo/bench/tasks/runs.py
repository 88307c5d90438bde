"""Runs of a proposer on one of the twelve tasks: real trainings, everything recorded, what is
stored is not done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from agenthpo.agents.executor import Executor
from agenthpo.assembly import proposer_named
from agenthpo.bench.store import about, append
from agenthpo.bench.tables.models import Remembered
from agenthpo.bench.tasks.arms import Arm, arm_named
from agenthpo.bench.tasks.opro import OPRO, Opro
from agenthpo.bench.tasks.stored_runs import Run, StoredRun, StoredTrial, read_runs
from agenthpo.bench.tasks.trained import load_bench_task, trained
from agenthpo.bench.workers import in_processes
from agenthpo.errors import TaskError
from agenthpo.llm.client import LLM
from agenthpo.llm.names import NONE, parse_model
from agenthpo.records import Stop, Trial
from agenthpo.search import Proposer
from agenthpo.seeds import spawn_seed
from agenthpo.task import Task

__all__ = [
    "Where",
    "checked_run",
    "missing_runs",
    "play_run",
    "play_runs",
]

_TOLD = (
    "agenthpo",
    "numpy",
    "scipy",
    "optuna",
    "torch",
    "scikit-learn",
    "pandas",
    "xgboost-cpu",
    "xgboost",
    "sacrebleu",
    "xllamacpp",
)
"""The packages whose versions are stored with a run."""


@dataclass(frozen=True)
class Where:
    """The folders: the tasks, the results (a file a task, a line a run), and what trainings and
    models came to.
    """

    tasks: Path
    results: Path
    cache: Path


def checked_run(task: str, proposer: str, *, model: str, seed: int, trials: int) -> Run:
    """Return the run; a proposer that asks no model has none.

    :raises TaskError: for a proposer that is not known, or one that asks where there is no model.
    """
    if not arm_named(proposer).asks:
        model = NONE
    elif parse_model(model).is_none:
        raise TaskError(f"the proposer '{proposer}' asks a language model; name one by --model")
    return Run(task=task, proposer=proposer, model=model, seed=seed, trials=trials)


def missing_runs(results: Path, runs: Iterable[Run]) -> list[Run]:
    """Return the runs that are not stored, or were stored with fewer trials."""
    runs = list(runs)
    known = {
        each.run.key: each.run.trials for each in read_runs(results, {run.task for run in runs})
    }
    return [run for run in runs if known.get(run.key, 0) < run.trials]


def play_runs(where: Where, runs: Sequence[Run], *, jobs: int) -> Iterator[Run]:
    """Do ``runs`` in ``jobs`` processes, and yield each as soon as it is stored. What a killed call
    had trained is not trained again.
    """
    where.results.mkdir(parents=True, exist_ok=True)
    for run, done in in_processes(partial(play_run, where), runs, jobs=jobs):
        append(where.results / f"{run.task}.jsonl", done.to_json())
        yield run


def play_run(where: Where, run: Run) -> StoredRun:
    """Do ``run`` and return what is stored of it: the run, its trials, whose data it was, versions
    and machine.
    """
    task = load_bench_task(run.task, where.tasks)
    trials = list[Trial]()
    llm = None
    arm = arm_named(run.proposer)
    if arm.asks:
        name = f"{run.task}-{run.proposer}-{run.model}-{run.seed}".replace(":", "-").replace(
            "/", "-"
        )
        replies = where.cache / "replies" / f"{name}.jsonl"
        llm = Remembered(run.model, replies, temperature=arm.temperature)
    proposer = _proposer(run, arm, llm)
    executor = Executor(None if arm.proposer == OPRO else llm, run.seed, arm.without)
    source: dict[str, str] = {}
    try:
        while len(trials) < run.trials:
            proposal = proposer.propose(task, trials)
            if isinstance(proposal, Stop):
                break
            seed = _training_seed(task, trials, params=proposal.params, seed=run.seed)
            trial = Trial(len(trials), proposal)
            outcome, said = trained(task, proposal.params, seed=seed, cache=where.cache)
            source = source or dict(said)
            if not source and outcome.status == "failed":
                raise TaskError(
                    f"{run.task} cannot be trained here: {outcome.error or outcome.log_tail[-300:]}"
                )
            trials.append(
                replace(
                    trial,
                    outcome=outcome,
                    analysis=executor.analyse(task, trial, outcome=outcome, trials=trials),
                )
            )
    finally:
        if llm is not None:
            llm.close()
    return StoredRun(
        run=run, source=source, about=about(_TOLD), trials=tuple(map(StoredTrial.of, trials))
    )


def _proposer(run: Run, arm: Arm, llm: LLM | None) -> Proposer:
    # by task too: else a seed draws the same points of the cube on all of them
    seed = spawn_seed(run.seed, run.task)
    if arm.proposer == OPRO and llm is not None:
        return Opro(llm, seed)
    return proposer_named(arm.proposer, llm, seed=seed, without=arm.without)


def _training_seed(
    task: Task, trials: Sequence[Trial], *, params: dict[str, Any], seed: int
) -> int:
    """Return the seed to train with: the same for all proposers, another one where a configuration
    is measured again.
    """
    key = task.space.key(params)
    return spawn_seed(seed, sum(task.space.key(t.proposal.params) == key for t in trials))
