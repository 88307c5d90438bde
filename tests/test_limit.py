"""What results have to keep: read in words, measured by code, and no trial that breaks it wins."""

import json
import random
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

import agenthpo
from agenthpo.agents.prompt.build import head, standing
from agenthpo.agents.prompt.trials import brief
from agenthpo.errors import SpaceError, StudyError, TaskError
from agenthpo.experience.finding import found_study
from agenthpo.limit import Limit, broken_words, parse_limits
from agenthpo.llm.client import Manner
from agenthpo.records import Outcome, Proposal
from agenthpo.search.engine.engine import Engine
from agenthpo.search.optuna_samplers import OptunaSampler
from agenthpo.taskfile.reading import load_task
from agenthpo.text.phrases import nothing_kept
from agenthpo.trials import course, improvements, incumbent, ranked
from calling import agenthpo as command
from studies import make_task, make_trial

NAMES = ("warmup", "epochs", "optim.lr")


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("latency_ms <= 20", [("latency_ms", "<=", 20.0)]),
        (" latency_ms<20 ", [("latency_ms", "<", 20.0)]),
        ("0.9 <= recall", [("recall", ">=", 0.9)]),
        ("recall>=.9", [("recall", ">=", 0.9)]),
        ("20 > latency", [("latency", "<", 20.0)]),
        ("val/size-mb < 1e3", [("val/size-mb", "<", 1000.0)]),
        ("-1 <= bias < 1", [("bias", ">=", -1.0), ("bias", "<", 1.0)]),
        ("warmup < 5", []),
        ("warmup < epochs", []),
        ("optim.lr < 0.1", []),
        ("latency * 2 < 5", []),
        ("", []),
    ],
)
def test_what_is_about_results_is_told_from_the_rest(text, limits):
    assert [(x.metric, x.sign, x.bound) for x in parse_limits(text, NAMES)] == limits


def test_a_parameter_misspelt_is_no_metric():
    with pytest.raises(ValueError, match="which is no parameter; if warmup is meant"):
        parse_limits("warmupp < 5", NAMES)


@given(
    st.sampled_from(["<", "<=", ">", ">="]),
    st.floats(-1e6, 1e6),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_a_margin_says_whether_it_is_kept(sign, bound, value):
    holds = {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}
    margin = Limit("m", sign, bound).margin(value)
    assert json.loads(json.dumps(margin, allow_nan=False)) == margin
    if abs(value) < float("inf"):
        assert (margin <= 0) == holds[sign]
    else:
        assert margin > 0


def trial(number, value, latency, params=None, **fields):
    made = make_trial(number, params or {"x": number / 10}, value, **fields)
    margins = {"latency <= 20": latency - 20}
    return replace(made, outcome=replace(made.outcome, margins=margins))


TRIALS = [
    trial(0, 0.5, 10.0, source="default"),
    trial(1, 0.9, 31.2),
    trial(2, 0.7, 20.0),
    trial(3, 0.95, 20.5),
    trial(4, 0.6, 5.0),
]


def test_what_breaks_one_is_never_the_best():
    assert incumbent(TRIALS, "maximize").number == 2
    assert [t.number for t in ranked(TRIALS, "maximize")] == [2, 4, 0]
    assert [t.number for t in improvements(TRIALS, "maximize")] == [0, 2]
    assert course(TRIALS, "maximize") == ([0, 1, 2, 3, 4], [0.5, 0.5, 0.7, 0.7, 0.7])
    assert incumbent(TRIALS[1:2], "maximize") is None
    # measured twice, and once beyond
    again = [trial(5, 0.99, 19.0), trial(6, 0.99, 20.1, params={"x": 0.5})]
    assert incumbent([*TRIALS, *again], "maximize").number == 2


def test_what_comes_nearest_is_told_where_none_keeps_them():
    assert nothing_kept(TRIALS) == ""
    assert nothing_kept([TRIALS[1], TRIALS[3]]) == (
        "No trial keeps what results have to keep; the nearest, trial 3, "
        "breaks latency <= 20 by 0.5."
    )


def test_a_creator_is_told():
    task = replace(make_task(), limits=(Limit("latency", "<=", 20.0),))
    reader = Manner("m", 4000, holds_to_grammar=False)
    assert "a result counts only where latency <= 20" in head(task, reader).text
    assert "2 break latency <= 20." in standing(task, TRIALS, llm=reader)
    assert "(breaks latency <= 20 by 11.2)" in brief(task, TRIALS[1])
    assert broken_words(TRIALS[0].outcome.margins) == ""


SCRIPT = """\
import sys
x = float(sys.argv[1])
print("latency_ms:", 5 + 40 * x * x)
print("acc:", x)
"""
TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train:
  command: "{python} train.py {x} {y}"
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.2}
  y: {type: float, low: 0.0, high: 1.0, default: 0.2}
constraints: [latency_ms <= 20, x + y < 1.9, duration_s < 100]
budget: {trials: 9}
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT)
    Path("task.yaml").write_text(TASK)


def test_a_study_ends_with_the_best_that_keeps_them(toy):
    done = command("run", "task.yaml", "--model", "none", "--seed", "3", code=0)
    shown = json.loads(command("show", "toy", "--json").stdout)
    trials = shown["trials"]
    # the limit is at x = 0.612
    broken = [t for t in trials if t["params"]["x"] > 0.6124]
    assert broken and all(t["margins"]["latency_ms <= 20"] > 0 for t in broken)
    best = trials[shown["study"]["incumbent"]]
    assert best["value"] == max(t["value"] for t in trials if t not in broken)
    assert f"Best: trial {best['number']}" in done.stdout
    assert "breaks latency_ms <= 20 by" in done.stdout
    assert "breaks a limit" in command("show", "toy").stdout
    told = command("show", "toy", str(broken[0]["number"])).stdout
    assert "and cannot be the best" in told
    # Optuna knows them as its own
    study = found_study(Path(".agenthpo/toy"))[0]
    assert study.best_trial.number == best["number"]
    assert set(study.get_trials()[0].constraints) == {"latency_ms <= 20", "duration_s < 100"}


