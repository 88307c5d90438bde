"""A storage that does not answer for a while: nothing is lost, and the study goes on by itself."""

import re
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from agenthpo.errors import StudyError
from agenthpo.events import Finished, Started, Waiting
from agenthpo.experience import patience
from agenthpo.experience.log import ExperienceLog
from agenthpo.session import begin, create, go_on, work
from agenthpo.taskfile.reading import load_task
from postgres import postgres

TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py {x}"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
budget: {trials: 4}
"""
FOLDER = Path(".agenthpo/toy")


@pytest.fixture(autouse=True)
def task():
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text("import sys, time\ntime.sleep(0.1)\nprint('acc:', sys.argv[1])")
    return load_task("task.yaml")


@pytest.fixture(scope="module")
def server():
    with postgres() as begun:
        yield begun


def whole(trials, folder=FOLDER, count=4):
    assert [t.number for t in trials] == list(range(count))
    assert all(t.value is not None for t in trials)
    with ExperienceLog.open(folder, space=None, read_only=True) as log:
        assert [(t.number, t.value) for t in log.trials()] == [(t.number, t.value) for t in trials]
    assert len({repr(t.proposal.params) for t in trials}) == count


class Once:
    """Do something at the so-manieth event of a kind, and hear them all."""

    def __init__(self, kind, action, after=2):
        self.kind, self.action, self.left, self.heard = kind, action, after, []

    def __call__(self, event):
        self.heard.append(event)
        if isinstance(event, self.kind):
            self.left -= 1
            if self.left == 0:
                self.action()

    @property
    def waits(self):
        return [e.why for e in self.heard if isinstance(e, Waiting)]


@pytest.mark.parametrize("kind", [Started, Finished])
def test_a_database_that_another_program_locks_is_waited_for(task, kind):
    def lock():
        held = threading.Event()

        def hold():
            with closing(sqlite3.connect("study.db", isolation_level=None, timeout=20)) as other:
                other.execute("BEGIN EXCLUSIVE")
                held.set()
                time.sleep(1.5)
                other.execute("COMMIT")

        threading.Thread(target=hold).start()
        assert held.wait(20)

    hears = Once(kind, lock)
    stopped = begin(task, FOLDER, storage="sqlite:///study.db?timeout=0.5", on_event=hears)
    whole(stopped.trials)
    assert any("does not answer" in why and "locked" in why for why in hears.waits)


@pytest.mark.parametrize(("kind", "shared"), [(Started, True), (Finished, False)])
def test_a_server_that_is_started_again_is_waited_for(task, server, shared, kind, request):
    folder = Path(".agenthpo", re.sub(r"\W+", "-", request.node.callspec.id))

    def restart():
        server.stop()
        again.start()

    again = threading.Timer(0.7, server.start)
    hears = Once(kind, restart)
    try:
        if shared:
            create(task, folder, storage=server.url)
            stopped = work(folder, task=task, workers=2, on_event=hears)
        else:
            stopped = begin(task, folder, storage=server.url, on_event=hears)
    finally:
        again.join()
    assert any("does not answer" in why for why in hears.waits)
    whole(stopped.trials, folder)


def test_patience_ends_and_the_study_is_resumed(task, monkeypatch):
    monkeypatch.setattr(patience.Patience.__init__, "__defaults__", (lambda words: None, 1.0))
    other = sqlite3.connect("study.db", isolation_level=None, check_same_thread=False)
    hears = Once(Finished, lambda: other.execute("BEGIN EXCLUSIVE"), after=3)
    with pytest.raises(StudyError, match=r"(?s)locked.*resume with: agenthpo resume"):
        begin(task, FOLDER, storage="sqlite:///study.db?timeout=0.2", on_event=hears)
    other.execute("ROLLBACK")
    other.close()
    whole(go_on(FOLDER, task=task).trials)


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_a_clock_that_jumps_loses_nothing_and_takes_nothing_over(task, monkeypatch, jump):
    there = time.time
    create(task, FOLDER)
    hears = Once(Started, lambda: monkeypatch.setattr(time, "time", lambda: there() + jump))
    stopped = work(FOLDER, task=task, workers=2, grace_s=1.0, on_event=hears)
    whole(stopped.trials)
    assert not any(e.again for e in hears.heard if isinstance(e, Started))


def test_what_will_not_pass_is_not_waited_for():
    from sqlalchemy.exc import OperationalError

    calls = []

    def full():
        calls.append(1)
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with pytest.raises(OperationalError):
        patience.Patience()(full)
    assert len(calls) == 1


def test_a_trial_whose_answer_was_lost_is_not_added_twice(task, monkeypatch):
    from sqlalchemy.exc import OperationalError

    add, failed = ExperienceLog._add, []

    def lost(self, *given):
        add(self, *given)
        if len(failed) < 2:
            failed.append(1)
            raise OperationalError("INSERT", {}, Exception("server closed the connection"))

    monkeypatch.setattr(ExperienceLog, "_add", lost)
    whole(begin(task, FOLDER, storage="sqlite:///study.db").trials)
    assert len(failed) == 2
