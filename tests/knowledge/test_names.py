from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.knowledge.names import Known, known_names, recognised


def test_the_data_are_whole_and_no_alias_means_two_things():
    known = known_names()
    assert len(known) >= 80
    forms = Counter(
        alias.lower().replace("_", "") for k in known.values() for alias in (k.name, *k.aliases)
    )
    assert [form for form, count in forms.items() if count > 1] == []
    for entry in known.values():
        assert entry.source.startswith("https://") and entry.helps and entry.goes_with
        assert entry.scale in ("linear", "log")
        assert entry.role in ("step", "length", "regularise", "capacity", "memory", "other")
        if entry.usual is not None:
            assert entry.usual[0] < entry.usual[1] and (
                entry.scale == "linear" or entry.usual[0] > 0
            )
        assert set(entry.beside) <= set(known) and bool(entry.also) == bool(entry.beside)


@pytest.mark.parametrize(
    ("name", "usual"),
    [
        ("lr", "learning_rate"),
        ("LEARNING-RATE", "learning_rate"),
        ("learningRate", "learning_rate"),
        ("optimizer.lr", "learning_rate"),
        ("optim/weight_decay", "weight_decay"),
        ("clf__C", "C"),
        ("dropout_2", "dropout"),
        ("n_units_1", "hidden_size"),
        ("hidden2", "hidden_size"),
        ("encoder_hidden_size", "hidden_size"),
        ("conv1_channels", "filters"),
        ("per_device_train_batch_size", "batch_size"),
        ("num_boost_round", "n_estimators"),
        ("min_data_in_leaf", "min_samples_leaf"),
    ],
)
def test_a_name_is_recognised_in_the_forms_people_write(name, usual):
    assert recognised([name])[name].name == usual


@pytest.mark.parametrize("name", ["flavour", "x", "", "__", "42", "überbreite", "mode", "seed"])
def test_what_is_not_known_is_not_guessed(name):
    assert recognised([name]) == {}


def test_the_same_name_means_something_else_beside_others():
    def meaning(*names: str) -> Known:
        return recognised(names)[names[0]]

    assert meaning("gamma", "C").name == "gamma"
    assert meaning("gamma", "max_depth").name == "min_split_gain"
    assert meaning("alpha").name == "alpha" and meaning("alpha", "num_leaves").name == "reg_alpha"
    assert meaning("learning_rate", "n_estimators").usual == (0.01, 0.3)


def test_an_inverse_strength_regularises_where_it_is_lower():
    known = recognised(["C", "weight_decay", "subsample"])
    assert [known[n].way("regularise") for n in known] == [-1, 1, -1]
    assert known["C"].way("step") == 0


@given(st.lists(st.text(max_size=30), max_size=6))
def test_any_names_can_be_asked_for(names):
    assert set(recognised(names)) <= set(names)
