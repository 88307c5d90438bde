"""What a training will come to, and when it is stopped: by curves whose ends are known."""

import math

import numpy as np
import optuna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial

from agenthpo.records import Outcome, Proposal, Trial
from agenthpo.search.engine.engine import Engine
from agenthpo.search.optuna_samplers import replayed_trial
from agenthpo.search.stopping.curve_forecast import Past, forecast_curve
from agenthpo.search.stopping.foreseen import Foreseen
from agenthpo.search.stopping.rules import Stopper
from agenthpo.stop_rule import StopRule
from studies import make_task

STEPS = 20


def curve(end, *, rate=0.3, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    steps = np.arange(1, STEPS + 1)
    values = end * (1 - np.exp(-rate * steps)) + noise * rng.normal(size=STEPS)
    return list(zip(steps.tolist(), values.tolist(), strict=True))


def past(ends, **given):
    curves = [curve(end, seed=i, **given) for i, end in enumerate(ends)]
    return [Past(points, points[-1][1]) for points in curves]


def test_it_comes_near_what_the_training_came_to():
    earlier = past(np.linspace(0.5, 0.9, 8), noise=0.005)
    whole = curve(0.7, noise=0.005, seed=99)
    for reports in (5, 10, 15):
        found = forecast_curve(whole[:reports], earlier)
        low, high = found.interval(0.9)
        assert low <= whole[-1][1] <= high
        assert found.value == pytest.approx(0.7, abs=0.05)


def test_most_intervals_hold_what_they_should():
    """On curves of many ends, rates and noises that nothing was tuned on."""
    rng, held, asked = np.random.default_rng(3), 0, 0
    for case in range(60):
        many = [
            curve(
                rng.uniform(0.4, 0.9), rate=rng.uniform(0.1, 0.5), noise=0.01, seed=1000 * case + i
            )
            for i in range(9)
        ]
        found = forecast_curve(many[0][:8], [Past(c, c[-1][1]) for c in many[1:]])
        low, high = found.interval(0.8)
        held, asked = held + (low <= many[0][-1][1] <= high), asked + 1
    assert 0.7 <= held / asked <= 1.0


@example(ends=[0.0, 0.0, 5.9e-158], scale=1.0, shift=0.0)
@example(ends=[0.0, 0.0, 1e-12], scale=1.0, shift=50.0)
@given(
    st.lists(st.floats(-10, 10), min_size=3, max_size=8),
    st.floats(0.01, 100),
    st.floats(-100, 100),
)
def test_units_do_not_matter(ends, scale, shift):
    earlier, now = past(ends), curve(1.0)[:6]
    found = forecast_curve(now, earlier)

    def moved(points):
        return [(step, scale * value + shift) for step, value in points]

    other = forecast_curve(
        moved(now), [Past(moved(p.curve), scale * p.value + shift) for p in earlier]
    )
    if np.std(ends) > 1e-3:
        assert other.value == pytest.approx(scale * found.value + shift, rel=1e-6, abs=1e-6 * scale)
        assert other.spread == pytest.approx(scale * found.spread, rel=1e-6)
    assert math.isfinite(other.value) and other.spread > 0


def test_without_two_that_came_as_far_nothing_is_said():
    short = [Past(curve(end)[:4], 0.5) for end in (0.5, 0.6, 0.7)]
    assert forecast_curve(curve(0.5)[:5], short) is None
    assert forecast_curve(curve(0.5)[:5], past([0.5])) is None
    assert forecast_curve(curve(0.5)[:4], short) is not None


def study_of(ends, direction="maximize"):
    study = optuna.create_study(direction=direction)
    sign = 1 if direction == "maximize" else -1
    for points in past(ends):
        values = {step: sign * value for step, value in points.curve}
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE, value=sign * points.value, intermediate_values=values
            )
        )
    return study


def running(points, direction="maximize"):
    sign = 1 if direction == "maximize" else -1
    return create_trial(
        state=TrialState.RUNNING, intermediate_values={step: sign * value for step, value in points}
    )


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_forecast_stops_what_is_hopeless_and_nothing_else(direction):
    study = study_of(np.linspace(0.5, 0.9, 8), direction)
    rule = Stopper(StopRule("forecast"))
    assert rule.reason(study, running(curve(0.5)[:1], direction)) == ""  # its warmup: two of twenty
    words = rule.reason(study, running(curve(0.5)[:6], direction))
    assert "be the best with a probability of" in words
    assert ("about 0.5" if direction == "maximize" else "about -0.5") in words
    assert rule.reason(study, running(curve(0.95)[:6], direction)) == ""


