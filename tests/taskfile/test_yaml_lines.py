import time
from itertools import pairwise
from pathlib import Path

import pytest

from agenthpo.errors import TaskError
from agenthpo.taskfile.reading import load_task
from agenthpo.taskfile.yaml_lines import read_yaml

TEXT = """\
space:
  lr: {type: float,
       low: 1}
  lr.decay: {type: float}
  sizes:
    values:
    - 1
    - 2
"""


def read(text):
    Path("t.yaml").write_text(text)
    return read_yaml(Path("t.yaml"))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("space.lr.low", 3),
        ("space.lr.high", 2),
        ("space.lr", 2),
        ("space.lr.decay.low", 4),
        ("space.sizes.values[1]", 8),
        ("spaces", None),
    ],
)
def test_a_message_gets_the_line_of_its_field_or_of_the_nearest_parent(path, line):
    place = "t.yaml" if line is None else f"t.yaml, line {line}"
    assert read(TEXT).located(f"t.yaml: {path} is wrong") == f"{place}: {path} is wrong"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a: 1\na: 2\n",
            't.yaml, line 2 is not valid YAML: found duplicate key "a".*remove one of the two',
        ),
        ("a:\n\tb: 1\n", "t.yaml, line 2 is not valid YAML: a tab.*replace the tab by blanks"),
        ("a: b: c\n", "t.yaml, line 1 is not valid YAML: mapping values.*between quotes"),
        ("a: !!python/object:os.system x\n", "t.yaml, line 1 is not valid YAML"),
        ("a: [1\n", "t.yaml, line 2 is not valid YAML"),
        ("a: " + "[" * 5000, "t.yaml is not valid YAML"),
    ],
)
def test_what_is_no_yaml_is_one_sentence_with_line_and_fix(text, words):
    with pytest.raises(TaskError, match=words) as refused:
        read(text)
    assert "\n" not in str(refused.value)


def test_numbers_are_numbers_and_words_are_words():
    assert read("a: 1e-3\nb: 1E5\nc: yes\nd: 010\ne: null\n").data == {
        "a": 0.001,
        "b": 1e5,
        "c": "yes",
        "d": 10,
        "e": None,
    }


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in pairwise("abcdefghij")
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "stands for more than 100,000 values by its aliases; write out what you mean"),
        ("a: &a\n  b: *a\n", "has an alias that leads back to itself"),
        ("a: &a [1, *a]\n", "has an alias that leads back to itself"),
        ("[" * 5000 + "]" * 5000, "is not valid YAML"),
        ("a: 1" + "0" * 5000, ""),
    ],
)
def test_aliases_that_explode_or_lead_back_are_a_sentence(text, words):
    Path("task.yaml").write_text(text)
    began = time.process_time()
    with pytest.raises(TaskError) as caught:
        load_task("task.yaml")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.process_time() - began < 10


def test_aliases_of_an_honest_task_are_read():
    Path("task.yaml").write_text("a: &a {low: 0, high: 1}\nb: *a\nc: {<<: *a, high: 2}\n")
    assert read_yaml(Path("task.yaml")).data == {
        "a": {"low": 0, "high": 1},
        "b": {"low": 0, "high": 1},
        "c": {"low": 0, "high": 2},
    }
