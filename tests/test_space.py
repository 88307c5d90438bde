import json
import math
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.errors import InvalidParams, SpaceError
from agenthpo.space import format_number, short_number
from agenthpo.taskfile.space import parse_space
from spaces import configurations, spaces

SPACE = parse_space(
    {
        "learning_rate": {
            "type": "float",
            "low": 1e-6,
            "high": 0.1,
            "log": True,
            "default": 0.01,
            "about": "Adam step size",
        },
        "hidden_size": {"type": "int", "values": [8, 16, 32, 64], "default": 16},
        "momentum": {
            "type": "float",
            "low": 0.0,
            "high": 0.99,
            "default": 0.9,
            "when": {"optimizer": "sgd"},
        },
        "optimizer": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
        "augment": {"type": "bool", "default": False},
        "epochs": {"type": "int", "low": 1, "high": 200, "default": 100},
    }
)
DEFAULT = {
    "learning_rate": 0.01,
    "hidden_size": 16,
    "optimizer": "adam",
    "augment": False,
    "epochs": 100,
}


def test_the_default_leaves_out_what_does_not_apply():
    assert SPACE.default() == DEFAULT


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learning_rate": 1.0}, "learning_rate must lie from 1e-06 to 0.1, not 1"),
        ({"learning_rate": math.nan}, "learning_rate must lie"),
        ({"learning_rate": "fast"}, "must be a number"),
        ({"hidden_size": 72}, "hidden_size must be one of 8, 16, 32, 64, not 72"),
        ({"epochs": 220}, "epochs must lie from 1 to 200, not 220"),
        ({"epochs": 3.5}, "epochs must be an integer"),
        ({"augment": 1}, "augment must be one of false, true, not 1"),
        ({"optimizer": "sgd"}, "momentum is missing"),
        (
            {"momentum": 0.5},
            "momentum must be left out, since it is active only when optimizer is sgd",
        ),
        ({"lr": 0.1}, "lr is not a parameter of the search space"),
    ],
)
def test_a_configuration_outside_the_space_is_refused(change, words):
    with pytest.raises(InvalidParams, match=words):
        SPACE.check({**DEFAULT, **change})


@pytest.mark.parametrize("params", [None, 3, "adam", [1], {"learning_rate": {"low": 0, "high": 1}}])
def test_what_is_no_configuration_at_all_has_violations(params):
    assert SPACE.violations(params)


def test_snap_reads_what_is_plainly_meant_and_changes_nothing_else():
    read = SPACE.snap(
        {
            "learning_rate": "1e-3",
            "hidden_size": 32.0,
            "epochs": "50",
            "optimizer": "Adam",
            "momentum": None,
        }
    )
    assert read == {"learning_rate": 0.001, "hidden_size": 32, "epochs": 50, "optimizer": "Adam"}
    assert isinstance(read["hidden_size"], int)


def test_describe_says_range_scale_default_condition_and_meaning():
    text = SPACE.describe()
    assert "learning_rate: float from 1e-06 to 0.1, log scale, default 0.01. Adam step size" in text
    assert "momentum: float from 0 to 0.99, default 0.9, only when optimizer is sgd" in text


def test_size_counts_the_configurations():
    assert SPACE.size() == math.inf
    assert (
        parse_space(
            {"a": {"type": "bool"}, "b": {"type": "int", "low": 1, "high": 10, "step": 3}}
        ).size()
        == 8
    )


