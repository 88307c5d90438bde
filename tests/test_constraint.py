"""What must hold between parameters: read, never executed, and refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.constraint import parse_constraint
from agenthpo.errors import SpaceError
from agenthpo.taskfile.space import parse_space, with_constraints

NAMES = frozenset(
    {"warmup", "epochs", "heads", "width", "optim.lr", "drop-out", "opt", "max", "on"}
)


@pytest.mark.parametrize(
    ("text", "params", "holds"),
    [
        ("warmup < epochs", {"warmup": 3, "epochs": 5}, True),
        ("warmup < epochs", {"warmup": 5, "epochs": 5}, False),
        ("heads divides width", {"heads": 4, "width": 64}, True),
        ("heads divides width", {"heads": 5, "width": 64}, False),
        ("heads divides (width + 1) and width > 3", {"heads": 5, "width": 64}, True),
        ("heads divides width or heads == 1", {"heads": 1, "width": 7}, True),
        ("heads divides width", {"heads": 0, "width": 7}, False),
        ("warmup * 2 + 1 <= epochs", {"warmup": 2, "epochs": 5}, True),
        ("1 <= warmup < epochs <= 10", {"warmup": 2, "epochs": 11}, False),
        ("optim.lr * width <= 1e2", {"optim.lr": 0.1, "width": 1000}, True),
        ("drop-out < 0.5 or opt == 'adam'", {"drop-out": 0.6, "opt": "adam"}, True),
        ("drop-out < 0.5 or opt in ['sgd', 'adam']", {"drop-out": 0.6, "opt": "lion"}, False),
        ("width-warmup > 3", {"width": 5, "warmup": 3}, False),
        ("max(warmup, heads) < max", {"warmup": 2, "heads": 3, "max": 4}, True),
        ("not (on and warmup > 3)", {"on": True, "warmup": 4}, False),
        ("on == true", {"on": True}, True),
        ("on == 1", {"on": True}, False),
        ("opt != null", {"opt": None}, False),
        ("optim.lr == 0.3", {"optim.lr": 0.1 + 0.2}, True),
        ("log2(width) == 6", {"width": 64}, True),
        ("width ** 100 < 1e300 ** 10", {"width": 2}, False),  # cannot be worked out
        ("width ** (epochs ** 9) > 1", {"width": 9, "epochs": 99}, False),
        # a parameter that is not active: nothing is said
        ("warmup < epochs", {"epochs": 5}, True),
    ],
)
def test_it_holds_or_not(text, params, holds):
    assert parse_constraint(text, NAMES).holds(params) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("warmup <", "cannot be read"),
        ("warmup < epoch", "names 'epoch', which is no parameter"),
        ("1 < 2", "names no parameter"),
        ("warmup + epochs", "is no statement"),
        ("'warmup' == 'x'", "names no parameter"),
        ("warmup in epochs", "without a list"),
        ("__import__('os').system('true') or warmup < 3", "holds more than"),
        ("open('x') == warmup", "holds more than"),
        ("warmup.real < 3", "holds more than"),
        ("[w for w in [1]] == warmup", "holds more than"),
        ("(lambda: warmup)() < 3", "holds more than"),
        ("warmup < 3 if on else warmup > 4", "holds more than"),
        ("min() < warmup", "holds more than"),
        ("warmup is 3", "compares by something else"),
        ("warmup < " + "(" * 300 + "3" + ")" * 300, "is longer than"),
        ("warmup < " + "-" * 480 + "3", "is nested too deeply"),
        ("warmup < b'x'", "is no number or word"),
        ("warmup < 3j", "is no number or word"),
        ("warmup < epochs; epochs", "cannot be read"),
        ("f'{warmup}' == '3'", ""),
    ],
)
def test_what_is_no_constraint_is_refused_in_words(text, said):
    try:
        parse_constraint(text, NAMES).holds({name: 3 for name in NAMES})
    except ValueError as problem:
        assert said in str(problem)
    else:
        assert said == ""


@given(st.text(alphabet="warmupepochs<>=!+-*/%()[]'\" .0123456789andornotdivides,", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        found = parse_constraint(text, NAMES)
    except ValueError:
        return
    assert found.holds({name: 3 for name in NAMES}) in (True, False)


SPACE = {
    "heads": {"type": "int", "low": 1, "high": 8, "default": 2},
    "width": {"type": "int", "low": 8, "high": 64, "default": 32},
    "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
    "momentum": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.9, "when": {"opt": "sgd"}},
}


def space(*constraints):
    return with_constraints(parse_space(SPACE), constraints)


def test_a_configuration_that_breaks_one_is_no_point_of_the_space():
    found = space("heads divides width", "momentum < 0.95")
    assert found.violations({"heads": 3, "width": 32, "opt": "adam"}) == [
        "heads divides width must hold, but does not for heads 3, width 32"
    ]
    assert found.violations({"heads": 4, "width": 32, "opt": "adam"}) == []
    assert found.violations({"heads": 4, "width": 32, "opt": "sgd", "momentum": 0.99})
    # what is outside anyhow is said first
    assert "must lie" in found.violations({"heads": 9, "width": 32, "opt": "adam"})[0]
    assert "- must hold: heads divides width" in found.describe()
    assert found != space()


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        (["heads < width", "heads > 3"], "heads > 3 must hold, but does not for heads 2"),
        (["opt < 3"], "cannot be worked out"),
        (["opt + 1 > heads"], "cannot be worked out: 'adam' is no number"),
        (["head < 3"], "constraints[0] 'head < 3' names 'head', which is no parameter"),
    ],
)
def test_a_wrong_constraint_of_a_space_is_a_sentence(constraints, said):
    with pytest.raises(SpaceError) as problem:
        space(*constraints)
    assert said in str(problem.value)
