"""Begin a study or go on with one: the parts are put together here, for the command line and for ``agenthpo.tune``."""

from __future__ import annotations

import errno
import shlex
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from agenthpo import __version__
from agenthpo.agents.creator import Creator
from agenthpo.agents.executor import Executor
from agenthpo.agents.prompt.build import head
from agenthpo.budget import Budget
from agenthpo.errors import AgentHPOError, ModelError, StudyError, TaskError
from agenthpo.events import OnEvent, Opened, Stopped, ignore
from agenthpo.experience.log import (
    STUDIES,
    ExperienceLog,
    check_storable,
    no_study,
    read_meta,
    refuse_existing,
    storage_words,
    study_folder,
)
from agenthpo.experience.origin import is_made_here, seal
from agenthpo.llm.client import LLM
from agenthpo.llm.default_model import NONE
from agenthpo.llm.opening import open_model
from agenthpo.llm.prices import cost_usd
from agenthpo.llm.recorded import EXCHANGES, Recorded
from agenthpo.llm.redact import Redacting
from agenthpo.llm.replay import REPLAY, ReplayLLM
from agenthpo.llm.strict import Strict
from agenthpo.loop import run_trials
from agenthpo.records import Analysis, Outcome, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.search.engine.engine import ENGINE, Engine
from agenthpo.search.hybrid import CREATOR, HYBRID, Hybrid
from agenthpo.search.optuna_samplers import Classical, check_sampler
from agenthpo.search.stateful_samplers import Stateful, is_stateful, loaded
from agenthpo.search.trust import Record, assessed, class_of, record_of
from agenthpo.task import Task
from agenthpo.taskfile.reading import load_task
from agenthpo.text.pasting import pasted
from agenthpo.text.urls import shown_url
from agenthpo.training.attempts import end_processes, mark_of
from agenthpo.training.pool import InlinePool

__all__ = [
    "ModelChoice",
    "OnFailure",
    "begin",
    "find_study",
    "foreign_study",
    "foreign_words",
    "go_on",
    "meta_of",
    "opened_model",
    "proposer_named",
    "rehearse",
    "replayed",
    "study_folder",
    "task_of",
]


_DISK = {
    errno.ENOSPC: "free some space and go on with",
    errno.EDQUOT: "free some of your quota and go on with",
    errno.EROFS: "make its folder writable and go on with",
    errno.EACCES: "make its folder writable and go on with",
    errno.EFBIG: "raise the limit on a file's size (ulimit -f) and go on with",
    errno.ENOLCK: "put it where files can be locked, or give it a database by --storage, and go on with",
    errno.ENOSYS: "put it where files can be locked, or give it a database by --storage, and go on with",
    errno.ESTALE: "see to the network file system and go on with",
    errno.EIO: "see to the disk and go on with",
}
OnFailure = Literal["fallback", "stop"]
_REHEARSED = 6
_EARLIER = 5
"""Studies beside a new one that are looked at for what its model showed there."""


@dataclass(frozen=True)
class ModelChoice:
    """Which model to ask. ``hint`` is a sentence for the user, such as how to get one."""

    name: str = NONE
    base_url: str | None = None
    hint: str = ""
    on_failure: OnFailure = "fallback"
    """What a failed request does: the classical engine steps in, visibly, or the study stops and can be resumed."""


def begin(
    task: Task,
    folder: Path,
    *,
    model: ModelChoice | None = None,
    seed: int = 0,
    storage: str | None = None,
    proposer: str | None = None,
    keep_going: bool = False,
    on_event: OnEvent = ignore,
) -> Stopped:
    """Run a new study of ``task`` in ``folder``, its trials in a journal file there or in the Optuna storage at the URL ``storage``.

    :raises StudyError: if there is a study in ``folder`` already.
    :raises ModelError: if the model cannot be used; nothing has started then.
    """
    refuse_existing(folder)  # before a model is loaded
    model = model or ModelChoice()
    proposer = proposer or HYBRID
    check_proposer(proposer, has_model=model.name != NONE)
    _check_priced(task, model)
    meta = {
        "id": (identity := uuid.uuid4().hex),
        "seal": seal(identity),
        "folder": str(folder.resolve()),
        "proposer": proposer,
        "record": record_in(folder.parent, model.name),
        "model": model.name,
        "base_url": model.base_url,
        "on_llm_failure": model.on_failure,
        "version": __version__,
        "name": task.name,
        "task_file": task.file,
        "seed": seed,
        "direction": task.objective.direction,
        "metric": task.objective.metric,
        "at": task.objective.at,
        "test_metric": task.objective.test_metric,
        "space": task.space.describe(),
        "trials": task.budget.trials,
        "budget": asdict(task.budget),
        "written_budget": task.written_budget and asdict(task.written_budget),
    }
    begun = {"space": task.space, "direction": task.objective.direction, "meta": meta, "storage": storage}
    with opened_model(model) as llm, writing(folder), ExperienceLog.create(folder, **begun) as log:
        if log.set_aside is not None:
            said = f"{folder} held trials of an earlier study; they were moved to {log.set_aside}, and are no part of this one."
            model = replace(model, hint=" ".join(filter(None, [model.hint, said])))
        return _run(task, log, llm, seed, model, proposer, meta["record"], keep_going, on_event)


