"""Trainings that a stop rule ends: real ones, in processes of their own, seen by Optuna as well."""

import json
from pathlib import Path

import pytest
from optuna.trial import TrialState

from agenthpo.events import Finished
from agenthpo.experience.finding import found_study
from agenthpo.session import begin
from agenthpo.taskfile.reading import load_task
from calling import agenthpo

TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py {x}"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 1.0}
budget: {trials: 7}
"""
SCRIPT = """\
import sys, time
x = float(sys.argv[1])
for epoch in range(1, 13):
    print(f"epoch {epoch} acc: {x * (1 - 0.5 ** epoch)}", flush=True)
    time.sleep(0.06 if epoch > 2 else 0.03)
"""


@pytest.fixture(autouse=True)
def script():
    Path("train.py").write_text(SCRIPT)


def ran(stop, *, workers=1, script=None):
    Path("task.yaml").write_text(TASK + f"stop: {stop}\n")
    events = []
    stopped = begin(
        load_task("task.yaml"), Path(".agenthpo/toy"), workers=workers, on_event=events.append
    )
    return stopped, events


@pytest.mark.parametrize(
    ("stop", "workers"),
    [
        ("{rule: forecast, trials: 3, warmup: 3}", 1),
        ("{rule: median, trials: 2}", 2),
        ("{rule: asha, trials: 2, reduction: 2}", 1),
        ("{rule: hyperband, trials: 2, reduction: 2, longest: 12}", 1),
    ],
)
def test_what_cannot_become_the_best_is_stopped(stop, workers):
    stopped, events = ran(stop, workers=workers)
    rule = stop.split()[1].strip(",")
    pruned = [t for t in stopped.trials if t.outcome.status == "pruned"]
    assert pruned and all(
        t.outcome.error.startswith(f"stopped by the rule {rule}: ") for t in pruned
    )
    # it keeps its curve, its place in the budget, and its words
    assert len(stopped.trials) == 7
    for trial in pruned:
        assert 1 <= len(trial.outcome.curves["acc"]) < 12
        assert trial.analysis.diagnosis == "pruned" and "acc" in trial.analysis.insight
        assert trial.value is None
    assert stopped.incumbent.proposal.params == {"x": 1.0}
    assert sum(isinstance(e, Finished) for e in events) == 7
    # Optuna sees the same
    study = found_study(Path(".agenthpo/toy"))[0]
    for frozen, trial in zip(study.get_trials(), stopped.trials, strict=True):
        state = TrialState.PRUNED if trial in pruned else TrialState.COMPLETE
        assert frozen.state == state
        reported = dict(trial.outcome.curves["acc"])
        assert frozen.intermediate_values == reported


def test_a_patient_rule_waits():
    Path("train.py").write_text(
        "import time\n"
        "for e in range(20):\n"
        "    print('acc:', 1 - abs(e - 2) / 100, flush=True)\n"
        "    time.sleep(0.06)\n"
    )
    stopped, _ = ran("{rule: patient, patience: 3, trials: 1}")
    # the first one has run to its end before any is stopped
    assert stopped.trials[0].value == 0.83
    assert all(t.outcome.status == "pruned" for t in stopped.trials[1:])
    assert "for 3 reports worse than it had been" in stopped.trials[1].outcome.error


def test_without_a_rule_nothing_is_stopped_and_curves_are_kept():
    Path("task.yaml").write_text(TASK.replace("trials: 7", "trials: 3"))
    stopped = begin(load_task("task.yaml"), Path(".agenthpo/toy"))
    assert all(t.value is not None for t in stopped.trials)
    study = found_study(Path(".agenthpo/toy"))[0]
    assert [len(t.intermediate_values) for t in study.get_trials()] == [12, 12, 12]


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ("soon", "stop.rule"),
        ("{rule: median, chance: 0.1}", "stop.chance is a setting of forecast and wilcoxon"),
        ("{rule: asha, patience: 3}", "stop.patience is a setting of patient"),
        ("{rule: forecast, chance: 1.5}", "stop.chance"),
        ("{chance: 0.1}", "stop.rule"),
        ("{rule: median, warmup: 0}", "stop.warmup"),
        ("[median]", "stop"),
    ],
)
def test_a_wrong_rule_is_a_sentence(stop, said):
    Path("task.yaml").write_text(TASK + f"stop: {stop}\n")
    done = agenthpo("check", "task.yaml", code=2)
    assert said in done.stderr and "Traceback" not in done.stderr and "task.yaml" in done.stderr


def test_show_tells_what_was_stopped_and_where():
    ran("{rule: median, trials: 2}")
    shown = json.loads(agenthpo("show", "toy", "--json", code=0).stdout)
    pruned = [t for t in shown["trials"] if t["state"] == "pruned"]
    assert pruned and all("stopped by the rule median" in t["error"] for t in pruned)
    assert "pruned" in agenthpo("show", "toy", code=0).stdout
