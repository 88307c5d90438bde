"""A search over fidelities: cheap beginnings, and the best third of each rung goes on."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.agents.diagnosis import diagnose
from agenthpo.budget import Spent
from agenthpo.fidelity import Fidelity
from agenthpo.records import Outcome, Proposal, Trial
from agenthpo.search.engine.engine import Engine
from agenthpo.search.optuna_samplers import OptunaSampler
from agenthpo.search.promoting import Promoting
from agenthpo.search.trust import assessed
from agenthpo.taskfile.space import parse_space, with_constraints
from agenthpo.trials import alike, incumbent
from studies import make_task

FIDELITY = Fidelity("epochs", 1, 27)
RUNGS = FIDELITY.rungs
RAW = {
    "x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.2},
    "y": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.2},
    "epochs": {"type": "int", "low": 1, "high": 27, "default": 27},
}
TASK = replace(make_task(RAW, trials=100), fidelity=FIDELITY)


def value(params):
    return (1 - (params["x"] - 0.7) ** 2 - (params["y"] - 0.3) ** 2) * (
        1 - 0.5 ** (params["epochs"] / 3)
    )


def played(proposer, count, task=TASK, fails=lambda params: False):
    trials = []
    for number in range(count):
        proposal = proposer.propose(task, trials)
        assert not task.space.violations(proposal.params)
        share = FIDELITY.share(proposal.params)
        outcome = Outcome("complete", value(proposal.params))
        if fails(proposal.params):
            outcome = Outcome("failed", error="exit code 1")
        trials.append(Trial(number, replace(proposal, share=share), outcome))
    return trials


@pytest.mark.parametrize(
    ("fidelity", "rungs"),
    [
        (Fidelity("e", 3, 81), (3, 9, 27, 81)),
        (Fidelity("e", 1, 52), (2, 6, 17, 52)),
        (Fidelity("e", 10, 30), (10, 30)),
        (Fidelity("e", 0.1, 1.0, 2, False), (0.125, 0.25, 0.5, 1.0)),
    ],
)
def test_rungs_end_at_a_whole_training(fidelity, rungs):
    assert fidelity.rungs == rungs


@pytest.mark.parametrize("make", [Engine, lambda seed: OptunaSampler(seed, "random")])
def test_the_best_third_goes_on(make):
    trials = played(Promoting(make(0)), 60)
    assert trials[0].proposal.source == "default" and trials[0].is_whole
    counts = [sum(t.proposal.params["epochs"] == rung for t in trials[1:]) for rung in RUNGS]
    assert counts == sorted(counts, reverse=True) and counts[0] > 30 and counts[3] >= 1
    numbers = {t.number: t for t in trials}
    for trial in trials[1:]:
        before = trial.proposal.promoted_from
        if before is None:
            assert trial.proposal.params["epochs"] == 1 and trial.proposal.expected is None
        else:
            same = {n: v for n, v in trial.proposal.params.items() if n != "epochs"}
            assert {**numbers[before].proposal.params, **same} == numbers[before].proposal.params
            assert f"Trial {before} was" in trial.proposal.rationale
            # it was among the best third of its rung by then
            rung = numbers[before].proposal.params["epochs"]
            here = [t for t in trials[: trial.number] if t.proposal.params["epochs"] == rung]
            better = sum(t.value > numbers[before].value for t in here)
            assert better < len(here) // 3
    # each rung once
    keys = [TASK.space.key(t.proposal.params) for t in trials]
    assert len(set(keys)) == len(keys)


def test_only_a_whole_training_is_the_best():
    trials = played(Promoting(Engine(0)), 40)
    best = incumbent(trials, "maximize")
    assert best.is_whole and best.value == max(t.value for t in trials if t.is_whole)
    assert incumbent([t for t in trials if not t.is_whole], "maximize") is None


def test_the_budget_counts_what_was_trained():
    trials = played(Promoting(Engine(0)), 20)
    spent = Spent.of(trials, "maximize")
    assert spent.trials == pytest.approx(sum(t.proposal.share for t in trials), abs=1e-5)
    assert Spent.of(trials[:1], "maximize").trials == 1


def test_what_fails_or_breaks_a_limit_goes_nowhere():
    trials = played(Promoting(OptunaSampler(0, "random")), 40, fails=lambda p: p["x"] > 0.4)
    assert all(t.proposal.params["x"] <= 0.4 for t in trials if t.proposal.promoted_from)
    broken = {"lag <= 1": 0.5}
    first = [
        Trial(
            i,
            Proposal({"x": i / 10, "y": 0.5, "epochs": 1}, "engine", share=1 / 27),
            Outcome("complete", i / 10, margins=broken if i else {"lag <= 1": -1.0}),
        )
        for i in range(3)
    ]
    proposal = Promoting(OptunaSampler(0, "random")).propose(TASK, first)
    assert proposal.promoted_from == 0


def test_who_proposed_it_is_credited():
    first = [
        Trial(
            i,
            Proposal(
                {"x": i / 10, "y": 0.5, "epochs": 1},
                "creator",
                rationale="Since x helps.",
                model="m",
                mode="free",
                share=1 / 27,
            ),
            Outcome("complete", i / 10),
        )
        for i in range(3)
    ]
    proposal = Promoting(Engine(0)).propose(TASK, first)
    assert (proposal.source, proposal.model, proposal.mode) == ("creator", "m", "")
    assert proposal.rationale.endswith("and goes on. Since x helps.")
    # a trial that goes on is no turn
    ended = Trial(3, replace(proposal, share=1 / 9), Outcome("complete", 0.4))
    assert assessed([*first, ended], "maximize").results == 3


def test_trials_are_compared_with_those_of_as_much_training():
    whole = Trial(0, Proposal({"x": 0.1, "y": 0.1, "epochs": 27}, "default"),
                  Outcome("complete", 0.9))  # fmt: skip
    low = [
        Trial(
            i,
            Proposal({"x": i / 10, "y": 0.1, "epochs": 1}, "engine", share=1 / 27),
            Outcome("complete", 0.1 + i / 100),
        )
        for i in (1, 2)
    ]
    assert [t.number for t in alike([whole, *low], 1 / 27)] == [1, 2]
    analysis = diagnose(TASK, low[1], outcome=low[1].outcome, trials=[whole, *low])
    assert "better than trial 1" in analysis.insight


def test_constraints_with_the_fidelity_raise_the_rung():
    raw = {**RAW, "warmup": {"type": "int", "low": 0, "high": 20, "default": 2}}
    space = with_constraints(parse_space(raw), ["warmup < epochs"])
    task = replace(TASK, space=space)
    trials = played(Promoting(OptunaSampler(0, "random")), 15, task)
    assert any(t.proposal.params["epochs"] > 1 and t.proposal.promoted_from is None
               for t in trials[1:])  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.floats(0.001, 100), st.floats(1, 1000), st.integers(2, 10), st.booleans())
def test_rungs_stay_between_their_ends(low, times, eta, is_whole):
    if is_whole:
        low = max(round(low), 1)
    high = low * max(times, eta)
    high = round(high) if is_whole else high
    rungs = Fidelity("e", low, high, eta, is_whole).rungs
    assert rungs[-1] == high and sorted(set(rungs)) == list(rungs)
    assert rungs[0] >= low * 0.999 - (0.5 if is_whole else 0)


def test_the_last_training_of_the_budget_is_a_whole_one():
    low = [
        Trial(
            i,
            Proposal({"x": i / 10, "y": 0.5, "epochs": 1}, "engine", share=1 / 27),
            Outcome("complete", value({"x": i / 10, "y": 0.5, "epochs": 1})),
        )
        for i in range(9)
    ]
    task = replace(TASK, budget=replace(TASK.budget, trials=1))
    proposal = Promoting(Engine(0)).propose(task, low)
    assert proposal.params == {"x": 0.7, "y": 0.5, "epochs": 27}
    assert proposal.promoted_from == 7
