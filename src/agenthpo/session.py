"""Begin a study or go on with one: the parts are put together here, for the command line and for ``agenthpo.tune``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from agenthpo import __version__
from agenthpo.agents.context import head
from agenthpo.agents.creator import Creator
from agenthpo.agents.executor import Executor
from agenthpo.errors import ModelError, StudyError
from agenthpo.events import OnEvent, Opened, Stopped, ignore
from agenthpo.experience.log import STUDIES, ExperienceLog, no_study, read_meta, refuse_existing, study_folder
from agenthpo.llm.choose import NONE
from agenthpo.llm.client import LLM, open_model
from agenthpo.llm.prices import cost_usd
from agenthpo.llm.recorded import Recorded
from agenthpo.llm.redact import Redacting
from agenthpo.llm.strict import Strict
from agenthpo.search.hybrid import Hybrid
from agenthpo.search.samplers import Classical
from agenthpo.task import Task
from agenthpo.task_file import load_task
from agenthpo.training.pool import InlinePool
from agenthpo.tuner import tune

__all__ = ["ModelChoice", "OnFailure", "begin", "find_study", "go_on", "meta_of", "study_folder"]


OnFailure = Literal["fallback", "stop"]


@dataclass(frozen=True)
class ModelChoice:
    """Which model to ask. ``hint`` is a sentence for the user, such as how to get one."""

    name: str = NONE
    base_url: str | None = None
    hint: str = ""
    on_failure: OnFailure = "fallback"
    """What a failed request does: the classical engine steps in, visibly, or the study stops and can be resumed."""


def begin(task: Task, folder: Path, *, model: ModelChoice | None = None, seed: int = 0, on_event: OnEvent = ignore) -> Stopped:
    """Run a new study of ``task`` in ``folder``.

    :raises StudyError: if there is a study in ``folder`` already.
    :raises ModelError: if the model cannot be used; nothing has started then.
    """
    refuse_existing(folder)  # before a model is loaded
    model = model or ModelChoice()
    _check_priced(task, model)
    meta = {
        "model": model.name,
        "base_url": model.base_url,
        "on_llm_failure": model.on_failure,
        "version": __version__,
        "name": task.name,
        "task_file": task.file,
        "seed": seed,
        "metric": task.objective.metric,
        "test_metric": task.objective.test_metric,
        "space": task.space.describe(),
        "trials": task.budget.trials,
        "budget": asdict(task.budget),
    }
    with _model(model) as llm, ExperienceLog.create(folder, space=task.space, direction=task.objective.direction, meta=meta) as log:
        return _run(task, log, llm, seed, model, on_event)


def go_on(
    folder: Path,
    *,
    task: Task | None = None,
    model: ModelChoice | None = None,
    limits: Mapping[str, Any] | None = None,
    on_event: OnEvent = ignore,
) -> Stopped:
    """Go on with the study in ``folder`` until its budget is spent, of which ``limits`` that are not None are changed.

    :raises StudyError: if there is none, its task cannot be found, or the task's space or objective has changed since.
    """
    meta = meta_of(folder)
    task = (task or _task_of(folder, meta)).with_budget(**meta["budget"]).with_budget(**limits or {})
    with ExperienceLog.open(folder, space=task.space) as log:
        _check_unchanged(task, meta, log)
        model = model or ModelChoice(meta["model"], meta["base_url"], on_failure=meta.get("on_llm_failure", "fallback"))
        _check_priced(task, model)
        with _model(model) as llm:
            if asdict(task.budget) != meta["budget"]:  # kept, so that a crash does not bring the old one back
                log.keep_meta({**meta, "trials": task.budget.trials, "budget": asdict(task.budget)})
            return _run(task, log, llm, meta["seed"], model, on_event)


def _check_priced(task: Task, model: ModelChoice) -> None:
    """Refuse a limit on money where nobody knows what the model costs."""
    limit = task.budget.cost_usd
    if limit is not None and model.name != NONE and cost_usd(model.name, input_tokens=1, output_tokens=1, base_url=model.base_url) is None:
        raise ModelError(f"the budget is ${limit:g}, but the price of the model {model.name} is not known; limit its tokens instead")


def _check_unchanged(task: Task, meta: dict[str, Any], log: ExperienceLog) -> None:
    changed = "space" if task.space.describe() != meta["space"] else "objective"
    if changed == "space" or (task.objective.metric, task.objective.direction) != (meta["metric"], log.direction):
        raise StudyError(
            f"the task's {changed} has changed since the study {log.folder} began; undo that, or begin a new study by --study NAME"
        )


def meta_of(folder: Path) -> dict[str, Any]:
    """Return what the study in ``folder`` was begun with.

    :raises StudyError: if there is no study in it.
    """
    meta = read_meta(folder)
    if meta is None:
        raise no_study(folder)
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


@contextmanager
def _model(choice: ModelChoice) -> Iterator[LLM | None]:
    if choice.name == NONE:
        yield None
        return
    llm = open_model(choice.name, base_url=choice.base_url)
    try:
        llm.verify()
        yield llm
    finally:
        llm.close()


def _run(task: Task, log: ExperienceLog, llm: LLM | None, seed: int, model: ModelChoice, on_event: OnEvent) -> Stopped:
    opened = Opened(
        study=log.folder.name,
        folder=str(log.folder),
        metric=task.objective.metric,
        direction=task.objective.direction,
        model=llm.name if llm else NONE,
        budget=task.budget,
        trials=tuple(log.trials()),
        hint=model.hint,
    )
    on_event(opened)
    if llm is None:
        return tune(task, Classical(seed), Executor(), log, InlinePool(), seed=seed, on_event=on_event)
    llm = Redacting(Recorded(llm, log.folder / "llm.jsonl"))
    if model.on_failure == "stop":
        llm = Strict(llm, f"go on with: agenthpo resume {log.folder}")
    llm.prepare([head(task, llm)])
    proposer = Hybrid(Creator(llm, seed), Classical(seed), model=llm.name)
    return tune(task, proposer, Executor(llm, seed), log, InlinePool(), seed=seed, on_event=on_event)
