"""The engine's front: what is free of it, and what it is expected to gain."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.pareto import volume
from agenthpo.search.engine.belief import Belief
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.engine.front import Front, free_boxes
from agenthpo.search.engine.gp import fit
from agenthpo.search.engine.warp import Warp
from agenthpo.taskfile.space import parse_space

LOSSES = st.floats(-2.0, 2.0).map(lambda x: round(x, 1))


@given(st.integers(1, 3).flatmap(lambda m: st.lists(st.tuples(*[LOSSES] * m), max_size=7)))
@settings(max_examples=60, deadline=None)
def test_free_boxes_are_disjoint_and_all_that_the_front_leaves(points):
    width = len(points[0]) if points else 2
    front = np.array(points, dtype=float).reshape(len(points), width)
    boxes = free_boxes(front, np.full(width, 1.0))
    cut = np.maximum(boxes, -3.0)
    total = np.prod(cut[:, 1] - cut[:, 0], axis=1).sum()
    taken = volume([tuple(1.0 - loss for loss in point) for point in points if max(point) < 1.0])
    assert total == pytest.approx(4.0**width - taken)
    draw = random.Random(0)
    for _ in range(20):
        at = np.array([draw.uniform(-3.0, 1.0) for _ in range(width)])
        inside = ((boxes[:, 0] < at) & (at <= boxes[:, 1])).all(axis=1)
        is_taken = bool((front <= at).all(axis=1).any()) if len(front) else False
        assert inside.sum() == (not is_taken)


def beliefs(count, *, trials=8):
    encoding = Encoding(parse_space({n: {"type": "float", "low": 0.0, "high": 1.0} for n in "ab"}))
    rows = encoding.drawn(np.random.default_rng(0), trials)
    found = []
    for i in range(count):
        losses = np.sin(3 * rows[:, 0] + i) + (rows[:, 1] - 0.3 * i) ** 2
        warp = Warp.of(losses)
        process = fit(encoding, rows, values=warp.standardised(losses))
        found.append(
            Belief(
                encoding=encoding, processes=(process,), weights=np.zeros(1), feasible=None,
                known=rows, kept=np.ones(trials, bool), limits=(), pending=rows[:0],
                warp=warp, sign=1,
            )
        )  # fmt: skip
    return tuple(found)


@pytest.mark.parametrize("objectives", [2, 3])
def test_the_gain_is_that_of_draws(objectives):
    front = Front(beliefs(objectives))
    rows = front.encoding.drawn(np.random.default_rng(1), 6)
    boxes = front._boxes
    drawn = np.random.default_rng(2).normal(size=(20_000, 6, objectives))
    at = [belief.at(rows) for belief in front.beliefs]
    losses = np.stack([m + s * drawn[:, :, i] for i, (m, s) in enumerate(at)], axis=2)
    gained = np.zeros(losses.shape[:2])
    for low, high in boxes:
        gained += np.prod(np.maximum(high - np.maximum(losses, low), 0.0), axis=2)
    mean, error = gained.mean(axis=0), gained.std(axis=0) / len(drawn) ** 0.5
    assert (np.abs(np.exp(front.score(rows)) - mean) < 5 * error + 1e-6).all()


def test_a_far_row_still_has_a_score():
    front = Front(beliefs(2))
    assert np.isfinite(front.score(front.beliefs[0].known)).all()


def test_where_nothing_keeps_the_limits_there_is_no_front():
    several = tuple(replace(b, kept=np.zeros(8, bool)) for b in beliefs(2))
    front = Front(several)
    assert len(front.centres(3)) == 3
    assert np.isfinite(front.score(several[0].known)).all()