LR = {"type": "float", "low": 1e-4, "high": 0.1}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "space is empty"),
        ({"lr": {**LR, "hihg": 1}}, r"space.lr.hihg is not a known key; did you mean 'high'\?"),
        ({"lr": {"low": 0.0, "high": 1.0}}, "space.lr.type is missing"),
        (
            {"lr": {"type": "flaot", "low": 0.0, "high": 1.0}},
            "space.lr.type is the text 'flaot', but must be",
        ),
        ({"lr": {"type": "float", "high": 1.0}}, "space.lr.low is missing"),
        (
            {"lr": {**LR, "log": "maybe"}},
            "space.lr.log is the text 'maybe', but must be true or false; write true or false",
        ),
        ({"lr": {**LR, "low": "tiny"}}, "space.lr.low is the text 'tiny', but must be a number"),
        (
            {"o": {"type": "categorical", "values": ["a", True]}},
            r"values mixes text \(a\) and true or false \(true\); quote all",
        ),
        ({"o": {"type": "categorical", "values": [1, None, "a"]}}, "mixes numbers"),
        ({"o": {"type": "int", "values": [1, None]}}, "values holds None, which is no int"),
        ({"n": {"type": "int", "low": 0, "high": 2**53 + 1}}, r"beyond 2\^53"),
        ({"a b": {"type": "bool"}}, "without blanks"),
        ({"lr": {**LR, "low": 0.2}}, "space.lr.low is 0.2, which is not below high"),
        ({"lr": {**LR, "low": 0, "log": True}}, "space.lr.low is 0, but a log scale needs"),
        (
            {"lr": {**LR, "default": 1.0}},
            "space.lr.default is 1, but lr must lie from 0.0001 to 0.1; move the default",
        ),
        ({"n": {"type": "int", "low": 1.5, "high": 3}}, "space.n.low is 1.5, but the type is int"),
        ({"n": {"type": "int", "values": [8, 4]}}, "not in ascending order"),
        ({"n": {"type": "int", "values": [8, 8]}}, "holds 8 twice"),
        ({"o": {"type": "categorical"}}, "space.o.values is missing"),
        ({"o": {"type": "categorical", "values": ["a"]}}, "needs at least two values"),
        ({"o": {"type": "bool", "low": 1}}, "space.o.low has no meaning for type: bool"),
        ({"lr": {**LR, "when": {"opt": "sgd"}}}, "names 'opt', which is not another parameter"),
        (
            {
                "lr": {**LR, "when": {"o": "sdg"}},
                "o": {"type": "categorical", "values": ["adam", "sgd"]},
            },
            "when.o can never hold",
        ),
        (
            {
                "a": {"type": "bool", "when": {"b": True}},
                "b": {"type": "bool", "when": {"a": True}},
            },
            "form a circle",
        ),
        ({"seed": {"type": "bool"}}, "'seed' is reserved"),
        ({"2x": {"type": "bool"}}, "is not a usable name"),
    ],
)
def test_every_mistake_in_a_space_is_one_sentence(raw, words):
    with pytest.raises(SpaceError, match=words) as caught:
        parse_space(raw)
    assert "\n" not in str(caught.value)


def test_what_people_write_for_true_and_for_numbers_is_read():
    space = parse_space(
        {
            "lr": {
                "type": "float",
                "low": "1e-5",
                "high": "0.1",
                "log": "yes",
                "when": {"warm": "on"},
            },
            "warm": {"type": "bool", "default": "no"},
            "n": {"type": "int", "values": ["8", 16]},
        }
    )
    assert (space["lr"].low, space["lr"].log, space["lr"].when) == (
        1e-5,
        True,
        (("warm", (True,)),),
    )
    assert (space["warm"].default, space["n"].values) == (False, (8, 16))


def test_null_is_a_choice_like_any_other():
    space = parse_space(
        {"weight": {"type": "categorical", "values": [None, "balanced"], "default": None}}
    )
    assert space.default() == {"weight": None}
    assert "default null" in space.describe()
    assert space["weight"].violation(None) is None
    without = parse_space({"weight": {"type": "categorical", "values": [None, "balanced"]}})
    assert without.default() is None


@pytest.mark.parametrize("name", ["λ", "größe", "lambda", "class", "optim.lr", "warm-up", "_x"])
def test_names_of_every_alphabet_and_python_keywords_are_names(name):
    assert parse_space({name: {"type": "bool"}}).names == (name,)


