import numpy as np
import pytest
from scipy.optimize import check_grad

from agenthpo.search.engine import gp
from agenthpo.search.engine.encoding import Encoding
from agenthpo.taskfile.space import parse_space

UNIT = {"type": "float", "low": 0.0, "high": 1.0}
NAMES = {"type": "categorical", "values": ["a", "b", "c"]}


def made(count, noise=0.0, seed=0):
    """A wave in x, a step by name, and z, which does not matter."""
    encoding, rng = (
        Encoding(parse_space({"x": UNIT, "k": NAMES, "z": UNIT})),
        np.random.default_rng(seed),
    )
    rows = encoding.drawn(rng, count)
    values = np.sin(5 * rows[:, 0]) + 0.8 * (rows[:, 1] == 2) + noise * rng.normal(size=count)
    return encoding, rows, (values - values.mean()) / values.std()


def test_the_gradient_is_right():
    encoding, rows, values = made(12)
    differences, rng = gp.squared_differences(encoding, rows), np.random.default_rng(1)
    centre, spread = np.zeros(4), np.full(4, 1.5)
    for _ in range(5):
        theta = rng.normal(size=4) * 0.7
        args = (differences, values, centre, spread)
        error = check_grad(lambda t: gp._loss(t, *args)[0], lambda t: gp._loss(t, *args)[1], theta)  # noqa: B023
        assert error < 1e-4


def test_it_predicts_what_it_has_not_seen_and_finds_what_matters():
    encoding, rows, values = made(60)
    process = gp.fit(encoding, rows[:40], values=values[:40])
    mean, spread = process.at(rows[40:])
    assert np.sqrt(np.mean((mean - values[40:]) ** 2)) < 0.15
    assert np.mean(np.abs(mean - values[40:]) < 3 * np.sqrt(spread**2 + process.noise)) > 0.9
    assert process.scales[2] > 3 * process.scales[0]  # z


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_it_learns_the_noise(noise):
    encoding, rows, values = made(80, noise)
    learnt = gp.fit(encoding, rows, values=values).noise
    assert learnt < 0.01 if noise == 0 else 0.05 < learnt < 0.6


def test_more_observations_are_as_if_it_had_been_told_from_the_start():
    encoding, rows, values = made(20)
    process = gp.fit(encoding, rows[:15], values=values[:15])
    more = process.with_observed(rows[15:], values[15:])
    covariance = process.covariance(rows, rows) + process.noise * np.eye(20)
    whole = process.mean + process.covariance(rows, rows) @ np.linalg.solve(
        covariance, values - process.mean
    )
    assert np.allclose(more.at(rows)[0], whole, atol=1e-6)
    assert more.at(rows[15:])[1].max() < process.at(rows[15:])[1].max()
