"""A configuration that is clearly beaten with the same seeds is not run to the end."""

import random
from dataclasses import replace

import pytest

from agenthpo.records import Outcome
from agenthpo.search.racing import beaten_by, deviation_of
from agenthpo.search.repeats import Repeats, seed_of
from agenthpo.task import Task
from studies import make_task, make_trial


def trial(number, *values, **fields):
    mean = sum(values) / len(values)
    outcome = Outcome("complete", mean, repeats=values, **fields)
    return replace(make_trial(number, {"lr": number / 100}, 0.5), outcome=outcome)


def test_noise_is_learnt_from_the_runs_of_all_trials():
    draw = random.Random(0)
    seeds = [draw.gauss(0, 5) for _ in range(4)]
    groups = [[m + s + draw.gauss(0, 0.1) for s in seeds] for m in (1, 2, 3, 4, 5, 6)]
    deviation, free = deviation_of(groups)
    # what a seed does to all is no noise between them
    assert deviation == pytest.approx(0.1, rel=0.4) and free == 24 - 6 - 3
    assert deviation_of(groups[:1])[0] > 1 and deviation_of(groups[:1])[1] == 3
    # runs that ended early are in it
    assert deviation_of([*groups, groups[0][:2]])[1] == free + 1
    assert deviation_of([]) == deviation_of([[1.0]]) == (0.0, 0)


def test_what_is_clearly_worse_is_beaten():
    trials = [trial(0, 0.80, 0.83, 0.81), trial(1, 0.85, 0.88, 0.86), trial(2, 0.70, 0.73, 0.72)]
    assert beaten_by([0.60], trials, "maximize", 3).number == 1
    assert beaten_by([0.852], trials, "maximize", 3) is None
    assert beaten_by([0.9], trials, "maximize", 3) is None
    # the other way round
    assert beaten_by([0.9], trials, "minimize", 3).number == 2
    assert beaten_by([0.60], trials, "minimize", 3) is None


def test_nothing_is_beaten_before_noise_is_known():
    assert beaten_by([0.1], [], "maximize", 3) is None
    assert beaten_by([0.1], [trial(0, 0.8)], "maximize", 3) is None
    failed = replace(trial(1, 0.8), outcome=Outcome("failed", repeats=(0.8,)))
    assert beaten_by([0.1], [failed], "maximize", 3) is None


def test_what_is_as_good_is_seldom_given_up():
    given_up = clear = 0
    for seed in range(300):
        draw = random.Random(seed)
        seeds = [draw.gauss(0, 1) for _ in range(5)]

        def runs(mean, draw=draw, seeds=seeds):
            return [mean + s + draw.gauss(0, 1) for s in seeds]

        trials = [trial(i, *runs(0)) for i in range(3)]
        same, worse = runs(0), runs(-5)
        # the best of them by luck, and yet
        given_up += any(beaten_by(same[:n], trials, "maximize", 5) for n in range(1, 5))
        clear += any(beaten_by(worse[:n], trials, "maximize", 5) for n in range(1, 5))
    assert given_up <= 30 and clear > 285


TASK = replace(make_task(), repeats=3)


def run(value, **fields):
    status = fields.pop("status", "complete")
    return Outcome(status, value, duration_s=2.0, peak_mb=100.0, **fields)


def taken(task: Task, outcomes, trials=()):
    repeats, one, said = Repeats(task), make_trial(9, {}, 0.5), []
    for outcome in outcomes:
        said.append(repeats.took(one, outcome, trials))
    return said


def test_a_trial_is_the_mean_of_its_runs():
    first = run(0.8, curves={"acc": ((1.0, 0.8),)}, test_value=0.7, margins={"a < 1": -0.5})
    others = [run(v, test_value=0.6, margins={"a < 1": 0.2}) for v in (0.9, 0.7)]
    one, two, whole = taken(TASK, [first, *others])
    assert (one, two) == (1, 2)
    assert whole.value == pytest.approx(0.8) and whole.repeats == (0.8, 0.9, 0.7)
    assert whole.curves == first.curves and whole.test_value == pytest.approx(1.9 / 3)
    assert (whole.duration_s, whole.peak_mb, whole.runs) == (6.0, 100.0, 3)
    assert whole.margins["a < 1"] == pytest.approx(-0.1 / 3) and whole.beaten_by is None


def test_one_run_is_as_it_was():
    outcome = run(0.5)
    assert taken(make_task(), [outcome]) == [outcome]


def test_a_run_that_fails_fails_the_trial():
    broken = run(None, status="diverged", error="acc became nan")
    assert taken(TASK, [run(0.8), broken])[1] == replace(
        broken, error="run 2 of 3: acc became nan", repeats=(0.8,), duration_s=4.0
    )
    assert taken(TASK, [broken]) == [broken]


def test_seeds_that_do_nothing_are_told():
    whole = taken(TASK, [run(0.5)] * 3)[2]
    assert "its 3 runs gave the very same value" in whole.warnings[0]


def test_a_trial_that_is_beaten_has_fewer_runs():
    trials = [trial(i, 0.8 + i / 100, 0.83 + i / 100, 0.81 + i / 100) for i in range(3)]
    (outcome,) = taken(TASK, [run(0.1)], trials)
    assert (outcome.value, outcome.repeats, outcome.beaten_by) == (0.1, (0.1,), 2)


def test_seeds_are_the_same_in_every_trial():
    assert seed_of(7, 0) == 7
    assert len({seed_of(7, run) for run in range(50)}) == 50
    assert seed_of(7, 3) == seed_of(7, 3) != seed_of(8, 3)
