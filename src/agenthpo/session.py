"""Begin a study or resume one: the parts are put together here, for the command line and for
``agenthpo.tune``.
"""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from pathlib import Path

from agenthpo import __version__
from agenthpo.agents.executor import Executor
from agenthpo.agents.prompt.build import head
from agenthpo.agents.prompt.told import told
from agenthpo.assembly import (
    ModelChoice,
    check_priced,
    check_proposer,
    opened_model,
    proposer_named,
    record_in,
)
from agenthpo.budget import Budget
from agenthpo.certificate import Certificate
from agenthpo.errors import StudyError
from agenthpo.events import Certified, OnEvent, Opened, Stopped, Waiting, ignore
from agenthpo.exchange import Hint
from agenthpo.experience.beats import GRACE_S
from agenthpo.experience.finding import refuse_existing
from agenthpo.experience.log import ExperienceLog, check_storable
from agenthpo.experience.meta import StudyMeta
from agenthpo.experience.origin import seal
from agenthpo.experience.patience import OnWait, storage_words
from agenthpo.experience.progress import Progressing
from agenthpo.experience.requests import read_requests
from agenthpo.known import hints_of
from agenthpo.llm.client import LLM
from agenthpo.llm.names import NONE
from agenthpo.llm.recorded import EXCHANGES, Recorded
from agenthpo.llm.redact import Redacting
from agenthpo.llm.strict import Strict
from agenthpo.loop import run_trials
from agenthpo.parts import checked_parts
from agenthpo.pool_choice import PoolChoice
from agenthpo.ranges import AsAsked
from agenthpo.records import Analysis, Outcome, Stop, Trial
from agenthpo.rounds import NothingToCertify, run_rounds
from agenthpo.search import Proposer
from agenthpo.search.heeding import Heeding
from agenthpo.search.hybrid import CREATOR, HYBRID, PAPER
from agenthpo.search.promoting import Promoting
from agenthpo.search.trust import Record
from agenthpo.studies import meta_of, refuse_foreign, task_of
from agenthpo.surroundings import surroundings
from agenthpo.task import Task
from agenthpo.text.pasting import pasted
from agenthpo.training.pool import Pool, end_left
from agenthpo.training.pools import open_pool

__all__ = ["begin", "create", "go_on", "rehearse", "with_known_budget", "work", "writing"]


_DISK = {
    errno.ENOSPC: "free some space and resume with",
    errno.EDQUOT: "free some of your quota and resume with",
    errno.EROFS: "make its folder writable and resume with",
    errno.EACCES: "make its folder writable and resume with",
    errno.EFBIG: "raise the limit on a file's size (ulimit -f) and resume with",
    errno.ENOLCK: "put it where files can be locked, or give it a database by --storage, and "
    "resume with",
    errno.ENOSYS: "put it where files can be locked, or give it a database by --storage, and "
    "resume with",
    errno.ESTALE: "see to the network file system and resume with",
    errno.EIO: "see to the disk and resume with",
}
_REHEARSED = 6


def begin(
    task: Task,
    folder: Path,
    *,
    model: ModelChoice | None = None,
    seed: int = 0,
    storage: str | None = None,
    proposer: str | None = None,
    earlier: Sequence[str] = (),
    without: Sequence[str] = (),
    workers: int | None = None,
    pool: PoolChoice | None = None,
    keep_going: bool = False,
    on_event: OnEvent = ignore,
) -> Stopped:
    """Run a new study of ``task`` in ``folder``, its trials in a journal file there or in the
    Optuna storage at the URL ``storage``.

    :param earlier: studies whose best configurations are worth a trial, and parts to go
        ``without``, of ``agenthpo.parts``; see ``agenthpo.known.hints_of``.
    :param workers: how many trials run at once; one without it, and as many as there is room for
        on a Ray cluster.
    :param pool: where they run; on this machine without it.
    :raises StudyError: if there is a study in ``folder`` already.
    :raises ModelError: if the model cannot be used; nothing has started then.
    """
    refuse_existing(folder)  # before a model is loaded
    model = model or ModelChoice()
    proposer = proposer or HYBRID
    parts = checked_parts(without)
    meta = _meta(
        task, folder, model=model, seed=seed, proposer=proposer, earlier=earlier, without=parts
    )
    chosen = pool or PoolChoice()
    with (
        writing(folder),
        opened_model(model) as llm,
        closing(open_pool(task.train, chosen, workers, folder)) as trainings,
        ExperienceLog.create(
            folder,
            space=task.space,
            meta=replace(meta, workers=trainings.slots, pool=chosen),
            storage=storage,
            on_wait=_waiting(on_event),
        ) as log,
    ):
        if log.set_aside is not None:
            said = (
                f"{folder} held trials of an earlier study; they were moved to "
                f"{log.set_aside}, and are no part of this one."
            )
            model = model.with_hint(said)
        return _run(
            task,
            log,
            llm,
            seed=seed,
            model=model,
            proposer=proposer,
            record=meta.record,
            hints=meta.hints,
            without=parts,
            pool=trainings,
            keep_going=keep_going,
            on_event=on_event,
        )


