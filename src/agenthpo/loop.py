"""The loop: propose, record, run, analyse, record, until the budget is spent."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from agenthpo.agents.diagnosis import diagnose
from agenthpo.agents.executor import Executor
from agenthpo.agents.faults import fault_of
from agenthpo.agents.words import Words
from agenthpo.errors import StudyError, TakenOver
from agenthpo.events import (
    Event,
    Finished,
    OnEvent,
    Placed,
    Proposing,
    Reading,
    Repeated,
    Reported,
    Started,
    Stopped,
    Waiting,
    ignore,
)
from agenthpo.experience.company import LostTurn
from agenthpo.experience.log import ExperienceLog
from agenthpo.records import Outcome, RunSpec, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.search.ahead import Thinks, is_slow
from agenthpo.search.engine.shadow import shadow_of
from agenthpo.search.repeats import Repeats, seed_of
from agenthpo.search.stopping.watch import Watch
from agenthpo.shadow import Shadow
from agenthpo.task import Task
from agenthpo.training.elsewhere import Lost
from agenthpo.training.metrics import Point
from agenthpo.training.outcome import load_outcome
from agenthpo.training.pool import Pool
from agenthpo.training.runner import OnPoint
from agenthpo.trials import whole_trainings

__all__ = ["run_trials"]

_LOOK_S = 0.5
"""Between two looks at what other drivers have done, or at the memory that is free."""
_MOST_LOST = 3


def run_trials(
    task: Task,
    proposer: Proposer,
    *,
    executor: Executor,
    log: ExperienceLog,
    pool: Pool,
    seed: int = 0,
    keep_going: bool = False,
    words_first: bool = False,
    may_earn: bool = False,
    as_asked: Callable[[Task], Task] = lambda task: task,
    on_event: OnEvent = ignore,
) -> Stopped:
    """Run trials until the budget is spent, and return why it ended and what was found.

    Where it is the task that fails, and not a configuration, it ends early, unless it is to
    ``keep_going``. A trial that an earlier process left unfinished is run first, under its own
    number. After an exception (Ctrl-C too) the log is in order: what ran is unfinished there, and
    the next call resumes it.

    A result is in the log as soon as it is there. Words for it are sought while the next training
    runs, and are there when the one after that is proposed; ``words_first``: before anything is
    proposed. Where a weak model ``may_earn`` trials, it is asked now and then what a training will
    come to. ``as_asked`` says before each trial what people have changed of the task.
    """
    as_written = task
    if pool.slots > 1:
        on_event = _one_at_a_time(on_event)
    with (
        closing(pool),
        Words(
            task, executor, log=log, on_event=on_event, may_earn=may_earn, at_once=pool.slots
        ) as words,
    ):
        watch, repeats = Watch(task, log, on_event), Repeats(task)
        running: dict[Future[Outcome], Trial] = {}
        reason: str | None = None
        fault = ""
        is_told = is_short = False
        lost = Counter[int]()
        while True:
            while reason is None and not fault and len(running) < pool.slots:
                # one alone always begins
                if is_short := bool(running) and not pool.has_room(_memory_mb(task, log)):
                    break
                # several trainings would wait for words on one
                waits = pool.slots == 1 or not is_slow(log.trials())
                words.finish() if words_first else words.collect(waits=waits)
                task = as_asked(as_written)
                log.search_in(task.space)
                try:
                    with log.deciding():
                        trial = _next(task, proposer, log=log, running=running, on_event=on_event)
                except LostTurn:
                    continue
                _tell_news(log, on_event)
                if isinstance(trial, str):
                    reason = trial
                    break
                spec = _spec(task, trial, log=log, seed=seed)
                _think_ahead(task, proposer, log=log, pool=pool, running=len(running) + 1)
                words.begin(trial)
                watch.begin(trial.number)
                reporter = _reporter(task, trial.number, watch, on_event)
                running[pool.submit(spec, reporter)] = trial
            elsewhere = 0 if fault else log.running_elsewhere({t.number for t in running.values()})
            if not running and not elsewhere:
                break
            if not running:
                # one of them may end without a result, and then there is more to do
                if not is_told:
                    many = f"{elsewhere} trial{'s' * (elsewhere > 1)}"
                    on_event(Waiting(f"waits for {many} of other drivers"))
                is_told, reason = True, None
                time.sleep(_LOOK_S)
                continue
            is_told = False
            look_s = _LOOK_S if elsewhere or is_short else None
            for future in wait(running, look_s, return_when=FIRST_COMPLETED).done:
                trial = running.pop(future)
                try:
                    outcome = future.result()
                except Lost as problem:
                    lost[trial.number] += 1
                    _check_lost(lost[trial.number], trial, problem)
                    log.lose(trial.number)
                    repeats.forget(trial.number)
                    on_event(Waiting(f"trial {trial.number} is lost ({problem}) and runs again"))
                    continue
                found = repeats.took(trial, outcome, log.fitting_trials())
                if isinstance(found, int):
                    on_event(Repeated(trial.number, found, task.repeats, outcome.value))
                    spec = _spec(task, trial, log=log, seed=seed, run=found)
                    reporter = _reporter(task, trial.number, None, on_event)
                    running[pool.submit(spec, reporter)] = trial
                    continue
                outcome = found
                analysis = diagnose(task, trial, outcome=outcome, trials=log.fitting_trials())
                try:
                    ended = log.record(trial, outcome, analysis)
                except TakenOver as problem:
                    on_event(Waiting(str(problem)))
                    continue
                on_event(Finished(ended, log.incumbent()))
                words.add(ended)
                fault = fault or ("" if keep_going else fault_of(log.fitting_trials()))
            # what was asked while trials ran is asked again, now that one more may have ended
            reason = None
        words.finish()
        stopped = Stopped(
            reason=fault or reason or "nothing is left to do",
            trials=tuple(log.trials()),
            incumbent=log.incumbent(),
            fault=fault,
            shadow=_shadow(task, log, seed),
        )
        on_event(stopped)
        return stopped


def _spec(task: Task, trial: Trial, *, log: ExperienceLog, seed: int, run: int = 0) -> RunSpec:
    """Return what to run, in the folder of an attempt that is thought to be lost where that has
    come to its end all the same. Later runs of a trial have folders of their own.
    """
    number = trial.number
    # measured again with the same seed, a configuration would only say the same again
    again = sum(
        t.number < number and t.proposal.sorted_params == trial.proposal.sorted_params
        for t in log.trials()
    )
    own_seed = seed_of(seed, again * task.repeats + run)

    def there(workdir: Path) -> RunSpec:
        params = trial.proposal.params
        workdir = workdir.with_name(f"{workdir.name}r{run}") if run else workdir
        return task.spec(number, params, seed=own_seed, workdir=workdir, study=log.identity)

    earlier = (there(workdir) for workdir in log.earlier_workdirs(number))
    ended = (spec for spec in earlier if load_outcome(Path(spec.workdir), spec.owner))
    return next(ended, None) or there(log.workdir(number))


def _memory_mb(task: Task, log: ExperienceLog) -> float:
    """Return what a training may hold, in 10^6 bytes: its limit, else the most that one held."""
    peaks = (t.outcome.peak_mb or 0.0 for t in log.trials() if t.outcome)
    return task.train.memory_mb or max(peaks, default=0.0)


def _check_lost(times: int, trial: Trial, problem: Lost) -> None:
    """Raise ``StudyError`` where a trial is lost again and again."""
    if times >= _MOST_LOST:
        raise StudyError(
            f"trial {trial.number} was lost {times} times ({problem}); see to where it runs and "
            "resume the study"
        )


def _think_ahead(
    task: Task, proposer: Proposer, *, log: ExperienceLog, pool: Pool, running: int
) -> None:
    """Have the next proposal thought of while all slots are busy, where there is to be one."""
    if running < pool.slots or log.shared or not isinstance(proposer, Thinks):
        return
    trials = log.fitting_trials()
    # beside one training only a first choice is thought of
    if pool.slots == 1 and any(t.outcome is not None for t in trials):
        return
    if task.reason(log.spent().with_running(running)) is None:
        proposer.think(task, trials, pool.slots)


def _tell_news(log: ExperienceLog, on_event: OnEvent) -> None:
    """Tell which trials other drivers have ended."""
    for trial in log.news():
        on_event(Finished(trial, log.incumbent(), elsewhere=True))


def _one_at_a_time(on_event: OnEvent) -> OnEvent:
    """Return ``on_event`` for several threads, which tell it one after the other."""
    lock = threading.RLock()

    def told(event: Event) -> None:
        with lock:
            on_event(event)

    return told


def _shadow(task: Task, log: ExperienceLog, seed: int) -> Shadow | None:
    """Return what the engine alone would have been expected to reach, and keep it with the study;
    None where nobody else took part.
    """
    # it foretells the best whole training in one objective
    if task.goals or task.fidelity:
        return None
    trials = log.fitting_trials()
    if all(t.proposal.source in ("default", "engine") for t in trials):
        return None
    known = log.meta.shadow
    if known is not None and known.trials == sum(t.outcome is not None for t in trials):
        return known
    found = shadow_of(task, trials, seed)
    log.keep_meta(replace(log.meta, shadow=found))
    return found


def _next(
    task: Task,
    proposer: Proposer,
    *,
    log: ExperienceLog,
    running: dict[Future[Outcome], Trial],
    on_event: OnEvent,
) -> Trial | str:
    """Return the next trial to run, an unfinished one first, or the reason why there is none."""
    ours = {trial.number for trial in running.values()}
    trials = log.trials()
    if left := log.left(ours):
        on_event(Started(left, again=True))
        return left
    elsewhere = log.running_elsewhere(ours)
    begun = whole_trainings(running.values()) + elsewhere
    if reason := task.reason(log.spent().with_running(begun)):
        return reason
    on_event(Proposing(len(trials)))
    proposal = proposer.propose(task, log.fitting_trials())
    if isinstance(proposal, Stop):
        return proposal.reason
    if task.fidelity is not None:
        proposal = replace(proposal, share=task.fidelity.share(proposal.params))
    started = log.start(proposal)
    on_event(Started(started))
    return started


def _reporter(task: Task, number: int, watch: Watch | None, on_event: OnEvent) -> OnPoint:
    def report(point: Point) -> None:
        if point.read is not None:
            on_event(Reading(number, *point.read))
        if point.place:
            on_event(Placed(number, point.place))
        values = {
            name: value
            for name, value in point.values.items()
            if name != task.objective.test_metric
        }
        if values:
            on_event(Reported(number, point.step, values))
        # a trial's curve is its first run's
        if watch is not None:
            watch.take(number, point)

    return report