def test_a_metric_that_never_comes_is_the_tasks_mistake(toy):
    Path("task.yaml").write_text(TASK.replace("latency_ms", "latency"))
    done = command("run", "task.yaml", "--model", "none")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert (
        "without reporting latency, which is what 'latency <= 20' is about; report it beside acc, or put "
        "its pattern into train.metrics (what came: acc, duration_s, peak_mb)"
        in done.stdout
        + done.stderr
    )
    assert len(json.loads(command("show", "toy", "--json").stdout)["trials"]) == 1


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        ("[xx < 1]", ""),
        ("[test_acc > 0.5]", "test_acc > 0.5 is on the test metric"),
        ("[latency_ms <= fast]", "constraints[0]"),
        ("[latency_ms]", "constraints[0]"),
    ],
)
def test_a_wrong_one_is_a_sentence(toy, constraints, said):
    text = TASK.replace("[latency_ms <= 20, x + y < 1.9, duration_s < 100]", constraints)
    text = text.replace("direction: maximize", "direction: maximize, test_metric: test_acc")
    Path("task.yaml").write_text(text)
    if said:
        with pytest.raises((TaskError, SpaceError)) as problem:
            load_task("task.yaml")
        assert said in str(problem.value) and "task.yaml" in str(problem.value)
    else:
        assert load_task("task.yaml").limits[0].metric == "xx"


def test_none_that_keeps_them_is_said(toy):
    Path("task.yaml").write_text(TASK.replace("<= 20", "<= 2").replace("trials: 9", "trials: 3"))
    done = command("run", "task.yaml", "--model", "none")
    assert "No trial keeps what results have to keep; the nearest, trial" in done.stdout
    assert "keeps what results have to keep" in command("best", "toy").stderr


def test_tune_takes_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = {name: {"type": "float", "low": 0.0, "high": 1.0, "default": 0.1} for name in "xy"}
    settings = dict(
        direction="maximize", trials=8, model="none", metric="acc", on_event=lambda event: None
    )

    def objective(params):
        return {"acc": params["x"], "cost": 10 * params["x"]}

    result = agenthpo.tune(objective, space, constraints=["cost <= 6", "x < y + 0.5"], **settings)
    assert result.best_value <= 0.6
    assert all(t.proposal.params["x"] < t.proposal.params["y"] + 0.5 for t in result.trials)
    with pytest.raises(StudyError, match="No trial keeps what results have to keep"):
        agenthpo.tune(objective, space, constraints=["cost < 0"], study="none", **settings)


def searched(make, seed, trials=25):
    """The best value of a search whose optimum lies beyond the limit."""
    space = {name: {"type": "float", "low": 0.0, "high": 1.0} for name in "abc"}
    task = replace(make_task(space), limits=(Limit("cost", "<=", 1.0),))
    proposer, done = make(seed), []
    for number in range(trials):
        proposal = proposer.propose(task, done)
        a, b, c = (proposal.params[n] for n in "abc")
        margin = task.limits[0].margin(a + b)
        outcome = Outcome("complete", a + 2 * b - (c - 0.3) ** 2, margins={"cost <= 1": margin})
        done.append(replace(make_trial(number, {}, 0.5), proposal=proposal, outcome=outcome))
    scores = [t.score for t in done if t.score is not None]
    return max(scores, default=0.0), sum(not t.is_kept for t in done)


def test_the_engine_learns_where_they_are_kept():
    found = [searched(Engine, seed) for seed in range(3)]
    # 2 at a = 0, b = 1, c = 0.3
    assert sum(value for value, _ in found) / 3 > 1.9
    assert all(broken < 15 for _, broken in found)


def test_optunas_samplers_are_told():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    draw = random.Random(0)
    task = replace(make_task(), limits=(Limit("cost", "<=", 1.0),))
    outcome = Outcome("complete", 0.5, margins={"cost <= 1": 0.25})
    trials = [
        replace(make_trial(i, {}, 0.5), proposal=Proposal(p, "engine"), outcome=outcome)
        for i in range(5)
        for p in [{"lr": draw.uniform(1e-5, 0.1), "size": 8, "opt": "adam", "epochs": 3 + i}]
    ]
    sampler = OptunaSampler(0)
    sampler.propose(task, trials)
    assert sampler._kept.get_trials()[0].constraints == {"cost <= 1": 0.25}


def test_limits_that_change_are_not_mixed(toy):
    command("run", "task.yaml", "--model", "none", "--trials", "2", code=0)
    for changed in ("latency_ms <= 10", "acc < 5"):
        Path("task.yaml").write_text(TASK.replace("latency_ms <= 20", changed))
        done = command("resume", "toy", "--trials", "4", "--model", "none")
        assert done.returncode == 2 and "trial 0 of the study" in done.stderr
        assert "was judged by duration_s < 100, latency_ms <= 20" in done.stderr
    Path("task.yaml").write_text(TASK)
    command("resume", "toy", "--trials", "3", "--model", "none", code=0)


def test_what_breaks_one_or_is_no_whole_training_is_not_certified():
    from agenthpo.rounds import contenders_of

    task = make_task({"x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.0}})
    begun = trial(5, 0.99, 5.0)
    begun = replace(begun, proposal=replace(begun.proposal, share=0.1))
    assert [t.number for t in contenders_of(task, [*TRIALS, begun], 5)] == [2, 4]
