import json
import sys
from pathlib import Path

import jsonschema
import pytest

import agenthpo
from agenthpo.errors import TaskError
from agenthpo.taskfile.form import json_schema
from agenthpo.taskfile.reading import load_task
from agenthpo.taskfile.yaml_lines import read_yaml

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
    assert (task.name, task.budget.trials, task.train.timeout_s, task.objective.at) == (
        "cora-gcn",
        10,
        300.0,
        "best",
    )
    assert task.space["learning_rate"].low == 1e-6
    assert (
        task.background.describe()
        == "- Task: Node classification on a citation graph.\n- Goal: Highest validation accuracy."
    )


def test_the_command_gets_the_values_and_drops_what_does_not_apply():
    task = write(TASK)
    adam = task.spec(0, {"learning_rate": 1e-05, "optimizer": "adam"}, seed=7, workdir=Path("w"))
    sgd = task.spec(
        0, {"learning_rate": 0.1, "optimizer": "sgd", "momentum": 0.5}, seed=7, workdir=Path("w")
    )
    assert adam.command == (
        sys.executable,
        "train.py",
        "--lr",
        "1e-05",
        "--opt=adam",
        "--seed",
        "7",
    )
    assert sgd.command[2:] == ("--lr", "0.1", "--momentum", "0.5", "--opt=sgd", "--seed", "7")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "name: cora-gcn",
            "nmae: cora",
            r"task.yaml, line 1: nmae is not a known key; did you mean 'name'\?",
        ),
        ("name: cora-gcn", "name: a/b", "task.yaml, line 1: name is 'a/b', but names a folder"),
        (
            "maximize",
            "maximise",
            "task.yaml, line 6: objective.direction is the text 'maximise', but must be "
            "'minimize' or 'maximize'",
        ),
        (
            "metric: val_accuracy",
            "metric: val_acuracy",
            "line 6: objective.metric is 'val_acuracy', but train.metrics reads 'val_accuracy'",
        ),
        (
            "at: best",
            "at: end",
            "objective.at is the text 'end': must be last, best, 'mean of last 5' or",
        ),
        ("test_accuracy", "val_accuracy", "objective.test_metric is the tuned metric itself"),
        (
            "{learning_rate}",
            "{learning_rat}",
            r"{learning_rat} is neither a parameter .*; did you mean 'learning_rate'\?",
        ),
        (
            "--lr {learning_rate} ",
            "",
            "train.command never hands learning_rate to the script; add --learning_rate "
            "{learning_rate}",
        ),
        ("train.py", "trian.py", "the script 'trian.py' does not exist in"),
        ("{python}", "no-such-program", "the program 'no-such-program' cannot be found"),
        ("--seed {seed}", "> log", "holds '>', but no shell runs it; set train.shell: true"),
        ("timeout: 5m", "timeout: soon", "train.timeout: 'soon' is not a duration such as"),
        ("val acc {number}", "val acc", "must hold {number} where the value stands"),
        ("val acc {number}", "val acc (", "is not a regular expression"),
        (
            "trials: 10",
            "trials: ten",
            "budget.trials is the text 'ten', but must be a whole number",
        ),
        ("trials: 10", "trials: 0", "budget.trials is 0"),
        (
            "low: 0.0, high: 0.99",
            "low: 1.0, high: 0.99",
            "space.momentum.low is 1, which is not below high",
        ),
        ("default: 0.9", "default: 2", "task.yaml, line 14: space.momentum.default is 2, but"),
        (
            "optimizer: sgd}",
            "optimizer: sdg}",
            "line 14: space.momentum.when.optimizer can never hold",
        ),
        (
            "optimizer: sgd}",
            "optimiser: sgd}",
            "line 14: space.momentum.when names 'optimiser'.*did you mean 'optimizer'",
        ),
        (
            "timeout: 5m",
            "memory: lots",
            "line 9: train.memory: 'lots' is not an amount of memory such as 8GB",
        ),
        ("timeout: 5m", "function: 'train:main'", "train needs either command .* or function"),
        (
            "timeout: 5m",
            "metrics_file: '{dir}/x.csv'",
            "train.metrics_file: {dir} is neither a parameter",
        ),
        ("default: 0.9", "default: 0.9, default: 0.8", "not valid YAML: found duplicate key"),
        ("budget:", "\tbudget:", "task.yaml, line 15 is not valid YAML: .*blanks"),
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


