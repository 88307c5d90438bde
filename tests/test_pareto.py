"""Several objectives: the front, how much it dominates, and a study that looks along it."""

import itertools
import json
import random
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.agents.prompt.build import head, standing
from agenthpo.agents.prompt.trials import brief
from agenthpo.experience.finding import found_study
from agenthpo.llm.client import Manner
from agenthpo.pareto import Goal, front, hypervolume, volume
from agenthpo.records import Outcome
from agenthpo.search.engine.engine import Engine
from agenthpo.search.engine.objectives import ForObjectives
from agenthpo.search.optuna_samplers import OptunaSampler
from agenthpo.search.scalarised import Scalarised
from agenthpo.search.stateful_samplers import Stateful
from calling import agenthpo
from studies import make_task, make_trial

GOALS = (Goal("lag", "minimize"),)


def trial(number, acc, lag, params=None, **fields):
    made = make_trial(number, params or {"x": number / 10}, acc)
    return replace(made, outcome=replace(made.outcome, others={"lag": lag}, **fields))


TRIALS = [
    trial(0, 0.5, 10.0),
    trial(1, 0.9, 30.0),
    trial(2, 0.7, 12.0),
    trial(3, 0.6, 20.0),  # beaten by 2
    trial(4, 0.9, 31.0),  # by 1
    trial(5, 0.5, 10.0),  # as 0
    trial(6, 0.99, 5.0, margins={"size <= 1": 0.5}),
]


def test_the_front_is_what_nothing_beats():
    assert [t.number for t in front(TRIALS, "maximize", GOALS)] == [1, 2, 0]
    assert front([], "maximize", GOALS) == [] and hypervolume([], "maximize", GOALS) == 0
    failed = [make_trial(7, {"x": 0.5}, None)]
    assert [t.number for t in front([*TRIALS, *failed], "maximize", GOALS)] == [1, 2, 0]
    assert hypervolume(TRIALS[:1], "maximize", GOALS) == 0
    # of the box from (0.5, 31) to (0.9, 10)
    expected = (0.5 * 19 / 21) + 0.5 * (1 / 21)
    assert hypervolume(TRIALS, "maximize", GOALS) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 3).flatmap(
        lambda n: st.lists(st.tuples(*[st.floats(0, 1)] * n), min_size=1, max_size=6)
    )
)
def test_a_volume_is_that_of_the_union_of_boxes(points):
    # inclusion and exclusion
    expected = 0.0
    for count in range(1, len(points) + 1):
        for some in itertools.combinations(points, count):
            product = 1.0
            for values in zip(*some, strict=True):
                product *= min(values)
            expected += product if count % 2 else -product
    assert volume(points) == pytest.approx(expected, abs=1e-9)