def create(
    task: Task,
    folder: Path,
    *,
    model: ModelChoice | None = None,
    seed: int = 0,
    storage: str | None = None,
    proposer: str | None = None,
    earlier: Sequence[str] = (),
    without: Sequence[str] = (),
    workers: int | None = None,
    pool: PoolChoice | None = None,
) -> None:
    """Begin a study of ``task`` in ``folder`` that runs nothing until ``go_on`` or ``work``; no
    language model of ours takes part in it without ``model``. The others are those of ``begin``.

    :raises StudyError: if there is a study in ``folder`` already.
    """
    chosen = pool or PoolChoice()
    if chosen.name == "local":
        open_pool(task.train, chosen, workers, folder).close()  # which may need what is not here
    meta = _meta(
        task,
        folder,
        model=model or ModelChoice(),
        seed=seed,
        proposer=proposer or HYBRID,
        earlier=earlier,
        without=checked_parts(without),
    )
    meta = replace(meta, workers=workers or 1, pool=chosen)
    with (
        writing(folder),
        ExperienceLog.create(folder, space=task.space, meta=meta, storage=storage),
    ):
        pass


def _meta(
    task: Task,
    folder: Path,
    *,
    model: ModelChoice,
    seed: int,
    proposer: str,
    earlier: Sequence[str],
    without: frozenset[str],
) -> StudyMeta:
    """Return what a new study begins with, once that is known to work.

    :raises AgentHPOError: where it does not.
    """
    check_proposer(proposer, has_model=not model.model.is_none, without=without)
    check_priced(task, model)
    identity = uuid.uuid4().hex
    return StudyMeta(
        id=identity,
        seal=seal(identity),
        folder=str(folder.resolve()),
        proposer=proposer,
        record=record_in(folder.parent, model.name),
        hints=hints_of(task, earlier=earlier, without=without, model=model.name, proposer=proposer),
        model=model.name,
        base_url=model.base_url,
        on_llm_failure=model.on_failure,
        llm_timeout_s=model.timeout_s,
        temperature=model.temperature,
        without=tuple(sorted(without)),
        version=__version__,
        name=task.name,
        task_file=task.file,
        seed=seed,
        direction=task.objective.direction,
        metric=task.objective.metric,
        goals=task.goals,
        at=task.objective.at,
        test_metric=task.objective.test_metric,
        space=task.space.describe(),
        trials=task.budget.trials,
        budget=task.budget,
        written_budget=task.written_budget,
        begun_on=surroundings(),
    )


