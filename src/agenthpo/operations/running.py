"""Run what was proposed in a process of its own, and see how far it has come."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from agenthpo.errors import StudyError, TaskError
from agenthpo.experience.finding import study_signs
from agenthpo.experience.progress import Progress, note_error, read_progress
from agenthpo.experience.requests import Request
from agenthpo.files import open_regular
from agenthpo.operations.answers import Running, Started, TrialLine, Waited
from agenthpo.operations.asking import ask
from agenthpo.operations.opening import is_over
from agenthpo.operations.place import Place, Standing
from agenthpo.operations.worker import WORKER_LOG
from agenthpo.records import Trial
from agenthpo.search.heeding import hindrance
from agenthpo.text.phrases import trial_words
from agenthpo.thinning import thinned
from agenthpo.trials import incumbent, verdict

__all__ = ["LONGEST_WAIT_S", "line_of", "run", "wait", "waiting_words"]

LONGEST_WAIT_S = 45.0
"""A client cuts a call after 60 seconds."""
_LOOK_S, _TOLD_S, _REST = 0.1, 2.0, 4.0
_MOST_AT_ONCE = 50
_POINTS = 20
_workers: dict[Path, int] = {}
"""The processes of the drivers that this one has started, by the study's folder."""
_seeing = threading.Lock()
"""Several calls at once start one driver."""
OnWait = Callable[[Waited], None]


def run(at: Place, study: str, trials: int | None = None, engine: bool = False) -> Started:
    """Run what waits, or the engine's own candidates, in the background; it returns at once.

    A call that comes again before its trials have begun asks for nothing more.

    :param study: as ``open_study`` calls it.
    :param trials: how many; as many as wait without it, and one of the engine's.
    :param engine: whether the engine's own candidates are run, not what waits.
    :raises StudyError: where nothing waits, or the budget is spent.
    """
    folder = at.study(study)
    if trials is not None and not 1 <= trials <= _MOST_AT_ONCE:
        raise TaskError(f"trials is {trials}, but must be from 1 to {_MOST_AT_ONCE}")

    def decided(opened: Standing) -> Request:
        if over := is_over(opened):
            raise StudyError(f"no further trial is run: {over}")
        before = _asked_before(opened, at, engine=engine)
        number = _number(opened, trials, engine=engine, before=before)
        if number == 0 and before is not None:
            return before
        return Request("run", at.by, is_person=at.is_person, trials=number, by_engine=engine)

    request, opened = ask(folder, decided)
    is_known = opened.asked.by_id(request.id) is not None
    said = "is asked for already" if is_known else "run in the background"
    _see_to(Standing.at(folder), request)
    words = f"{request.trials} trial{'s' * (request.trials != 1)} {said}"
    if not opened.trials and opened.task.space.default() is not None:
        words += "; the default configuration comes first, since everything is compared with it"
    return Started(request.id, request.trials, f"{words}.", f"wait with the handle {request.id}")


def _asked_before(opened: Standing, at: Place, *, engine: bool) -> Request | None:
    """Return the same one's latest request of the kind of which no trial has begun yet."""
    left = [
        r
        for r, count in opened.asked.left_to_run(opened.trials)
        if r.by == at.by and r.by_engine == engine and count == r.trials
    ]
    return left[-1] if left else None


def _number(opened: Standing, trials: int | None, *, engine: bool, before: Request | None) -> int:
    """Return how many trials are to be asked for now: 0 where they are asked for already."""
    budget = opened.task.budget.trials
    left = opened.asked.left_to_run(opened.trials)
    asked_for = sum(count for _, count in left)
    room = _MOST_AT_ONCE if budget is None else budget - len(opened.trials) - asked_for
    if not opened.trials and opened.task.space.default() is not None:
        room -= 1  # the default's
    if engine:
        number = trials or 1
        if before is not None and before.trials == number:
            return 0
    else:
        task, all_trials = opened.task, opened.trials
        waiting = [
            r for r in opened.asked.waiting(all_trials) if not hindrance(task, all_trials, r)
        ]
        free = len(waiting) - sum(count for r, count in left if not r.by_engine)
        if free <= 0 and before is not None:
            return 0
        if free <= 0:
            raise StudyError(
                "no configuration waits for a trial; propose one, or run the engine's own "
                "candidate (engine)"
            )
        number = min(trials or free, free)
    if room <= 0:
        raise StudyError(
            f"all {budget} trials of the budget are done or asked for; a person may raise it"
        )
    return min(number, room)


def wait(
    at: Place,
    study: str,
    handle: str = "",
    seconds: float = LONGEST_WAIT_S,
    on_wait: OnWait = lambda waited: None,
) -> Waited:
    """Wait until the trials that were asked for have ended, for at most so many seconds.

    :param handle: what ``run`` returned; the latest without it.
    :param seconds: 45 at most.
    :param on_wait: told how far they have come, at each look.
    :raises StudyError: where there is no such handle.
    """
    if not 0 <= seconds <= LONGEST_WAIT_S:
        raise TaskError(f"seconds is {seconds:g}, but must be from 0 to {LONGEST_WAIT_S:g}")
    folder = at.study(study)
    end = time.monotonic() + seconds
    told = time.monotonic()
    signs, cost = None, 0.0
    while True:
        now = study_signs(folder)
        since = time.monotonic() - told
        # a database elsewhere shows no signs, so that it is read all the same now and then; a long
        # study of which every report is a sign is not read all the time
        is_due = since > _TOLD_S or (now != signs and since >= _REST * cost)
        if is_due or time.monotonic() >= end:
            signs, began = now, time.monotonic()
            opened = Standing.at(folder)
            request = _handle(opened, handle)
            waited = _waited(opened, request, _see_to(opened, request))
            if waited.done or time.monotonic() >= end:
                return waited
            told = time.monotonic()
            cost = told - began
            on_wait(waited)
        time.sleep(_LOOK_S)


