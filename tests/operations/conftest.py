import os
import shutil
from pathlib import Path

import pytest

from agenthpo.operations.place import Place

TASK = """\
name: toy
background: {task: A toy., goal: High acc.}
objective: {metric: acc, direction: maximize, test_metric: test_acc}
train:
  command: "{python} train.py {flags}"
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
  y: {type: int, low: 1, high: 9, default: 5}
  z: {type: categorical, values: [a, b], default: a}
  w: {type: float, low: 0.0, high: 1.0, default: 0.5}
budget: {trials: 6}
"""
SCRIPT = """\
import argparse, os, time
parser = argparse.ArgumentParser()
for name, kind in (("x", float), ("y", int), ("z", str), ("w", float)):
    parser.add_argument("--" + name, type=kind)
args = parser.parse_args()
with open("ran", "a") as ran:
    ran.write(f"{args.x} {args.y} {args.z}\\n")
for step in range(int(os.environ.get("STEPS", 3))):
    print(f"acc: {0.5 + args.x / 4 + args.y / 100 - 0.1 / (step + 1)}", flush=True)
    time.sleep(float(os.environ.get("PAUSE", 0)))
print("test_acc:", 0.1234567)
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """An agent's place: a folder with a task that trains in no time."""
    (tmp_path / "task.yaml").write_text(TASK)
    (tmp_path / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return Place(tmp_path, "claude")


@pytest.fixture(scope="session")
def played(tmp_path_factory):
    """A study in which the default, an agent's trial and two of the engine's were run. It is only
    read; ``desk_of_played`` is a copy.
    """
    from agenthpo.operations.opening import open_study
    from agenthpo.operations.proposing import propose
    from agenthpo.operations.running import run, wait

    folder = tmp_path_factory.mktemp("played")
    (folder / "task.yaml").write_text(TASK)
    (folder / "train.py").write_text(SCRIPT)
    at = Place(folder, "claude")
    study = open_study(at, "task.yaml").study
    good = {"x": 0.9, "y": 5, "z": "a", "w": 0.5}
    expected = {"value": 0.74, "low": 0.72, "high": 0.76}
    propose(at, study, good, "more x", "x helps", expected)
    assert wait(at, study, run(at, study).handle).done
    assert wait(at, study, run(at, study, trials=2, engine=True).handle).done
    return folder


@pytest.fixture
def after(played, tmp_path, monkeypatch):
    """The place of a copy of the played study."""
    shutil.copytree(played, tmp_path / "played")
    monkeypatch.chdir(tmp_path / "played")
    return Place(tmp_path / "played", "claude")


def ran():
    """The configurations that were trained, in their order."""
    file = Path("ran")
    return file.read_text().splitlines() if file.exists() else []


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