CONFIGLESS = TASK.replace(
    TASK[TASK.index('"{python}') : TASK.index("\n  timeout")], '"{python} train.py"'
)


def test_a_command_without_values_is_refused():
    with pytest.raises(
        TaskError,
        match=r"line 8: train.command hands no parameter to train.py.*add {flags} or {config_file}",
    ):
        write(CONFIGLESS)
    Path("settings.py").write_text("import agenthpo\nlr = agenthpo.config()['learning_rate']\n")
    assert write(CONFIGLESS).train.command == ("{python}", "train.py")


def test_a_background_may_be_a_sentence():
    text = TASK.replace(
        TASK[TASK.index("background:") : TASK.index("objective:")],
        "background: Tell wines apart.\n",
    )
    assert write(text).background.describe() == "- Task: Tell wines apart."
    assert jsonschema.Draft202012Validator(json_schema()).is_valid(
        read_yaml(Path("task.yaml")).data
    )
    with pytest.raises(TaskError, match=r"line 2: background is \[.*, but must be a mapping"):
        write(text.replace("Tell wines apart.", "[a, b]"))


def test_a_function_of_a_module_is_a_way_to_train():
    text = CONFIGLESS.replace('command: "{python} train.py"', "function: train:main")
    task = write(text)
    assert task.spec(0, {}, seed=0, workdir=Path("w")).command == (
        sys.executable,
        "-m",
        "agenthpo.training.call_function",
        "train:main",
    )
    for wrong, words in (
        ("train", "must be module:function"),
        ("trian:main", "there is no module 'trian' in"),
    ):
        with pytest.raises(TaskError, match=f"line 8: train.function.*{words}"):
            write(text.replace("train:main", wrong))


def test_every_limit_of_a_budget_is_read():
    limits = "{trials: 10, time: 2h, tokens: 1e6, cost: 0.5, target: .9, patience: 5, creator_may_stop: yes}"
    budget = write(TASK.replace("{trials: 10}", limits)).budget
    assert vars(budget) == {
        "trials": 10,
        "time_s": 7200.0,
        "tokens": 1_000_000,
        "cost_usd": 0.5,
        "target": 0.9,
        "patience": 5,
        "creator_may_stop": True,
    }


SHIPPED = Path(agenthpo.__file__).with_name("task.schema.json")


def test_the_shipped_schema_is_that_of_the_form():
    assert json.loads(SHIPPED.read_text()) == json_schema(), (
        "renew it by: agenthpo schema > src/agenthpo/task.schema.json"
    )


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        ("", "", True),
        ("low: 1e-6", "low: '1e-6'", True),
        ("log: true", "log: yes", True),
        ("log: true", "log: maybe", False),
        ("maximize", "maximise", False),
        ("trials: 10", "trials: ten", False),
        ("trials: 10", "trails: 10", False),
        ("type: float", "type: flaot", False),
        ("timeout: 5m", "env: {THREADS: 4}", True),
    ],
)
def test_the_schema_and_the_reader_agree(old, new, fits):
    text = TASK.replace(old, new, 1)
    Path("task.yaml").write_text(text)
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert (
        jsonschema.Draft202012Validator(json_schema()).is_valid(read_yaml(Path("task.yaml")).data)
        == fits
    )
    if fits:
        write(text)
        return
    with pytest.raises(TaskError):
        write(text)


def test_a_template_of_ones_own_must_have_a_known_name():
    Path("prompts").mkdir()
    Path("prompts/creator.md").write_text("x")
    assert write(TASK).prompts == Path("prompts").resolve()
    Path("prompts/craetor.md").write_text("x")
    with pytest.raises(
        TaskError, match=r"craetor.md is no template that could be replaced; did you mean 'creator'"
    ):
        write(TASK)


@pytest.mark.parametrize("given", ["5", "Auto", "[a]"])
def test_what_reads_the_metrics_is_a_mapping_or_auto(given):
    with pytest.raises(TaskError, match=r"train\.metrics is .*, but must be a mapping of names to "
                                        r"values, or 'auto'"):  # fmt: skip
        write(TASK.replace("metrics: {val_accuracy: 'val acc {number}'}", f"metrics: {given}"))