def go_on(
    folder: Path,
    *,
    task: Task | None = None,
    model: ModelChoice | None = None,
    proposer: str | None = None,
    limits: Mapping[str, Any] | None = None,
    keep_going: bool = False,
    trusted: bool = False,
    on_event: OnEvent = ignore,
) -> Stopped:
    """Go on with the study in ``folder`` until its budget is spent, of which ``limits`` that are not None are changed.

    Where the space has changed since, trials that still fit are built upon, the others are kept and shown, and the first words say so.

    A study that was not made here is gone on with only where it is ``trusted``, or task, model and proposer are all the caller's.

    :raises StudyError: if there is none, its task cannot be found, or the task's objective has changed since.
    """
    meta = meta_of(folder)
    if not trusted and (named := foreign_words(folder, meta, has_task=task is not None, has_model=model is not None, proposer=proposer)):
        raise foreign_study(folder, named)
    task = task or task_of(folder, meta)
    task = _with_known_budget(task, meta).with_budget(**limits or {})
    with writing(folder), ExperienceLog.open(folder, space=task.space) as log:
        _check_objective(task, meta, log)
        model = model or ModelChoice(meta["model"], meta["base_url"], on_failure=meta.get("on_llm_failure", "fallback"))
        proposer = proposer or meta.get("proposer", HYBRID)
        check_proposer(proposer, has_model=model.name != NONE)
        _check_priced(task, model)
        with opened_model(model) as llm:
            changed = {"trials": task.budget.trials, "budget": asdict(task.budget), "space": task.space.describe()}
            changed["written_budget"] = task.written_budget and asdict(task.written_budget)
            hint = _adopted(task, meta, log)
            if changed != {key: meta.get(key) for key in changed}:  # kept, so that a crash does not bring the old ones back
                log.keep_meta({**meta, **changed})
            noted = replace(model, hint=" ".join(filter(None, [model.hint, hint])))
            return _run(task, log, llm, meta["seed"], noted, proposer, tuple(meta.get("record", (0.0, 0.0))), keep_going, on_event)


def foreign_words(folder: Path, meta: dict[str, Any], *, has_task: bool, has_model: bool, proposer: str | None) -> str:
    """Return what going on with a study that was not made here would do by that study's word; empty where nothing."""
    if is_made_here(meta):
        return ""
    named, base_url = [], meta.get("base_url")
    if not has_task and meta.get("task_file"):
        task = task_of(folder, meta)
        named.append(f"runs the command {shlex.join(task.train.command)!r} of {task.file}")
    by = str(meta.get("proposer", HYBRID))
    if proposer is None and is_stateful(by) and ":" in by:
        named.append(f"imports the proposer '{by}'")
    if not has_model and base_url:
        named.append(f"sends prompts to {shown_url(str(base_url))}")
    return " and ".join(named)


def foreign_study(folder: Path, named: str) -> StudyError:
    """Return the error for a study that was not made here and that nobody trusts; ``named`` is what it would do."""
    return StudyError(f"the study {folder} was not made here, and {named}; look at that, and say --trust if you mean it")


def _with_known_budget(task: Task, meta: dict[str, Any]) -> Task:
    """Return ``task`` with the limits that its study had, but for those that were edited in the task file since."""
    names = {field.name for field in fields(Budget)}
    had = {name: limit for name, limit in meta["budget"].items() if name in names}
    before = meta.get("written_budget")
    now = asdict(task.written_budget) if task.written_budget and before else {}
    edited = {name: limit for name, limit in now.items() if limit != before.get(name)}
    return replace(task, budget=replace(task.budget, **{**had, **edited}))


