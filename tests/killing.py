"""Run a study in child processes that are killed at random moments; run by test_crash.py in a
process of its own.

Children are forked, so that each costs milliseconds instead of the seconds of its imports.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from optuna.storages.journal import JournalFileBackend

from agenthpo import loop
from agenthpo.budget import Budget
from agenthpo.errors import StudyError
from agenthpo.experience.log import ExperienceLog
from agenthpo.session import begin, go_on
from agenthpo.studies import find_study
from agenthpo.taskfile.reading import load_task

FOLDER = Path(".agenthpo/toy")


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_a_write(at):
    """Die in the ``at``-th write of the journal, half of its line written."""
    left = [at]

    def append(self, logs):
        left[0] -= 1
        if left[0] == 0:
            text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
            with open(self._file_path, "a") as file:
                file.write(text[: max(1, len(text) // 2)])
                file.flush()
                os.fsync(file.fileno())
            die()
        return whole(self, logs)

    whole = JournalFileBackend.append_logs
    JournalFileBackend.append_logs = append


def drive(mode, rng, storage):
    task = load_task("task.yaml")
    if mode == "analysis":
        # before a result is recorded, or after it was and before its trial is closed
        owner, name = rng.choice([(loop, "diagnose"), (ExperienceLog, "settle")])
        after = rng.randrange(3)
        there, calls = getattr(owner, name), []
        setattr(
            owner,
            name,
            lambda *a, **k: die() if len(calls) == after else (calls.append(1), there(*a, **k))[1],
        )
    elif mode == "write":
        die_in_a_write(rng.randint(1, 12))
    try:
        find_study("toy")
    except StudyError:
        begin(task, FOLDER, storage=storage)
    else:
        go_on(FOLDER, task=task)


def finished():
    try:
        with ExperienceLog.open(FOLDER, space=None, read_only=True) as log:
            return {t.number: (t.proposal.params, t.value) for t in log.trials() if t.outcome}
    except StudyError:
        return {}


def outcomes():
    return {path.parent.name for path in FOLDER.glob("trials/*/outcome.json")}


def completions():
    lines = Path("completed").read_text().split() if Path("completed").exists() else []
    return {name: lines.count(name) for name in set(lines)}


def main(kills, seed, storage=None):
    rng = random.Random(seed)
    killed = turn = 0
    while killed < kills:
        turn += 1
        mode = ("time", "time" if storage else "write", "analysis")[turn % 3]
        before, kept, ran = finished(), outcomes(), completions()
        child = os.fork()
        if child == 0:
            try:
                drive(mode, random.Random(f"{seed}/{turn}"), storage)
            finally:
                os._exit(0)
        if mode == "time":
            time.sleep(rng.random() * (1.5 if storage else 0.4))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"turn {turn} ended the study by itself: give it more trials"
        killed += 1
        after = finished()
        assert before.items() <= after.items(), f"lost or changed in turn {turn}: {before} {after}"
        again = completions()
        assert all(again.get(name, 0) == ran.get(name, 0) for name in kept), (
            f"run twice in turn {turn}"
        )
    budget = len(finished()) + 5
    go_on(FOLDER, task=load_task("task.yaml"), limits=Budget(budget))
    assert len(finished()) == budget
    print(json.dumps({"finished": len(finished()), "killed": killed}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
