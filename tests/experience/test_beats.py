"""Which of several drivers are gone, told from their beats and from nobody's clock."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from agenthpo.experience.beats import FolderBeats, Heart, StudyBeats, Watch, this_driver


def in_folder():
    return FolderBeats(Path())


def in_database():
    storage = optuna.storages.RDBStorage("sqlite:///beats.db")
    study = optuna.create_study(storage=storage, study_name="s", load_if_exists=True)
    return StudyBeats(study._storage, study._study_id)


@pytest.fixture(params=[in_folder, in_database])
def beats(request):
    return request.param()


def elsewhere(name, count=0):
    return replace(this_driver(), driver=name, count=count, machine="another machine")


def test_a_driver_is_gone_once_its_beats_have_stopped_for_the_grace(beats):
    now = [1000.0]
    watch = Watch(beats, 60, clock=lambda: now[0])
    beats.leave(elsewhere("a"))
    for count in range(1, 5):
        assert watch.gone({"a"}) == set()
        now[0] += 59
        beats.leave(elsewhere("a", count))
    assert watch.gone({"a"}) == set()
    now[0] += 59
    assert watch.gone({"a"}) == set()
    now[0] += 2
    assert watch.gone({"a", "never seen"}) == {"a"}
    now[0] += 61
    assert watch.gone({"never seen"}) == {"never seen"}
    # it comes back, as a machine does that was asleep
    beats.leave(elsewhere("a", 9))
    assert watch.gone({"a"}) == set()


def test_a_clock_that_jumps_takes_no_driver_for_gone(beats, monkeypatch):
    watch = Watch(beats, 60)
    beats.leave(elsewhere("a"))
    assert watch.gone({"a"}) == set()
    monkeypatch.setattr("time.time", lambda: 10e9)
    assert watch.gone({"a"}) == set()


def test_a_process_that_has_ended_here_is_gone_at_once(beats):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    from agenthpo.experience.process import born

    beats.leave(replace(this_driver(), driver="b", pid=process.pid, born=born(process.pid)))
    watch = Watch(beats)
    assert watch.gone({"b"}) == set()
    process.communicate(b"\n")
    assert watch.gone({"b"}) == {"b"}


def test_its_number_may_be_another_process_by_now(beats):
    beats.leave(replace(this_driver(), driver="b", born="1"))
    assert Watch(beats).gone({"b"}) == {"b"}


def test_a_heart_beats_until_it_is_stopped(beats):
    import time

    me = this_driver()
    heart = Heart(me, beats, every_s=0.05)
    heart.start()
    deadline = time.monotonic() + 20
    while beats.read()[me.driver].count < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    heart.stop()
    assert beats.read().get(me.driver) is None


def test_a_beat_that_cannot_be_read_says_nothing():
    Path("drivers").mkdir()
    Path("drivers/a.json").write_text('{"driver": ')
    Path("drivers/b.json").write_text(json.dumps({"driver": "b", "count": "x"}))
    os.mkfifo("drivers/c.json")
    assert in_folder().read() == {}