def rehearse(task: Task) -> None:
    """Build all that a run of ``task`` builds before it trains: proposals with and without a model of the results, and what is kept of them.

    :raises AgentHPOError: where that fails.
    """
    proposer, trials = proposer_named(HYBRID, None, 0), list[Trial]()
    for number in range(_REHEARSED):
        proposal = proposer.propose(task, trials)
        if isinstance(proposal, Stop):
            return
        task.space.check(proposal.params)
        check_storable(task.space, proposal.params)
        task.spec(number, proposal.params, seed=0, workdir=Path("TRIAL_DIR"))
        trials.append(Trial(number, proposal, Outcome("complete", float(number % 3)), Analysis("completed")))


def _adopted(task: Task, meta: dict[str, Any], log: ExperienceLog) -> str:
    """Close what is unfinished and outside a space that has changed, and return in words what has become of the trials."""
    if task.space.describe() == meta["space"]:
        return ""
    trials, fitting = log.trials(), {t.number for t in log.fitting_trials()}
    for trial in trials:
        if trial.outcome is None and trial.number not in fitting:
            error = "the search space changed before it ended"
            log.finish(trial, Outcome("interrupted", error=error), Analysis("crashed", (error,), f"It was given up: {error}."))
    left = len(trials) - len(fitting)
    rest = f"; {left} lie outside, and are only shown" if left else ""
    return f"The search space has changed since the study began: {len(fitting)} of {len(trials)} trials fit and are built upon{rest}."


def _check_priced(task: Task, model: ModelChoice) -> None:
    """Refuse a limit on money where nobody knows what the model costs."""
    limit = task.budget.cost_usd
    is_free = model.name == NONE or model.name.startswith(REPLAY)
    if limit is not None and not is_free and cost_usd(model.name, input_tokens=1, output_tokens=1, base_url=model.base_url) is None:
        raise ModelError(f"the budget is ${limit:g}, but the price of the model {model.name} is not known; limit its tokens instead")


def _check_objective(task: Task, meta: dict[str, Any], log: ExperienceLog) -> None:
    now = {"metric": task.objective.metric, "direction": task.objective.direction, "at": task.objective.at}
    then = {"metric": meta["metric"], "direction": log.direction, "at": meta.get("at", task.objective.at)}
    if changed := next((key for key in now if now[key] != then[key]), None):
        raise StudyError(
            f"the task's objective.{changed} is {now[changed]}, but was {then[changed]} when the study {log.folder} began, so that its "
            "values cannot be compared; undo that, or begin a new study by --study NAME"
        )


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the system refuses into a sentence; what was recorded stays, and the study can be gone on with."""
    try:
        yield
    except OSError as problem:
        fix = _DISK.get(problem.errno or 0, f"see to {problem.filename or 'its disk'} and go on with")
        raise StudyError(
            f"the study {folder} cannot be written ({problem.strerror or problem}); {fix}: {pasted('resume', folder)}"
        ) from None
    except Exception as problem:
        if not (said := storage_words(problem)):
            raise
        raise StudyError(
            f"the storage of {folder} failed ({said}); free it, or give it room, and go on with: {pasted('resume', folder)}"
        ) from None


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
    studies = sorted(f for f in (path / STUDIES).glob("*") if _is_study(f))
    if len(studies) == 1:
        return studies[0]
    if studies:
        raise StudyError(f"{path} has the studies {', '.join(f.name for f in studies)}; name one of them: {studies[0]}")
    known = sorted(f.name for f in Path(STUDIES).glob("*") if _is_study(f))
    hint = f"here are {', '.join(known)}" if known else f"give its folder, such as {STUDIES}/NAME beside the task file"
    raise StudyError(f"there is no study '{text}'; {hint}")


def _is_study(folder: Path) -> bool:
    """Tell whether there is a study in ``folder``, be it one that cannot be read."""
    try:
        return read_meta(folder) is not None
    except StudyError:
        return True


def task_of(folder: Path, meta: dict[str, Any]) -> Task:
    """Return the task that the study in ``folder`` was begun with, from its file as it is now.

    :raises StudyError: if it was begun from Python.
    """
    if meta["task_file"] is None:
        raise StudyError(
            f"the study {folder} was begun from Python; go on with it by agenthpo.tune(…, study={folder.resolve().name!r}, resume=True)"
        )
    file = Path(meta["task_file"])
    moved = folder.resolve().parent.parent / file.name  # where the whole project was moved or copied
    return load_task(moved if moved.is_file() else file)


@contextmanager
def opened_model(choice: ModelChoice) -> Iterator[LLM | None]:
    """Open the chosen model, make sure that it can be asked, and close it in the end; None where none is wanted.

    :raises ModelError: if it cannot be used.
    """
    if choice.name == NONE:
        yield None
        return
    if choice.name.startswith(REPLAY):
        yield ReplayLLM(find_study(choice.name.removeprefix(REPLAY)) / EXCHANGES)
        return
    llm = open_model(choice.name, base_url=choice.base_url)
    try:
        llm.verify()
        yield llm
    finally:
        llm.close()


def replayed(choice: ModelChoice) -> tuple[ModelChoice, int | None]:
    """Return ``choice`` with the study it replays, if it does, by its full path, and that study's seed."""
    if not choice.name.startswith(REPLAY):
        return choice, None
    folder = find_study(choice.name.removeprefix(REPLAY))
    return replace(choice, name=f"{REPLAY}{folder.resolve()}"), meta_of(folder)["seed"]


