from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.engine.engine import Engine, Knobs
from agenthpo.search.engine.prior import log_inside
from agenthpo.taskfile.space import parse_space
from spaces import spaces
from studies import SPACE, make_task, make_trial

RANGE = {"x": {"type": "float", "low": 0.0, "high": 1.0}}


@settings(max_examples=60, deadline=None)
@given(spaces(), st.integers(0, 5))
def test_what_is_drawn_inside_has_a_finite_prior(raw, seed):
    space = parse_space(raw)
    encoding = Encoding(space)
    rows = encoding.drawn(np.random.default_rng(seed), 8, width=0.4)
    assert all(space.violations(encoding.params(row)) == [] for row in rows)
    assert np.isfinite(log_inside(encoding, rows)).all()


def test_ranges_are_drawn_from_their_middle_and_names_from_all():
    encoding = Encoding(parse_space(SPACE))
    rows = encoding.drawn(np.random.default_rng(0), 300, width=0.4)
    lr, opt = (rows[:, encoding.space.names.index(name)] for name in ("lr", "opt"))
    assert lr.min() >= 0.3 and lr.max() <= 0.7 and np.unique(opt).tolist() == [0, 1]


def test_the_prior_is_a_density_that_is_higher_inside():
    places = (np.arange(1000) + 0.5)[:, None] / 1000
    logs = log_inside(Encoding(parse_space(RANGE)), places)
    assert np.exp(logs).mean() == pytest.approx(1, abs=1e-4)
    assert logs.argmax() in (499, 500) and logs[0] == pytest.approx(logs[-1]) == pytest.approx(
        logs.min()
    )
    steps = Encoding(parse_space({"n": {"type": "int", "low": 1, "high": 2}}))
    # of two values neither is inside
    assert np.ptp(log_inside(steps, np.array([[0.0], [1.0]]))) == 0


def test_a_parameter_that_is_not_active_counts_as_any():
    encoding = Encoding(parse_space(SPACE))
    adam, sgd = (
        {"lr": 0.1, "size": 16, "opt": "adam", "epochs": 50},
        {"lr": 0.1, "size": 16, "opt": "sgd", "momentum": 0.0, "epochs": 50},
    )
    without, with_end = log_inside(encoding, encoding.rows([adam, sgd]))
    assert with_end < without < 0


def test_the_border_is_reached_where_the_optimum_is_there():
    task, history = make_task(RANGE | {"y": RANGE["x"]}, direction="minimize"), []
    for number in range(15):
        params = Engine(0).propose(task, history).params
        history.append(make_trial(number, params, params["x"] + (params["y"] - 1) ** 2))
    assert min(t.value for t in history) < 0.01


def test_a_design_point_keeps_about_half_of_the_default():
    raw = {f"x{i}": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.95} for i in range(20)}
    task = make_task(raw)
    first = make_trial(0, task.space.default(), 0.5)
    seen = [Engine(seed).propose(task, [first]).params for seed in range(10)]
    kept = [np.mean([value == 0.95 for value in params.values()]) for params in seen]
    moved = [value for params in seen for value in params.values() if value != 0.95]
    assert 0.4 < np.mean(kept) < 0.6 and max(kept) < 1
    assert min(moved) >= 0.3 and max(moved) <= 0.7


def test_the_first_points_differ():
    history = []
    task = make_task({name: {"type": "int", "low": 1, "high": 3} for name in "ab"})
    task = replace(task, objective=replace(task.objective, noisy=True))
    for number in range(4):
        history.append(
            make_trial(number, Engine(0, Knobs(design=4)).propose(task, history).params, 0.5)
        )
    assert len({str(t.proposal.params) for t in history}) == 4
