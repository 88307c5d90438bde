import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import chdir
from pathlib import Path

import psutil
import pytest

from calling import agenthpo as call
from studies import shown

TASK = """\
name: toy
objective: {metric: score, direction: maximize}
train: {command: "{python} train.py"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
  n: {type: int, low: 1, high: 9, default: 3}
budget: {trials: 5}
"""
SCRIPT = """\
    import os, time, agenthpo
    config = agenthpo.config()
    for step in range(3):
        time.sleep(0.03)
        agenthpo.report(step=step, score=config["x"] * config["n"] * step)
    with open("completed", "a") as file:
        file.write(os.environ["AGENTHPO_TRIAL_DIR"][-4:] + "\\n")
    """


@pytest.fixture(autouse=True)
def _task():
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text(textwrap.dedent(SCRIPT))


def agenthpo(*arguments, code=0, cwd="."):
    with chdir(cwd):
        return call(*arguments, code=code)


def test_run_show_and_resume():
    said = agenthpo("run", "task.yaml", "--trials", "3").stdout
    assert "[0] default: x=0.5 n=3" in said
    assert "Ended: all 3 trials of the budget are done." in said
    assert "default configuration" in said
    assert "Study: .agenthpo/toy (agenthpo show .agenthpo/toy)" in said
    agenthpo("resume", "toy", "--trials", "4")
    study = json.loads(agenthpo("show", "toy", "--json").stdout)
    assert study["trials"] == json.loads(json.dumps(shown()))
    assert [t["number"] for t in study["trials"]] == [0, 1, 2, 3]
    assert [t["source"] for t in study["trials"]] == ["default", *["engine"] * 3]
    assert study["study"]["incumbent"] == max(study["trials"], key=lambda t: t["value"])["number"]
    assert "trial" in agenthpo("show", ".").stdout


def test_without_a_model_the_first_line_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.delenv("AGENTHPO_MODEL")
    monkeypatch.setenv("AGENTHPO_CACHE", str(tmp_path / "empty"))
    said = agenthpo("run", ".", "--trials", "1").stdout.splitlines()
    assert "agenthpo models pull local:qwen2.5-coder-1.5b" in said[0]
    assert said[1].endswith("model none")


def test_json_is_one_event_a_line():
    events = [
        json.loads(line)
        for line in agenthpo("run", ".", "--trials", "1", "--json").stdout.splitlines()
    ]
    assert [e["event"] for e in events] == [
        "opened",
        "proposing",
        "started",
        *["reported"] * 3,
        "finished",
        "stopped",
    ]


def test_a_task_is_run_from_another_folder():
    Path("elsewhere").mkdir()
    agenthpo("run", str(Path.cwd()), "--trials", "1", cwd="elsewhere")
    agenthpo("run", "..", "--trials", "1", "--study", "second", cwd="elsewhere")
    assert [shown(f".agenthpo/{study}")[0]["state"] for study in ("toy", "second")] == [
        "complete"
    ] * 2


def test_check_runs_nothing():
    said = agenthpo("check", "task.yaml").stdout
    assert "train.py" in said
    assert not Path(".agenthpo").exists()
    assert not Path("completed").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nothing.yaml"], "nothing.yaml does not exist"),
        (
            ["check", "train.py"],
            "train.py is a script, no task file; draft one by agenthpo init train.py",
        ),
        (["show", "nothing"], "there is no study 'nothing'"),
        (["resume", "nothing"], "there is no study 'nothing'"),
        (["run", ".", "--trials", "none"], "--trials"),
        (["run", ".", "--study", "a/b"], "--study is 'a/b'"),
        (["rnu"], "No such command 'rnu'"),
        (["run", ".", "--hlep"], "No such option: --hlep"),
    ],
)
def test_a_users_mistake_is_one_sentence_on_stderr_and_exit_code_2(arguments, words):
    done = agenthpo(*arguments, code=2)
    assert words in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_a_study_is_never_mixed_with_another():
    agenthpo("run", ".", "--trials", "1")
    assert "agenthpo resume .agenthpo/toy" in agenthpo("run", ".", code=2).stderr
    agenthpo("run", ".", "--trials", "1", "--study", "second")
    assert "has the studies second, toy" in agenthpo("show", ".", code=2).stderr
    Path("task.yaml").write_text(TASK.replace("maximize", "minimize"))
    said = agenthpo("resume", "toy", code=2).stderr
    assert (
        "the task's objective.direction is minimize, but was maximize when the study "
        ".agenthpo/toy began" in said
    )


