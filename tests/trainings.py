"""Small trainings for tests of pools and drivers, and what of them runs."""

import sys
import time

import psutil

from agenthpo.records import RunSpec

TOY = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py {x} {y}"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
  y: {type: int, low: 1, high: 9, default: 5}
budget: {trials: TRIALS}
"""
TOY_SCRIPT = """\
import os, sys, time
with open("runs", "a") as runs:
    print(os.environ["AGENTHPO_TRIAL_DIR"].rpartition("/")[2], file=runs)
time.sleep(float(os.environ.get("PAUSE", 0.1)))
print("acc:", float(sys.argv[1]) + int(sys.argv[2]) / 100)
"""
"""It notes each of its runs, and takes as long as ``PAUSE`` says."""


def spec(tmp_path, number=0, seconds=0.0, *, text, **given):
    """A run of the Python ``text``, which gets ``seconds`` as its argument."""
    return RunSpec(
        trial=number,
        params={},
        workdir=str(tmp_path / f"trials/{number:04d}"),
        metric="acc",
        command=(sys.executable, "-c", text, str(seconds)),
        **given,
    )


MEET = """
import os, pathlib, time
here = pathlib.Path(os.environ["AGENTHPO_TRIAL_DIR"])
(here / "came").touch()
while len(list(here.parent.glob("*/came"))) < 2 or (here.parent / "wait").exists():
    time.sleep(0.02)
"""
"""Waits until a second training is there too, and then for as long as ``trials/wait`` is."""


def until(done, seconds=30):
    """Wait until ``done`` returns something, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def training(text):
    """The processes whose command holds ``text``, but for supervisors, which hold it too."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            if any(text in word for word in line) and "-I" not in line:
                found.append(process)
        except psutil.Error:
            pass
    return found