def _run(
    task: Task,
    log: ExperienceLog,
    llm: LLM | None,
    seed: int,
    model: ModelChoice,
    proposer: str,
    record: Record,
    keep_going: bool,
    on_event: OnEvent,
) -> Stopped:
    opened = Opened(
        study=log.folder.resolve().name,
        folder=str(log.folder),
        metric=task.objective.metric,
        direction=task.objective.direction,
        model=llm.name if llm else NONE,
        budget=task.budget,
        trials=tuple(log.trials()),
        hint=model.hint,
    )
    on_event(opened)
    if log.identity:
        end_processes(mark_of(log.identity, log.workdir(0).parent))  # trainings that a killed driver and supervisor left running
    if llm is None:
        return run_trials(
            task, proposer_named(proposer, None, seed), Executor(), log, InlinePool(), seed=seed, keep_going=keep_going, on_event=on_event
        )
    llm = Redacting(Recorded(llm, log.folder / EXCHANGES))
    if model.on_failure == "stop":
        llm = Strict(llm, f"go on with: {pasted('resume', log.folder)}")
    llm.prepare([head(task, llm)])
    return run_trials(
        task,
        proposer_named(proposer, llm, seed, record),
        Executor(llm, seed),
        log,
        InlinePool(),
        seed=seed,
        keep_going=keep_going,
        on_event=on_event,
    )


def check_proposer(name: str, *, has_model: bool) -> None:
    """Refuse a proposer that is not known or cannot work.

    :raises TaskError: naming the fix.
    """
    if name == CREATOR and not has_model:
        raise TaskError("the proposer 'creator' is a language model; name one by --model, or leave it to the engine")
    if is_stateful(name):
        loaded(name)
    elif name not in (HYBRID, CREATOR, ENGINE):
        check_sampler(name)


def record_in(studies: Path, model: str) -> Record:
    """Return what ``model`` showed in the latest other studies in the folder ``studies``; what cannot be read counts for nothing.

    A study that is replayed goes the way it went, and so begins with the record it had.
    """
    if model == NONE:
        return 0.0, 0.0
    if model.startswith(REPLAY):
        better, worse = meta_of(find_study(model.removeprefix(REPLAY))).get("record", (0.0, 0.0))
        return better, worse
    latest = sorted((folder for folder in studies.glob("*") if folder.is_dir()), key=lambda folder: folder.stat().st_mtime)[-_EARLIER:]
    found = []
    for folder in latest:
        with suppress(AgentHPOError, OSError), ExperienceLog.open(folder, space=None, read_only=True) as log:
            if log.meta.get("model") == model:
                found.append(assessed(log.trials(), log.direction))
    return record_of(found)


def proposer_named(name: str, llm: LLM | None, seed: int, record: Record = (0.0, 0.0)) -> Proposer:
    """Return who proposes: ``hybrid``, ``creator``, ``engine``, or a classical sampler by its name.

    :raises TaskError: for a name that is not known.
    """
    check_proposer(name, has_model=llm is not None)
    if is_stateful(name):
        return Stateful(seed, name)
    engine: Proposer = Engine(seed) if name in (HYBRID, CREATOR, ENGINE) else Classical(seed, name)
    if llm is None or name not in (HYBRID, CREATOR):
        return engine
    return Hybrid(
        Creator(llm, seed),
        engine,
        model=llm.name,
        kind=class_of(llm.name, embedded=llm.holds_to_grammar),
        record=record,
        always=name == CREATOR,
    )
