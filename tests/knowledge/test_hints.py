import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.knowledge.hints import hints_for, kind_of, mapped
from agenthpo.knowledge.names import recognised
from agenthpo.knowledge.portfolios import Portfolio, Tip, portfolios, read_portfolios
from agenthpo.taskfile.space import parse_space
from spaces import spaces

TIP = Tip({"shrinkage": 0.05, "max_depth": 5, "subsample": 0.7, "n_estimators": 80}, 9, 11)
KNOWN = (Portfolio("xgboost", "classes", (TIP,)),)
SAID = "XGBoost, to predict who leaves; accuracy"
SPACE = {
    "eta": {"type": "float", "low": 0.001, "high": 1.0, "log": True, "default": 0.3},
    "max_depth": {"type": "int", "values": [2, 3, 5, 8], "default": 8},
    "rows": {"type": "float", "low": 0.1, "high": 1.0, "default": 1.0},
}


def test_a_known_configuration_is_put_into_the_users_own_names_and_ranges():
    (hint,) = hints_for(parse_space(SPACE), SAID, known=KNOWN)
    # rows is no name that is known, so it keeps its default
    assert (
        hint.params == {"eta": 0.05, "max_depth": 3, "rows": 1.0} or hint.params["max_depth"] == 5
    )
    assert hint.params["eta"] == 0.05 and hint.params["rows"] == 1.0
    assert hint.rationale.startswith(
        "Better than the default on 9 of 11 other data sets for XGBoost: eta 0.05, max_depth"
    )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("a random forest; accuracy", "another family"),
        ("predicts who leaves; accuracy", "no family"),
        ("XGBoost, to predict a price; rmse", "another kind of data"),
    ],
)
def test_nothing_is_taken_where_the_match_is_weak(said, why):
    assert hints_for(parse_space(SPACE), said, known=KNOWN) == (), why


def test_nothing_is_taken_where_few_parameters_find_a_value():
    few = {"eta": SPACE["eta"], "rows": SPACE["rows"], "columns": SPACE["rows"]}
    assert hints_for(parse_space(few), SAID, known=KNOWN) == ()


def test_a_hint_that_is_the_default_is_none():
    (hint,) = hints_for(parse_space(SPACE), SAID, known=KNOWN)
    raw = {name: {**fields, "default": hint.params[name]} for name, fields in SPACE.items()}
    assert hints_for(parse_space(raw), SAID, known=KNOWN) == ()


def test_of_a_single_change_the_users_own_defaults_stay():
    tip = Tip(TIP.params, 9, 11, changed=("max_depth",))
    (hint,) = hints_for(parse_space(SPACE), SAID, known=(Portfolio("xgboost", "classes", (tip,)),))
    assert hint.params == {"eta": 0.3, "max_depth": 5, "rows": 1.0}
    assert hint.rationale.endswith(" for XGBoost: max_depth 5.")
    # the space is like theirs, but what is to be changed is not in it
    elsewhere = Tip(TIP.params, 9, 11, changed=("subsample",))
    known = (Portfolio("xgboost", "classes", (elsewhere,)),)
    assert hints_for(parse_space(SPACE), SAID, known=known) == ()


@pytest.mark.parametrize(
    ("fields", "value", "found"),
    [
        ({"type": "float", "low": 0.01, "high": 1.0, "log": True}, 0.05, 0.05),
        ({"type": "float", "low": 0.06, "high": 1.0, "log": True}, 0.05, 0.06),  # a little beyond
        ({"type": "float", "low": 0.5, "high": 1.0, "log": True, "default": 0.7}, 0.05, 0.7),
        ({"type": "float", "low": 0.0, "high": 0.3, "step": 0.1}, 0.16, 0.2),
        ({"type": "int", "low": 1, "high": 9}, 4.4, 4),
        ({"type": "int", "low": 1, "high": 9, "log": True, "default": 5}, 0.97, 5),  # a share
        ({"type": "int", "values": [16, 64, 256], "default": 16}, 100, 64),
        ({"type": "categorical", "values": ["Adam", "sgd"], "default": "sgd"}, "adam", "Adam"),
        ({"type": "categorical", "values": ["a", "sgd"], "default": "sgd"}, 0.1, "sgd"),
        ({"type": "bool", "default": True}, False, False),
        ({"type": "float", "low": 0.1, "high": 1.0, "default": 1.0}, "many", 1.0),
        ({"type": "float", "low": 0.1, "high": 1.0, "log": True, "default": 1.0}, 0, 1.0),
        ({"type": "float", "low": 0.01, "high": 1.0, "log": True}, "many", 0.1),  # the middle
    ],
)
def test_a_value_is_taken_in_the_parameters_own_terms(fields, value, found):
    params, _ = mapped(parse_space({"lr": fields}), {"learning_rate": value})
    assert (
        params["lr"] == pytest.approx(found) if isinstance(found, float) else params["lr"] == found
    )


@pytest.mark.parametrize(
    ("fields", "middle"),
    [
        ({"type": "int", "low": 0, "high": 1}, 0),
        ({"type": "int", "low": 1, "high": 100, "log": True}, 10),
        ({"type": "float", "low": 0.0, "high": 1.0, "step": 0.25}, 0.5),
        ({"type": "float", "values": [0.001, 0.1, 10.0]}, 0.1),
        ({"type": "categorical", "values": ["a", "b", "c"]}, "b"),
        ({"type": "bool"}, True),
    ],
)
def test_what_has_no_default_and_no_value_stands_in_its_middle(fields, middle):
    params, found = mapped(parse_space({"flavour": fields}), {})
    expected = middle if isinstance(middle, (str, bool)) else pytest.approx(middle)
    assert params["flavour"] == expected
    assert found == ()


@settings(max_examples=100, deadline=None)
@given(
    spaces(),
    st.dictionaries(
        st.sampled_from("abcdefgh"),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    ),
)
def test_what_is_mapped_never_leaves_the_space(raw, named):
    space = parse_space(raw)
    params, _ = mapped(space, {**dict.fromkeys(space.names, 3.7), **named})
    assert space.violations(params) == []


def test_the_kind_of_data_is_known_where_one_is_said():
    assert kind_of("to classify flowers; val_accuracy") == "classes"
    assert kind_of("the price; val_rmse") == "numbers"
    assert kind_of("a logistic regression; accuracy") == "classes"
    assert kind_of("a logistic regression") is None
    assert kind_of("regression by classification") is None and kind_of("the price") is None


def test_the_packages_own_portfolios_are_whole():
    usual = recognised
    for portfolio in portfolios():
        assert 1 <= len(portfolio.tips) <= 3
        for tip in portfolio.tips:
            assert tip.of >= 3 and tip.better >= 0.6 * tip.of
            assert len(usual(tip.params)) >= 2
    assert read_portfolios("[]") == ()
