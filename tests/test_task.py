import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.errors import TaskError
from agenthpo.space_file import parse_space
from agenthpo.task import Train, resolve_command
from agenthpo.task_file import load_task
from spaces import configurations, spaces

TASK = """\
name: cora-gcn
background:
  task: Node classification
    on a citation graph.
  goal: Highest validation accuracy.
objective: {metric: val_accuracy, direction: maximize, at: best, test_metric: test_accuracy}
train:
  command: "{python} train.py --lr {learning_rate} --momentum {momentum} --opt={optimizer} --seed {seed}"
  timeout: 5m
  metrics: {val_accuracy: 'val acc {number}'}
space:
  learning_rate: {type: float, low: 1e-6, high: 0.1, log: true, default: 1e-2, about: Adam step size}
  optimizer: {type: categorical, values: [adam, sgd], default: adam}
  momentum: {type: float, low: 0.0, high: 0.99, default: 0.9, when: {optimizer: sgd}}
budget: {trials: 10}
"""


def write(text):
    Path("train.py").write_text("print('val acc 0.5')\n")
    Path("task.yaml").write_text(text)
    return load_task("task.yaml")


def test_a_task_file_is_read():
    task = write(TASK)
    assert (task.name, task.budget.trials, task.train.timeout_s, task.objective.at) == ("cora-gcn", 10, 300.0, "best")
    assert task.space["learning_rate"].low == 1e-6
    assert task.background.describe() == "- Task: Node classification on a citation graph.\n- Goal: Highest validation accuracy."


def test_the_command_gets_the_values_and_drops_what_does_not_apply():
    task = write(TASK)
    adam = task.spec(0, {"learning_rate": 1e-05, "optimizer": "adam"}, seed=7, workdir=Path("w"))
    sgd = task.spec(0, {"learning_rate": 0.1, "optimizer": "sgd", "momentum": 0.5}, seed=7, workdir=Path("w"))
    assert adam.command == (sys.executable, "train.py", "--lr", "1e-05", "--opt=adam", "--seed", "7")
    assert sgd.command[2:] == ("--lr", "0.1", "--momentum", "0.5", "--opt=sgd", "--seed", "7")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name: cora-gcn", "nmae: cora", r"task.yaml: nmae is not a known key; did you mean 'name'\?"),
        ("name: cora-gcn", "name: a/b", "task.yaml: name is 'a/b', but names a folder"),
        ("maximize", "maximise", "task.yaml: objective.direction is the text 'maximise', but must be 'minimize' or 'maximize'"),
        ("at: best", "at: end", "objective.at is the text 'end', but must be 'last' or 'best'"),
        ("test_accuracy", "val_accuracy", "objective.test_metric is the tuned metric itself"),
        ("{learning_rate}", "{learning_rat}", r"{learning_rat} is neither a parameter .*; did you mean 'learning_rate'\?"),
        ("--lr {learning_rate} ", "", "train.command never hands learning_rate to the script; add --learning_rate {learning_rate}"),
        ("train.py", "trian.py", "the script 'trian.py' does not exist in"),
        ("{python}", "no-such-program", "the program 'no-such-program' cannot be found"),
        ("--seed {seed}", "> log", "holds '>', but no shell runs it; set train.shell: true"),
        ("timeout: 5m", "timeout: soon", "train.timeout: 'soon' is not a duration such as"),
        ("val acc {number}", "val acc", "must hold {number} where the value stands"),
        ("val acc {number}", "val acc (", "is not a regular expression"),
        ("trials: 10", "trials: ten", "budget.trials is the text 'ten', but must be a whole number"),
        ("trials: 10", "trials: 0", "budget.trials is 0"),
        ("low: 0.0, high: 0.99", "low: 1.0, high: 0.99", "space.momentum.low is 1, which is not below high"),
        ("default: 0.9", "default: 0.9, default: 0.8", "not valid YAML: found duplicate key"),
        ("budget:", "\tbudget:", "not valid YAML: .*line 15"),
        ("space:", "spaces:", "spaces is not a known key; did you mean 'space'"),
    ],
)
def test_every_mistake_is_one_sentence_with_file_field_and_fix(old, new, words):
    assert old in TASK
    with pytest.raises(TaskError, match=words) as caught:
        write(TASK.replace(old, new))
    assert "task.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a", "3", "{", "objective: 3"])
def test_what_is_no_task_file_at_all_is_refused(text):
    with pytest.raises(TaskError, match=r"task\.yaml"):
        write(text)


def test_a_missing_file_is_named():
    with pytest.raises(TaskError, match=r"nowhere\.yaml does not exist"):
        load_task("nowhere.yaml")


def test_flags_hand_over_everything():
    space = parse_space({"lr": {"type": "float", "low": -1.0, "high": 1.0}, "a": {"type": "bool"}, "b": {"type": "bool"}})
    command = resolve_command(Train(command=("x", "{flags}")), space, {"lr": -0.5, "a": True, "b": False}, seed=0, workdir=Path("w"))
    assert command == ("x", "--lr=-0.5", "--a")


ECHO = "import sys, json; print(json.dumps(sys.argv[1:]))"


@given(st.data())
def test_every_value_reaches_the_command_as_one_word(data):
    space = parse_space(data.draw(spaces()))
    params = data.draw(configurations(space))
    train = Train(command=("x", *[f"{{{name}}}" for name in space.names]))
    words = resolve_command(train, space, params, seed=0, workdir=Path("w"))[1:]
    read = dict(zip(space.names, words, strict=True))
    choices = {p.name: {str(v).lower() if isinstance(v, bool) else str(v): v for v in p.values} for p in space}
    assert {name: choices[name].get(word, word) for name, word in read.items()} == {
        name: value if space[name].is_discrete else str(value) for name, value in params.items()
    }


@pytest.mark.parametrize("value", ["a b", "it's", "$HOME; rm -rf x", '"', "{seed}", "", "*"])
def test_a_shell_line_gets_values_quoted(value):
    space = parse_space({"v": {"type": "categorical", "values": [value, "other"]}})
    train = Train(command=(f"{sys.executable} -c '{ECHO}' {{v}} | cat",), shell=True)
    command = resolve_command(train, space, {"v": value}, seed=0, workdir=Path("w"))
    assert json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) == [value]
