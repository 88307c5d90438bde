"""What failed in the same way becomes a statement, true of every trial and rarely made by chance."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.agents.prompt.build import findings
from agenthpo.agents.reply.validate import Draft, read_creator
from agenthpo.failures import failure_rules, forbidden
from agenthpo.records import Outcome
from calling import agenthpo
from studies import make_task, make_trial

ERROR = "RuntimeError: the shapes 512 and 64 do not fit"


def trial(number, params, status="complete", error=""):
    outcome = Outcome(status, 0.5 if status == "complete" else None, error=error)
    return replace(make_trial(number, params, 0.5), outcome=outcome)


def study(count, fails, status="oom", seed=0, error=""):
    draw = random.Random(seed)
    found = []
    for number in range(count):
        params = {
            "batch_size": draw.choice([32, 64, 128, 256, 512]),
            "width": draw.choice([64, 128, 256, 512, 1024]),
            "lr": draw.uniform(0.001, 0.1),
            "opt": draw.choice(["adam", "sgd"]),
            "amp": draw.random() < 0.5,
        }
        if params["opt"] == "sgd":
            params["momentum"] = draw.random()
        found.append(trial(number, params, status if fails(params) else "complete", error))
    return found


def is_large(params):
    return params["batch_size"] >= 256 and params["width"] >= 512


def test_two_parameters_that_ran_out_together():
    trials = study(20, is_large)
    (rule,) = failure_rules(trials)
    count = sum(t.value is None for t in trials)
    assert str(rule) == (
        f"batch_size ≥ 256 with width ≥ 512 ran out of memory {count} of {count} times"
    )


@pytest.mark.parametrize(
    ("fails", "status", "said"),
    [
        (lambda p: p["lr"] > 0.06, "diverged", "lr ≥ 0.0722508 diverged 10"),
        (lambda p: p["opt"] == "sgd", "failed", "opt = sgd failed (RuntimeError: the shapes"),
        (lambda p: p["amp"], "failed", "amp = true failed (RuntimeError"),
        (lambda p: p["width"] >= 512, "timeout", "width ≥ 512 hit the time limit"),
        (lambda p: p.get("momentum", 0) > 0.5, "failed", "momentum ≥ 0.5"),
    ],
)
def test_one_parameter(fails, status, said):
    rules = failure_rules(study(30, fails, status, error=ERROR * (status == "failed")))
    assert str(rules[0]).startswith(said), [*map(str, rules)]


def test_causes_are_told_apart():
    trials = study(40, is_large)
    others = [
        trial(
            40 + i, {**t.proposal.params, "lr": 0.5 + i / 100}, "failed", f"ValueError: nan at {i}"
        )
        for i, t in enumerate(trials[:6])
    ]
    rules = [*map(str, failure_rules([*trials, *others]))]
    assert len(rules) == 2
    assert "ran out of memory" in rules[0] and rules[1].startswith("lr ≥ 0.5 failed (ValueError")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_failures_or_none_that_ran_say_nothing(count):
    assert failure_rules(study(count, lambda p: True)) == ()
    assert failure_rules(study(30, lambda p: True)) == ()
    assert failure_rules(study(30, lambda p: False)) == ()


def test_an_interruption_and_a_stopped_trial_are_no_failures():
    trials = study(20, is_large, "interrupted") + study(20, is_large, "pruned")
    assert failure_rules(trials) == ()


def test_a_statement_is_rarely_made_by_chance():
    made = 0
    for seed in range(100):
        draw = random.Random(seed)
        made += bool(failure_rules(study(15, lambda p, draw=draw: draw.random() < 0.3, seed=seed)))
    assert made <= 12


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.sampled_from(["oom", "failed", "diverged"]))
def test_a_statement_is_true_of_all_trials(seed, count, status):
    draw = random.Random(seed)
    edge = draw.random() * 0.1
    trials = study(
        count, lambda p: p["lr"] > edge and draw.random() < 0.9, status, seed=seed, error="E: 1"
    )
    for rule in failure_rules(trials):
        fitting = [t for t in trials if rule.holds(t.proposal.params)]
        assert len(fitting) == rule.count >= 2
        assert {t.outcome.status for t in fitting} == {status}


def reply(params):
    return {
        "rationale": "larger",
        "hypothesis": "it helps",
        "params": params,
        "expected": {"value": 0.5, "low": 0.4, "high": 0.6},
    }


SPACE = {
    "batch_size": {"type": "int", "values": [32, 64, 128, 256, 512], "default": 32},
    "width": {"type": "int", "values": [64, 128, 256, 512, 1024], "default": 64},
    "lr": {"type": "float", "low": 0.001, "high": 0.1, "default": 0.01},
    "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
    "amp": {"type": "categorical", "values": [True, False], "default": False},
    "momentum": {"type": "float", "low": 0, "high": 1, "default": 0.5, "when": {"opt": "sgd"}},
}
LARGE = {"batch_size": 512, "width": 1024, "lr": 0.0123, "opt": "adam", "amp": True}


def test_a_creator_is_told_and_held_to_it():
    task, trials = make_task(SPACE), study(20, is_large)
    said = str(failure_rules(trials)[0])
    assert said in findings(task, trials, allowance=500)
    assert read_creator(reply(LARGE), task, trials) == [f"{said}; stay out of it"]
    assert isinstance(read_creator(reply({**LARGE, "width": 64}), task, trials), Draft)


def test_what_diverged_may_be_tried_with_something_else():
    trials = study(30, lambda p: p["lr"] > 0.06, "diverged")
    assert failure_rules(trials) and not forbidden({**LARGE, "lr": 0.09}, trials)


def test_show_tells_them(tmp_path, monkeypatch):
    from agenthpo.experience.log import ExperienceLog
    from agenthpo.experience.meta import StudyMeta

    monkeypatch.chdir(tmp_path)
    meta = StudyMeta(seed=0, direction="maximize", metric="acc", trials=20)
    with ExperienceLog.create(
        tmp_path / ".agenthpo/toy", space=make_task(SPACE).space, meta=meta
    ) as log:
        for each in study(20, is_large):
            log.finish(log.start(each.proposal), each.outcome, each.analysis)
    assert "Failures: batch_size ≥ 256 with width ≥ 512 ran out" in agenthpo("show", "toy").stdout
    assert '"failures": ["batch_size' in agenthpo("show", "toy", "--json").stdout
