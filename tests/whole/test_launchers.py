"""Commands that begin with a launcher or an environment's own runner: the options of the script
behind it are read, and each value arrives.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from agenthpo.taskfile.reading import load_task
from agenthpo.training.runner import run

SCRIPT = """\
import argparse
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float)
p.add_argument("--fast", action=argparse.BooleanOptionalAction)
p.add_argument("--layers", type=int, nargs="+")
a = p.parse_args()
print("acc", a.lr if a.fast is False and a.layers == [1, 2] else -1)
"""
STANDS_IN = """\
#!/bin/sh
# takes what stands before the command, and runs the command
while [ "$1" != python ]; do shift; done
shift
exec "$PYTHON" "$@"
"""


def outcome_of(command, monkeypatch):
    Path("train.py").write_text(SCRIPT)
    Path("task.yaml").write_text(
        "name: toy\nobjective: {metric: acc, direction: maximize}\n"
        f'train: {{command: "{command}", timeout: 100}}\n'
        "space:\n"
        "  lr: {type: float, low: 0, high: 1, default: 0.25}\n"
        "  fast: {type: bool, default: false}\n"
        "  layers: {type: categorical, values: [[1], [1, 2]], default: [1, 2]}\n"
    )
    beside = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{Path('bin').absolute()}:{beside}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHON", sys.executable)
    task = load_task("task.yaml")
    return run(task.spec(0, task.space.default(), seed=0, workdir=Path("w").absolute()))


@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("uv", "uv run --no-project --python {python} train.py {flags}"),
        ("torchrun", "torchrun --standalone --nproc-per-node 1 train.py {flags}"),
        ("nice", "env -u HOME nice -n 1 {python} -X utf8 train.py {flags}"),
    ],
)
def test_a_real_launcher_hands_every_value_on(program, command, monkeypatch):
    beside = Path(sys.executable).parent / program
    if not (beside.exists() or shutil.which(program)):
        pytest.skip(f"{program} is not here")
    outcome = outcome_of(command, monkeypatch)
    assert outcome.value == 0.25, outcome.error


@pytest.mark.parametrize(
    "command",
    [
        "conda run --no-capture-output -n env python train.py {flags}",
        "poetry run python train.py {flags}",
        "srun --ntasks=1 --gres=gpu:1 python train.py {flags}",
        "accelerate launch --num_processes 1 -- python train.py {flags}",
    ],
)
def test_what_is_not_installed_here_gets_the_words_in_their_order(command, monkeypatch):
    """A script stands in for the launcher, so this shows no more than its name says."""
    Path("bin").mkdir()
    launcher = Path("bin", command.split()[0])
    launcher.write_text(STANDS_IN)
    launcher.chmod(0o755)
    outcome = outcome_of(command, monkeypatch)
    assert outcome.value == 0.25, outcome.error
