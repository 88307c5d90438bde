"""Trials of several runs, from the task file to what is shown; a killed driver loses none."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agenthpo.events import Finished, Repeated
from agenthpo.session import begin
from agenthpo.taskfile.reading import load_task
from calling import agenthpo
from trainings import until

SCRIPT = """\
import random, sys
with open("ran", "a") as ran:
    print(*sys.argv[1:], file=ran)
draw = random.Random(int(sys.argv[2]))
print("acc:", float(sys.argv[1]) + draw.gauss(0, 0.02))
"""
TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py {x} {seed}"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
repeats: 3
budget: {trials: 7}
"""


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT)
    Path("task.yaml").write_text(TASK)


def ran():
    return [line.split() for line in Path("ran").read_text().splitlines()]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_study_of_repeated_trials(workers):
    events = []
    stopped = begin(
        load_task("task.yaml"), Path(".agenthpo/toy"), workers=workers, on_event=events.append
    )
    outcomes = [t.outcome for t in stopped.trials]
    assert len(outcomes) == 7 and len(outcomes[0].repeats) == 3
    assert all(o.value == pytest.approx(sum(o.repeats) / len(o.repeats)) for o in outcomes)
    # clear losers have fewer
    beaten = [o for o in outcomes if o.beaten_by is not None]
    assert beaten and all(len(o.repeats) < 3 for o in beaten)
    assert len(ran()) == sum(len(o.repeats) for o in outcomes) < 21
    # the same seeds in every trial, and in the same order
    by_x = {}
    for x, seed in ran():
        by_x.setdefault(x, []).append(seed)
    seeds = max(by_x.values(), key=len)
    assert len(set(seeds)) == 3 and all(seeds[: len(each)] == each for each in by_x.values())
    assert len(stopped.incumbent.outcome.repeats) == 3
    assert sum(isinstance(e, Repeated) for e in events) == len(ran()) - 7
    assert sum(isinstance(e, Finished) for e in events) == 7
    shown = agenthpo("show", "toy", str(stopped.incumbent.number)).stdout
    assert "Runs: " in shown
    loser = next(t.number for t in stopped.trials if t.outcome.beaten_by is not None)
    assert "is clearly better with the same seeds" in agenthpo("show", "toy", str(loser)).stdout


def test_lines_say_which_run_is_done():
    done = agenthpo("run", "task.yaml", "--model", "none", "--trials", "2", code=0)
    assert "    run 1 of 3: 0." in done.stdout and "    run 2 of 3: 0." in done.stdout
    lines = agenthpo(
        "run", "task.yaml", "--model", "none", "--study", "b", "--trials", "1", "--json"
    )
    told = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [e["run"] for e in told if e["event"] == "repeated"] == [1, 2]


def test_a_killed_driver_runs_again_only_what_was_not_done():
    Path("train.py").write_text(
        SCRIPT + "import os, time\nwhile len(open('ran').readlines()) == 3 and "
        "not os.path.exists('go'):\n    time.sleep(0.02)\n"
    )
    words = [sys.executable, "-m", "agenthpo", "run", "task.yaml", "--model", "none"]
    driver = subprocess.Popen(
        [*words, "--trials", "2"], stdout=subprocess.DEVNULL, start_new_session=True
    )
    # the third run of the first trial waits
    until(lambda: Path("ran").exists() and len(ran()) == 3)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    Path("go").touch()
    agenthpo("resume", "toy", code=0)
    trials = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]
    assert len(trials) == 2 and len(trials[0]["repeats"]) == 3
    # one was cut, and ran again
    assert len([x for x, _ in ran() if float(x) == 0.5]) == 4
    assert os.path.isdir(".agenthpo/toy/trials/0000r2")


@pytest.mark.parametrize("repeats", ["0", "many", "1000"])
def test_a_wrong_count_is_a_sentence(repeats):
    Path("task.yaml").write_text(TASK.replace("repeats: 3", f"repeats: {repeats}"))
    done = agenthpo("check", "task.yaml", code=2)
    assert "repeats" in done.stderr and "Traceback" not in done.stderr


NOISY = TASK.replace("repeats: 3\n", "").replace("maximize}", "maximize, noisy: true}")


def test_the_default_is_measured_twice_where_values_are_noisy():
    Path("task.yaml").write_text(NOISY.replace("trials: 7", "trials: 20"))
    agenthpo("run", "task.yaml", "--model", "none", code=0)
    trials = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]
    assert [t["source"] for t in trials[:3]] == ["default", "default", "engine"]
    # with another seed, or it would say the same again
    assert trials[0]["value"] != trials[1]["value"]


def test_a_short_or_a_quiet_study_measures_it_once():
    Path("task.yaml").write_text(NOISY.replace("trials: 7", "trials: 3"))
    agenthpo("run", "task.yaml", "--model", "none", code=0)
    trials = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]
    assert [t["source"] for t in trials] == ["default", "engine", "engine"]


def test_what_is_measured_again_has_the_seeds_of_the_others():
    Path("train.py").write_text(SCRIPT)
    Path("task.yaml").write_text(NOISY.replace("trials: 7", "trials: 25"))
    agenthpo("run", "task.yaml", "--model", "none", "--seed", "4", code=0)
    by_x = {}
    for x, seed in ran():
        by_x.setdefault(x, []).append(seed)
    most = max(by_x.values(), key=len)
    assert len(most) > 1 and len(set(most)) == len(most)
    assert all(seeds == most[: len(seeds)] for seeds in by_x.values())
