"""What running trainings report is kept with the study: at the same steps in every trial, and not
more than a study can hold.
"""

import math

import optuna
import pytest

from agenthpo.experience.curves import Curves
from agenthpo.experience.patience import Patience


@pytest.fixture
def curves():
    study = optuna.create_study()
    for _ in range(2):
        study.ask()
    return Curves(study, Patience(seconds=0))


def kept(curves, number=0):
    return curves.study.get_trials()[number].intermediate_values


def test_steps_are_those_that_were_reported(curves):
    for step, value in [(5.0, 0.5), (10.0, 0.6), (20.0, 0.7)]:
        frozen = curves.report(0, step, value)
    assert kept(curves) == frozen.intermediate_values == {5: 0.5, 10: 0.6, 20: 0.7}


@pytest.mark.parametrize(
    "steps", [[0.5, 1.0, 1.5], [3, 3, 3], [9, 2, 1], [math.nan, math.inf, -1.0], [1e300, 0.1, 2]]
)
def test_steps_that_are_none_are_counted(curves, steps):
    for i, step in enumerate(steps):
        curves.report(0, step, float(i))
    assert sorted(kept(curves)) == list(kept(curves)) and list(kept(curves).values()) == [0, 1, 2]


def test_what_is_no_number_is_passed_over(curves):
    assert curves.report(0, 1, math.nan) is None
    assert curves.report(0, 2, 0.5).intermediate_values == {2: 0.5}


def test_of_very_many_some_are_kept_at_the_same_steps(curves):
    for number in (0, 1):
        for step in range(1, 5001):
            curves.report(number, step, step / 10)
    assert kept(curves, 0) == kept(curves, 1)
    assert len(kept(curves)) < 500 and set(range(1, 101)) <= set(kept(curves))


def test_an_earlier_attempt_is_forgotten_by_the_rule(curves):
    for step in range(8):
        curves.report(0, step, 0.9)
    curves.begin(0)
    assert curves.report(0, 0, 0.1).intermediate_values == {0: 0.1}
    assert len(kept(curves)) == 8


def test_a_trial_that_another_driver_has_ended_takes_nothing(curves):
    curves.report(0, 0, 0.5)
    curves.study.tell(0, 0.5)
    assert curves.report(0, 1, 0.6) is None
    assert kept(curves) == {0: 0.5}
