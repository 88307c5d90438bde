"""A study with a fidelity, from the task file to what is shown."""

import json
from pathlib import Path

import pytest

from agenthpo.taskfile.reading import load_task
from calling import agenthpo

SCRIPT = """\
import os, sys
x, epochs = float(sys.argv[1]), int(sys.argv[2])
file = os.path.join(os.environ["AGENTHPO_CHECKPOINT_DIR"], "epoch")
begun = int(open(file).read()) if os.path.exists(file) else 0
for epoch in range(begun + 1, epochs + 1):
    print("acc:", (1 - (x - 0.7) ** 2) * (1 - 0.5 ** (epoch / 3)))
open(file, "w").write(str(epochs))
with open("ran", "a") as ran:
    print(x, begun, epochs, file=ran)
"""
TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py {x} {epochs}"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.1}
fidelity: {parameter: epochs, low: 1, high: 27}
budget: {trials: 3}
"""


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT)
    Path("task.yaml").write_text(TASK)


def test_a_study_begins_cheap_and_ends_with_a_whole_training():
    done = agenthpo("run", "task.yaml", "--model", "none", code=0)
    assert "Ended: all 3 trials of the budget are done." in done.stdout
    shown = json.loads(agenthpo("show", "toy", "--json").stdout)
    trials = shown["trials"]
    assert trials[0]["params"]["epochs"] == 27 and len(trials) > 10
    epochs = [t["params"]["epochs"] for t in trials]
    assert set(epochs) == {1, 3, 9, 27}
    # as much as the budget, and one training more at most
    assert 3 <= sum(epochs) / 27 < 4.01
    assert trials[shown["study"]["incumbent"]]["params"]["epochs"] == 27
    # what went on began where its checkpoint was
    ran = [line.split() for line in Path("ran").read_text().splitlines()]
    begun = {(int(a), int(b)) for _, a, b in ran}
    assert {(0, 1), (0, 27), (1, 3), (3, 9)} < begun
    # with what was left for one more, the best of the highest rung went on to the end
    last = trials[-1]
    assert last["params"]["epochs"] == 27 and last["promoted_from"] is not None
    assert "whole ones" in agenthpo("show", "toy").stdout
    # the same again from where it is
    agenthpo("resume", "toy", "--trials", "4", "--model", "none", code=0)
    again = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]
    assert len(again) > len(trials) and again[: len(trials)] == trials


def test_the_parameter_need_not_be_in_the_space():
    task = load_task("task.yaml")
    assert task.space["epochs"].low == 1 and task.space.default() == {"x": 0.1, "epochs": 27}
    text = TASK.replace("space:", "space:\n  epochs: {type: int, low: 1, high: 500, about: passes}")
    Path("task.yaml").write_text(text)
    task = load_task("task.yaml")
    assert task.space["epochs"].high == 27 and task.space["epochs"].about == "passes"


@pytest.mark.parametrize(
    ("fidelity", "said"),
    [
        ("{parameter: epochs, low: 3, high: 5}", "fidelity.high is 5, but must be at least 3"),
        ("{parameter: epochs, low: 0, high: 5}", "fidelity.low"),
        ("{parameter: epochs, high: 5}", "fidelity.low"),
        ("{parameter: passes, low: 1, high: 27}", "epochs"),
        ("epochs", "fidelity"),
    ],
)
def test_a_wrong_one_is_a_sentence(fidelity, said):
    Path("task.yaml").write_text(TASK.replace("{parameter: epochs, low: 1, high: 27}", fidelity))
    done = agenthpo("check", "task.yaml", code=2)
    assert said in done.stderr and "Traceback" not in done.stderr and "task.yaml" in done.stderr


def test_the_fidelity_is_not_to_be_pinned():
    agenthpo("run", "task.yaml", "--model", "none", "--trials", "1", code=0)
    done = agenthpo("pin", "toy", "epochs=9")
    assert done.returncode == 2 and "epochs is the fidelity" in done.stderr
    agenthpo("pin", "toy", "x=0.5", code=0)
    agenthpo("resume", "toy", "--trials", "2", "--model", "none", code=0)
    trials = json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]
    assert {t["params"]["x"] for t in trials[1:]} == {0.5}