def go_on(
    folder: Path,
    *,
    task: Task | None = None,
    model: ModelChoice | None = None,
    proposer: str | None = None,
    limits: Budget | None = None,
    workers: int | None = None,
    pool: PoolChoice | None = None,
    keep_going: bool = False,
    trusted: bool = False,
    only_asked: bool = False,
    on_event: OnEvent = ignore,
) -> Stopped:
    """Resume the study in ``folder`` until its budget is spent, with each limit replaced that
    ``limits`` sets.

    Where the space has changed since, trials that still fit are built upon, the others are kept and
    shown, and the first words say so.

    A study that was not made here is resumed only where it is ``trusted``, or task, model and
    proposer are all the caller's.

    :param workers: how many trials run at once; as many as before without it.
    :param pool: where they run; where they ran before without it.
    :param only_asked: whether it ends as soon as every trial is run that somebody asked for.
    :raises StudyError: if there is none, its task cannot be found, or the task's objective has
        changed since.
    """
    meta = meta_of(folder)
    if not trusted:
        refuse_foreign(
            folder,
            meta,
            has_task=task is not None,
            has_model=model is not None,
            proposer=proposer,
        )
    task = task or task_of(folder, meta)
    task = with_known_budget(task, meta).with_budget(limits or Budget())
    chosen = pool or meta.pool
    if workers is None and chosen.name == meta.pool.name:
        workers = meta.workers
    with (
        writing(folder),
        ExperienceLog.open(folder, space=task.space, on_wait=_waiting(on_event)) as log,
        closing(open_pool(task.train, chosen, workers, folder)) as trainings,
    ):
        _check_objective(task, meta, log)
        model = model or _model_of(meta)
        proposer = proposer or meta.proposer
        parts = checked_parts(meta.without)
        check_proposer(proposer, has_model=not model.model.is_none, without=parts)
        check_priced(task, model)
        with opened_model(model) as llm:
            hint = _adopted(task, meta, log)
            changed = replace(
                log.meta,
                trials=task.budget.trials,
                budget=task.budget,
                written_budget=task.written_budget,
                space=task.space.describe(),
                workers=trainings.slots,
                pool=chosen,
            )
            if changed != log.meta:  # kept, so that a crash does not bring the old ones back
                log.keep_meta(changed)
            model = model.with_hint(hint)
            return _run(
                task,
                log,
                llm,
                seed=meta.seed,
                model=model,
                proposer=proposer,
                record=meta.record,
                hints=meta.hints,
                without=parts,
                pool=trainings,
                keep_going=keep_going,
                only_asked=only_asked,
                on_event=on_event,
            )


def work(
    folder: Path,
    *,
    task: Task | None = None,
    model: ModelChoice | None = None,
    workers: int = 1,
    keep_going: bool = False,
    trusted: bool = False,
    grace_s: float = GRACE_S,
    on_event: OnEvent = ignore,
) -> Stopped:
    """Run trials of the study in ``folder`` beside other drivers that do the same, here or on other
    machines, until its budget is spent. The trial of a driver that is gone is run again.

    :param workers: how many trials this driver runs at once.
    :param grace_s: seconds without a sign of life after which a driver is given up.
    :raises StudyError: if there is no such study, it is another one than ``task``'s, or a driver
        has it to itself.
    """
    meta = meta_of(folder)
    if not trusted:
        refuse_foreign(
            folder, meta, has_task=task is not None, has_model=model is not None, proposer=None
        )
    task = replace(task or task_of(folder, meta), budget=meta.budget)
    if task.space.describe() != meta.space:
        raise StudyError(
            f"the search space of {task.file or task.name} is not the one that the study {folder} "
            f"has; end its drivers, and adopt the new space by: {pasted('resume', folder)}"
        )
    model = model or _model_of(meta)
    parts = checked_parts(meta.without)
    check_proposer(meta.proposer, has_model=not model.model.is_none, without=parts)
    check_priced(task, model)
    with (
        writing(folder),
        ExperienceLog.open(
            folder, space=task.space, shared=True, grace_s=grace_s, on_wait=_waiting(on_event)
        ) as log,
        opened_model(model) as llm,
        closing(open_pool(task.train, PoolChoice(), workers, folder)) as trainings,
    ):
        _check_objective(task, meta, log)
        return _run(
            task,
            log,
            llm,
            seed=meta.seed,
            model=model,
            proposer=meta.proposer,
            record=meta.record,
            hints=meta.hints,
            without=parts,
            pool=trainings,
            keep_going=keep_going,
            on_event=on_event,
        )


def _waiting(on_event: OnEvent) -> OnWait:
    """Return what tells ``on_event`` in words what is waited for."""
    return lambda words: on_event(Waiting(words))


