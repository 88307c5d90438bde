"""What the documentation promises of a task file, each by a real script; docs/task-file.md names
these tests.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agenthpo.taskfile.reading import load_task
from agenthpo.training.runner import run

SPACE = """
space:
  lr: {type: float, low: -1, high: 1, default: 1e-05}
  shift: {type: float, low: -5, high: 5, default: -0.5}
  layers: {type: int, low: 1, high: 9, default: 3}
  opt: {type: categorical, values: ["a b", "$HOME 'x'", sgd], default: "$HOME 'x'"}
  text: {type: categorical, values: ["true", "1", "null"], default: "true"}
  augment: {type: bool, default: true}
  mixup: {type: bool, default: false}
  weight: {type: categorical, values: [null, balanced], default: null}
  momentum: {type: float, low: 0, high: 1, default: 0.9, when: {opt: sgd}}
"""
DEFAULT = {
    "lr": 1e-05,
    "shift": -0.5,
    "layers": 3,
    "opt": "$HOME 'x'",
    "text": "true",
    "augment": True,
    "mixup": False,
    "weight": None,
}


def task(train, script, space=SPACE, objective="{metric: acc, direction: maximize}"):
    Path("train.py").write_text(script)
    Path("task.yaml").write_text(f"name: toy\nobjective: {objective}\ntrain: {train}\n{space}")
    return load_task("task.yaml")


def trial(task, params=None, seed=7):
    params = task.space.default() if params is None else params
    outcome = run(task.spec(0, params, seed=seed, workdir=Path("trial").resolve()))
    assert outcome.status == "complete", (outcome.error, outcome.log_tail)
    return outcome


def got():
    """What the script wrote down, values with their types."""
    return json.loads(Path("got").read_text())


def typed(values):
    return {name: (type(value), value) for name, value in values.items()}


WRITE = "import json; open('got', 'w').write(json.dumps({}));print(json.dumps({{'acc': 1}}))"
ARGUMENTS = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float)
p.add_argument("--shift", type=float)
p.add_argument("--layers", type=int)
p.add_argument("--opt")
p.add_argument("--text")
p.add_argument("--augment", action="store_true")
p.add_argument("--mixup", action="store_true")
p.add_argument("--weight")
p.add_argument("--momentum", type=float)
a = {k: v for k, v in vars(p.parse_args()).items() if k != "momentum" or v is not None}
"""


def test_a_placeholder_is_one_argument_whatever_its_value_holds():
    words = " ".join(f"{{{name}}}" for name in [*DEFAULT, "momentum"])
    trial(
        task(
            f'{{command: "{{python}} train.py {words}"}}',
            f"import sys; a = sys.argv[1:]\n{WRITE.format('a')}",
        )
    )
    assert got() == ["1e-05", "-0.5", "3", "$HOME 'x'", "true", "true", "false", "null"]


def test_an_option_reads_back_or_vanishes():
    command = '{command: "{python} train.py --lr {lr} --shift {shift} --momentum {momentum} {config_file}"}'
    script = ARGUMENTS.replace("parse_args()", "parse_known_args()[0]") + WRITE.format(
        "[a['lr'], a['shift'], 'momentum' in a]"
    )
    trial(task(command, script), {**DEFAULT, "lr": -1e-05})
    assert got() == [-1e-05, -0.5, False]


def test_flags_are_every_parameter():
    trial(task('{command: "{python} train.py {flags}"}', ARGUMENTS + WRITE.format("a")))
    assert typed(got()) == typed(DEFAULT)


def test_a_shell_line_gets_its_values_quoted():
    command = """{shell: true, command: '{python} train.py --opt {opt} --text {text} | cat; true {config_file}'}"""
    trial(task(command, ARGUMENTS + WRITE.format("[a['opt'], a['text']]")))
    assert got() == ["$HOME 'x'", "true"]


def test_a_crash_before_a_pipe_is_one():
    line = "{{shell: true, command: '{} true {{config_file}}'}}"
    trial(task(line.format("yes | {python} train.py;"), "print('{\"acc\": 1}')"))
    shutil.rmtree("trial")
    trial(
        task(
            line.format("").replace(" true {config_file}", "yes | {python} train.py {config_file}"),
            "print('{\"acc\": 1}')",
        )
    )
    shutil.rmtree("trial")
    crashing = task(
        line.format("").replace(" true {config_file}", "{python} train.py {config_file} | tee log"),
        "print('{\"acc\": 1}'); 1 / 0",
    )
    outcome = run(
        crashing.spec(0, crashing.space.default(), seed=0, workdir=Path("trial").resolve())
    )
    assert outcome.status == "failed"
    assert outcome.error.startswith("exit code 1")