@pytest.mark.parametrize("rule", ["forecast", "median", "asha", "hyperband", "wilcoxon"])
def test_nothing_is_stopped_before_enough_have_ended(rule):
    stopper = Stopper(StopRule(rule, trials=5))
    assert stopper.reason(study_of([0.9] * 4), running(curve(0.1)[:10])) == ""


def test_the_median_is_that_of_the_same_step():
    study, rule = study_of([0.5, 0.6, 0.7, 0.8, 0.9]), Stopper(StopRule("median"))
    words = rule.reason(study, running(curve(0.55)[:8]))
    assert words.endswith("at step 8, worse than half of the earlier trials had been there")
    assert rule.reason(study, running(curve(0.75)[:8])) == ""
    # a short warmup of its own
    assert rule.reason(study, running(curve(0.1)[:1])) == ""


def test_folds_are_compared_with_the_best_of_all():
    study = optuna.create_study(direction="maximize")
    folds = np.linspace(0.8, 0.9, 10)
    for lower in (0.0, 0.3, 0.3, 0.3):
        values = {i: float(v - lower) for i, v in enumerate(folds)}
        study.add_trial(
            create_trial(state=TrialState.COMPLETE, value=0.85 - lower, intermediate_values=values)
        )
    rule = Stopper(StopRule("wilcoxon", warmup=2))
    worse = running([(i, float(v - 0.05)) for i, v in enumerate(folds[:8])])
    assert rule.reason(study, worse).endswith("worse than the best on the folds so far")
    assert rule.reason(study, running([(i, float(v)) for i, v in enumerate(folds[:8])])) == ""


TASK = make_task({"x": {"type": "float", "low": 0.0, "high": 1.0}})


def trial(number, x, end, reports=STEPS):
    points = tuple((float(step), value) for step, value in curve(end)[:reports])
    value = points[-1][1] if reports == STEPS else None
    status = "pruned" if value is None else "complete"
    outcome = Outcome(status, value, curves={TASK.objective.metric: points})
    return Trial(number, Proposal({"x": x}, "engine"), outcome)


def test_a_stopped_trial_counts_as_its_curve_foretells():
    whole = [trial(i, 0.6 + i / 20, 0.6 + i / 20) for i in range(6)]
    trials = [*whole, trial(6, 0.1, 0.1, 5), trial(7, 0.2, 2.0, 5)]
    foreseen = Foreseen()
    found = foreseen(TASK, trials)
    assert found[6].value == pytest.approx(0.1, abs=0.1)
    # never better than what was measured
    assert found[7].value == max(t.value for t in whole)
    assert list(found[:6]) == whole
    # nothing was learnt since: the very same
    assert all(a is b for a, b in zip(foreseen(TASK, trials), found, strict=True))
    assert foreseen(TASK, whole) is whole
    # too few that came as far
    assert foreseen(TASK, [whole[0], trials[6]])[1].value is None


def test_the_engine_leaves_where_trials_were_stopped():
    good = [trial(i, 0.9 - i / 50, 0.8 + i / 50) for i in range(4)]
    stopped = [trial(4 + i, 0.1 + i / 10, 0.2, 4) for i in range(3)]
    engine = Engine(0)
    low = engine.forecast(TASK, [*good, *stopped], {"x": 0.2})
    assert low.value < 0.5 < engine.forecast(TASK, [*good, *stopped], {"x": 0.88}).value
    proposals = [Engine(seed).propose(TASK, [*good, *stopped]).params["x"] for seed in range(3)]
    assert min(proposals) > 0.4


def test_tpe_is_told_how_far_a_stopped_trial_came():
    metric = TASK.objective.metric
    frozen = replayed_trial(TASK.space, trial(0, 0.5, 0.6, 7), metric)
    assert frozen.state == TrialState.PRUNED
    assert frozen.intermediate_values == {7: curve(0.6)[6][1]}
    assert replayed_trial(TASK.space, trial(0, 0.5, 0.6), metric).intermediate_values == {}