@given(st.data())
def test_a_sampled_configuration_validates(data):
    space = parse_space(data.draw(spaces()))
    params = data.draw(configurations(space))
    assert space.violations(params) == []
    again = json.loads(json.dumps(params))
    assert space.snap(again) == params
    assert space.violations(space.snap(again)) == []


@given(
    st.dictionaries(
        st.sampled_from([*SPACE.names, "extra"]),
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())
        ),
    )
)
def test_snapping_and_checking_anything_never_crashes(params):
    assert isinstance(SPACE.violations(SPACE.snap(params)), list)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_choice_that_is_no_finite_number_is_refused(value):
    with pytest.raises(
        SpaceError,
        match=r"space.x.values holds (nan|inf), which is no number that could be compared; "
        r"quote it",
    ):
        parse_space({"x": {"type": "categorical", "values": [value, 1]}})


def test_a_step_too_fine_to_be_told_from_none_is_refused():
    with pytest.raises(
        SpaceError,
        match=r"space.x.step is 1e-12, which makes 2e\+12 places; leave it out, or make it larger",
    ):
        parse_space({"x": {"type": "float", "low": -1, "high": 1, "step": 1e-12}})


def test_a_number_is_snapped_to_what_it_plainly_means_and_no_further():
    space = parse_space(
        {
            "n": {"type": "int", "low": 2, "high": 11, "step": 3},
            "x": {"type": "float", "low": 0.5, "high": 2.0, "step": 0.5},
            "y": {"type": "float", "low": 0.1, "high": 1.0},
            "b": {"type": "bool", "default": True, "about": "whether"},
            "o": {"type": "categorical", "values": ["a", "b"], "when": {"b": True}},
        }
    )
    assert [space["n"].snap(v) for v in (5.0, 5, "8", 3.7, True)] == [5, 5, 8, 3.7, True]
    assert type(space["n"].snap(5.0)) is int
    assert [space["x"].snap(v) for v in (1, "1.5", 1.4999999999, 0.7)] == [1.0, 1.5, 1.5, 0.7]
    assert [space["n"].violation(v) is None for v in (2, 5, 11, 3, 4, 12, 5.0)] == [
        True,
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert [space["x"].violation(v) is None for v in (0.5, 2.0, 0.75, 1e308, -1e308)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert space["n"].grid() == (2, 5, 8, 11)
    assert space["x"].grid() == (0.5, 1.0, 1.5, 2.0)
    assert space["o"].grid() == ("a", "b")
    with pytest.raises(ValueError, match="y is continuous"):
        space["y"].grid()
    assert space.describe() == (
        "- n: int from 2 to 11, step 3\n- x: float from 0.5 to 2, step 0.5\n- y: float "
        "from 0.1 to 1\n"
        "- b: true or false, default true. whether\n- o: categorical one of a, b, only "
        "when b is true"
    )
    assert space.violations([1]) == [
        "params must be an object with the parameters' names as keys, not list"
    ]
    with pytest.raises(AttributeError):
        space["n"].low = 3


def test_every_configuration_is_yielded_once():
    space = parse_space(
        {
            "opt": {"type": "categorical", "values": ["sgd", "adam", "none"]},
            "momentum": {"type": "float", "values": [0, 0.9], "when": {"opt": ["sgd", "adam"]}},
            "nesterov": {"type": "bool", "when": {"opt": "sgd", "momentum": 0.9}},
        }
    )
    assert list(space.configurations()) == [
        {"opt": "sgd", "momentum": 0.0},
        {"opt": "sgd", "momentum": 0.9, "nesterov": False},
        {"opt": "sgd", "momentum": 0.9, "nesterov": True},
        {"opt": "adam", "momentum": 0.0},
        {"opt": "adam", "momentum": 0.9},
        {"opt": "none"},
    ]
    assert len(space) == 3 and [p.name for p in space] == ["opt", "momentum", "nesterov"]
    assert space.size() == 12  # at most: conditions make some of them the same
    assert list(SPACE.configurations()) == []
    assert space.violations({"opt": "adam", "momentum": 0.9, "nesterov": True}) == [
        "nesterov must be left out, since it is active only when opt is sgd and momentum is 0.9"
    ]
    assert space.violations({"opt": "none", "momentum": 0.9}) == [
        "momentum must be left out, since it is active only when opt is sgd or adam"
    ]
    assert (
        space["momentum"].describe()
        == "momentum: float one of 0, 0.9, only when opt is sgd or adam"
    )
    assert space.violations({"opt": "none", "lr": 1}) == [
        "lr is not a parameter of the search space (opt, momentum, nesterov)"
    ]


def test_how_many_values_a_parameter_takes():
    counts = {"n": (1, 200, None), "m": (2, 11, 3), "x": (0.0, 0.3, 0.1), "y": (0.1, 1.0, None)}
    for name, (low, high, step) in counts.items():
        kind = "int" if name in "nm" else "float"
        parameter = parse_space(
            {name: {"type": kind, "low": low, "high": high, **({"step": step} if step else {})}}
        )[name]
        assert parameter.count == {"n": 200, "m": 4, "x": 4, "y": math.inf}[name]
    with pytest.raises(ValueError, match="y is continuous"):
        parameter.grid()


def test_equal_configurations_share_a_key():
    key = SPACE.key
    assert key({"b": 0.1, "a": 1}) == key({"a": 1, "b": 0.1 + 1e-13})
    assert key({"b": 0.1}) != key({"b": 0.1 + 1e-8})
    assert key({"a": 1}) != key({"a": "1"}) and key({"a": 1}) != key({"a": True})
    assert key({}) == ()


def test_a_choice_among_numbers_is_meant_by_what_comes_near_it():
    space = parse_space(
        {
            "x": {"type": "float", "values": [1e-3, 1e-2]},
            "b": {"type": "bool"},
            "c": {"type": "categorical", "values": [1, 2]},
        }
    )
    assert space["x"].snap(0.001 * (1 + 1e-12)) == 1e-3
    for none_of_them in (0.0011, math.nan, 10**400, True, "fast", None):
        assert space["x"].snap(none_of_them) is none_of_them
        assert space["x"].violation(none_of_them) is not None
    assert space["c"].snap(1.0000000001) == 1.0000000001
    assert space["x"].violation(0.5) == "x must be one of 0.001, 0.01, not 0.5"


def test_a_number_is_on_a_step_to_a_millionth_of_it():
    step = parse_space({"x": {"type": "float", "low": 0, "high": 8, "step": 1}})["x"]
    assert step.violation(3 + 5e-7) is None
    assert step.violation(3 + 2e-6) == "x must be 0 plus a multiple of 1, not 3"


def test_numbers_in_short():
    values = [0.123456789, 1e-5, 3, True, None, "a"]
    assert [format_number(v) for v in values] == ["0.123457", "1e-05", "3", "true", "null", "a"]
    assert [short_number(v) for v in values] == ["0.123", "1e-05", "3", "true", "null", "a"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "n must be an integer from 2 to 11, not True"),
        ("x", "n must be an integer from 2 to 11, not 'x'"),
        (5.0, "n must be an integer from 2 to 11, not 5.0"),
        (1, "n must lie from 2 to 11, not 1"),
        (3, "n must be 2 plus a multiple of 3, not 3"),
    ],
)
def test_a_whole_number_outside_its_range_is_refused_in_these_words(value, words):
    parameter = parse_space({"n": {"type": "int", "low": 2, "high": 11, "step": 3}})["n"]
    assert parameter.violation(value) == words
    assert (
        parameter.violation(5) is None
        and not parameter.log
        and not parse_space({"n": {"type": "int", "low": 1, "high": 2}})["n"].log
    )


def test_a_parameter_is_not_changed():
    with pytest.raises(FrozenInstanceError):
        SPACE["epochs"].low = 0
    with pytest.raises(FrozenInstanceError):
        SPACE.parameters = ()
