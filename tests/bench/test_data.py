"""What the twelve tasks are trained on: the parts keep apart, and are the same each time."""

import gzip
import importlib.util
import os
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.bench.data.graphs import load_graph
from agenthpo.bench.data.images import VOID, _idx, load_objects, load_streets
from agenthpo.bench.data.ratings import load_clicks, load_liked
from agenthpo.bench.data.texts import (
    PAD,
    UNKNOWN,
    Vocabulary,
    load_sentiment,
    load_topics,
    words_of,
)
from agenthpo.bench.data.translations import load_translations

needs_data = pytest.mark.skipif(
    "AGENTHPO_DATA" not in os.environ, reason="AGENTHPO_DATA names no folder with the data"
)


@given(
    st.lists(st.text(max_size=40), min_size=1), st.lists(st.text(max_size=40)), st.integers(1, 12)
)
def test_every_text_becomes_numbers_of_the_vocabulary(known, others, length):
    vocabulary = Vocabulary(known)
    rows = vocabulary.rows([*known, *others], length)
    assert rows.shape == (len(known) + len(others), length)
    assert rows.min() >= PAD and rows.max() < len(vocabulary)
    assert (rows[:, 0] != PAD).all(), (
        "a text without words is one unknown word: an empty row would have no mean"
    )
    ended = rows == PAD
    assert (ended[:, 1:] >= ended[:, :-1]).all()


def test_a_word_that_occurs_once_is_unknown():
    vocabulary = Vocabulary(["a fine film", "a bad film !"])
    assert [vocabulary.words[i] for i in vocabulary.rows(["A film"], 3)[0]] == ["a", "film", ""]
    assert vocabulary.rows(["fine"], 1)[0, 0] == UNKNOWN
    assert words_of("It's 3rd_rate, isn't it?") == [
        "it",
        "'",
        "s",
        "3rd",
        "rate",
        ",",
        "isn",
        "'",
        "t",
        "it",
        "?",
    ]


def test_the_format_of_mnist_is_read(tmp_path):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(struct.pack(">BBBBIII", 0, 0, 8, 3, 2, 3, 4) + values.tobytes()))
    assert np.array_equal(_idx(path), values)


@needs_data
@pytest.mark.parametrize("load", [load_sentiment, load_topics])
def test_texts_for_validation_and_test_are_not_trained_on(load):
    data = load("local")
    train, val, test = (set(texts) for texts in data.texts)
    assert len(data.texts[0]) == 4000 and len(data.texts[1]) == 1500
    # a few sentences occur twice in the sets themselves
    assert len(train & val) < 10 and len(train & test) < 10
    assert load("local").texts == data.texts
    assert all(
        set(np.unique(classes)) == set(np.unique(data.classes[0])) for classes in data.classes
    )


@needs_data
def test_translations_are_short_and_keep_apart():
    data = load_translations("local")
    assert [len(part) for part in (data.train, data.val, data.test)] == [4000, 259, 271]
    assert len({e for e, _ in data.train} & {e for e, _ in data.val}) < 15  # short captions repeat
    assert all(
        0 < len(e.split()) <= 10 and 0 < len(f.split()) <= 14
        for part in (data.train, data.val, data.test)
        for e, f in part
    )


@needs_data
@pytest.mark.parametrize("name", ["Cora", "CiteSeer"])
def test_graphs_have_the_published_split(name):
    graph = load_graph(name, "local")
    assert [len(part) for part in (graph.train, graph.val, graph.test)] == [
        140 if name == "Cora" else 120,
        500,
        1000,
    ]
    assert not set(graph.train) & set(graph.val) and not set(graph.test) & (
        set(graph.train) | set(graph.val)
    )
    assert (graph.edges[:, 0] < graph.edges[:, 1]).all() and graph.both_ways.shape == (
        2,
        2 * len(graph.edges),
    )
    assert np.allclose(graph.features.sum(axis=1)[graph.features.any(axis=1)], 1, atol=1e-5)
    assert np.bincount(graph.labels[graph.train]).tolist() == [20] * (7 if name == "Cora" else 6)


def test_the_stand_in_graph_needs_no_file():
    graph = load_graph("Cora", "package")
    assert len(graph.train) == 50 and len(graph.val) == 500 and len(graph.test) == 1000
    assert not set(graph.train) & (set(graph.val) | set(graph.test)) and not set(graph.val) & set(
        graph.test
    )


@needs_data
def test_listens_keep_apart():
    data = load_liked("local")
    parts = [set(map(tuple, part.tolist())) for part in (data.train, data.val, data.test)]
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert (data.users, data.items) == (1892, 4489)


@pytest.mark.skipif(
    importlib.util.find_spec("recbole") is None, reason="pip install --no-deps recbole==1.2.1"
)
def test_films_are_told_of_the_past_alone():
    data = load_clicks("package")
    assert len(data.train) + len(data.val) + len(data.test) == len(data.liked) == 100_000
    user, item = data.fields[:, 0], data.fields[:, 1]
    seen: dict[int, list[int]] = {}
    for row in range(5000):
        before = seen.setdefault(user[row], [])
        expected = before[-20:]
        assert data.history[row][data.history[row] > 0].tolist() == expected
        if data.liked[row]:
            before.append(item[row] + 1)
    for one in np.unique(user)[:50]:
        rows = [part[user[part] == one] for part in (data.train, data.val, data.test)]
        assert rows[0].max() < rows[1].min() and rows[1].max() < rows[2].min()


@needs_data
def test_pictures_are_standardised():
    data = load_objects("local")
    assert (
        data.train[0].shape == (3000, 3, 32, 32)
        and data.val[0].shape[0] == 1500
        and len(data.test[1]) == 1000
    )
    assert np.abs(data.train[0].mean()) < 0.01 and np.abs(data.train[0].std() - 1) < 0.01
    streets = load_streets("local")
    assert streets.train[0].shape[2:] == streets.train[1].shape[1:] == (60, 80)
    assert streets.train[1].max() == VOID
