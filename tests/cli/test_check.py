import json
from dataclasses import replace
from pathlib import Path

import pytest

from calling import agenthpo

TRAIN = """
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed")
lr = parser.parse_args().lr
for epoch in range(3):
    print(f"val acc {lr * epoch}", flush=True)
"""
TASK = """\
name: toy
background: {task: A toy.}
objective: {metric: acc, direction: maximize}
train:
  command: "{python} train.py --lr {lr} --seed {seed}"
  metrics: {acc: "val acc {number}"}
space:
  lr: {type: float, low: 0, high: 1, default: 0.25, about: "[bold]"}
budget: {trials: 6}
"""


@pytest.fixture(autouse=True)
def _task():
    Path("train.py").write_text(TRAIN)
    Path("task.yaml").write_text(TASK)


def check(*arguments, code=0):
    return agenthpo("check", "task.yaml", *arguments, code=code)


def test_check_shows_all_and_runs_nothing():
    said = check("--model", "openai:gpt-5").stdout
    assert "train.py --lr 0.25 --seed 0" in said
    assert f"train.py is {Path('train.py').resolve()}" in said
    assert "[bold]" in said
    assert "- Objective: maximize acc" in said
    assert "Creator: propose the configuration of trial 0." in said
    assert "about 9 requests" in said
    assert "out, about $0.0" in said
    assert not Path(".agenthpo").exists()
    assert "No model is asked" in check("--model", "none").stdout


def test_check_as_json_has_the_same():
    facts = json.loads(
        check("--model", "toy", "--base-url", "http://127.0.0.1:1/v1", "--json").stdout
    )
    assert facts["command"][1:] == ["train.py", "--lr", "0.25", "--seed", "0"]
    assert [m["role"] for m in facts["prompt"]] == ["system", "user"]
    assert facts["estimate"]["requests"] == 9
    assert facts["estimate"]["cost_usd"] is None
    assert facts["space"][0]["default"] == 0.25


def test_a_try_tells_value_seconds_and_memory():
    said = check("--try").stdout
    assert "It works: acc 0.5 from 3 reports, in" in said
    assert "MB." in said
    assert json.loads(check("--try", "--json").stdout)["try"]["values"] == [0.0, 0.25, 0.5]
    assert not Path(".agenthpo").exists()


def test_a_try_of_a_script_without_the_metric_shows_what_is_most_like_it():
    Path("train.py").write_text(TRAIN.replace("val acc", "Val Acc is"))
    done = check("--try", code=2)
    assert "Val Acc is 0.5" in done.stdout
    assert "the lines most like it are 'Val Acc is 0.0'; put another pattern" in done.stderr
    assert "such as 'Val Acc is {number}'" in done.stderr


def test_a_try_ends_in_time(monkeypatch):
    Path("train.py").write_text(TRAIN + "time.sleep(60)\n")
    Path("task.yaml").write_text(TASK.replace("train:\n", "train:\n  timeout: 1.5\n"))
    assert "It works so far: 3 reports of acc" in check("--try").stdout
    Path("train.py").write_text("import time; print('loading', flush=True); time.sleep(60)")
    said = check("--try").stdout
    assert "had not reported acc" in said
    assert "loading" in said


def test_a_try_shows_the_line_of_each_value():
    Path("train.py").write_text(
        TRAIN.replace('f"val acc', 'f"train acc 1 | val acc').replace(
            "epoch}", "epoch} | best val acc 0.9"
        )
    )
    said = check("--try").stdout
    assert "acc was taken from the line 'train acc 1 | val acc 0.5 | best val acc 0.9'" in said
    assert (
        "Warning: the pattern of acc matches more than once in 'train acc 1 | val acc "
        "0.0 | best val acc 0.9', and the first match counts" in said
    )
    assert json.loads(check("--try", "--json").stdout)["try"]["taken"] == {
        "acc": "train acc 1 | val acc 0.5 | best val acc 0.9"
    }


@pytest.mark.parametrize(("timeout", "limit"), [(None, 20.0), (90.0, 20.0), (1.5, 1.5)])
def test_a_try_takes_twenty_seconds_at_most(timeout, limit, monkeypatch):
    from agenthpo import trying as module
    from agenthpo.records import Outcome
    from agenthpo.taskfile.reading import load_task

    specs = []
    monkeypatch.setattr(
        module, "run", lambda spec: (specs.append(spec), Outcome("complete", 0.5))[1]
    )
    loaded = load_task("task.yaml")
    assert module.tried(replace(loaded, train=replace(loaded.train, timeout_s=timeout))).is_good
    assert [spec.timeout_s for spec in specs] == [limit]