def test_no_successful_trial_is_exit_code_3():
    Path("train.py").write_text("import agenthpo\nraise ValueError('no data')")
    assert "No trial succeeded" in agenthpo("run", ".", "--trials", "2", code=3).stdout
    assert {t["state"] for t in shown()} == {"failed"}


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "agenthpo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_ctrl_c_stops_cleanly_and_says_how_to_resume():
    Path("train.py").write_text(textwrap.dedent(SCRIPT).replace("0.03", "30"))
    with start("run", ".") as driver:
        assert "Study" in driver.stdout.readline()
        assert "[0]" in driver.stdout.readline()
        driver.send_signal(signal.SIGINT)
        _, said = driver.communicate(timeout=30)
    assert said == "Interrupted. Resume with: agenthpo resume .agenthpo/toy\n"
    assert driver.returncode == 130
    Path("train.py").write_text(textwrap.dedent(SCRIPT))
    agenthpo("resume", "toy")
    assert [t["state"] for t in shown()] == ["complete"] * 5


def test_ctrl_c_does_not_wait_for_a_model_that_thinks(smollm2):
    with start("run", ".", "--model", "local:smollm2", "--json") as driver:
        while '"analysing"' not in driver.stdout.readline():
            pass
        driver.send_signal(signal.SIGINT)
        _, said = driver.communicate(timeout=30)
    assert "Resume with: agenthpo resume .agenthpo/toy" in said
    assert driver.returncode == 130
    assert shown()[0]["state"] in ("running", "complete")


def trainings():
    here = str(Path.cwd())
    found = []
    for process in psutil.process_iter(["cwd", "cmdline"]):
        if process.info["cwd"] == here and "train.py" in (process.info["cmdline"] or []):
            found.append(process.pid)
    return found


def runs(number):
    return Path("completed").read_text().split().count(f"{number:04d}")


def test_killed_at_any_moment_the_budget_stays_exact():
    command, finished, ran = ("run", "."), {}, {}
    for delay_s in (0.1, 0.4):
        with start(*command) as driver:
            driver.stdout.readline()  # the study is open
            time.sleep(delay_s)
            driver.send_signal(signal.SIGKILL)
            driver.communicate(timeout=30)
        for _ in range(200):
            if not trainings():
                break
            time.sleep(0.05)
        assert trainings() == []
        now = {t["number"]: t for t in shown() if t["state"] != "running"}
        assert {number: now.get(number) for number in finished} == finished
        ran |= {number: runs(number) for number in now if number not in ran}
        command, finished = ("resume", "toy"), now
    agenthpo("resume", "toy")
    trials = shown()
    assert [t["number"] for t in trials] == list(range(5))
    assert {t["state"] for t in trials} == {"complete"}
    assert {number: trials[number] for number in finished} == finished
    assert {number: runs(number) for number in ran} == ran  # none that had finished was run again


def test_a_driver_that_is_at_work_keeps_others_out():
    Path("train.py").write_text(textwrap.dedent(SCRIPT).replace("0.03", "30"))
    with start("run", ".") as driver:
        assert driver.stdout.readline().startswith("Study")
        assert driver.stdout.readline().startswith("[0] default")  # it is recorded by now
        assert (
            f"another process (pid {driver.pid}) is at work"
            in agenthpo("resume", "toy", code=2).stderr
        )
        assert len(shown()) == 1, "a study that is at work can be shown"
        os.kill(driver.pid, signal.SIGTERM)
        assert "agenthpo resume" in driver.communicate(timeout=30)[1]
