"""Ranges that people widen: events in the record, seen at once, and taken back."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agenthpo
from agenthpo.errors import SpaceError
from agenthpo.ranges import AsAsked, widened, with_ranges
from agenthpo.reporting.gather import evidence_of
from agenthpo.taskfile.space import parse_space
from calling import agenthpo as command
from studies import make_task

SPACE = {
    "lr": {"type": "float", "low": 0.001, "high": 0.1, "log": True, "default": 0.01},
    "depth": {"type": "int", "low": 1, "high": 9, "step": 2, "default": 3},
    "width": {"type": "int", "values": [16, 32], "default": 32},
    "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
}
TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py {x} {k}"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
  k: {type: int, values: [1, 2], default: 1}
budget: {trials: 4}
"""


def wide(name, **change):
    return widened(parse_space(SPACE)[name], change)


def test_a_range_and_a_list_get_wider():
    assert (wide("lr", low=1e-5).low, wide("lr", low=1e-5).high) == (1e-5, 0.1)
    assert wide("depth", high=13.0).high == 13 and isinstance(wide("depth", high=13.0).high, int)
    assert wide("width", values=[64, 8]).values == (8, 16, 32, 64)
    assert wide("opt", values=["rmsprop"]).values == ("adam", "sgd", "rmsprop")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("lr", {}, "by low or high"),
        ("lr", {"low": 0.01}, "narrower"),
        ("lr", {"high": 0.1}, "that far already"),
        ("lr", {"low": 0}, "above 0"),
        ("lr", {"low": float("nan")}, "must be a number"),
        ("lr", {"high": True}, "must be a number"),
        ("lr", {"values": [1.0]}, "is a range"),
        ("depth", {"high": 10}, "none of them"),
        ("depth", {"high": 10.5}, "must be an integer"),
        ("width", {"high": 64}, "is a list"),
        ("width", {"values": [16]}, "already"),
        ("width", {"values": ["many"]}, "must be a number"),
        ("opt", {"values": [["a"]]}, "cannot be"),
    ],
)
def test_what_is_no_wider_range_is_refused(name, change, said):
    with pytest.raises(SpaceError, match=said):
        wide(name, **change)


@given(st.dictionaries(st.sampled_from([*SPACE, "gone"]), st.dictionaries(
    st.sampled_from(["low", "high", "values"]),
    st.one_of(st.floats(), st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2)),
)))  # fmt: skip
def test_whatever_stands_in_the_record_the_old_points_stay(ranges):
    task = make_task(SPACE)
    found = with_ranges(task, ranges)
    assert not found.space.violations(task.space.default())
    assert with_ranges(found, {}).space == task.space


def test_the_task_is_the_same_while_nothing_changes():
    ranges = {"lr": {"low": 1e-6}}
    task, asked = make_task(SPACE), AsAsked(lambda: dict(ranges))
    first = asked(task)
    assert asked(task) is first and first.space["lr"].low == 1e-6
    ranges.clear()
    assert asked(task).space == task.space


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("import sys; print('acc:', float(sys.argv[1]) * int(sys.argv[2]))")
    Path("task.yaml").write_text(TASK)
    command("run", "task.yaml", "--model", "none", code=0)
    return Path(".agenthpo/toy")


def test_a_study_goes_beyond_its_range_and_back(toy):
    assert "must lie" in command("enqueue", "toy", "x=3").stderr
    said = command("widen", "toy", "x", "--high", "4", "--why", "it rises", code=0).stdout
    assert "From the next trial on x is widened: high=4" in said
    command("widen", "toy", "k", "--add", "3", code=0)
    command("enqueue", "toy", "x=3.5", "k=3", code=0)
    command("resume", "toy", "--trials", "9", code=0)
    trials = json.loads(command("show", "toy", "--json").stdout)["trials"]
    assert len(trials) == 9 and trials[4]["params"] == {"x": 3.5, "k": 3}
    assert trials[4]["value"] == 10.5
    assert any(t["params"]["x"] > 1.0 for t in trials[5:])  # the engine uses it too
    assert "Widened: x, high=4" in command("show", "toy").stdout
    found = evidence_of(toy)
    assert found.widened["x"] == {"high": 4.0} and found.answer.value >= 10.5
    assert {p.name: p.high for p in found.space}["x"] == 4.0
    assert "--" not in command("best", "toy", "--format", "yaml", code=0).stdout
    assert Path("task.yaml").read_text() == TASK
    command("widen", "toy", "x", "--undo", code=0)
    assert "must lie" in command("enqueue", "toy", "x=3").stderr
    command("resume", "toy", "--trials", "11", code=0)
    last = json.loads(command("show", "toy", "--json").stdout)["trials"][-2:]
    assert all(t["params"]["x"] <= 1.0 for t in last)


def test_wrong_words_are_sentences(toy):
    for words, said in (
        (("y", "--high", "3"), "there is no parameter y"),
        (("x",), "by low or high"),
        (("x", "--high", "0.5"), "narrower"),
        (("x", "--undo"), "was not widened"),
    ):
        done = command("widen", "toy", *words)
        assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_a_study_from_python_is_widened_while_it_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("import sys; print('acc:', float(sys.argv[1]) * int(sys.argv[2]))")
    Path("task.yaml").write_text(TASK)
    study = agenthpo.Study("task.yaml", by="me", trials=6)
    study.wait(study.run(2, engine=True).handle)
    study.widen("x", high=2.0, why="it rises")
    study.enqueue({"x": 1.75, "k": 2})
    study.wait(study.run(2, engine=True).handle)
    assert study.verdict().best.value == pytest.approx(3.5)
    study.narrow("x")
    with pytest.raises(agenthpo.AgentHPOError, match="must lie"):
        study.enqueue({"x": 1.9, "k": 2})