SPACE = {
    "x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.1},
    "y": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.9},
}
SCRIPT = """\
import sys
x, y = map(float, sys.argv[1:])
print("acc:", x - (y - 0.3) ** 2)
print("lag:", x * x + (y - 0.3) ** 2)
"""
TASK = """\
name: toy
objectives:
  - {metric: acc, direction: maximize}
  - {metric: lag, direction: minimize}
train: {command: "{python} train.py {x} {y}"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.1}
  y: {type: float, low: 0.0, high: 1.0, default: 0.9}
budget: {trials: 12}
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT)
    Path("task.yaml").write_text(TASK)


@pytest.mark.parametrize("proposer", ["hybrid", "tpe", "nsgaii"])
def test_a_study_of_two_objectives(toy, proposer):
    words = ("run", "task.yaml", "--model", "none", "--proposer", proposer)
    done = agenthpo(*words, code=0)
    assert "maximize acc and minimize lag" in done.stdout
    assert "Pareto front (maximize acc and minimize lag): " in done.stdout
    shown = json.loads(agenthpo("show", "toy", "--json").stdout)
    assert 0 < shown["study"]["hypervolume"] < 1
    trials = shown["trials"]
    assert all(set(t["others"]) == {"lag"} for t in trials) and len(trials) == 12
    # Optuna sees the same front
    study = found_study(Path(".agenthpo/toy"))[0]
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert {t.number for t in study.best_trials} == set(shown["study"]["front"])
    assert "dominates" in agenthpo("show", "toy").stdout
    agenthpo("resume", "toy", "--trials", "14", "--model", "none", code=0)
    assert len(json.loads(agenthpo("show", "toy", "--json").stdout)["trials"]) == 14


def test_failures_and_limits_in_it(toy):
    Path("train.py").write_text("import sys\nassert float(sys.argv[1]) < 0.6\n" + SCRIPT)
    Path("task.yaml").write_text(TASK + "constraints: [lag <= 0.3]\n")
    agenthpo("run", "task.yaml", "--model", "none", "--keep-going", code=0)
    trials = json.loads(agenthpo("show", "toy", "--json").stdout)
    kept = {t["number"] for t in trials["trials"] if t["value"] and t["others"]["lag"] <= 0.3}
    assert trials["study"]["front"] and set(trials["study"]["front"]) <= kept


def test_a_creator_is_told_of_both():
    task = replace(make_task(SPACE), goals=GOALS)
    reader = Manner("m", 4000, holds_to_grammar=False)
    assert "maximize acc and minimize lag" in head(task, reader).text
    assert "On the front: trials 1, 2, 0." in standing(task, TRIALS, llm=reader)
    assert "acc 0.9, lag 30" in brief(task, TRIALS[1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("objectives: [{metric: acc, direction: maximize}]", "a list of two or more"),
        ("objectives: acc", "a list of two or more"),
        ("objectives: [{metric: acc, direction: maximize}, {metric: lag}]", "direction"),
        (
            "objectives: [{metric: acc, direction: maximize}, {metric: acc, direction: minimize}]",
            "names a metric twice",
        ),
        (
            "objectives: [{metric: a, direction: maximize}, {metric: b, direction: up}]",
            "direction",
        ),
    ],
)
def test_wrong_objectives_are_a_sentence(toy, text, said):
    Path("task.yaml").write_text(text + TASK[TASK.index("\ntrain") :])
    done = agenthpo("check", "task.yaml", code=2)
    assert said in done.stderr and "Traceback" not in done.stderr and "task.yaml" in done.stderr


@pytest.mark.parametrize(
    "more",
    ["stop: median", "certify: 3", "fidelity: {parameter: y, low: 1, high: 9}",
     "objective: {metric: acc, direction: maximize}"],
)  # fmt: skip
def test_what_is_for_one_objective_is_refused(toy, more):
    Path("task.yaml").write_text(TASK + more + "\n")
    assert "keep one of the two" in agenthpo("check", "task.yaml", code=2).stderr.replace(
        "remove", "keep"
    )


def test_another_objective_is_another_study(toy):
    agenthpo("run", "task.yaml", "--model", "none", "--trials", "2", code=0)
    Path("task.yaml").write_text(TASK.replace("{metric: lag, direction: minimize}",
                                              "{metric: lag, direction: maximize}"))  # fmt: skip
    assert "cannot be compared" in agenthpo("resume", "toy", "--trials", "3").stderr


def searched(make, seed, trials=30):
    """The hypervolume, from (0, -1) on, of a search."""
    task = replace(make_task({n: {**f, "default": None} and f for n, f in SPACE.items()}),
                   goals=GOALS)  # fmt: skip
    proposer, done = make(seed), []
    for number in range(trials):
        proposal = proposer.propose(task, done)
        x, y = proposal.params["x"], proposal.params["y"]
        outcome = Outcome("complete", x - (y - 0.3) ** 2, others={"lag": x * x + (y - 0.3) ** 2})
        done.append(replace(make_trial(number, {}, 0.5), proposal=proposal, outcome=outcome))
    points = [(t.value, 1 - t.outcome.others["lag"]) for t in done]
    return volume([(max(a, 0.0), max(b, 0.0)) for a, b in points])


def test_the_engine_looks_along_the_front():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # the whole front: the area below 1 - x^2
    assert sum(searched(ForObjectives, s) for s in range(2)) / 2 > 0.64
    assert sum(searched(lambda s: Scalarised(Engine(s), s), s) for s in range(2)) / 2 > 0.61
    for make in (lambda s: OptunaSampler(s, "random"), lambda s: Stateful(s, "nsgaii")):
        assert searched(make, 0) < 0.62


def test_one_objective_is_as_it_was():
    draw = random.Random(0)
    task = make_task(SPACE)
    trials = [
        make_trial(i, {"x": draw.random(), "y": draw.random()}, draw.random()) for i in range(6)
    ]
    for several in (ForObjectives(0), Scalarised(Engine(0), 0)):
        assert several.propose(task, trials) == Engine(0).propose(task, trials)


def test_best_and_certify_say_that_there_is_a_front(toy):
    agenthpo("run", "task.yaml", "--model", "none", "--trials", "4", code=0)
    assert (
        "The best in acc; the front: agenthpo show .agenthpo/toy" in agenthpo("best", "toy").stderr
    )
    done = agenthpo("certify", "toy", "--runs", "8")
    assert done.returncode != 0 and "has 2 objectives, and certify compares one" in done.stderr


def test_tables_have_a_column_for_each(toy):
    Path("task.yaml").write_text(TASK + "constraints: [lag <= 0.3]\n")
    agenthpo("run", "task.yaml", "--model", "none", "--trials", "2")
    heading, first, _ = agenthpo("show", "toy", "--csv", code=0).stdout.splitlines()
    columns = heading.split(",")
    assert columns[-4:] == ["objective.lag", "beyond lag <= 0.3", "params.x", "params.y"]
    values = dict(zip(columns[-4:], first.split(",")[-4:], strict=True))
    lag = 0.1**2 + 0.6**2
    assert float(values["objective.lag"]) == pytest.approx(lag)
    assert float(values["beyond lag <= 0.3"]) == pytest.approx(lag - 0.3)
