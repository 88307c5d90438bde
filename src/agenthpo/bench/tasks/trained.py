"""Trainings of the twelve tasks, each done once: the same configuration and seed is not trained
again, whoever proposes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from agenthpo.bench.data.sources import FILE, VARIABLE
from agenthpo.errors import TaskError
from agenthpo.records import Outcome, Params
from agenthpo.task import Task
from agenthpo.taskfile.reading import load_task
from agenthpo.training.outcome import load_outcome
from agenthpo.training.runner import run

__all__ = ["QUICK", "TASKS", "TASKS_FOLDER", "load_bench_task", "trained"]

TASKS_FOLDER = Path("benchmarks/tasks")
"""Where the tasks are, from the project's folder."""
TASKS = (
    "vision-classification",
    "vision-fine-grained",
    "vision-segmentation",
    "language-sentiment",
    "language-topic",
    "language-translation",
    "recommendation-collaborative",
    "recommendation-clicks",
    "tabular-classification",
    "tabular-regression",
    "graph-node-classification",
    "graph-link-prediction",
)
QUICK = ("tabular-classification", "tabular-regression")
"""The tasks of the reduced form, which need no PyTorch."""
_LOADERS = ("sources", "graphs", "images", "ratings", "texts", "translations")
"""What the scripts load their data by, which makes another training of them as well."""


def load_bench_task(name: str, folder: Path = TASKS_FOLDER) -> Task:
    """Return the task ``name``.

    :raises TaskError: if it is not known, or not here.
    """
    if name not in TASKS:
        raise TaskError(f"there is no task '{name}'; known are {', '.join(TASKS)}")
    if not (folder / name).is_dir():
        raise TaskError(
            f"there is no {folder / name}: the tasks are in the project's repository, run "
            "this from its folder or name it by --folder"
        )
    return load_task(folder / name)


def trained(
    task: Task, params: Params, *, seed: int, cache: Path
) -> tuple[Outcome, Mapping[str, str]]:
    """Return what training ``task`` with ``params`` and ``seed`` comes to, and whose data it was;
    every trial's folder is kept in ``cache``.

    Whose data it was is empty where it never got as far as that. A changed script, another source
    of the data and another value are other trainings. What ended without a value is not done again
    either.
    """
    workdir = _workdir(task, params, seed=seed, cache=cache)
    spec = task.spec(0, params, seed=seed, workdir=workdir.resolve())
    known, source = load_outcome(workdir, spec.owner), _source(workdir)
    if known is not None and (source or known.status != "failed"):
        return known, source
    # two runs may train the same at once: the first to end is kept
    own = workdir.with_name(f"{workdir.name}.{os.getpid()}")
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    shutil.rmtree(workdir, ignore_errors=True)  # what is there is nobody's
    outcome = run(task.spec(0, params, seed=seed, workdir=own.resolve()))
    try:
        own.rename(workdir)
    except OSError:
        shutil.rmtree(own)
        outcome = load_outcome(workdir, spec.owner) or outcome
    return outcome, _source(workdir)


def _source(workdir: Path) -> Mapping[str, str]:
    try:
        said: Mapping[str, str] = json.loads((workdir / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return said


def _workdir(task: Task, params: Params, *, seed: int, cache: Path) -> Path:
    files = [
        Path(task.file or ".").parent / "train.py",
        *(Path(__file__).parents[1] / f"data/{name}.py" for name in _LOADERS),
    ]
    code = [file.read_text(encoding="utf-8") for file in files]
    parts = [
        code,
        sorted(params.items()),
        seed,
        os.environ.get(VARIABLE, ""),
        os.environ.get("AGENTHPO_DATA", ""),
    ]
    return cache / task.name / hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
