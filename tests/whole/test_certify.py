"""A study's winner on fresh seeds, by real trainings whose means are known."""

import json
from pathlib import Path

import pytest

from agenthpo.operations.place import Place
from agenthpo.operations.telling import verdict
from agenthpo.rounds import certificate_of
from agenthpo.session import begin
from agenthpo.taskfile.reading import load_task
from calling import agenthpo

TASK = """\
name: toy
objective: {metric: acc, direction: maximize, test_metric: test, noisy: true}
train: {command: "{python} train.py {x}"}
space:
  x: {type: int, low: 0, high: 9, default: 0}
budget: {trials: 6}
"""
SCRIPT = """\
import os, random, sys
x = int(sys.argv[1])
noise = random.Random(os.environ["AGENTHPO_SEED"] + str(x)).gauss(0, NOISE)
print("acc:", 0.5 + GAIN * x + noise)
print("test:", 0.4 + GAIN * x)
open("runs", "a").write("one ")
"""


def study(gain, noise):
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text(SCRIPT.replace("GAIN", str(gain)).replace("NOISE", str(noise)))
    begin(load_task("task.yaml"), Path(".agenthpo/toy"))


def runs():
    return len(Path("runs").read_text().split())


def test_a_true_gain_is_certified_and_printed_as_the_best():
    study(0.02, 0.005)
    before = runs()
    said = agenthpo("best", "toy", code=0)
    assert said.stderr.startswith("Not certified: the gain of ")
    assert "times the noise of a single run; be sure by: agenthpo certify" in said.stderr
    done = agenthpo("certify", "toy", "--json", code=0)
    found = json.loads(done.stdout)
    assert found["judgement"] == "better" and found["runs"] == runs() - before <= 40
    winner = next(c for c in found["contenders"] if c["trial"] == found["winner"])
    assert winner["low"] > 0 and winner["gain"] == pytest.approx(0.02 * 9, abs=0.15)
    # the test metric is read then
    assert found["default"]["test"] == pytest.approx(0.4)
    assert winner["test"] > 0.4
    said = agenthpo("best", "toy", code=0)
    assert f"Trial {found['winner']} is better than the default: by" in said.stderr
    assert said.stdout.count("\n") == 1 and "train.py" in said.stdout
    sure = verdict(Place(Path.cwd(), "claude"), ".agenthpo/toy").sure
    assert sure.startswith(f"trial {found['winner']} is better than the default: by")
    # the same command again trains nothing
    count = runs()
    assert json.loads(agenthpo("certify", "toy", "--json", code=0).stdout) == found
    assert runs() == count


def test_luck_is_not_certified_and_more_runs_go_on_where_it_ended():
    study(0.0, 0.05)
    done = agenthpo("certify", "toy", "--runs", "16", code=0)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("round 1, ") and ": default 0." in lines[0]
    assert "Not certified" in done.stdout and "better than the default: by" not in done.stdout
    first, count = certificate_of(Path(".agenthpo/toy")), runs()
    assert first.judgement in ("unknown", "tie") and first.winner is None and first.runs <= 16
    assert all(c.test is None for c in first.contenders) or first.judgement == "tie"
    agenthpo("certify", "toy", "--runs", "24", code=0)
    assert runs() - count == certificate_of(Path(".agenthpo/toy")).runs - first.runs
    assert "ot certified" in agenthpo("best", "toy", code=0).stderr


def test_trials_that_were_added_end_a_certificate():
    study(0.02, 0.001)
    agenthpo("certify", "toy", code=0)
    agenthpo("resume", "toy", "--trials", "7", "--model", "none", code=0)
    assert "Not certified since trials were added" in agenthpo("best", "toy", code=0).stderr


def test_a_script_that_takes_no_seed_is_said_so():
    study(0.02, 0.0)
    done = agenthpo("certify", "toy", code=0)
    assert "as where a script does not use its seed" in done.stdout


def test_what_cannot_be_certified_is_a_sentence():
    study(-0.02, 0.001)
    done = agenthpo("certify", "toy", code=2)
    assert "no trial of the study" in done.stderr and "better than the default" in done.stderr
    done = agenthpo("certify", "nothing", code=2)
    assert "there is no study 'nothing'" in done.stderr and "Traceback" not in done.stderr


def test_what_was_damaged_is_no_certificate():
    study(0.02, 0.001)
    file = Path(".agenthpo/toy/certificate.json")
    for text in ("", "{", "[]", '{"judgement": "better"}', "\x00" * 9):
        file.write_text(text)
        assert certificate_of(file.parent) is None
        assert "Not certified: " in agenthpo("best", "toy", code=0).stderr


def run_with(text, *words):
    Path("task.yaml").write_text(TASK.replace("trials: 6}", "trials: 18}") + text)
    return agenthpo("run", "task.yaml", "--model", "none", *words)


def test_a_run_may_keep_trials_for_it():
    Path("train.py").write_text(SCRIPT.replace("GAIN", "0.02").replace("NOISE", "0.002"))
    done = run_with("certify: 12\n", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(e["event"] == "finished" for e in events) == 6
    assert events[-1]["event"] == "certified" and events[-1]["judgement"] == "better"
    assert runs() == 6 + events[-1]["runs"] <= 18
    # the same again trains nothing, and ends the same
    count = runs()
    again = agenthpo("resume", "toy", "--model", "none", code=0)
    assert "is better than the default: by" in again.stdout and runs() == count
    assert "not certified" not in again.stdout


def test_without_a_gain_a_run_says_that_there_is_nothing_to_certify():
    Path("train.py").write_text(SCRIPT.replace("GAIN", "-0.02").replace("NOISE", "0.002"))
    done = run_with("certify: 12\n")
    assert done.returncode == 0 and "no gain to certify" in done.stdout


def test_a_run_without_it_says_how_to_be_sure():
    Path("train.py").write_text(SCRIPT.replace("GAIN", "0.02").replace("NOISE", "0.002"))
    assert "be sure by agenthpo certify .agenthpo/toy" in run_with("").stdout


def test_to_keep_all_trials_is_refused():
    Path("train.py").write_text(SCRIPT)
    done = run_with("certify: 18\n")
    assert done.returncode == 2 and "certify keeps 18 of 18 trials" in done.stderr


def test_a_driver_that_is_killed_goes_on_with_the_rounds_it_had():
    study(0.0, 0.05)
    import subprocess
    import sys
    import time

    words = [sys.executable, "-m", "agenthpo", "certify", "toy", "--runs", "30"]
    Path("train.py").write_text("import time; time.sleep(0.1)\n" + Path("train.py").read_text())
    begun = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    for line in begun.stdout:
        if line.startswith("round 2"):
            break
    begun.kill()
    begun.communicate()
    time.sleep(0.2)
    count = runs()
    found = json.loads(agenthpo("certify", "toy", "--runs", "30", "--json", code=0).stdout)
    # one that was cut may have run twice
    assert found["runs"] - 8 <= runs() - count + 0 <= found["runs"]
    assert runs() - 6 <= found["runs"] + 1
