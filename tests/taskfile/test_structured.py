"""Choices that are lists, tuples or mappings: a word within the study, themselves for the script."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import agenthpo
from agenthpo.command.resolve import literal
from agenthpo.errors import InvalidParams, SpaceError, TaskError
from agenthpo.events import ignore
from agenthpo.structured import as_word, plain
from agenthpo.taskfile.reading import load_task
from agenthpo.taskfile.space import parse_space
from calling import agenthpo as command
from studies import shown

HIDDEN = {"type": "categorical", "values": [[64], [64, 64], [128, 64]], "default": [64, 64]}
TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py %s"}
space:
  hidden: {type: categorical, values: [[64], [64, 64], [-1, 128]], default: [64, 64]}
  lr: {type: float, low: 0, high: 1, default: 0.5}
"""


def task_of(words, script="", **changes):
    Path("train.py").write_text(script)
    text = TASK % words
    for old, new in changes.values():
        text = text.replace(old, new)
    Path("task.yaml").write_text(text)
    return load_task("task.yaml")


def command_of(words, script="", **changes):
    task = task_of(words, script, **changes)
    params = {"hidden": "[-1, 128]", "lr": 0.5}
    return task.spec(0, params, seed=0, workdir=Path("w")).command[2:]


def test_a_choice_is_a_word_of_its_json_text():
    space = parse_space({"hidden": HIDDEN})
    hidden = space["hidden"]
    assert hidden.values == ("[64]", "[64, 64]", "[128, 64]")
    assert hidden.default == "[64, 64]"
    assert space.default() == {"hidden": "[64, 64]"}
    assert space.given({"hidden": "[128, 64]"}) == {"hidden": [128, 64]}
    assert hidden.snap([128, 64]) == hidden.snap("[128,64]") == "[128, 64]"
    assert hidden.violation(hidden.snap([1, 2])) == (
        "hidden must be one of [64], [64, 64], [128, 64], not '[1, 2]'"
    )


def test_a_condition_may_name_one():
    space = parse_space(
        {
            "hidden": HIDDEN,
            "p": {"type": "float", "low": 0, "high": 1, "when": {"hidden": [[64], [64, 64]]}},
        }
    )
    assert [p.name for p in space.active({"hidden": "[64]"})] == ["hidden", "p"]
    assert [p.name for p in space.active({"hidden": "[128, 64]"})] == ["hidden"]


def test_mappings_null_and_numbers_may_stand_beside_lists():
    raw = {"type": "categorical", "values": [None, 64, [64, 64], {"layers": 2}], "default": None}
    space = parse_space({"net": raw})
    assert space["net"].values == ("null", "64", "[64, 64]", '{"layers": 2}')
    assert [space.given({"net": v})["net"] for v in space["net"].values] == raw["values"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[1], [1]], "holds one of its choices twice"),
        ([[1]], "needs at least two values"),
        ([[float("nan")], [1]], "nan is no number that could be compared"),
        ([{1: 2}, [1]], "a mapping's keys must be text"),
        ([[object()], [1]], "a object cannot be written down"),
    ],
)
def test_what_cannot_be_told_apart_or_written_is_refused(values, words):
    with pytest.raises(SpaceError, match=words):
        parse_space({"a": {"type": "categorical", "values": values}})
    with pytest.raises(SpaceError, match="use type: categorical"):
        parse_space({"a": {"type": "int", "values": [[1], [2]]}})


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ('add_argument("--hidden", type=int, nargs="+")', ("--hidden", "-1", "128")),
        ('add_argument("--hidden", type=int, action="append")',
         ("--hidden", "-1", "--hidden", "128")),
        ('add_argument("--hidden", type=json.loads)', ("--hidden", "[-1, 128]")),
        ('add_argument("--hidden", type=ast.literal_eval)', ("--hidden", "[-1, 128]")),
        ('click.option("--hidden", multiple=True)', ("--hidden", "-1", "--hidden", "128")),
        ('click.option("--hidden", nargs=2)', ("--hidden", "-1", "128")),
        ('flags.DEFINE_list("hidden", "1,2", "units")', ("--hidden=-1,128",)),
        ('flags.DEFINE_multi_integer("hidden", [1], "units")',
         ("--hidden", "-1", "--hidden", "128")),
        ("import fire\ndef main(hidden=(64, 64)): pass", ("--hidden", "[-1, 128]")),
        ("import tyro\ndef main(hidden: list[int]): pass", ("--hidden", "-1", "128")),
        ("import typer\ndef main(hidden: list[int]): pass",
         ("--hidden", "-1", "--hidden", "128")),
        ("import typer\ndef main(hidden: tuple[int, int]): pass", ("--hidden", "-1", "128")),
        ("import jsonargparse\ndef main(hidden: list[int]): pass", ("--hidden", "[-1, 128]")),
    ],
)  # fmt: skip
def test_flags_write_a_list_as_the_script_takes_it(declared, words):
    assert command_of("{flags}", declared) == (*words, "--lr", "0.5")


def test_where_the_script_does_not_show_it_the_style_says_it():
    with pytest.raises(TaskError, match=r"space\.hidden\.values holds lists, but .*'--name a,b'"):
        task_of("{flags}", 'add_argument("--hidden", default="64")')
    for style, words in {
        "--name a,b": ("--hidden=-1,128",),
        "--name a b": ("--hidden", "-1", "128"),
        "--name [a, b]": ("--hidden", "[-1, 128]"),
    }.items():
        styled = ("default: [64, 64]", f"style: '{style}', default: [64, 64]")
        assert command_of("{flags}", styled=styled) == (*words, "--lr", "0.5")
        assert command_of("--hidden {hidden} {flags}", styled=styled) == (*words, "--lr", "0.5")
    assert command_of("--hidden {hidden} --lr {lr}") == ("--hidden", "[-1, 128]", "--lr", "0.5")
    assert command_of("{overrides}") == ("hidden=[-1,128]", "lr=0.5")


