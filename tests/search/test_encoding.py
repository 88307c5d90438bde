import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.search.engine.encoding import Encoding
from agenthpo.taskfile.space import parse_space
from spaces import spaces
from studies import SPACE


@settings(max_examples=60, deadline=None)
@given(spaces(), st.integers(0, 5))
def test_what_is_drawn_or_moved_is_a_point_of_the_space(raw, seed):
    space = parse_space(raw)
    encoding, rng = Encoding(space), np.random.default_rng(seed)
    rows = encoding.drawn(rng, 8)
    near = encoding.near(rows.copy(), rng, steps=np.full(8, 0.1), changes=1)
    for row in [*rows, *near]:
        params = encoding.params(row)
        assert space.violations(params) == []
        again = encoding.rows([params])[0]
        assert np.allclose(again, row, atol=1e-6)
        assert space.key(encoding.params(again)) == space.key(params)


def test_numbers_lie_on_their_own_scale_and_names_apart():
    encoding = Encoding(parse_space(SPACE))
    a, b = (
        {"lr": 0.001, "size": 16, "opt": "adam", "epochs": 1},
        {"lr": 0.1, "size": 32, "opt": "sgd", "momentum": 0.25, "epochs": 50},
    )
    rows = encoding.rows([a, b])
    assert rows.tolist() == [[0.5, 0.5, 0.0, 0.5, 0.0], [1.0, 1.0, 1.0, 0.25, 1.0]] or np.allclose(
        rows[0], [0.5, 0.5, 0, 0.5, 0]
    )
    points = encoding.spread(rows, np.ones(encoding.width))
    assert np.isclose(((points[0] - points[1]) ** 2).sum(), 0.25 + 0.25 + 1 + 0.0625 + 1)


def test_a_number_has_no_more_digits_than_it_needs():
    space = parse_space({"C": {"type": "float", "low": 0.01, "high": 100.0, "log": True},
                         "x": {"type": "float", "low": 1.0, "high": 1.0 + 1e-9}})  # fmt: skip
    c, x = Encoding(space).axes
    assert c.value(c.place(1.0)) == 1.0 and c.value(c.place(0.1)) == 0.1
    assert len({x.value(i / 10) for i in range(11)}) == 11


def test_what_is_not_active_makes_no_difference():
    encoding = Encoding(parse_space(SPACE))
    rows = encoding.rows([{"lr": 0.1, "size": 8, "opt": "adam", "epochs": 3}])
    other = rows.copy()
    other[0, encoding.space.names.index("momentum")] = 0.9
    assert np.array_equal(encoding.settled(other), rows)
    assert encoding.params(rows[0]) == {"lr": 0.1, "size": 8, "opt": "adam", "epochs": 3}


def test_a_move_changes_something_even_at_a_border():
    encoding, rng = Encoding(parse_space(SPACE)), np.random.default_rng(0)
    corner = encoding.rows([{"lr": 1e-5, "size": 8, "opt": "adam", "epochs": 1}])
    near = encoding.near(np.repeat(corner, 50, axis=0), rng, steps=np.full(50, 0.01), changes=0)
    changed = (np.abs(near - corner) > 1e-9).any(axis=1)
    assert changed.sum() >= 35  # the rest moved momentum, which is not active
