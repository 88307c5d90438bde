"""No proposer leaves what must hold between parameters."""

from dataclasses import replace

import numpy as np
import pytest

from agenthpo.assembly import proposer_named
from agenthpo.records import Analysis, Outcome, Stop, Trial
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.engine.engine import Engine
from agenthpo.search.optuna_samplers import OptunaSampler
from agenthpo.search.stateful_samplers import Stateful
from agenthpo.taskfile.space import parse_space, with_constraints
from agenthpo.testing import ScriptedLLM
from studies import make_task

RAW = {
    "warmup": {"type": "int", "low": 0, "high": 50, "default": 2},
    "epochs": {"type": "int", "low": 1, "high": 60, "default": 20},
    "heads": {"type": "int", "low": 1, "high": 16, "default": 4},
    "width": {"type": "int", "low": 16, "high": 512, "log": True, "default": 64},
    "rate": {"type": "float", "low": 1e-4, "high": 1.0, "log": True, "default": 1e-2},
    "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
    "momentum": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5, "when": {"opt": "sgd"}},
}
HOLDS = ("warmup < epochs", "heads divides width", "rate * width < 20", "momentum + rate < 1")
SPACE = with_constraints(parse_space(RAW), HOLDS)
TASK = replace(make_task({"x": {"type": "float", "low": 0, "high": 1}}), space=SPACE)
"""Drawn at random, one configuration in fifteen keeps all four."""


def value(params):
    return -abs(params["warmup"] - 30) - abs(np.log10(params["rate"])) + params["heads"] / 10


def proposed(make, studies, trials):
    """How many proposals, each of which has to keep what must hold."""
    count = 0
    for seed in range(studies):
        proposer, done = make(seed), []
        for number in range(trials):
            proposal = proposer.propose(TASK, done)
            if isinstance(proposal, Stop):
                break
            assert SPACE.violations(proposal.params) == []
            count += 1
            outcome = Outcome("complete", value(proposal.params))
            done.append(Trial(number, proposal, outcome, Analysis("completed")))
    return count


@pytest.mark.parametrize(
    ("make", "studies", "trials"),
    [
        pytest.param(Engine, 2, 15, id="engine"),
        pytest.param(lambda seed: OptunaSampler(seed, "tpe"), 1, 40, id="tpe"),
        pytest.param(lambda seed: OptunaSampler(seed, "random"), 1, 40, id="random"),
        pytest.param(lambda seed: Stateful(seed, "qmc"), 1, 40, id="qmc"),
    ],
)
def test_every_proposal_keeps_what_must_hold(make, studies, trials):
    assert proposed(make, studies, trials) == studies * trials


@pytest.mark.parametrize("name", ["creator", "hybrid"])
def test_a_model_that_breaks_them_is_not_followed(name):
    rng, free = np.random.default_rng(0), Encoding(replace(SPACE, constraints=()))
    broken = 0

    def answer(asked):
        nonlocal broken
        params = free.params(free.drawn(rng, 1)[0])
        broken += bool(SPACE.broken(params))
        return {
            "rationale": "Since trial 0 was slow.",
            "params": params,
            "hypothesis": "Faster.",
            "expected": {"value": 0.0, "low": -50.0, "high": 50.0},
        }

    llm = ScriptedLLM(*[answer] * 1000, name="claude-opus-4")
    count = proposed(lambda seed: proposer_named(name, llm, seed=seed), 1, 10)
    assert count == 10 and broken > 5
    assert any("must hold, but does not" in m.text for a in llm.asked for m in a.messages)


def test_pins_and_constraints_together():
    task = replace(TASK, pins={"epochs": 3})
    proposer, done = Engine(0), []
    for number in range(12):
        proposal = proposer.propose(task, done)
        if number:  # the first one is the default
            assert proposal.params["epochs"] == 3 and proposal.params["warmup"] < 3
        assert SPACE.violations(proposal.params) == []
        done.append(
            Trial(
                number, proposal, Outcome("complete", value(proposal.params)), Analysis("completed")
            )
        )


@pytest.mark.parametrize("make", [Engine, OptunaSampler])
def test_what_leaves_nothing_is_said(make):
    raw = {name: {k: v for k, v in field.items() if k != "default"} for name, field in RAW.items()}
    space = with_constraints(parse_space(raw), ["rate * 0 > epochs"])
    stop = make(0).propose(replace(TASK, space=space), [])
    assert isinstance(stop, Stop)
    assert stop.reason.startswith("no configuration is found that keeps rate * 0 > epochs")


def test_a_small_space_is_listed_without_what_breaks_one():
    raw = {
        "a": {"type": "int", "low": 1, "high": 6},
        "b": {"type": "int", "low": 1, "high": 6},
    }
    space = with_constraints(parse_space(raw), ["a divides b", "a < b"])
    task, engine, done = replace(TASK, space=space), Engine(0), []
    left = {(a, b) for b in range(1, 7) for a in range(1, b) if b % a == 0}
    for number in range(len(left)):
        proposal = engine.propose(task, done)
        left.remove((proposal.params["a"], proposal.params["b"]))
        outcome = Outcome("complete", float(number))
        done.append(Trial(number, proposal, outcome, Analysis("completed")))
    assert not left and isinstance(engine.propose(task, done), Stop)
