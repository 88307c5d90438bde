"""Begin a study that agents and people work in, or take one up again."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from agenthpo.budget import Budget, Spent
from agenthpo.errors import StudyBusy, StudyError, TaskError
from agenthpo.experience.finding import read_meta
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.requests import Asked
from agenthpo.operations.answers import Opened
from agenthpo.operations.place import Place, Standing
from agenthpo.session import create, writing
from agenthpo.studies import study_folder
from agenthpo.task import Task
from agenthpo.taskfile.reading import check_name, load_task
from agenthpo.units import format_duration

__all__ = ["is_over", "left_words", "open_study"]


_MOST_WORKERS = 16
_TURNS, _PAUSE_S = 30, 0.1
"""How often, and how many seconds apart, it is tried again where another call is opening it."""


def open_study(
    at: Place,
    task: str,
    study: str = "",
    trials: int | None = None,
    minutes: float | None = None,
    tokens: int | None = None,
    seed: int = 0,
    workers: int = 1,
) -> Opened:
    """Begin a study of a task, or take it up where it is; nothing is run yet.

    :param task: the task file's path.
    :param study: the study's name; the task's name without it.
    :param trials: how many trials there may be in all, no more than the task file's budget, which
        counts without it.
    :param minutes: how long trials may take in all.
    :param tokens: how many tokens the agent may spend, as far as it reports them.
    :param seed: of the search and the training.
    :param workers: how many trials a new study runs at once on this machine, 16 at most.
    :raises AgentHPOError: where the task is wrong, or another one's study has that name.
    """
    limits = _limits(trials, minutes, tokens)
    if not 1 <= workers <= _MOST_WORKERS:
        raise TaskError(f"workers is {workers}, but must be from 1 to {_MOST_WORKERS}")
    loaded = load_task(at.path(task))
    name = check_name(study or loaded.name, where="study")
    # what was named may be the folder of the task's file
    folder = at.path(str(study_folder(name, beside=Path(loaded.file or "").parent)))
    if not at.is_person:
        _check_allowed(limits, loaded)
    is_new = read_meta(folder) is None
    if is_new:
        is_new = _created(loaded.with_budget(limits), folder, seed=seed, workers=workers)
    opened = Standing.at(folder)
    if opened.task.file != loaded.file:
        raise StudyError(
            f"the study {at.shown(folder)} is one of {opened.task.file}; give this one "
            "another name by study"
        )
    if trials is not None and trials < len(opened.trials):
        raise TaskError(
            f"trials is {trials}, but {len(opened.trials)} were begun already; name at least that"
        )
    if not is_new and limits != Budget():
        _change(opened, limits)
        opened = Standing.at(folder)
    done = len(opened.done)
    return Opened(
        study=at.shown(folder),
        is_new=is_new,
        trials=done,
        left=left_words(opened),
        metric=loaded.objective.metric,
        direction=loaded.objective.direction,
        next="briefing, then propose a configuration"
        if done
        else "briefing, then propose; the default configuration is run before the first trial",
    )


def _created(task: Task, folder: Path, *, seed: int, workers: int) -> bool:
    """Begin a study, and return whether it was this call that did: of several at once one does."""
    for turn in range(_TURNS):
        try:
            create(task, folder, seed=seed, workers=workers)
            return True
        except StudyError as problem:
            if read_meta(folder) is not None:
                return False
            if not isinstance(problem, StudyBusy) or turn == _TURNS - 1:
                raise
            time.sleep(_PAUSE_S)
    raise AssertionError("a turn ends the loop")


def _check_allowed(limits: Budget, task: Task) -> None:
    """Refuse an agent more than the task file allows, which a person has read."""
    written = task.written_budget or task.budget
    asked = (
        ("trials", limits.trials, written.trials),
        ("time", limits.time_s, written.time_s),
        ("tokens", limits.tokens, written.tokens),
    )
    for name, wanted, allowed in asked:
        if wanted is not None and allowed is not None and wanted > allowed:
            words = [format_duration(v) if name == "time" else f"{v:,}" for v in (wanted, allowed)]
            raise TaskError(
                f"{words[0]} is more than budget.{name} of {task.file}, {words[1]}; let a person "
                "raise it there"
            )


def _limits(trials: int | None, minutes: float | None, tokens: int | None) -> Budget:
    for name, value in (("trials", trials), ("minutes", minutes), ("tokens", tokens)):
        if value is not None and not 0 < value < 1e9:
            raise TaskError(f"{name} is {value:g}, but must be above 0")
    return Budget(trials=trials, time_s=None if minutes is None else 60 * minutes, tokens=tokens)


def _change(opened: Standing, limits: Budget) -> None:
    """Keep another budget with a study that is not at work."""
    budget = opened.task.budget.changed_by(limits)
    if budget == opened.meta.budget:
        return
    with writing(opened.folder), ExperienceLog.open(opened.folder, space=opened.task.space) as log:
        log.keep_meta(
            replace(
                log.meta,
                budget=budget,
                trials=budget.trials,
                written_budget=opened.task.written_budget,
            )
        )


def left_words(opened: Standing) -> str:
    """Return what is left of the budget, in words."""
    running = sum(t.outcome is None for t in opened.trials)
    return opened.task.budget.left_words(_spent(opened).with_running(running)) or "no limit"


def _spent(opened: Standing) -> Spent:
    return Spent.of(opened.trials, opened.task.objective.direction)


def is_over(opened: Standing) -> str:
    """Return why no further trial will be run; empty while one may."""
    if was_told(opened.asked):
        return "the test metric was told, which ends the search"
    running = sum(t.outcome is None for t in opened.trials)
    return Task.reason(opened.task, _spent(opened).with_running(running)) or ""


def was_told(asked: Asked) -> bool:
    """Return whether the test metric was told."""
    return any(r.kind == "told" for r in asked.requests)
