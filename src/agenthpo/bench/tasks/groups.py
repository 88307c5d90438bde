"""Which runs compare with which: the proposers that tuned every task, OPRO and the agent, two
models; each on the seeds that all of them have.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agenthpo.bench.tasks.arms import WITHOUT
from agenthpo.bench.tasks.opro import OPRO
from agenthpo.bench.tasks.scores import label
from agenthpo.bench.tasks.stored_runs import StoredRun
from agenthpo.bench.tasks.trained import TASKS, load_bench_task
from agenthpo.records import Direction
from agenthpo.search.hybrid import CREATOR, HYBRID, PAPER

__all__ = [
    "LINK",
    "Runs",
    "directions_of",
    "main_runs",
    "model_runs",
    "opro_runs",
    "part_runs",
    "tasks_of",
]

LINK = "graph-link-prediction"
"""The task that the paper compares with OPRO on."""
Runs = Sequence[StoredRun]


def tasks_of(runs: Runs) -> list[str]:
    """Return the tasks of ``runs``, in the paper's order."""
    return [name for name in TASKS if any(run.task == name for run in runs)]


def directions_of(runs: Runs, folder: Path) -> dict[str, Direction]:
    """Return the tasks of ``runs``, in the paper's order, with the direction of each."""
    return {name: load_bench_task(name, folder).objective.direction for name in tasks_of(runs)}


def main_runs(runs: Runs) -> Runs:
    """Return the runs of the proposers that tuned the most tasks."""
    tuned: dict[str, set[str]] = {}
    for run in runs:
        tuned.setdefault(label(run), set()).add(run.task)
    most = max(map(len, tuned.values()), default=0)
    return _on_shared_seeds([run for run in runs if len(tuned[label(run)]) == most])


def opro_runs(runs: Runs) -> Runs:
    """Return those of OPRO and of the agent that asks the same models, on link prediction; none
    without OPRO's.
    """
    here = [run for run in runs if run.task == LINK]
    asked = {run.model for run in here if run.proposer == OPRO}
    return _on_shared_seeds(
        [run for run in here if run.proposer in (OPRO, CREATOR, HYBRID) and run.model in asked]
    )


def model_runs(runs: Runs) -> Runs:
    """Return those of Creator and hybrid on the tasks that every model has tuned; none where there
    is one model.
    """
    asked = [run for run in runs if run.proposer in (CREATOR, HYBRID)]
    models = {run.model for run in asked}
    by_task = {name: {run.model for run in asked if run.task == name} for name in tasks_of(asked)}
    return (
        _on_shared_seeds([run for run in asked if by_task[run.task] == models])
        if len(models) > 1
        else []
    )


def part_runs(runs: Runs) -> Runs:
    """Return those of the paper's proposer and of every arm that goes without a part, with random
    search and TPE beside them, on the tasks that all these arms have tuned.
    """
    arms = [run for run in runs if run.proposer == PAPER or WITHOUT in run.proposer]
    names = {label(run) for run in arms}
    tasks = [task for task in tasks_of(arms) if {label(r) for r in arms if r.task == task} == names]
    beside = [run for run in runs if run.proposer in ("random", "tpe", "engine")]
    return _on_shared_seeds([run for run in [*arms, *beside] if run.task in tasks])


def _on_shared_seeds(runs: Runs) -> Runs:
    """Leave out the seeds of a task that not all proposers have: one seed's folds or weights are
    luckier than another's.
    """
    seeds: dict[str, dict[str, set[int]]] = {}
    for run in runs:
        seeds.setdefault(run.task, {}).setdefault(label(run), set()).add(run.seed)
    shared = {task: set.intersection(*of.values()) for task, of in seeds.items()}
    return [run for run in runs if run.seed in shared[run.task]]
