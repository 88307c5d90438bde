"""Where a trial's command runs: in the task's folder, in a copy, or in a folder of its own."""

import os
from pathlib import Path

import pytest

from agenthpo.command.programs import named_below
from agenthpo.records import RunFolder
from agenthpo.taskfile.reading import load_task
from agenthpo.training.run_folder import prepare
from calling import agenthpo
from studies import shown

SCRIPT = """\
import argparse, pathlib
import model

p = argparse.ArgumentParser()
p.add_argument("--x", type=float)
p.add_argument("--data")
x = p.parse_args().x
assert pathlib.Path(p.parse_args().data).read_text() == "rows"
with open("checkpoint.txt", "a") as file:
    file.write(f"{x} ")
print("acc", model.score(x))
"""


def make(folder, command="{python} train.py --data data/train.csv {flags}"):
    Path("train.py").write_text(SCRIPT)
    Path("model.py").write_text("def score(x):\n    return -x * x\n")
    Path("data").mkdir(exist_ok=True)
    Path("data/train.csv").write_text("rows")
    Path("task.yaml").write_text(
        "name: toy\nobjective: {metric: acc, direction: maximize}\n"
        f'train: {{command: "{command}", folder: {folder}, metrics_file: "{{trial_dir}}/m.csv"}}\n'
        "space: {x: {type: float, low: -1, high: 1, default: 0.5}}\n"
        "budget: {trials: 3}\n"
    )
    return load_task("task.yaml")


@pytest.mark.parametrize("folder", ["copy", "trial"])
def test_outputs_stay_with_the_trial(folder):
    make(folder)
    done = agenthpo("run", ".", "--model", "none")
    assert done.returncode == 0, done.stderr
    trials = shown("toy")
    assert not Path("checkpoint.txt").exists()
    for trial in trials:
        assert trial["value"] == pytest.approx(-(trial["params"]["x"] ** 2))
        kept = Path(f".agenthpo/toy/trials/{trial['number']:04}/files/checkpoint.txt")
        assert kept.read_text() == f"{trial['params']['x']} ", "one training each"


def test_without_it_trials_share_the_tasks_folder():
    make("here")
    assert agenthpo("run", ".", "--model", "none").returncode == 0
    assert len(Path("checkpoint.txt").read_text().split()) == 3


def test_a_metrics_file_is_looked_for_where_the_command_runs():
    task = make("copy")
    task = load_task("task.yaml")
    Path("task.yaml").write_text(
        Path("task.yaml").read_text().replace("{trial_dir}/m.csv", "out/m.csv")
    )
    task = load_task("task.yaml")
    spec = task.spec(0, {"x": 0.5}, seed=0, workdir=Path("/w"))
    assert (spec.cwd, spec.metrics_file) == ("/w/files", "/w/files/out/m.csv")


def test_an_attempt_begins_in_a_fresh_folder():
    from agenthpo.training.attempts import begin_attempt

    spec = make("copy").spec(0, {"x": 0.5}, seed=0, workdir=Path("w").absolute())
    for _ in range(2):
        os.close(begin_attempt(Path("w"), spec))
        assert not Path("w/files/checkpoint.txt").exists()
        Path("w/files/checkpoint.txt").write_text("x")
    assert Path("w/attempt-1/files/checkpoint.txt").exists()


def test_a_copy_is_cheap_and_what_is_written_there_is_its_own(tmp_path):
    source = tmp_path / "task"
    (source / "src/deep").mkdir(parents=True)
    (source / "src/deep/a.py").write_text("a")
    (source / "large.bin").write_bytes(b"0" * 1_500_000)
    (source / "images").mkdir()
    for number in range(201):
        (source / f"images/{number}").write_text("")
    for hidden in (".git", ".agenthpo", "venv", "src/__pycache__"):
        (source / hidden).mkdir()
    (source / "venv/pyvenv.cfg").write_text("")
    (source / ".env").write_text("KEY=1")
    (source / "link").symlink_to("src")
    os.mkfifo(source / "pipe")
    target = tmp_path / "trial/files"
    prepare(RunFolder(str(source)), target)
    assert {p.name for p in target.iterdir()} == {"src", "large.bin", "images", ".env", "link"}
    assert (target / "large.bin").is_symlink() and (target / "images").is_symlink()
    assert (target / "link").resolve() == source / "src"
    assert [p.name for p in (target / "src").iterdir()] == ["deep"]
    (target / "src/deep/a.py").write_text("changed")
    assert (source / "src/deep/a.py").read_text() == "a"


def test_what_a_command_names_is_linked(tmp_path):
    for name in ("train.py", "pkg/sub/run.py", "data/x.csv", "conf.yaml", "run.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    words = (
        "python", "train.py", "--data=data/x.csv", "-m", "pkg.sub.run", "./run.sh", "conf.yaml,x",
        "{lr}", "/etc/passwd", "../up", ".", "", "\0", "a" * 5000,
    )  # fmt: skip
    names = named_below(words, tmp_path)
    assert names == ("conf.yaml", "data/x.csv", "pkg", "pkg/sub/run.py", "run.sh", "train.py")
    target = tmp_path / "trial/files"
    prepare(RunFolder(str(tmp_path), names), target)
    assert (target / "data/x.csv").read_text() == "data/x.csv"
    assert (target / "pkg/sub/run.py").read_text() == "pkg/sub/run.py"


@pytest.mark.parametrize("folder", ["copy", "trial"])
def test_a_function_of_a_task_is_found(folder):
    Path("work.py").write_text(
        "import os\ndef main(x):\n    open('out', 'w').close()\n    return x\n"
    )
    Path("task.yaml").write_text(
        "name: toy\nobjective: {metric: acc, direction: maximize}\n"
        f"train: {{function: 'work:main', folder: {folder}}}\n"
        "space: {x: {type: float, low: -1, high: 1, default: 0.5}}\nbudget: {trials: 1}\n"
    )
    done = agenthpo("run", ".", "--model", "none")
    assert done.returncode == 0, done.stderr
    assert shown("toy")[0]["value"] == 0.5 and not Path("out").exists()
