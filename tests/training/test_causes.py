"""The endings of real tools, each with its cause in one line; they were made by running the tools,
and hold what those wrote last.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.training.causes import cause_of
from calling import agenthpo

ENDINGS = json.loads(Path(__file__).with_name("endings.json").read_text("utf-8"))


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda each: each["name"])
def test_a_real_ending_has_its_own_cause(ending):
    assert str(cause_of(ending["text"])) == ending["cause"]


def test_what_a_script_went_on_from_is_not_the_cause():
    handled = [
        "Traceback (most recent call last):",
        '  File "train.py", line 3, in load',
        "FileNotFoundError: [Errno 2] No such file: 'cache.pt'",
        *(f"epoch {i} loss 0.5" for i in range(8)),
        "usage: train.py [-h]",
        "train.py: error: unrecognized arguments: --foo 1",
    ]
    assert str(cause_of(handled)) == "unknown option --foo"


def test_what_is_not_recognised_is_told_by_its_last_line_that_says_something():
    assert str(cause_of(["begin", "disk quota exceeded", "-----", "  ", "wandb: synced"])) == (
        "disk quota exceeded"
    )
    assert str(cause_of(["----"])) == "----"
    assert str(cause_of([])) == ""


@given(st.lists(st.one_of(st.text(max_size=30), st.sampled_from(
    [line for ending in ENDINGS for line in ending["text"]]))))  # fmt: skip
def test_no_ending_raises(lines):
    assert "\n" not in cause_of([line.replace("\n", " ") for line in lines]).place


def test_a_trial_says_the_exception_and_where_it_came_from(tmp_path):
    (tmp_path / "train.py").write_text(
        "import atexit, sys\natexit.register(lambda: print('Find logs at: ./logs'))\n"
        "def step(lr):\n    raise ValueError(f'{lr} is too small')\nstep(sys.argv[1])\n"
    )
    (tmp_path / "task.yaml").write_text(
        "objective: {metric: acc, direction: maximize}\n"
        "train: {command: 'python train.py {lr}'}\n"
        "space: {lr: {type: float, low: 0, high: 1, default: 0.5}}\n"
    )
    tried = json.loads(agenthpo("check", tmp_path, "--try", "--json").stdout)["try"]
    assert tried["error"] == "exit code 1: ValueError: 0.5 is too small (train.py, line 4)"
