"""Several drivers of one study: no number twice, the budget exact, and the trial of one that is
killed is run again by another.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from agenthpo.errors import StudyBusy, StudyError
from agenthpo.experience.log import ExperienceLog
from agenthpo.session import create, work
from agenthpo.taskfile.reading import load_task
from calling import agenthpo
from postgres import postgres
from trainings import TOY, TOY_SCRIPT

TASK, SCRIPT = TOY, TOY_SCRIPT


@pytest.fixture(autouse=True)
def task():
    Path("task.yaml").write_text(TASK.replace("TRIALS", "12"))
    Path("train.py").write_text(SCRIPT)


@pytest.fixture(scope="module")
def server():
    with postgres() as begun:
        yield begun


@pytest.fixture(params=["journal", "sqlite", "postgresql"])
def storage(request):
    if request.param == "postgresql":
        return request.getfixturevalue("server").url
    return {"journal": None, "sqlite": "sqlite:///study.db"}[request.param]


def begun(storage, name="toy", trials=12):
    """A study that nobody works in yet."""
    words = ["--study", name, *(["--storage", storage] if storage else [])]
    words += ["--model", "none", "--trials", trials, "--begin-only"]
    said = agenthpo("run", "task.yaml", *words, code=0).stdout
    assert said == f"Begun. Work in it by: agenthpo worker .agenthpo/{name}\n"
    return Path(".agenthpo", name)


def driver(folder, *words, pause="0.1"):
    return subprocess.Popen(
        [sys.executable, "-m", "agenthpo", "worker", str(folder), "--json", *words],
        env={**os.environ, "PAUSE": pause},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def events(said):
    return [json.loads(line) for line in said.splitlines()]


def trials_of(folder):
    with ExperienceLog.open(folder, space=None, read_only=True) as log:
        return log.trials()


def test_four_drivers_share_a_study_one_is_killed_and_nothing_is_lost(storage, request):
    folder = begun(storage, request.node.callspec.id)
    drivers = [driver(folder, pause="0.3") for _ in range(4)]
    killed = drivers[0]
    # it is killed in the middle of a training
    for line in killed.stdout:
        if '"started"' in line:
            number = json.loads(line)["trial"]["number"]
            break
    killed.send_signal(signal.SIGKILL)
    said = [process.communicate(timeout=100)[0] for process in drivers[1:]]
    killed.communicate()
    assert [process.returncode for process in drivers[1:]] == [0, 0, 0]
    found = trials_of(folder)
    assert [t.number for t in found] == list(range(12))
    assert all(t.value is not None for t in found)
    assert len({repr(t.proposal.params) for t in found}) == 12
    started = [e for out in said for e in events(out) if e["event"] == "started"]
    again = [e["trial"]["number"] for e in started if e["again"]]
    assert again == [number]
    counts = Counter(e["trial"]["number"] for e in started)
    assert set(counts.values()) == {1}, "a trial was run by two drivers"
    ran = Counter(Path("runs").read_text().split())
    assert {n for n, count in ran.items() if count > 1} <= {f"{number:04d}"}
    assert all(e["event"] != "stopped" or e["trials"] == 12 for out in said for e in events(out))


def test_a_driver_that_hangs_is_given_up_and_its_late_result_counts_nowhere():
    folder = begun(None, trials=3)
    hangs = driver(folder, pause="2")
    while not any(t.outcome is None for t in trials_of(folder)):
        time.sleep(0.05)
    number = next(t.number for t in trials_of(folder) if t.outcome is None)
    while not (folder / f"trials/{number:04d}/run.log").exists():
        time.sleep(0.05)
    hangs.send_signal(signal.SIGSTOP)
    said = []
    stopped = work(folder, task=load_task("task.yaml"), grace_s=1.0, on_event=said.append)
    assert len(stopped.trials) == 3 and all(t.value is not None for t in stopped.trials)
    ended = {t.number: t.finished_at for t in stopped.trials}
    # what the other one still writes is none of the new attempt's
    first, second = (folder / f"trials/{number:04d}{end}" for end in ("", "-2"))
    assert (second / "outcome.json").exists() and not (first / "outcome.json").exists()
    shown = agenthpo("show", folder, number).stdout
    assert f"trials/{number:04d}-2/run.log" in shown
    hangs.send_signal(signal.SIGCONT)
    out = hangs.communicate(timeout=60)[0]
    assert "was taken over by another driver" in out
    assert {t.number: t.finished_at for t in trials_of(folder)} == ended


def test_a_driver_that_has_the_study_to_itself_shares_it_with_nobody():
    create(load_task("task.yaml"), Path(".agenthpo/toy"))
    task = load_task("task.yaml")
    with (
        ExperienceLog.open(Path(".agenthpo/toy"), space=task.space),
        pytest.raises(StudyBusy, match="another process"),
    ):
        work(Path(".agenthpo/toy"))
    with ExperienceLog.open(Path(".agenthpo/toy"), space=task.space, shared=True):
        assert "another process" in agenthpo("resume", "toy", code=2).stderr


def test_another_machine_joins_by_the_database(server, tmp_path):
    folder = begun(server.url, "joined", trials=4)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("task.yaml", "train.py"):
        (elsewhere / name).write_text(Path(name).read_text())
    words = ("--storage", server.url, "--task", elsewhere / "task.yaml")
    said = agenthpo("worker", elsewhere / "joined", *words, code=0).stdout
    assert "Ended: all 4 trials" in said
    assert (elsewhere / "joined/trials/0003/run.log").exists()
    assert [t.value is None for t in trials_of(folder)] == [False] * 4
    # what is missing or another one is a sentence
    assert "has no study 'other'" in agenthpo("worker", "other", *words, code=2).stderr
    assert not Path("other").exists()
    there = agenthpo("worker", folder, "--storage", "postgresql://x/y", code=2).stderr
    assert "holds another study" in there
    assert (
        "share the study's folder"
        in agenthpo("worker", "new", "--storage", "sqlite:///a.db", code=2).stderr
    )


def test_a_driver_alone_and_one_of_several_do_not_meet_in_a_database(server, monkeypatch):
    from agenthpo.experience import company

    monkeypatch.setattr(company, "BEAT_S", 1.0)
    folder = begun(server.url, "alone")
    task = load_task("task.yaml")
    other = Path("elsewhere/alone")
    from agenthpo.experience.finding import join

    join(other, server.url)
    with (
        ExperienceLog.open(folder, space=task.space),
        pytest.raises(StudyBusy, match=f"process {os.getpid()} on"),
    ):
        ExperienceLog.open(other, space=task.space, shared=True)
    with (
        ExperienceLog.open(other, space=task.space, shared=True),
        pytest.raises(StudyBusy, match="agenthpo worker"),
    ):
        ExperienceLog.open(folder, space=task.space)
    ExperienceLog.open(folder, space=task.space).close()


def test_a_changed_space_is_no_workers_to_adopt():
    folder = begun(None)
    Path("task.yaml").write_text(TASK.replace("high: 9", "high: 8").replace("TRIALS", "9"))
    with pytest.raises(StudyError, match="adopt the new space by: agenthpo resume"):
        work(folder)
