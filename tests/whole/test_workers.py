"""Studies that run several trials at once: the budget is exact, nothing is tried twice, and a
driver that is stopped or killed leaves nothing running.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from agenthpo import tune
from agenthpo.budget import Spent
from agenthpo.events import Finished, Opened, Placed, Reported, Started
from agenthpo.records import Outcome, Proposal, Trial
from agenthpo.session import begin, go_on
from agenthpo.taskfile.reading import load_task
from calling import agenthpo
from trainings import TOY

TASK = TOY.replace("TRIALS", "8")
SCRIPT = """\
import os, sys, time
time.sleep(float(os.environ.get("PAUSE", 0.2)))
print("acc:", float(sys.argv[1]) + int(sys.argv[2]) / 100)
"""


@pytest.fixture(autouse=True)
def task():
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text(SCRIPT)


def most_at_once(events):
    now = most = 0
    for event in events:
        now += isinstance(event, Started) - isinstance(event, Finished)
        most = max(most, now)
    return most


def test_a_study_runs_its_trials_at_once_and_its_budget_is_exact():
    events = []
    stopped = begin(
        load_task("task.yaml"), Path(".agenthpo/toy"), workers=3, on_event=events.append
    )
    assert most_at_once(events) == 3
    assert len(stopped.trials) == 8 and all(t.value is not None for t in stopped.trials)
    assert [t.number for t in stopped.trials] == list(range(8))
    assert len({repr(t.proposal.params) for t in stopped.trials}) == 8
    assert next(e for e in events if isinstance(e, Opened)).workers == 3
    assert {e.trial for e in events if isinstance(e, Reported)} == set(range(8))
    placed = {e.trial: e.place for e in events if isinstance(e, Placed)}
    assert set(placed) == set(range(8)) and set(placed.values()) == {f"slot {n}" for n in range(3)}
    # it goes on with as many
    more = []
    from agenthpo.budget import Budget

    go_on(Path(".agenthpo/toy"), limits=Budget(12), on_event=more.append)
    assert most_at_once(more) == 3


def test_time_that_several_trials_take_at_once_counts_once():
    def ended(number, start, end):
        outcome = Outcome("complete", 0.5, duration_s=end - start)
        return Trial(number, Proposal({}, "engine"), outcome, finished_at=end)

    trials = [ended(0, 100, 110), ended(1, 102, 104), ended(2, 105, 120), ended(3, 130, 135)]
    assert Spent.of(trials, "maximize").time_s == 25
    assert Spent.of(list(reversed(trials)), "maximize").time_s == 25


def test_the_commands_say_which_trial_is_which():
    said = agenthpo("run", "task.yaml", "--workers", "2", "--model", "none", code=0).stdout
    assert "[7] " in said and "Ended: all 8 trials" in said
    for number in range(8):
        assert sum(line.startswith(f"[{number}] ") for line in said.splitlines()) == 2
    shown = json.loads(agenthpo("show", "toy", "--json").stdout)
    assert shown["study"]["workers"] == 2 and len(shown["trials"]) == 8
    assert "more GPUs than there are" in _with_gpus("run", "task.yaml", "--study", "g")


def test_json_lines_say_which_gpu_each_trial_has(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    Path("task.yaml").write_text(TASK + "resources: {gpus: 1}\n")
    words = ("run", "task.yaml", "--study", "g", "--workers", "2", "--model", "none", "--json")
    events = [json.loads(line) for line in agenthpo(*words, code=0).stdout.splitlines()]
    placed = {e["trial"]: e["place"] for e in events if e["event"] == "placed"}
    assert set(placed) == set(range(8))
    assert set(placed.values()) == {"slot 0, GPU 0", "slot 1, GPU 1"}


def _with_gpus(*words):
    Path("task.yaml").write_text(TASK + "resources: {gpus: 1}\n")
    done = agenthpo(*words, "--model", "none", code=2)
    assert not Path(".agenthpo/g").exists()
    return done.stderr


def test_fractions_of_a_gpu_above_one_are_refused():
    Path("task.yaml").write_text(TASK + "resources: {gpus: 1.5}\n")
    assert "must be a whole number above 1" in agenthpo("check", "task.yaml", code=2).stderr


@pytest.mark.parametrize(
    ("train", "is_refused"),
    [
        ("metrics: auto", True),
        ("metrics_file: log.csv", True),
        ("metrics_file: '{trial_dir}/log.csv'", False),
        ("metrics: auto, folder: copy", False),
    ],
)
def test_files_that_trials_at_once_would_share_are_refused(train, is_refused):
    Path("task.yaml").write_text(TASK.replace('{y}"}', '{y}", ' + train + "}"))
    words = ("run", "task.yaml", "--workers", "2", "--model", "none", "--trials", "1")
    done = agenthpo(*words)
    assert ("could read each other's files" in done.stderr) == is_refused, done


def test_functions_run_at_once_too():
    events, three = [], threading.Barrier(3)

    def objective(params):
        three.wait(30)
        return params["x"]

    space = {"x": {"type": "float", "low": 0.0, "high": 1.0}}
    result = tune(
        objective, space, direction="maximize", trials=6, workers=3, model="none",
        on_event=events.append,
    )  # fmt: skip
    assert most_at_once(events) == 3 and len(result.trials) == 6


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_driver_that_is_stopped_leaves_nothing_running_and_loses_nothing(number):
    process = subprocess.Popen(
        [sys.executable, "-m", "agenthpo", "run", "task.yaml", "--workers", "2", "--model", "none"],
        env={**os.environ, "PAUSE": "1.5"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(Path(".agenthpo").glob("toy/trials/0002/run.log")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]
    if number != signal.SIGKILL:
        assert process.returncode == 130 and "Resume with: agenthpo resume .agenthpo/toy" in said
    deadline = time.monotonic() + 10
    while any(map(_is_ours, psutil.process_iter())):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    trials = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]
    done = {t["number"]: t["value"] for t in trials if t["value"] is not None}
    assert 1 <= len(done) < 8
    os.environ["PAUSE"] = "0"
    try:
        agenthpo("resume", "toy", code=0)
    finally:
        del os.environ["PAUSE"]
    trials = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]
    assert len(trials) == 8 and all(t["value"] is not None for t in trials)
    assert done.items() <= {t["number"]: t["value"] for t in trials}.items()


def _is_ours(process):
    """Whether it is a training of this test's, and not of another one beside it."""
    try:
        return "train.py" in " ".join(process.cmdline()) and process.cwd() == os.getcwd()
    except psutil.Error:
        return False
