"""What a value says by itself: at its best, at chance, never moved, cut off by time."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

import agenthpo
from agenthpo.agents.diagnosis import diagnose
from agenthpo.events import ignore
from agenthpo.known_best import best_there_is
from agenthpo.records import Outcome, Proposal, Trial
from agenthpo.task import Background, Objective
from calling import agenthpo as command
from studies import make_task, shown

PARAMS = {"lr": 0.01, "size": 16, "opt": "adam", "epochs": 10}


def said(values, metric="acc", direction="maximize", background="", status="complete", **fields):
    task = replace(
        make_task(),
        objective=Objective(metric, direction, **fields),
        background=Background.of(background),
    )
    curve = tuple((float(i), float(v)) for i, v in enumerate(values))
    value = values[-1] if status == "complete" else None
    error = "" if status == "complete" else "stopped at its time limit of 5m 00s"
    outcome = Outcome(status, value, curves={metric: curve}, error=error)
    trial = Trial(0, Proposal(PARAMS, "engine"), outcome)
    return diagnose(task, trial, outcome=outcome, trials=[]).insight


@pytest.mark.parametrize(
    ("values", "fields", "words"),
    [
        ([0.5, 1.0], {}, "Nothing can beat 1."),
        ([50, 100], {}, "Nothing can beat 100."),
        ([3, 0], {"metric": "rmse", "direction": "minimize"}, "Nothing can beat 0."),
        ([3, 7], {"metric": "reward", "perfect": 7}, "Nothing can beat 7."),
        ([0.1] * 4, {}, "All 4 reports were 0.1: nothing was learnt."),
        ([0.1, 0.1005], {"background": "Tell ten digits apart."},
         "Guessing among 10 classes gives 0.1: nothing was learnt that helps."),
        ([9, 10.0], {"background": "Images of 10 classes."}, "Guessing among 10 classes gives 10:"),
        ([0.5], {"background": "Binary classification."}, "Guessing among 2 classes gives 0.5:"),
        ([2.5, 2.31], {"metric": "val_loss", "direction": "minimize",
                       "background": "10 classes, cross-entropy."},
         "Guessing among 10 classes gives 2.30259:"),
    ],
)  # fmt: skip
def test_what_a_value_says_is_told(values, fields, words):
    assert words in said(values, **fields)


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ([0.5, 0.99], {}),
        ([50, 99], {}),
        ([0.4, 0.2], {"background": "Images of ten classes."}),
        ([0.1], {"background": "Images."}),  # of how many classes?
        ([0.1], {"background": "From 10 classes to 2 classes."}),
        ([2.3], {"metric": "loss", "direction": "minimize", "background": "10 classes."}),
        ([3.0], {"metric": "f1", "background": "2 classes"}),
        ([0.7], {"metric": "f1", "background": "2 classes"}),
        ([150.0], {}),
        ([0.3] * 2, {}),
        ([0.0], {"metric": "loss", "direction": "minimize"}),
    ],
)
def test_nothing_is_claimed_beyond_what_was_seen(values, fields):
    for words in ("Nothing can beat", "Guessing among", "nothing was learnt"):
        assert words not in said(values, **fields)


def test_a_curve_that_still_rises_says_how_to_train_longer():
    rising = [i / 20 for i in range(1, 20)]
    assert "still improving when it ended: train longer (raise epochs)." in said(rising)
    task = make_task({"lr": {"type": "float", "low": 0.001, "high": 1, "default": 0.01}})
    outcome = Outcome("complete", rising[-1], curves={"acc": tuple(enumerate(rising))})
    for params, space_task, words in (
        ({"lr": 0.01}, task, "it was still improving when it ended: train longer."),
        ({**PARAMS, "epochs": 50}, make_task(), "(epochs is at 50, the end of its range)"),
    ):
        trial = Trial(0, Proposal(params, "engine"), outcome)
        assert words in diagnose(space_task, trial, outcome=outcome, trials=[]).insight


def test_what_was_stopped_by_time_says_how_far_it_had_come():
    text = said([0.5, 0.6, 0.7], status="timeout")
    assert text.startswith("It hit its time limit: stopped at its time limit of 5m 00s.")
    assert text.endswith("It had reached acc 0.7 at step 2, its best so far.")
    assert said([0.5, 0.8, 0.7], status="timeout").endswith("acc 0.7 at step 2.")
    assert said([math.nan], status="timeout").endswith("5m 00s.")


@pytest.mark.parametrize(
    ("metric", "direction", "value", "best"),
    [
        ("val_acc", "maximize", 0.5, 1.0),
        ("valAccuracy", "maximize", 50, 100.0),
        ("eval/f1-macro", "maximize", None, 1.0),
        ("val.error", "minimize", 0.1, 0.0),
        ("accuracy", "minimize", 0.1, None),
        ("loss", "minimize", 0.1, None),
        ("accuracy_loss", "maximize", 0.1, None),
        ("neg_log_loss", "maximize", -0.1, None),
        ("neg_mean_squared_error", "maximize", -0.1, None),
        ("face", "maximize", 0.1, None),
        ("reward", "maximize", 1.0, None),
    ],
)
def test_only_metrics_that_everybody_knows_have_a_best(metric, direction, value, best):
    assert best_there_is(metric, direction, value) == best


def tuned(metric, **given):
    space = {"x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5}}
    calls = []

    def objective(params):
        calls.append(params)
        return 1.0 if len(calls) > 2 else 0.5

    return agenthpo.tune(
        objective, space, metric=metric, direction="maximize", trials=6, model="none",
        on_event=ignore, **given,
    )  # fmt: skip


def test_a_study_ends_where_nothing_can_be_better():
    result = tuned("val_acc", study="a")
    assert (len(result.trials), result.reason) == (3, "val_acc is 1, which nothing can beat")
    assert len(tuned("reward", study="b").trials) == 6
    assert len(tuned("val_acc", study="c", noisy=True).trials) == 6, "one lucky value is no proof"


def test_a_task_may_say_what_nothing_can_beat_and_which_points_count():
    Path("train.py").write_text(
        "import sys\nfor v in (1, 9, float('nan'), 2, 3):\n    print('score', v)\n"
    )
    text = (
        "name: toy\nobjective: {metric: score, direction: maximize, at: %s, perfect: 5}\n"
        "train: {command: '{python} train.py {flags}', metrics: {score: 'score {number}'}}\n"
        "space: {x: {type: float, low: 0, high: 1, default: 0.5}}\nbudget: {trials: 2}\n"
    )
    for at, value, trials in (
        ("mean of last 2", 2.5, 2),
        ("mean of last 4", (9 + 2 + 3) / 3, 2),
        ("median of last 9", 2.5, 2),
        ("last", 3.0, 2),
        ("best", 9.0, 1),
    ):
        Path("task.yaml").write_text(text % at)
        study = at.replace(" ", "-")
        done = command("run", ".", "--model", "none", "--study", study)
        assert done.returncode == 0, done.stderr
        assert [t["value"] for t in shown(study)] == [pytest.approx(value)] * trials
