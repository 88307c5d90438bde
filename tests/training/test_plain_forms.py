"""A metric that is printed by its name is read without a pattern, as its script prints it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.training.metrics import MetricReader
from agenthpo.training.patterns import PatternError
from agenthpo.training.plain_forms import plain_pattern
from calling import agenthpo


def read(name, *lines):
    reader = MetricReader(frozenset([name]))
    for line in lines:
        reader.read_output(line)
    return [value for _, value in reader.curve(name)]


@pytest.mark.parametrize(
    ("name", "line", "value"),
    [
        ("rmse", "rmse: 2.1", 2.1),
        ("acc", "acc=0.9", 0.9),
        ("acc", "epoch 3 acc 0.9 loss 0.3", 0.9),
        ("accuracy", "Accuracy: 98.1%", 98.1),
        ("val_acc", "[12/20] loss=0.3, val_acc=0.81 (best 0.9)", 0.81),
        ("val_acc", "Epoch 1 | Val Acc: 0.81 | Train Acc: 0.99", 0.81),
        ("val/loss", "step 3: val/loss 1.5e-3", 0.0015),
        ("eval_loss", "{'eval_loss': 0.25, 'eval_runtime': 3.1, 'epoch': 1.0}", 0.25),
        ("loss", '{"train": 1}  "loss" : .5', 0.5),
        ("test_acc", "│         test_acc          │    0.9800000190734863     │", 0.9800000190734863),
        ("ep_rew_mean", "|    ep_rew_mean     | 22.1     |", 22.1),
        ("val_accuracy", "1/1 ━━ 0s 5ms/step - accuracy: 0.9 - loss: 0.3 - val_accuracy: 0.8750", 0.875),
        ("validation-rmse", "[10]\tvalidation-rmse:0.48123", 0.48123),
        ("accuracy", "    accuracy                           0.97       360", 0.97),
        ("R2", "The R2 is -0.25", -0.25),
        ("f1", "F1 = 1e-1", 0.1),
        ("loss", "loss: nan", float("nan")),
        ("précision", "Précision : 0.5", 0.5),
    ],
)  # fmt: skip
def test_a_metric_is_read_by_its_name(name, line, value):
    found = read(name, line)
    assert found == [value] or (found[0] != found[0] and value != value)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("loss", "val loss: 0.2"),
        ("loss", "train_loss: 0.2"),
        ("loss", "train/loss: 0.2"),
        ("loss", "val-loss=0.2"),
        ("acc", "best acc: 0.2"),
        ("acc", "accuracy: 0.2"),
        ("acc", "acc@5: 0.2"),
        ("val_acc", "eval acc: 0.2"),
        ("acc", "acc of class 3: 0.2"),
        ("loss", "no loss 3"),
        ("acc", "acc: high"),
        ("lr", "lr_decay 0.1"),
        ("rmse", "saved to rmse/0.3/model.pt" ),
    ],
)  # fmt: skip
def test_another_metric_is_not_taken_for_it(name, line):
    assert read(name, line) == []


def test_columns_of_a_table_are_read_by_their_heading():
    fastai = ["epoch     train_loss  valid_loss  accuracy  time    ",
              "0         0.52        0.41        0.81      00:12   ",
              "1         0.42        0.31        0.91      00:12   "]  # fmt: skip
    assert read("accuracy", *fastai) == [0.81, 0.91]
    assert read("valid_loss", *fastai) == [0.41, 0.31]
    rich = ["┃ epoch ┃ loss ┃ val acc ┃", "│ 1     │ 0.5  │ 0.7 │"]
    assert read("loss", *rich) == [0.5]
    spacy = ["E    #       LOSS TOK2VEC  LOSS TAGGER  TAG_ACC  SCORE ",
             "---  ------  ------------  -----------  -------  ------",
             "  0       0          0.00        52.97    33.50    0.34",
             "  1     200         10.40       812.06    81.73    0.82"]  # fmt: skip
    assert read("SCORE", *spacy) == [0.34, 0.82]
    assert read("loss_tagger", *spacy) == [52.97, 812.06]
    # what is no row of numbers is no row, and another heading ends the table
    assert read("accuracy", fastai[0], "It took 3 0.5 seconds again") == []
    assert read("accuracy", fastai[0], "name of the run now", "1 2 3 4 00:12") == []


def test_what_is_reported_otherwise_goes_before_and_replaces_it():
    reader = MetricReader(frozenset(["acc"]))
    reader.read_output("acc 0.1")
    reader.read_report(json.dumps({"acc": 0.9}))
    reader.read_output("acc 0.2")
    assert reader.curve("acc") == ((0.0, 0.9),)
    reader = MetricReader(frozenset(["acc"]), {"acc": "top {number}"})
    reader.read_output("acc 0.1")
    reader.read_output("top 0.5")
    assert [value for _, value in reader.curve("acc")] == [0.5]


def test_a_number_that_is_not_whole_is_said():
    reader = MetricReader(frozenset(["acc"]))
    with pytest.raises(PatternError, match="acc is printed as '0' in 'acc: 0,853'"):
        reader.read_output("acc: 0,853")
    reader.read_report(json.dumps({"acc": 0.853}))
    assert reader.unread == {}


def test_a_script_that_prints_its_metric_needs_no_pattern(tmp_path):
    (tmp_path / "train.py").write_text(
        "import sys\nfor i in range(3):\n"
        "    print('epoch', i)\n    print(f'val loss: {1 / (i + 1):.3f} train loss: 9')\n"
    )
    (tmp_path / "task.yaml").write_text(
        "objective: {metric: val_loss, direction: minimize}\n"
        "train: {command: 'python train.py {lr}'}\n"
        "space: {lr: {type: float, low: 0, high: 1, default: 0.5}}\n"
    )
    tried = json.loads(agenthpo("check", tmp_path, "--try", "--json").stdout)["try"]
    assert (tried["ok"], tried["value"], tried["values"]) == (True, 0.333, [1.0, 0.5, 0.333])
    assert "val loss: 0.333" in tried["taken"]["val_loss"]


@given(st.text(max_size=20), st.text(max_size=40))
def test_whatever_a_metric_is_called_its_pattern_compiles(name, line):
    pattern = plain_pattern(name)
    if pattern is not None:
        re.search(pattern, line)
        MetricReader(frozenset([name])).read_report("{}")