def test_a_shell_line_may_take_all_flags():
    trial(
        task(
            "{shell: true, command: '{python} train.py {flags} && true'}",
            ARGUMENTS + WRITE.format("a"),
        )
    )
    assert typed(got()) == typed(DEFAULT)


@pytest.mark.parametrize(
    ("placeholder", "reader"),
    [
        ("config_file", "json.load(open(sys.argv[1]))"),
        ("config_file", "yaml.safe_load(open(sys.argv[1]))"),
        ("config_yaml", "yaml.safe_load(open(sys.argv[1]))"),
    ],
)
def test_a_configuration_file_holds_every_value_with_its_type(placeholder, reader):
    trial(
        task(
            f'{{command: "{{python}} train.py {{{placeholder}}}"}}',
            f"import json, sys, yaml\n{WRITE.format(reader)}",
        )
    )
    assert typed(got()) == typed(DEFAULT)


def test_environment_variables_hold_values_exactly():
    env = "{LR: '{lr}', OPT: '{opt}', MOMENTUM: '{momentum}', THREADS: 4, FILE: '{config_file}'}"
    script = (
        "import os; a = {k: os.environ.get(k) for k in ('LR', 'OPT', 'MOMENTUM', 'THREADS')}\n"
        + WRITE.format("a")
    )
    trial(task(f'{{command: "{{python}} train.py", env: {env}}}', script))
    assert got() == {"LR": "1e-05", "OPT": "$HOME 'x'", "MOMENTUM": None, "THREADS": "4"}


def test_a_script_may_ask_for_its_values():
    trial(
        task(
            '{command: "{python} train.py"}',
            f"import agenthpo; a = agenthpo.config(extra=1)\n{WRITE.format('a')}",
        )
    )
    assert typed(got()) == typed({**DEFAULT, "extra": 1})


@pytest.mark.parametrize("returned", ["1.0", "{'acc': 1.0, 'loss': 2}", "None"])
def test_a_function_gets_the_values_and_returns_the_metric_or_several(returned):
    report = "agenthpo.report(acc=1)" if returned == "None" else "pass"
    script = (
        "import json, agenthpo\ndef main(params):\n    open('got', "
        f"'w').write(json.dumps(params))\n    {report}\n    return {returned}"
    )
    assert trial(task("{function: 'train:main'}", script)).value == 1
    assert typed(got()) == typed(DEFAULT)


TINY = "space: {x: {type: float, low: 0, high: 1, default: 0.5}}"
PASSES = '{command: "{python} train.py {x}"'


@pytest.mark.parametrize(
    ("way", "script"),
    [
        ("}", "import agenthpo\nagenthpo.report(step=3, acc=-1e-07, other=2)"),
        ("}", 'print(\'{"step": 3, "acc": -1e-07}\')'),
        (
            ", metrics: {acc: 'acc {number}'}}",
            "import sys; print('epoch 0, Acc   -1e-07', end='', file=sys.stderr)",
        ),
        (", metrics: {acc: 'acc=([^ ]+) '}}", "print('acc=-1e-07 ')"),
        (
            ", metrics_file: history.csv}",
            "open('history.csv', 'w').write('epoch,acc\\n3,-1e-07\\n')",
        ),
        (
            ", metrics_file: '{trial_dir}/h.jsonl'}",
            "import os; open(os.environ['AGENTHPO_TRIAL_DIR'] + '/h.jsonl', "
            "'w').write('{\"acc\": -1e-07}')",
        ),
    ],
)
def test_every_way_out_gives_the_value_as_it_was_written(way, script):
    assert trial(task(PASSES + way, script, TINY)).value == -1e-07


def test_a_group_that_would_cut_a_number_is_an_error_not_a_value():
    outcome = run(
        task(PASSES + ", metrics: {acc: 'acc (.)'}}", "print('acc 0.91')", TINY).spec(
            0, {"x": 0.5}, seed=0, workdir=Path("trial").resolve()
        )
    )
    assert outcome.status == "failed"
    assert "which is not a whole number; write {number} there" in outcome.error