def _model_of(meta: StudyMeta) -> ModelChoice:
    """Return the model that a study was begun with."""
    return ModelChoice(
        meta.model,
        meta.base_url,
        on_failure=meta.on_llm_failure,
        timeout_s=meta.llm_timeout_s,
        temperature=meta.temperature,
    )


def with_known_budget(task: Task, meta: StudyMeta) -> Task:
    """Return ``task`` with the limits that its study had, but for those that were edited in the
    task file since.
    """
    before, now = meta.written_budget, task.written_budget
    edited = {}
    if before is not None and now is not None:
        names = [each.name for each in fields(Budget)]
        edited = {
            name: getattr(now, name)
            for name in names
            if getattr(now, name) != getattr(before, name)
        }
    return replace(task, budget=replace(meta.budget, **edited))


def rehearse(task: Task) -> None:
    """Build all that a run of ``task`` builds before it trains: proposals with and without a model
    of the results, and what is kept of them.

    :raises AgentHPOError: where that fails.
    """
    proposer = proposer_named(HYBRID, None, seed=0)
    trials = list[Trial]()
    for number in range(_REHEARSED):
        proposal = proposer.propose(task, trials)
        if isinstance(proposal, Stop):
            return
        task.space.check(proposal.params)
        check_storable(task.space, proposal.params)
        task.spec(number, proposal.params, seed=0, workdir=Path("TRIAL_DIR"))
        trials.append(
            Trial(
                number=number,
                proposal=proposal,
                outcome=Outcome("complete", float(number % 3)),
                analysis=Analysis("completed"),
            )
        )


def _adopted(task: Task, meta: StudyMeta, log: ExperienceLog) -> str:
    """Close what is unfinished and outside a space that has changed, and return in words what has
    become of the trials.
    """
    if task.space.describe() == meta.space:
        return ""
    trials = log.trials()
    fitting = {t.number for t in log.fitting_trials()}
    for trial in trials:
        if trial.outcome is None and trial.number not in fitting:
            error = "the search space changed before it ended"
            log.finish(
                trial,
                Outcome("interrupted", error=error),
                Analysis("crashed", (error,), f"It was given up: {error}."),
            )
    left = len(trials) - len(fitting)
    rest = f"; {left} lie outside, and are only shown" if left else ""
    return (
        f"The search space has changed since the study began: {len(fitting)} of {len(trials)} "
        f"trials fit and are built upon{rest}.{_heeded(task, trials)}"
    )


def _heeded(task: Task, trials: Sequence[Trial]) -> str:
    """Return which advice to widen a range the new space has followed, in a sentence that begins
    with a space; empty where none.
    """
    followed = {
        t.proposal.widening.parameter: t.number
        for t in trials
        if t.proposal.widening
        and t.proposal.widening.parameter in task.space.names
        and task.space[t.proposal.widening.parameter].violation(t.proposal.widening.to) is None
    }
    words = [f"{name} was widened as trial {number} advised" for name, number in followed.items()]
    return f" {'; '.join(words)}." if words else ""


