"""A failure that lies in the task stops a study before its budget is burnt on it."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

import agenthpo as package
from agenthpo.agents.faults import fault_of, is_of_task
from agenthpo.errors import StudyError
from agenthpo.records import Outcome
from calling import agenthpo
from loopback import message, model_server
from studies import make_trial, shown

TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py --lr {lr}", metrics: {acc: "acc {number}"}}
space:
  lr: {type: float, low: 0, high: 1, default: 0.5}
budget: {trials: 8}
"""
ARGUMENTS = (
    "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float)\nlr "
    "= p.parse_args().lr\n"
)


def run(script, *words, task=TASK, code=None):
    Path("task.yaml").write_text(task)
    Path("train.py").write_text(script)
    return agenthpo("run", ".", "--model", "none", *words, code=code)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        (
            "import argparse\nargparse.ArgumentParser().parse_args()",
            "unknown option --lr",
        ),
        (ARGUMENTS.replace("type=float", "type=int"), "argument --lr: invalid int value"),
        (ARGUMENTS + "print('done')", "the script ended without reporting acc"),
        (ARGUMENTS + "print('acc 0,853')", "which is not a whole number"),
        ("def main(:", "SyntaxError"),
        ("open('no-such.csv')", "No such file or directory: 'no-such.csv'"),
        ("raise OSError(28, 'No space left on device')", "No space left on device"),
        ("raise RuntimeError('killed by signal: Bus error.')", "killed by signal: Bus error"),
    ],
)
def test_a_default_that_fails_by_the_task_ends_the_study(script, words):
    done = run(script, code=3)
    assert (
        "Error: it is the task that fails, not a configuration: trial 0, the default "
        "configuration, failed (" in done.stderr
    )
    assert words in done.stderr
    assert ";" in done.stderr.split(words)[1]
    assert "resume with: agenthpo resume .agenthpo/toy (--keep-going" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [t["analysis"]["diagnosis"] for t in shown()] == ["task_error"]


def test_two_equal_failures_are_enough_at_first():
    done = run(ARGUMENTS + "raise ValueError(f'bad shape {lr}')", code=3)
    assert "trials 0 and 1 failed the same way" in done.stderr
    assert len(shown()) == 2


def test_different_causes_and_the_configurations_own_are_gone_on_from():
    causes = (
        "raise [ValueError('a'), KeyError('b'), MemoryError('c'), RuntimeError('d')][int(lr "
        "* 1000) % 4]"
    )
    assert run(ARGUMENTS + "raise MemoryError('too large')", "--trials", "3", code=3).stderr == ""
    assert len(shown()) == 3
    run(
        ARGUMENTS
        + f"import os\nn = len(os.listdir('.agenthpo/other/trials'))\nlr = n / 1000\n{causes}",
        "--study",
        "other",
        "--trials",
        "5",
    )
    assert len(shown("other")) == 5


def test_whoever_means_it_goes_on():
    assert run("import no_such_module", "--keep-going", "--trials", "4", code=3).stderr == ""
    assert len(shown()) == 4
    assert run("import no_such_module", "--study", "other", code=3).stderr.startswith(
        "Error: it is the task"
    )
    assert (
        agenthpo("resume", ".agenthpo/other", "--keep-going", "--trials", "3", code=3).stderr == ""
    )
    assert len(shown("other")) == 3


def test_three_equal_failures_in_a_row_end_it_later():
    failing = (
        ARGUMENTS + "import os\nif os.path.exists('gone'): raise OSError('disk of the data is "
        "gone')\nprint('acc', lr)"
    )
    run(failing, "--trials", "2", code=0)
    Path("gone").touch()
    done = agenthpo("resume", "toy", "--trials", "9", code=3)
    assert "trials 2, 3 and 4 failed the same way" in done.stderr
    Path("gone").unlink()
    assert agenthpo("resume", "toy", "--trials", "7", code=0).stderr == ""
    assert [t["state"] for t in shown()] == ["complete"] * 2 + ["failed"] * 3 + ["complete"] * 2


def test_the_model_is_not_paid_for_a_mistake():
    with model_server(lambda body, number: message("ok")) as (url, asked):
        Path("task.yaml").write_text(TASK)
        Path("train.py").write_text("import no_such_module")
        agenthpo("run", ".", "--model", "toy", "--base-url", url, code=3)
    assert len(asked) <= 1, "that the model can be asked"


def test_a_function_that_is_at_fault_ends_its_study():
    def objective(params):
        return params["no such"]

    space = {"x": {"type": "float", "low": 0, "high": 1, "default": 0.5}}
    words = r"no trial gave a value; .*failed the same way \(KeyError: 'no such'\)"
    with pytest.raises(StudyError, match=words):
        package.tune(objective, space, direction="maximize", trials=9, model="none")
    assert len(shown("objective")) == 2
    with pytest.raises(StudyError, match=r"none of 4 .* \(the last one: KeyError: 'no such'\)"):
        package.tune(
            objective,
            space,
            direction="maximize",
            trials=4,
            model="none",
            study="b",
            keep_going=True,
        )


def test_what_is_of_the_task_is_read_from_the_error():
    assert not is_of_task(Outcome("failed", error="exit code 1: ValueError: lr too high"))
    assert not is_of_task(Outcome("oom", error="out of memory: No module named x"))
    assert is_of_task(Outcome("failed", error="exit code 2: Error: No such option: --lr"))
    failed = [
        replace(
            make_trial(n, {"x": n}, None),
            outcome=Outcome("failed", error=f"exit code 1: at 0x{n}f, step {n}"),
        )
        for n in range(3)
    ]
    assert fault_of(failed[:1]) == ""
    assert "trials 0 and 1" in fault_of(failed[:2])
    assert fault_of([*failed, make_trial(3, {"x": 3}, 0.5)]) == ""
    assert sys.version