@pytest.mark.parametrize(
    ("at", "direction", "value", "test"),
    [("last", "maximize", 2, 20), ("best", "maximize", 3, 30), ("best", "minimize", 1, 10)],
)
def test_the_value_and_the_test_metric_are_of_one_step(at, direction, value, test):
    script = (
        "import agenthpo\nfor step, v in enumerate((1, 3, 2)):\n    "
        "agenthpo.report(step=step, acc=v)\n    agenthpo.report(step=step, test=10 * v)"
    )
    objective = f"{{metric: acc, direction: {direction}, at: {at}, test_metric: test}}"
    outcome = trial(task(PASSES + "}", script, TINY, objective))
    assert (outcome.value, outcome.test_value) == (value, test)
    assert "test" not in outcome.curves


def test_it_runs_in_the_tasks_folder_unbuffered(
    monkeypatch,
):
    script = (
        "import os, sys; a = [os.getcwd(), os.environ['AGENTHPO_TRIAL_DIR'], sys.argv[1], "
        "sys.stdin.read(), os.environ['PYTHONUNBUFFERED'], sys.executable, sys.argv[2], "
        "os.environ['AGENTHPO_SEED']]\n"
    )
    loaded = task(
        '{command: "{python} train.py {trial_dir} {seed}"}', script + WRITE.format("a"), TINY
    )
    here = Path.cwd()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    run(loaded.spec(0, {"x": 0.5}, seed=7, workdir=(here / "trial").resolve()))
    folder = str(here / "trial")
    assert json.loads((here / "got").read_text()) == [
        str(here),
        folder,
        folder,
        "",
        "1",
        sys.executable,
        "7",
        "7",
    ]


def test_the_command_sees_the_users_path(monkeypatch):
    Path("bin").mkdir()
    Path("bin/my-trainer").write_text("#!/bin/sh\necho acc 1\n")
    Path("bin/my-trainer").chmod(0o755)
    monkeypatch.setenv("PATH", f"{Path('bin').resolve()}{os.pathsep}{os.environ['PATH']}")
    assert (
        trial(task('{command: "my-trainer {x}", metrics: {acc: "acc {number}"}}', "", TINY)).value
        == 1
    )


def test_a_script_of_its_own_folder_is_run_where_it_may_be(monkeypatch):
    Path("go.sh").write_text("#!/bin/sh\necho acc $1\n")
    Path("go.sh").chmod(0o755)
    assert (
        trial(task('{command: "./go.sh {x}", metrics: {acc: "acc {number}"}}', "", TINY)).value
        == 0.5
    )


def test_the_same_command_again_says_how_to_go_on_and_mixes_nothing():
    task(PASSES + "}", "print('{\"acc\": 1}')", TINY)

    def agenthpo(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "agenthpo", *arguments],
            capture_output=True,
            text=True,
            timeout=100,
        )

    assert agenthpo("run", ".", "--trials", "1").returncode == 0
    again = agenthpo("run", ".", "--trials", "1")
    assert again.returncode == 2
    assert (
        "resume it by 'agenthpo resume .agenthpo/toy', or name another one by --study"
        in again.stderr
    )
    assert agenthpo("run", ".", "--trials", "1", "--study", "other").returncode == 0
    assert sorted(p.name for p in Path(".agenthpo").iterdir()) == ["other", "toy"]


NAMED = {"λ": 0.25, "optim.lr": 0.5, "warm-up": 3, "class": "x"}


@pytest.mark.parametrize(
    "way", ["{flags}", "{config_file}", "--a {λ} --b={optim.lr} {warm-up} {class}"]
)
def test_names_of_any_alphabet_go_every_way(way):
    space = """
space:
  λ: {type: float, low: 0, high: 1, default: 0.25}
  optim.lr: {type: float, low: 0, high: 1, default: 0.5}
  warm-up: {type: int, low: 0, high: 5, default: 3}
  class: {type: categorical, values: [x, y], default: x}
"""
    script = f"import agenthpo, sys\na = [agenthpo.config(), sys.argv[1:]]\n{WRITE.format('a')}"
    trial(task(f'{{command: "{{python}} train.py {way}"}}', script, space))
    config, words = got()
    assert config == NAMED
    wanted = {
        "{flags}": [w for name, value in NAMED.items() for w in (f"--{name}", str(value))],
        "{config_file}": [str(Path("trial/params.json").resolve())],
        "--a {λ} --b={optim.lr} {warm-up} {class}": ["--a", "0.25", "--b=0.5", "3", "x"],
    }
    assert words == wanted[way]
