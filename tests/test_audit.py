"""Which of the winner's changes made the gain: on a script whose answer is known."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from agenthpo import audit as auditing
from agenthpo.audit import Audit, audit_of
from agenthpo.certificate import Certificate, Contender
from agenthpo.codec import adapter
from agenthpo.reporting.gather import evidence_of
from agenthpo.reporting.making import report
from agenthpo.search.effects import effects
from calling import agenthpo
from report_studies import make_study
from studies import make_task, make_trial

# lr and depth make the gain, width and drop nothing; momentum is only there with sgd
SCRIPT = """\
import os, random, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
lr, width, drop, depth = (float(given["--" + n]) for n in ("lr", "width", "drop", "depth"))
opt = given["--opt"]
noise = random.Random(os.environ["AGENTHPO_SEED"] + repr(sys.argv[1:])).gauss(0, NOISE)
print("acc:", 0.5 + 2 * lr + 0.05 * depth + (0.0 if opt == "adam" else 0.001) + noise)
"""
TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py {flags}"}
space:
  lr: {type: float, low: 0.0, high: 0.2, default: 0.1}
  width: {type: int, low: 1, high: 64, default: 32}
  drop: {type: float, low: 0.0, high: 0.5, default: 0.1}
  depth: {type: int, low: 1, high: 4, default: 2}
  opt: {type: categorical, values: [adam, sgd], default: adam}
  momentum: {type: float, low: 0.0, high: 0.9, default: 0.5, when: {opt: sgd}}
budget: {trials: 6}
"""
WINNER = ("lr=0.2", "width=60", "drop=0.4", "depth=4", "opt=sgd", "momentum=0.8")


@pytest.fixture
def study(tmp_path, monkeypatch, request):
    noise = getattr(request, "param", 0.002)
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT.replace("NOISE", str(noise)))
    Path("task.yaml").write_text(TASK)
    agenthpo("run", "task.yaml", "--model", "none", "--trials", "1", code=0)
    agenthpo("enqueue", "toy", *WINNER, code=0)
    agenthpo("resume", "toy", "--trials", "6", code=0)
    return Path(".agenthpo/toy")


def test_what_made_the_gain_is_found_and_the_rest_goes_back(study):
    told = json.loads(agenthpo("audit", "toy", "--trials", "42", "--json", code=0).stdout)
    found = adapter(Audit).validate_python(told)
    judged = {change.names[0]: change.judgement for change in found.changes}
    assert judged["lr"] == judged["depth"] == "helps"
    assert {judged[name] for name in set(judged) - {"lr", "depth"}} <= {"nothing", "open"}
    assert found.is_minimal_as_good and found.runs <= 42
    assert found.minimal["lr"] > 0.1 and found.minimal["depth"] > 2
    assert found.minimal["width"] == 32 and "momentum" not in found.minimal
    by = {change.names[0]: change for change in found.changes}
    assert by["depth"].low <= 0.05 * (by["depth"].after["depth"] - 2) <= by["depth"].high
    told = evidence_of(study)
    assert audit_of(study) == found == told.audit
    assert 0.0002 < found.noise < 0.02 and told.answer.noise == found.noise
    assert told.answer.is_noise_measured and "if another seed" not in told.answer.next_hour


def test_the_report_shows_it(study):
    agenthpo("audit", "toy", "--trials", "28", code=0)
    assert "### Audit of trial" in report(study, "md")
    html = report(study)
    assert "Each change rolled back" in html and "What made the gain: " in html


def test_what_was_run_counts(study):
    first = agenthpo("audit", "toy", "--trials", "14", "--json", code=0).stdout
    left = [p.stat().st_mtime_ns for p in sorted(study.glob("audit/*/outcome.json"))]
    assert len(left) == len(list(study.glob("audit/*"))) > 6
    assert agenthpo("audit", "toy", "--trials", "14", "--json", code=0).stdout == first
    assert [p.stat().st_mtime_ns for p in sorted(study.glob("audit/*/outcome.json"))] == left


@pytest.mark.parametrize("study", [0.0], indirect=True)
def test_a_script_without_noise_is_explained_exactly(study):
    found = adapter(Audit).validate_json(
        agenthpo("audit", "toy", "--trials", "14", "--json").stdout
    )
    judged = {change.names[0]: change.judgement for change in found.changes}
    assert judged["lr"] == judged["depth"] == "helps" and judged["width"] == "nothing"


def test_too_few_trials_and_no_gain_are_sentences(study):
    done = agenthpo("audit", "toy", "--trials", "3")
    assert done.returncode == 2 and "give at least --trials" in done.stderr
    Path("task.yaml").write_text(TASK.replace("name: toy", "name: one"))
    agenthpo("run", "task.yaml", "--model", "none", "--trials", "1", code=0)
    done = agenthpo("audit", "one")
    assert done.returncode == 2 and "no gain to explain" in done.stderr
    assert agenthpo("audit", "nowhere").returncode == 2


def test_a_change_without_which_it_fails_helps(study):
    text = Path("train.py").read_text()
    Path("train.py").write_text(text + "assert depth > 2 or (lr, width) == (0.1, 32)\n")
    done = agenthpo("audit", "toy", "--trials", "16", code=0).stdout
    assert "without it the training fails" in done


def test_intervals_hold_as_often_as_they_say():
    draw = np.random.default_rng(0)
    wrong = 0
    for _ in range(400):
        truth = np.array([0.0, 0.0, 1.0, -2.0, 0.0])
        table = truth[:, None] + draw.normal(size=4) * 3 + draw.normal(size=(5, 4))
        found = effects(table.tolist())
        wrong += any(
            not e.low <= truth[0] - t <= e.high for e, t in zip(found, truth[1:], strict=True)
        )
    assert wrong / 400 < 0.075  # 0.05 meant


def test_one_seed_says_nothing_without_the_noise():
    (effect,) = effects([[1.0], [0.5]])
    assert effect.low == -float("inf") and effect.mean == 0.5
    (known,) = effects([[1.0], [0.5]], noise=0.1)
    assert 0 < known.low < 0.5 < known.high


def test_a_certificate_that_trials_were_added_to_is_not_audited(monkeypatch):
    task = make_task({"x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5}})
    trials = [
        make_trial(0, {"x": 0.5}, 0.1, "default"),
        make_trial(1, {"x": 0.6}, 0.2),
        make_trial(2, {"x": 0.7}, 0.3),
    ]
    default = Contender(0, 1, 0.1, 0.0, None, None, False, "")
    certificate = Certificate("better", 1, "", default, (), None, 3, 3)
    monkeypatch.setattr(auditing, "certificate_of", lambda folder: certificate)
    assert auditing._pair(task, trials, Path("toy"))[0].number == 1
    trials.append(make_trial(3, {"x": 0.8}, 0.4))
    assert auditing._pair(task, trials, Path("toy"))[0].number == 3


def test_the_report_says_where_another_trial_is_the_best_since():
    folder = make_study("toy", 9)
    best = evidence_of(folder).answer.best
    for winner, is_told in ((best, False), (0 if best else 1, True)):
        found = Audit(winner, 9, 4, (), {}, None, False, "Nothing made the gain.")
        Path(folder, "audit.json").write_text(json.dumps(asdict(found)))
        assert ("which is not audited" in report(folder, "md")) == is_told
        assert ("audits that one" in report(folder)) == is_told
