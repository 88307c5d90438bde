"""Studies whose trials run on a Ray cluster, or as jobs by submitit: what is lost on the way runs
again, and the driver may be killed.
"""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from agenthpo.budget import Budget
from agenthpo.errors import StudyError
from agenthpo.records import Outcome
from agenthpo.session import begin
from agenthpo.taskfile.reading import load_task
from agenthpo.training.elsewhere import Lost
from calling import agenthpo
from trainings import TOY, TOY_SCRIPT, training, until

TASK, SCRIPT = TOY.replace("TRIALS", "5"), TOY_SCRIPT


@pytest.fixture(autouse=True)
def task(tmp_path):
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text(SCRIPT)


def driver(*words, pause="0.1"):
    return subprocess.Popen(
        [sys.executable, "-m", "agenthpo", *words, "--json"],
        env={**os.environ, "PAUSE": pause, "AGENTHPO_MODEL": "none"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def trainings():
    """The toy's processes that run in this test's folder."""
    found = []
    for process in training("train.py"):
        with contextlib.suppress(psutil.Error):
            if process.cwd() == os.getcwd():
                found.append(process)
    return found


def killed_above(running, word):
    """How many processes were killed whose command holds ``word``, among what one training came
    of.
    """
    killed = 0
    with contextlib.suppress(psutil.Error):  # it has just ended
        for process in running[0].parents() if running else ():
            if word in " ".join(process.cmdline()):
                process.kill()
                killed += 1
    return killed


def values():
    trials = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]
    return {t["number"]: t["value"] for t in trials}


@pytest.mark.parametrize(
    ("words", "worker"),
    [
        (["--pool", "ray", "--workers", "2"], "ray::"),
        # that a job which is killed is lost is shown in test_slurm_pool.py
        (["--workers", "2", "--slurm", "cluster=local"], None),
    ],
    ids=["ray", "submitit"],
)
def test_what_is_killed_in_the_middle_is_run_again(words, worker):
    pytest.importorskip("ray" if "ray" in words else "submitit")
    begun = driver("run", "task.yaml", *words, pause="1")
    until(trainings, 60)
    if worker is not None:
        until(lambda: killed_above(trainings(), worker), 60)
        said = []
        for line in begun.stdout:
            said.append(line)
            if '"event": "waiting"' in line and "is lost" in line:
                break
        assert "is lost" in said[-1], said
    # the driver is killed
    until(trainings, 60)
    begun.kill()
    begun.communicate()
    if "ray" in words:
        until(lambda: not trainings(), 60)
    done = {n: value for n, value in values().items() if value is not None}
    assert len(done) < 5
    # and resumed where it ran before
    resumed = driver("resume", "toy")
    out = resumed.communicate(timeout=120)[0]
    assert resumed.returncode == 0, out
    found = values()
    assert list(found) == list(range(5)) and None not in found.values()
    assert done.items() <= found.items()
    until(lambda: not trainings(), 60)


class Breaks:
    """A pool on which everything is lost so many times."""

    slots = 1

    def __init__(self, times):
        self.left, self.folders = times, []

    def submit(self, spec, on_point):
        from concurrent.futures import Future

        self.folders.append(Path(spec.workdir).name)
        future = Future()
        self.left -= 1
        if self.left >= 0:
            future.set_exception(Lost("the machine is gone"))
        else:
            future.set_result(Outcome("complete", 0.5))
        return future

    def has_room(self, needs_mb):
        return True

    def close(self):
        pass


def test_a_trial_that_is_lost_again_and_again_ends_the_study_and_not_the_trial(monkeypatch):
    breaks = Breaks(2)
    monkeypatch.setattr("agenthpo.session.open_pool", lambda *given: breaks)
    task, folder = load_task("task.yaml").with_budget(Budget(1)), Path(".agenthpo/toy")
    said = []
    stopped = begin(task, folder, on_event=said.append)
    assert [t.value for t in stopped.trials] == [0.5]
    assert sum("is lost" in getattr(event, "why", "") for event in said) == 2
    # what is lost may still write
    assert breaks.folders == ["0000", "0000-2", "0000-3"]
    monkeypatch.setattr("agenthpo.session.open_pool", lambda *given: Breaks(3))
    with pytest.raises(StudyError, match=r"trial 0 was lost 3 times \(the machine is gone\)"):
        begin(task, Path(".agenthpo/other"))
    (trial,) = json.loads(agenthpo("show", "other", "--json").stdout)["trials"]
    assert trial["value"] is None and "interrupted" not in str(trial)


def test_an_attempt_that_was_thought_lost_and_ended_is_not_run_again(monkeypatch):
    from agenthpo.training.outcome import save_outcome

    class Late(Breaks):
        def submit(self, spec, on_point):
            if not self.folders:  # its machine was cut off, and has ended it
                Path(spec.workdir).mkdir(parents=True)
                save_outcome(Outcome("complete", 0.25), Path(spec.workdir), spec.owner)
            return super().submit(spec, on_point)

    late = Late(1)
    monkeypatch.setattr("agenthpo.session.open_pool", lambda *given: late)
    begin(load_task("task.yaml").with_budget(Budget(1)), Path(".agenthpo/toy"))
    assert late.folders == ["0000", "0000"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--pool", "kubernetes"],
            "the pool is 'kubernetes', but must be one of local, ray, slurm",
        ),
        (["--pool", "slurm", "--address", "a:1"], "an address is of a Ray cluster"),
        (["--slurm", "partition"], "must be KEY=VALUE"),
        (["--pool", "slurm"], "say by --workers how many jobs"),
        (["--pool", "ray", "--address", "127.0.0.1:1"], "see to --address"),
    ],
)
def test_a_pool_that_cannot_be_is_a_sentence(words, said):
    done = agenthpo("run", "task.yaml", "--model", "none", *words, code=2)
    assert said in done.stderr and not Path(".agenthpo/toy/journal.log").exists()


def test_more_processors_than_there_are_is_a_sentence():
    Path("task.yaml").write_text(TASK + "resources: {cpus: 4096}\n")
    words = ("run", "task.yaml", "--model", "none", "--workers", "2")
    assert "need more processors than the" in agenthpo(*words, code=2).stderr
