import csv
import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from agenthpo.records import Expected
from agenthpo.session import begin
from agenthpo.taskfile.reading import load_task
from agenthpo.text.story import nearest, story
from calling import agenthpo
from studies import make_trial

TASK = """\
name: toy
objective: {metric: score, direction: maximize, test_metric: test}
train: {command: "{python} train.py --x={x}", env: {WHO: "a b"}, metrics: {score: "score {number}", test: "test {number}"}}
space:
  x: {type: float, low: -1.0, high: 1.0, default: 0.5}
  opt: {type: categorical, values: [null, "sg d"], default: null}
budget: {trials: 3}
"""
SCRIPT = """\
import os, sys, agenthpo
value = float(sys.argv[1].removeprefix("--x="))
assert os.environ["WHO"] == "a b"
for step in range(4):
    print("score", value * step, "test", value)
"""
DEFAULT = {"lr": 0.001, "size": 16, "opt": "adam", "epochs": 10}


@pytest.fixture
def study():
    Path("task.yaml").write_text(TASK.replace("--x={x}", "--x={x} --o {opt}"))
    Path("train.py").write_text(SCRIPT)
    begin(load_task("task.yaml"), Path(".agenthpo/toy"))
    return "toy"


def test_a_story_tells_what_changed_why_what_was_expected_and_what_came():
    before = [make_trial(0, DEFAULT, 0.8, "default"), make_trial(1, {**DEFAULT, "lr": 0.01}, None)]
    fields = {
        "rationale": "Trial 0 was slow.",
        "hypothesis": "Faster.",
        "expected": Expected(0.9, 0.85, 0.95),
        "model": "m",
    }
    trial = make_trial(
        2,
        {**DEFAULT, "lr": 0.003, "opt": "sgd", "momentum": 0.9},
        0.7,
        "creator",
        insight="Too fast.",
        **fields,
    )
    curve = {"acc": tuple((float(s), s / 100) for s in range(100))}
    outcome = replace(
        trial.outcome, curves=curve, test_value=0.6, step=99.0, duration_s=61.0, peak_mb=512.0
    )
    trial = replace(
        trial,
        outcome=outcome,
        analysis=replace(trial.analysis, expectation_met=False, evidence=("e",), advice="lower lr"),
    )
    said = "\n".join(story(trial, before, metric="acc", direction="maximize"))
    assert "Trial 2, proposed by creator (m)" in said
    assert (
        "Changed from trial 0 (acc 0.8): lr 0.001 -> 0.003, opt adam -> sgd, momentum now 0.9"
        in said
    )
    assert (
        "Why: Trial 0 was slow.\nHypothesis: Faster.\nExpected: acc 0.9, from 0.85 to 0.95" in said
    )
    assert "Came: acc 0.7 (test 0.6) at step 99 in 1m 01s, 512 MB\nThe prediction failed." in said
    assert "▁" in said and "█ 0 to 0.99" in said
    assert "Insight (rules): Too fast.\nAdvice: lower lr" in said
    assert nearest(DEFAULT, [], "maximize") is None


def test_show_tells_one_trial_and_says_which_there_are(study):
    said = agenthpo("show", study, "1", code=0).stdout
    assert "Trial 1, proposed by engine" in said
    assert "Changed from trial 0 (score 1.5):" in said
    assert "run.log" in said
    facts = json.loads(agenthpo("show", study, "0", "--json", code=0).stdout)
    assert facts["curves"]["score"] == [[0.0, 0.0], [1.0, 0.5], [2.0, 1.0], [3.0, 1.5]]
    assert "test" not in facts["curves"]
    assert "has no trial 9; it has 3, from 0 on" in agenthpo("show", study, "9", code=2).stderr


def test_csv_has_a_row_a_trial_and_a_column_a_parameter(study):
    rows = list(csv.DictReader(io.StringIO(agenthpo("show", study, "--csv", code=0).stdout)))
    assert [row["number"] for row in rows] == ["0", "1", "2"]
    assert (rows[0]["params.x"], rows[0]["params.opt"], rows[0]["value"]) == ("0.5", "null", "1.5")
    assert {row["diagnosis"] for row in rows} <= {"completed", "still_improving", "plateau"}


def test_best_is_ready_to_paste(study):
    line = agenthpo("best", study, code=0).stdout
    ran = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    best = json.loads(agenthpo("show", study, "--json", code=0).stdout)
    winner = best["trials"][best["study"]["incumbent"]]
    assert f"score {winner['value']}" in ran
    assert (
        json.loads(agenthpo("best", study, "--format", "json", code=0).stdout) == winner["params"]
    )
    from ruamel.yaml import YAML

    assert (
        YAML(typ="safe").load(agenthpo("best", study, "--format", "yaml", code=0).stdout)
        == winner["params"]
    )
    assert (
        "must be command, yaml or json" in agenthpo("best", study, "--format", "xml", code=2).stderr
    )


def test_best_of_a_script_that_asks_for_its_values_hands_them_over():
    Path("task.yaml").write_text(TASK.replace(" --x={x}", ""))
    Path("train.py").write_text(
        "import agenthpo; c = agenthpo.config(); agenthpo.report(score=c['x'])"
    )
    begin(load_task("task.yaml"), Path(".agenthpo/toy"))
    line = agenthpo("best", "toy", code=0).stdout
    best = json.loads(agenthpo("best", "toy", "--format", "json", code=0).stdout)
    ran = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    assert json.loads(ran) == {"score": best["x"]}


def test_no_success_is_a_sentence():
    Path("task.yaml").write_text(TASK.replace("--x={x}", "--x={x} --o {opt}"))
    Path("train.py").write_text("raise SystemExit(1)")
    begin(load_task("task.yaml"), Path(".agenthpo/toy"))
    assert (
        "no trial of the study .agenthpo/toy has succeeded yet"
        in agenthpo("best", "toy", code=2).stderr
    )


def test_what_best_runs_again_does_not_write_over_an_earlier_trial():
    Path("task.yaml").write_text(TASK.replace("--x={x}", "{config_file} --save {trial_dir}/m.pt"))
    Path("train.py").write_text(
        "import json, sys\nx = json.load(open(sys.argv[1]))['x']\n"
        "open(sys.argv[3], 'a').write(f'{x} ')\nprint(f'score {x}')\n"
    )
    begin(load_task("task.yaml"), Path(".agenthpo/toy"))
    line = agenthpo("best", "toy", code=0).stdout
    subprocess.run(["sh", "-c", line], check=True, cwd="/", stdout=subprocess.DEVNULL)
    best = json.loads(agenthpo("best", "toy", "--format", "json", code=0).stdout)
    assert Path(".agenthpo/toy/best/m.pt").read_text() == f"{best['x']} "
    for kept in Path(".agenthpo/toy/trials").glob("*/m.pt"):
        assert len(kept.read_text().split()) == 1