def _check_objective(task: Task, meta: StudyMeta, log: ExperienceLog) -> None:
    now = {
        "metric": task.objective.metric,
        "direction": task.objective.direction,
        "at": task.objective.at,
        "others": task.goals,
    }
    then = {
        "metric": meta.metric,
        "direction": log.direction,
        "at": meta.at or task.objective.at,
        "others": meta.goals,
    }
    if changed := next((key for key in now if now[key] != then[key]), None):
        raise StudyError(
            f"the task's objective.{changed} is {now[changed]}, but was {then[changed]} "
            f"when the study {log.folder} began, so that its "
            "values cannot be compared; undo that, or begin a new study by --study NAME"
        )
    limits = {limit.text for limit in task.limits}
    for trial in log.trials():
        if trial.value is not None and trial.outcome and set(trial.outcome.margins) != limits:
            raise StudyError(
                f"the task's constraints on results are {', '.join(sorted(limits)) or 'none'}, but "
                f"trial {trial.number} of the study {log.folder} was judged by "
                f"{', '.join(sorted(trial.outcome.margins)) or 'none'}; undo that, or begin a new "
                f"study by --study NAME --earlier {log.folder.name}"
            )


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the system refuses into a sentence; what was recorded stays, and the study can be
    resumed.
    """
    try:
        yield
    except OSError as problem:
        fix = _DISK.get(
            problem.errno or 0, f"see to {problem.filename or 'its disk'} and resume with"
        )
        raise StudyError(
            f"the study {folder} cannot be written ({problem.strerror or problem}); {fix}: "
            f"{pasted('resume', folder)}"
        ) from None
    except Exception as problem:
        if not (said := storage_words(problem)):
            raise
        raise StudyError(
            f"the storage of {folder} failed ({said}); free it, or give it room, and "
            f"resume with: {pasted('resume', folder)}"
        ) from None


def _run(
    task: Task,
    log: ExperienceLog,
    llm: LLM | None,
    *,
    seed: int,
    model: ModelChoice,
    proposer: str,
    record: Record,
    hints: Sequence[Hint],
    without: frozenset[str],
    pool: Pool,
    keep_going: bool,
    only_asked: bool = False,
    on_event: OnEvent,
) -> Stopped:
    opened = Opened(
        workers=pool.slots,
        shared=log.shared,
        study=log.folder.resolve().name,
        folder=str(log.folder),
        metric=task.objective.metric,
        direction=task.objective.direction,
        model=llm.name if llm else NONE,
        budget=task.budget,
        trials=tuple(log.trials()),
        certify=task.certify,
        goals=task.goals,
        hint=model.hint,
    )
    if not log.shared:  # there is one such file
        on_event = Progressing(log.folder, task.objective.metric, on_event)
    on_event(opened)
    if not log.shared:
        end_left(pool, log.identity, log.workdir(0).parent)
    if llm is not None:
        llm = Redacting(Recorded(llm, log.folder / EXCHANGES))
        if model.on_failure == "stop":
            llm = Strict(llm, f"resume with: {pasted('resume', log.folder)}")
        llm.prepare([head(told(task, [], without)[0], llm)])
    is_certified = task.certify > 0 and not (log.shared or only_asked)
    stopped = run_trials(
        _without_kept(task) if is_certified else task,
        Heeding(
            _of_fidelity(
                task,
                proposer_named(
                    proposer,
                    llm,
                    seed=seed,
                    record=record,
                    hints=hints,
                    without=without,
                    at_once=pool.slots,
                    several=bool(task.goals),
                ),
            ),
            lambda: read_requests(log.folder),
            only_asked=only_asked,
        ),
        executor=Executor(llm, seed, without),
        log=log,
        pool=pool,
        seed=seed,
        keep_going=keep_going,
        # where every proposal is the Creator's, it is to know what was made of the trial before
        words_first=proposer in (CREATOR, PAPER),
        may_earn=proposer == HYBRID,
        as_asked=AsAsked(lambda: read_requests(log.folder).ranges),
        on_event=on_event,
    )
    if is_certified and not stopped.fault:
        _certify(task, log, seed=seed, on_event=on_event)
    return stopped


def _of_fidelity(task: Task, proposer: Proposer) -> Proposer:
    return proposer if task.fidelity is None else Promoting(proposer)


def _without_kept(task: Task) -> Task:
    """Return the task with the budget that is there to search with."""
    trials = task.budget.trials
    if trials is None:
        return task
    return replace(task, budget=replace(task.budget, trials=max(1, trials - task.certify)))


def _certify(task: Task, log: ExperienceLog, *, seed: int, on_event: OnEvent) -> None:
    """Spend what was kept of the budget on the winner and the default."""

    def told(number: int, values: Mapping[int, float], so_far: Certificate) -> None:
        on_event(Waiting(f"certifies: round {number + 1}, {so_far.runs} of {task.certify} runs"))

    meta = log.meta
    with closing(open_pool(task.train, meta.pool, meta.workers, log.folder)) as pool:
        try:
            found = run_rounds(task, log, pool, runs=task.certify, seed=seed, on_round=told)
        except NothingToCertify as problem:
            on_event(Waiting(str(problem)))
        else:
            on_event(Certified(found))
