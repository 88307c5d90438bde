import json
import subprocess
import sys

import pytest

import agenthpo
from agenthpo.assembly import proposer_named
from agenthpo.errors import InvalidParams, ModelError, SpaceError, StudyError, TaskError
from agenthpo.optimizer import Optimizer
from loopback import message, model_server
from studies import SPACE


def score(params):
    return abs(params["epochs"] - 30) + (params["opt"] == "sgd")


def test_it_begins_with_the_default_and_finds_better_ones():
    opt = agenthpo.Optimizer(SPACE, proposer="tpe", direction="minimize")
    first = opt.ask()
    assert first == {"lr": 0.001, "size": 16, "opt": "adam", "epochs": 10}
    opt.tell(first, score(first))
    for _ in range(20):
        params = opt.ask()
        opt.tell(params, score(params))
    best = opt.best()
    assert best.value == min(score(t.proposal.params) for t in opt.trials) < 20
    assert best.params == opt.trials[best.trials[0]].proposal.params


def test_the_same_seed_asks_the_same():
    def asked(seed):
        opt = Optimizer(SPACE, seed=seed, direction="maximize")
        for _ in range(6):
            params = opt.ask()
            opt.tell(params, score(params))
        return [t.proposal.params for t in opt.trials]

    assert asked(1) == asked(1) != asked(2)


def test_defaults_of_the_call_go_before_those_of_the_space():
    assert Optimizer(SPACE, defaults={"size": 8, "lr": 1e-4}, direction="minimize").ask() == {
        "lr": 1e-4,
        "size": 8,
        "opt": "adam",
        "epochs": 10,
    }
    with pytest.raises(SpaceError, match=r"defaults.sice is not a parameter"):
        Optimizer(SPACE, defaults={"sice": 8}, direction="minimize")
    with pytest.raises(
        SpaceError, match=r"defaults.size.default is 9, but size must be one of 8, 16, 32"
    ):
        Optimizer(SPACE, defaults={"size": 9}, direction="minimize")


def test_several_may_be_pending_and_are_told_in_any_order():
    opt = Optimizer(SPACE, direction="minimize")
    asked = [opt.ask() for _ in range(4)]
    assert len({str(a) for a in asked}) == 4
    for number in (2, 0, 3, 1):
        assert opt.tell(asked[number], number).number == number
    assert opt.best().params == asked[0]


def test_what_was_never_asked_for_is_welcome_where_it_lies_in_the_space():
    opt = Optimizer(SPACE, direction="maximize")
    mine = {"lr": 0.01, "size": 8, "opt": "sgd", "momentum": 0.5, "epochs": 5}
    assert opt.tell(mine, 0.9).proposal.source == "human"
    assert opt.best().params == mine
    with pytest.raises(InvalidParams, match="size must be one of 8, 16, 32, not 9"):
        opt.tell({**mine, "size": 9}, 0.9)


def test_failures_have_no_value_and_values_are_finite():
    opt = Optimizer(SPACE, direction="minimize")
    assert opt.tell(opt.ask(), status="failed").value is None
    assert opt.tell(opt.ask(), float("nan")).outcome.status == "diverged"
    assert opt.best() is None
    for value, status, words in (
        (1.0, "failed", "has no value"),
        (None, "complete", "needs a value"),
        (None, "odd", "must be complete"),
    ):
        with pytest.raises(StudyError, match=words):
            opt.tell(opt.ask(), value, status=status)


def test_a_space_that_is_used_up_says_so():
    opt = Optimizer({"a": {"type": "bool", "default": True}}, direction="minimize")
    for _ in range(2):
        opt.tell(opt.ask(), 1)
    with pytest.raises(StudyError, match="every configuration of the space has been tried"):
        opt.ask()


def test_mistakes_are_named():
    with pytest.raises(TaskError, match="there is no proposer 'tpee'"):
        Optimizer(SPACE, proposer="tpee", direction="minimize")
    with pytest.raises(TaskError, match="must be 'minimize' or 'maximize'"):
        Optimizer(SPACE, direction="up")
    with pytest.raises(ModelError):
        Optimizer(SPACE, model="local:none-such", direction="minimize")
    assert proposer_named("random", None, seed=0)


def test_a_real_model_proposes_in_it():
    with Optimizer(SPACE, model="local:smollm2", background="A toy.", direction="maximize") as opt:
        for _ in range(2):
            params = opt.ask()
            opt.tell(params, -score(params))
    assert {t.proposal.source for t in opt.trials} <= {
        "default",
        "creator",
        "fallback",
        "engine",
    }
    assert any(t.proposal.usage.tokens for t in opt.trials)


def test_one_that_is_never_closed_ends_without_a_word():
    answer = {
        "rationale": "So.",
        "params": {"x": 0.1},
        "hypothesis": "Up.",
        "expected": {"value": 1, "low": 0, "high": 2},
    }
    code = """
import sys, agenthpo
opt = agenthpo.Optimizer({"x": {"type": "float", "low": 0, "high": 1, "default": 0.5}}, model="toy", base_url=sys.argv[1], proposer="creator", direction="minimize")
for _ in range(2):
    opt.tell(opt.ask(), 0.5)
"""
    with model_server(lambda body, number: message(json.dumps(answer))) as (url, _):
        done = subprocess.run(
            [sys.executable, "-c", code, url], capture_output=True, text=True, timeout=60
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_budget_ends_the_asking():
    space = {"x": {"type": "float", "low": 0, "high": 1, "default": 0.5}}
    opt = agenthpo.Optimizer(space, budget=agenthpo.Budget(trials=2), direction="minimize")
    opt.tell(opt.ask(), 0.5)
    opt.ask()
    with pytest.raises(agenthpo.AgentHPOError, match="nothing more to ask: all 2 trials of the"):
        opt.ask()


def test_a_target_that_is_reached_ends_the_asking():
    space = {"x": {"type": "float", "low": 0, "high": 1, "default": 0.0}}
    opt = agenthpo.Optimizer(space, budget=agenthpo.Budget(target=0.0), direction="minimize")
    params = opt.ask()
    opt.tell(params, params["x"])
    with pytest.raises(agenthpo.AgentHPOError, match="the target of 0 is reached"):
        opt.ask()