def waiting_words(waited: Waited) -> str:
    """Return in a line how far the trials have come."""
    if not waited.running:
        return f"{len(waited.ended)} ended, {waited.left} to come"
    return "; ".join(_training(running) for running in waited.running)


def _training(running: Running) -> str:
    words = f"trial {running.number} trains for {running.seconds:.0f} s"
    if not running.curve:
        return words
    step, value = running.curve[-1]
    return f"{words}, {value:.6g} at step {step:g}"


def _handle(opened: Standing, handle: str) -> Request:
    runs = [r for r in opened.asked.requests if r.kind == "run"]
    if not handle and not runs:
        raise StudyError("no trial was asked for yet; propose, then run")
    found = opened.asked.by_id(handle) if handle else runs[-1]
    if found is None or found.kind != "run":
        known = ", ".join(r.id for r in runs[-5:]) or "none yet"
        raise StudyError(f"{handle[:20]!r} is no handle of run; there are: {known}")
    return found


def _waited(opened: Standing, request: Request, progress: Progress | None) -> Waited:
    mine = [t for t in opened.trials if t.proposal.asked == request.id]
    # the default is run before the first trial that was asked for, and told with it
    first = [t for t in opened.trials if t.proposal.source == "default" and not t.proposal.asked]
    shown = [t for t in first if not mine or t.number + 1 == mine[0].number] + mine
    left = request.trials - len(mine)
    going = [t for t in opened.trials if t.outcome is None]
    problem = _problem(opened, request, left, progress)
    is_done = all(t.outcome is not None for t in mine) and (left == 0 or bool(problem))
    if request.id in opened.asked.vetoed and all(t.outcome is not None for t in mine):
        is_done, problem = True, "it was taken back"
    return Waited(
        done=is_done,
        ended=[line_of(opened, t) for t in shown if t.outcome is not None],
        running=[_running(trial, progress) for trial in going],
        left=left,
        problem=problem,
        next="analyse, then briefing and propose" if is_done else f"wait with {request.id} again",
    )


def _problem(opened: Standing, request: Request, left: int, progress: Progress | None) -> str:
    """Return why trials that are left are not run; empty while they may be."""
    if left == 0:
        return ""
    if over := is_over(opened):
        return over
    if progress is None or progress.at_work or progress.ended_at < request.at:
        return ""
    return progress.fault or progress.error


def _running(trial: Trial, progress: Progress | None) -> Running:
    points = progress.points.get(trial.number, ()) if progress else ()
    return Running(
        number=trial.number,
        source=trial.proposal.who,
        params=trial.proposal.params,
        seconds=round(max(time.time() - trial.started_at, 0.0), 1),
        curve=[[step, value] for step, value in thinned(points, _POINTS)],
    )


def line_of(opened: Standing, trial: Trial) -> TrialLine:
    """Return a trial in short, without the test metric."""
    direction = opened.task.objective.direction
    return TrialLine(
        number=trial.number,
        source=trial.proposal.who,
        state=trial.outcome.status if trial.outcome else "running",
        params=trial.proposal.params,
        value=trial.value,
        prediction=verdict(trial, direction) or "",
        says=trial_words(trial, incumbent(opened.trials, direction), direction),
    )


def _see_to(opened: Standing, request: Request) -> Progress | None:
    """Start a driver where trials are left that nobody is at work on, and return how far the
    latest one has come.
    """
    with _seeing:
        _reap()
        progress = read_progress(opened.folder)
        if opened.folder not in _workers and _is_wanted(opened, request, progress):
            _workers[opened.folder] = _started(opened.folder)
        return progress


def _is_wanted(opened: Standing, request: Request, progress: Progress | None) -> bool:
    """Return whether a driver is to be started for what is left of ``request``."""
    if progress is not None:
        has_failed = bool(progress.fault or progress.error) and progress.ended_at >= request.at
        if progress.at_work or has_failed:  # what was tried would fail the same way
            return False
    has_begun = any(t.proposal.asked == request.id and t.outcome is None for t in opened.trials)
    is_left = any(r.id == request.id for r, _ in opened.asked.left_to_run(opened.trials))
    return not is_over(opened) if is_left else has_begun


def _started(folder: Path) -> int:
    """Start a driver for the study in ``folder``, and return its process."""
    log = open_regular(folder / WORKER_LOG, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    try:
        driver = subprocess.Popen(
            [sys.executable, "-P", "-m", "agenthpo.operations.worker", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            # it outlives whoever asked: a client that is closed, a server that is killed
            start_new_session=True,
        )
    finally:
        os.close(log)
    driver.returncode = 0  # it is not waited for by this object, which would complain of that
    return driver.pid


def _reap() -> None:
    """Take leave of the drivers that have ended; one that could not begin has told nobody why."""
    for folder, pid in list(_workers.items()):
        try:
            ended, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # somebody else has waited for it
            ended, status = pid, 0
        if not ended:
            continue
        _workers.pop(folder, None)
        progress = read_progress(folder)
        code = os.waitstatus_to_exitcode(status)
        if code > 0 and (progress is None or progress.pid != pid):
            note_error(folder, f"the driver ended with exit code {code}; see {WORKER_LOG}")