def test_a_try_may_take_longer_and_says_what_the_budget_will():
    Path("train.py").write_text(TRAIN + "time.sleep(1)\n")
    said = check("--try", "--for", "2m").stdout
    assert "    acc: ▁▅█ 0 to 0.5" in said
    assert "A trial takes about 1." in said and "and the 6 of the budget " in said
    assert "at most 2m 00s" in check("--try", "--for", "2m").stderr
    Path("train.py").write_text(TRAIN + "time.sleep(60)\n")
    said = check("--try", "--for", "1.5").stdout
    assert "A trial takes more than 1." in said
    assert "--for says how long --try may take" in check("--for", "2m", code=2).stderr
    assert "--for: 'soon' is not a duration" in check("--try", "--for", "soon", code=2).stderr


def test_a_try_names_what_is_written_where_trials_share_it():
    Path("train.py").write_text(TRAIN + "open('model.pt', 'w').write('x')\n")
    said = check("--try").stdout
    assert "Warning: it writes model.pt into the task's folder" in said
    assert json.loads(check("--try", "--json").stdout)["try"]["written"] == ["model.pt"]
    Path("model.pt").unlink()
    Path("task.yaml").write_text(TASK.replace("train:\n", "train:\n  folder: copy\n"))
    assert "it writes" not in check("--try").stdout and not Path("model.pt").exists()


def test_check_shows_the_command_at_a_far_corner():
    Path("task.yaml").write_text(
        TASK.replace(
            "  lr: {type: float, low: 0, high: 1, default: 0.25",
            "  units: {type: categorical, values: [[64], [64, 64]], default: [64, 64]}\n"
            "  fast: {type: bool, default: true, style: 'True'}\n"
            "  p: {type: float, low: 0, high: 1, default: 0.1, when: {fast: true}}\n"
            "  lr: {type: float, low: -1, high: 0.5, default: 0.25",
        ).replace("--lr {lr}", "--lr {lr} --units {units} --fast {fast} --p {p}")
    )
    said = check().stdout
    assert "train.py --lr 0.25 --units '[64, 64]' --fast True --p 0.1 --seed 0" in said
    assert "at a far corner: " in said
    assert "train.py --lr=-1.0 --units '[64]' --fast False --seed 0" in said


def test_check_says_what_is_known_of_the_models_family(tmp_path, capsys):
    (tmp_path / "train.py").write_text("from sklearn.svm import SVR\n")
    (tmp_path / "task.yaml").write_text(
        "objective: {metric: rmse, direction: minimize}\n"
        'train: {command: "{python} train.py {flags}"}\n'
        "space:\n"
        "  C: {type: float, low: 0.001, high: 1000, log: true, default: 1}\n"
        "  gamma: {type: float, low: 0.00001, high: 10, log: true, default: 0.1}\n"
    )
    from agenthpo.assembly import ModelChoice
    from agenthpo.cli.check import print_check
    from agenthpo.taskfile.reading import load_task

    print_check(load_task(tmp_path / "task.yaml"), ModelChoice(), as_json=False)
    said = capsys.readouterr().out
    assert "Known: Better than the default on " in said
    assert "other data sets for support vector machines: C " in said


def test_check_says_how_trials_are_run_and_judged():
    rules = (
        "constraints: [lr < 0.9, latency <= 20]\nfidelity: {parameter: epochs, low: 1, high: 27}\n"
        "repeats: 2\nstop: median\ncertify: 2\n"
    )
    Path("task.yaml").write_text(TASK.replace("{seed}", "{epochs}") + rules)
    said = check().stdout
    for line in (
        "Must hold: lr < 0.9",
        "Results have to keep: latency <= 20",
        "Fidelity: epochs 1, 3, 9, 27; one in 3 goes on",
        "Runs of a trial: 2",
        "Stopped early by the rule median",
        "Kept to certify the winner: 2 trials",
    ):
        assert line in said
    assert len(json.loads(check("--json").stdout)["rules"]) == 6
