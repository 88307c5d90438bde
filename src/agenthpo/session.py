"""Begin a study or go on with one: the parts are put together here, for the command line and for ``agenthpo.tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agenthpo import __version__
from agenthpo.agents.executor import Executor
from agenthpo.errors import StudyError
from agenthpo.events import OnEvent, Opened, Stopped, ignore
from agenthpo.experience.log import STUDIES, ExperienceLog, read_meta, study_folder
from agenthpo.search.samplers import Classical
from agenthpo.task import Task
from agenthpo.task_file import load_task
from agenthpo.training.pool import InlinePool
from agenthpo.tuner import tune

__all__ = ["begin", "find_study", "go_on", "meta_of", "study_folder"]


def begin(task: Task, folder: Path, *, seed: int = 0, on_event: OnEvent = ignore) -> Stopped:
    """Run a new study of ``task`` in ``folder``.

    :raises StudyError: if there is a study in ``folder`` already.
    """
    meta = {
        "version": __version__,
        "name": task.name,
        "task_file": task.file,
        "seed": seed,
        "metric": task.objective.metric,
        "test_metric": task.objective.test_metric,
        "space": task.space.describe(),
        "trials": task.budget.trials,
        "time_s": task.budget.time_s,
    }
    with ExperienceLog.create(folder, space=task.space, direction=task.objective.direction, meta=meta) as log:
        return _run(task, log, meta, on_event)


def go_on(folder: Path, *, task: Task | None = None, trials: int | None = None, on_event: OnEvent = ignore) -> Stopped:
    """Go on with the study in ``folder`` until its budget, or ``trials``, is spent.

    :raises StudyError: if there is none, its task cannot be found, or the task's space or objective has changed since.
    """
    meta = meta_of(folder)
    task = (task or _task_of(folder, meta)).with_budget(trials=trials or meta["trials"], time_s=meta["time_s"])
    with ExperienceLog.open(folder, space=task.space) as log:
        changed = "space" if task.space.describe() != meta["space"] else "objective"
        if changed == "space" or (task.objective.metric, task.objective.direction) != (meta["metric"], log.direction):
            raise StudyError(
                f"the task's {changed} has changed since the study {folder} began; undo that, or begin a new study by --study NAME"
            )
        return _run(task, log, meta, on_event)


def meta_of(folder: Path) -> dict[str, Any]:
    """Return what the study in ``folder`` was begun with.

    :raises StudyError: if there is no study in it.
    """
    meta = read_meta(folder)
    if meta is None:
        raise StudyError(f"there is no study in {folder}; begin one with 'agenthpo run TASK.yaml'")
    return meta


def find_study(text: str) -> Path:
    """Return the folder of the study that ``text`` means: its folder, its name, or the folder of a task with one study.

    :raises StudyError: if there is none, or more than one.
    """
    path = Path(text)
    for folder in (path, study_folder(text, beside=Path())):
        if read_meta(folder) is not None:
            return folder
    studies = sorted(f for f in (path / STUDIES).glob("*") if read_meta(f) is not None)
    if len(studies) == 1:
        return studies[0]
    if studies:
        raise StudyError(f"{path} has the studies {', '.join(f.name for f in studies)}; name one of them: {studies[0]}")
    known = sorted(f.name for f in Path(STUDIES).glob("*") if read_meta(f) is not None)
    hint = f"here are {', '.join(known)}" if known else f"give its folder, such as {STUDIES}/NAME beside the task file"
    raise StudyError(f"there is no study '{text}'; {hint}")


def _task_of(folder: Path, meta: dict[str, Any]) -> Task:
    if meta["task_file"] is None:
        raise StudyError(
            f"the study {folder} was begun from Python; go on with it by agenthpo.tune(…, study={meta['name']!r}, resume=True)"
        )
    file = Path(meta["task_file"])
    moved = folder.resolve().parent.parent / file.name  # where the whole project was moved or copied
    return load_task(moved if moved.is_file() else file)


def _run(task: Task, log: ExperienceLog, meta: dict[str, Any], on_event: OnEvent) -> Stopped:
    opened = Opened(
        log.folder.name, str(log.folder), task.objective.metric, task.objective.direction, "none", task.budget, tuple(log.trials())
    )
    on_event(opened)
    return tune(task, Classical(meta["seed"]), Executor(), log, InlinePool(), seed=meta["seed"], on_event=on_event)