def test_real_parsers_read_it_back():
    import subprocess

    for kind in ('type=int, nargs="+"', 'type=int, action="append"', "type=json.loads"):
        script = (
            "import argparse, json\np = argparse.ArgumentParser()\n"
            f'p.add_argument("--hidden", {kind})\np.add_argument("--lr", type=float)\n'
            "print(json.dumps(p.parse_args().hidden))\n"
        )
        words = command_of("{flags}", script)
        out = subprocess.run([sys.executable, "train.py", *words], capture_output=True, text=True)
        assert out.stdout.strip() == "[-1, 128]", out.stderr


def test_a_study_hands_it_over_by_every_file_and_best_gives_it_back():
    Path("base.yaml").write_text("net:\n  hidden: [1, 2]  # units\n  lr: 1\n")
    Path("train.py").write_text(
        "import agenthpo, sys, yaml\n"
        "params, text = agenthpo.config(), open(sys.argv[1]).read()\n"
        "assert yaml.safe_load(text)['net'] == {'hidden': params['net.hidden'], 'lr': 1}, text\n"
        "assert '# units' in text, text\n"
        "agenthpo.report(acc=sum(params['net.hidden']))\n"
    )
    Path("task.yaml").write_text(
        "name: toy\nobjective: {metric: acc, direction: maximize}\n"
        "train:\n"
        "  command: '{python} train.py {trial_dir}/run.yaml'\n"
        "  config: {from: base.yaml, to: '{trial_dir}/run.yaml'}\n"
        "space:\n  net.hidden: {type: categorical, values: [[64], [64, 64], [128, 64]], "
        "default: [64]}\n"
    )
    done = command("run", ".", "--model", "none", "--trials", "3")
    assert done.returncode == 0, done.stderr
    trials = shown("toy")
    assert {t["params"]["net.hidden"]: t["value"] for t in trials} == {
        "[64]": 64, "[64, 64]": 128, "[128, 64]": 192,
    }  # fmt: skip
    best = command("best", ".", "--format", "json")
    assert json.loads(best.stdout) == {"net.hidden": [128, 64]}
    assert yaml.safe_load(command("best", ".", "--format", "yaml").stdout) == {
        "net.hidden": [128, 64]
    }


def test_a_function_gets_the_object_itself():
    seen = []

    def objective(params):
        seen.append(params)
        return sum(params["betas"]) + params["size"]

    space = {
        "betas": {
            "type": "categorical",
            "values": ((0.9, 0.99), (0.8, 0.9)),
            "default": (0.8, 0.9),
        },
        "size": {"type": "int", "values": np.arange(2, 6), "default": np.int64(3)},
    }
    result = agenthpo.tune(
        objective, space, direction="maximize", trials=6, model="none", on_event=ignore
    )
    assert seen[0] == {"betas": (0.8, 0.9), "size": 3}
    assert {type(p["betas"]) for p in seen} == {tuple}
    assert result.best_params in seen
    opt = agenthpo.Optimizer(space, direction="maximize")
    asked = opt.ask()
    assert asked == {"betas": (0.8, 0.9), "size": 3}
    assert opt.tell({"betas": [0.8, 0.9], "size": np.int64(3)}, 1.0).number == 0
    assert opt.best().params == asked
    with pytest.raises(InvalidParams, match="betas must be one of"):
        opt.tell({"betas": (0.1, 0.2), "size": 3}, 1.0)


# YAML takes a key of 1,024 characters at most, twelve of which may stand for one
KEYS = st.text(max_size=80)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False,
                                                                      allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)  # fmt: skip


@given(NESTED.filter(lambda v: isinstance(v, list | dict)))
def test_the_word_and_the_text_of_files_read_back(value):
    assert json.loads(as_word(value)) == value
    assert json.loads(literal(value)) == value
    if not any(c in as_word(value) for c in ("\\", "\x7f", "\x85", "\ufeff")):
        assert yaml.safe_load(literal(value)) == value


def test_every_format_of_a_configuration_file_takes_them():
    import tomllib

    values = [[64, 64], {"layers": 2, "sizes": [8, 4]}]
    texts = {"base.json": '{"net": [1]}', "base.toml": "net = [1]\n", "base.yaml": "net: [1]\n"}
    for name, text in texts.items():
        Path(name).write_text(text)
        Path("task.yaml").write_text(
            "name: toy\nobjective: {metric: acc, direction: maximize}\n"
            f"train: {{command: '{{python}} train.py {{trial_dir}}/{name}', "
            f"config: {{from: {name}}}}}\n"
            f"space: {{net: {{type: categorical, values: {json.dumps(values)}}}}}\n"
        )
        Path("train.py").write_text("")
        task = load_task("task.yaml")
        for value in values:
            written = task.spec(0, {"net": as_word(value)}, seed=0, workdir=Path("w")).files[name]
            read = tomllib.loads if name.endswith("toml") else yaml.safe_load
            assert read(written) == {"net": value}


def test_numbers_of_numpy_are_numbers():
    assert plain({"a": np.float32(0.5), "b": np.array([1, 2]), "c": range(2), "d": (1, [2])}) == {
        "a": 0.5, "b": [1, 2], "c": [0, 1], "d": (1, [2]),
    }  # fmt: skip
