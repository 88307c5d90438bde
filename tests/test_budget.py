import json
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agenthpo
from agenthpo.agents.creator import Creator
from agenthpo.agents.reply.forms import creator_form
from agenthpo.assembly import ModelChoice
from agenthpo.budget import Budget, Spent
from agenthpo.errors import ModelError
from agenthpo.llm.client import Reply
from agenthpo.records import Outcome, Stop, Usage
from agenthpo.search.hybrid import Hybrid
from agenthpo.search.optuna_samplers import OptunaSampler
from agenthpo.session import begin
from agenthpo.taskfile.space import parse_space
from studies import make_task, make_trial

DEFAULT = {"lr": 0.001, "size": 16, "opt": "adam", "epochs": 10}


def study(*values, **usage):
    trials = [
        make_trial(i, {**DEFAULT, "epochs": 1 + i}, value, usage=Usage(requests=1, **usage))
        for i, value in enumerate(values)
    ]
    return [replace(t, outcome=replace(t.outcome, duration_s=10.0)) for t in trials]


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        (Budget(3), "all 3 trials of the budget are done"),
        (Budget(4), None),
        (Budget(9, time_s=33.0), "the time budget of 33.0s is spent"),
        (Budget(9, time_s=33.5), None),
        (Budget(9, tokens=300), "the budget of 300 tokens is spent (330)"),
        (Budget(9, tokens=331), None),
        (Budget(9, cost_usd=0.3), "the budget of $0.3 is spent ($0.3000)"),
        (Budget(9, target=0.7), "the target of 0.7 is reached"),
        (Budget(9, target=0.71), None),
        (Budget(9, patience=1), "1 trials in a row brought nothing better"),
        (Budget(9, patience=2), None),
    ],
)
def test_the_first_limit_that_is_reached_is_the_reason(budget, reason):
    trials = study(0.5, 0.7, None, input_tokens=100, output_tokens=10, seconds=1.0, cost_usd=0.1)
    assert budget.reason(Spent.of(trials, "maximize"), "maximize") == reason


def test_direction_decides_what_reaches_a_target():
    spent = Spent.of(study(0.5, 0.3), "minimize")
    assert Budget(9, target=0.3).reason(spent, "minimize")
    assert Budget(9, target=0.2).reason(spent, "minimize") is None


SMALL = {
    "a": {"type": "bool", "default": False},
    "n": {"type": "int", "low": 1, "high": 3, "when": {"a": True}},
    "c": {"type": "categorical", "values": [None, "x"], "default": None},
}


def test_every_configuration_of_a_small_space_is_listed_once():
    space = parse_space(SMALL)
    listed = list(space.configurations())
    assert len(listed) == 8 == len({space.key(params) for params in listed})
    assert all(space.violations(params) == [] for params in listed)
    step = parse_space(
        {
            "x": {"type": "float", "low": 0.0, "high": 0.3, "step": 0.1},
            "y": {"type": "int", "low": 0, "high": 4, "step": 2},
        }
    )
    assert [tuple(p.values()) for p in step.configurations()] == list(
        product((0.0, 0.1, 0.2, 0.3), (0, 2, 4))
    )
    assert (
        list(parse_space({"x": {"type": "float", "low": 0.0, "high": 1.0}}).configurations()) == []
    )


@given(st.integers(0, 5))
def test_a_used_up_space_ends_the_study_and_nothing_is_tried_twice(seed):
    task, trials = make_task(space=SMALL), []
    while not isinstance(proposal := OptunaSampler(seed).propose(task, trials), Stop):
        trials.append(make_trial(len(trials), proposal.params, 0.5, proposal.source))
    assert proposal.reason == "every configuration of the space has been tried (8 trials)"
    assert len({task.space.key(t.proposal.params) for t in trials}) == 8
    noisy = replace(task, objective=replace(task.objective, noisy=True))
    assert task.space.violations(OptunaSampler(seed).propose(noisy, trials).params) == []


def test_a_used_up_space_is_the_reason_that_is_told():
    result = agenthpo.tune(
        lambda p: 1.0,
        SMALL,
        direction="maximize",
        trials=20,
        model="none",
        on_event=lambda event: None,
    )
    assert (len(result.trials), result.reason) == (
        8,
        "every configuration of the space has been tried (8 trials)",
    )


def test_a_target_ends_a_study_in_time():
    result = agenthpo.tune(
        lambda p: p["x"],
        {"x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.9}},
        direction="maximize",
        trials=5,
        target=0.5,
        model="none",
        on_event=print,
    )
    assert (len(result.trials), result.reason) == (1, "the target of 0.5 is reached")


class Stopping:
    name, allowance, holds_to_grammar = "stopping", 3000, False

    def ask(self, messages, form, *, seed=0):
        self.form = form
        data = {"rationale": "Nothing is left to gain.", "stop": True}
        return Reply(json.dumps(data), data, Usage(1, 1, 1))


@pytest.mark.parametrize("allowed", [True, False])
def test_the_creator_may_propose_to_stop_where_the_task_allows_it(allowed):
    task = make_task()
    task = task.with_budget(Budget(creator_may_stop=allowed))
    model = Stopping()
    answer = Hybrid(Creator(model), OptunaSampler(), model="x").propose(
        task, [make_trial(0, DEFAULT, 0.5, "default")]
    )
    assert isinstance(answer, Stop) == allowed
    assert ("stop" in model.form.schema["properties"]) == allowed
    assert "stop" not in creator_form(task, []).schema["required"]
    if allowed:
        assert answer.reason == "the Creator proposed to stop: Nothing is left to gain."
    else:
        assert answer.source == "fallback"


def test_a_limit_on_money_needs_a_known_price(tmp_path):
    task = make_task().with_budget(Budget(cost_usd=1.0))
    with pytest.raises(
        ModelError,
        match=r"the budget is \$1, but the price of the model toy is not known; limit its tokens",
    ):
        begin(task, tmp_path / "x", model=ModelChoice("toy", "http://127.0.0.1:9/v1"))
    assert not (tmp_path / "x").exists()


def test_what_is_spent_counts_failed_trials_too():
    spent = Spent.of([*study(None), replace(study(0.5)[0], outcome=None)], "maximize")
    assert (spent.trials, spent.best, spent.since_best) == (1, None, 0)
    assert Outcome("failed").value is None


def test_limits_change_what_they_set_and_leave_the_rest():
    known = Budget(trials=9, target=1.0, patience=4, creator_may_stop=True)
    changed = known.changed_by(Budget(trials=3, target=0.0))
    assert changed == Budget(trials=3, target=0.0, patience=4, creator_may_stop=True)


def test_a_budget_without_limits_is_never_spent():
    assert Budget().reason(Spent(trials=10_000, tokens=10**9), "minimize") is None
