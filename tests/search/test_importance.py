"""Which parameters matter, by PED-ANOVA, and how sure that is."""

import random

import pytest

from agenthpo.search.importance import FEWEST, importances
from agenthpo.taskfile.space import parse_space
from studies import make_trial

SPACE = parse_space(
    {
        "lr": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
        "width": {"type": "int", "values": [16, 32, 64, 128]},
        "kind": {"type": "categorical", "values": ["a", "b"]},
        "still": {"type": "float", "low": 0.0, "high": 1.0},
        "depth": {"type": "int", "low": 1, "high": 5, "when": {"kind": "b"}},
    }
)


def drawn(count, value, seed=0):
    draw = random.Random(seed)
    trials = []
    for i in range(count):
        kind = draw.choice("ab")
        params = {
            "lr": 10 ** draw.uniform(-4, 0),
            "width": draw.choice([16, 32, 64, 128]),
            "kind": kind,
            "still": 0.5,
        }
        params |= {"depth": draw.randint(1, 5)} if kind == "b" else {}
        trials.append(make_trial(i, params, value(params)))
    return trials


def by_width(params):
    return params["width"] + 0.01 * params["lr"]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_what_makes_the_difference_comes_first(direction):
    found = importances(SPACE, drawn(60, by_width), direction)
    assert found[0].name == "width" and found[0].share > 0.5
    assert sum(each.share for each in found) == pytest.approx(1.0)
    assert all(0.0 <= each.low <= each.high <= 1.0 for each in found)
    assert found[0].low > found[1].high


def test_nothing_is_said_of_what_never_varied():
    assert "still" not in {
        each.name for each in importances(SPACE, drawn(30, by_width), "maximize")
    }


def test_a_parameter_that_few_configurations_have_costs_nothing():
    trials = drawn(12, by_width)
    trials = [t for t in trials if "depth" not in t.proposal.params][:8]
    rare = [
        make_trial(
            20 + depth, {"lr": 0.1, "width": 64, "kind": "b", "still": 0.5, "depth": depth}, 9
        )
        for depth in (1, 5)
    ]
    found = importances(SPACE, [*trials, *rare], "maximize")
    assert {each.name for each in found} == {"lr", "width", "kind", "depth"}


def test_few_results_say_nothing():
    assert importances(SPACE, drawn(FEWEST - 1, by_width), "maximize") == []
    failed = [make_trial(i, {"lr": 0.1}, None) for i in range(20)]
    assert importances(SPACE, failed, "maximize") == [] == importances(SPACE, [], "maximize")


def test_intervals_are_wide_where_little_is_known():
    few, many = (
        importances(SPACE, drawn(n, lambda p: random.Random(str(p)).random(), seed=3), "maximize")
        for n in (10, 200)
    )
    assert max(e.high - e.low for e in few) > 0.3
    assert {e.name for e in many} == {"lr", "width", "kind", "depth"}


def test_equal_values_have_no_shares():
    assert importances(SPACE, drawn(20, lambda params: 1.0), "maximize") == []


def test_a_parameter_with_two_values_in_one_drawing_only_is_no_error():
    trials = drawn(FEWEST, by_width)
    one = make_trial(FEWEST, {**trials[0].proposal.params, "still": 0.7}, 1.0)
    assert {each.name for each in importances(SPACE, [*trials, one], "maximize")} >= {"still"}
