import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.agents.curves import read_shape, train_partner
from agenthpo.agents.diagnosis import diagnose
from agenthpo.records import Expected, Outcome, Proposal, Trial
from studies import make_task, make_trial

PARAMS = {"lr": 0.01, "size": 16, "opt": "adam", "epochs": 10}
TASK = make_task()


def curve(values):
    return tuple((float(i), float(v)) for i, v in enumerate(values))


def analyse(outcome, trials=(), **proposal):
    return diagnose(
        TASK, Trial(5, Proposal(PARAMS, "creator", **proposal)), outcome=outcome, trials=trials
    )


def complete(values, **others):
    return Outcome(
        "complete",
        values[-1],
        curves={"acc": curve(values), **{k: curve(v) for k, v in others.items()}},
    )


RISING = [i / 20 for i in range(1, 20)]
FLAT = [0.1, 0.5, *[0.8, 0.801] * 10]
PEAKED = [0.2, 0.5, 0.8, 0.9, 0.88, 0.85, 0.8, 0.76, 0.72, 0.7]
JUMPY = [0.1, *[0.9, 0.2] * 10]


@pytest.mark.parametrize(
    ("outcome", "diagnosis", "evidence", "advice"),
    [
        (
            complete(RISING),
            "still_improving",
            "acc from 0.05 to 0.95 at step 18",
            "raise epochs above 10",
        ),
        (complete(FLAT), "plateau", "acc from 0.1 to 0.801", "raise size above 16"),
        (complete(PEAKED), "overfitting", "best 0.9 at step 3", "lower epochs below 10"),
        (
            complete([0.8], train_acc=[0.99]),
            "overfitting",
            "train_acc ended at 0.99, 0.19 ahead of acc",
            "lower epochs",
        ),
        (
            complete([0.8], train_acc=[0.7]),
            "underfitting",
            "train_acc ended at 0.7, 0.1 behind acc",
            "raise size",
        ),
        (complete(JUMPY), "unstable", "of its range in the second half", "lower lr below 0.01"),
        (complete([0.8]), "completed", "acc 0.8", ""),
        (
            Outcome("failed", error="exit code 1: ValueError: x"),
            "crashed",
            "exit code 1: ValueError: x",
            "avoid",
        ),
        (
            Outcome("oom", error="out of memory: 8 GB"),
            "out_of_memory",
            "8 GB",
            "lower size below 16",
        ),
        (
            Outcome("timeout", error="stopped at its time limit"),
            "timed_out",
            "time limit",
            "lower epochs below 10",
        ),
        (Outcome("diverged", error="acc ended as nan"), "diverged", "nan", "lower lr below 0.01"),
    ],
)
def test_a_diagnosis_has_evidence_and_advice(outcome, diagnosis, evidence, advice):
    analysis = analyse(outcome)
    assert analysis.diagnosis == diagnosis
    assert any(evidence in line for line in analysis.evidence)
    assert advice in analysis.advice


def test_advice_never_leaves_the_space():
    at_the_edge = {**PARAMS, "epochs": 50}
    analysis = diagnose(
        TASK, Trial(5, Proposal(at_the_edge, "creator")), outcome=complete(RISING), trials=()
    )
    assert analysis.advice == "raise lr above 0.01"


def test_a_gap_is_no_overfitting_where_nothing_was_learnt():
    best = make_trial(0, PARAMS, 0.9)
    poor = analyse(complete([0.11], train_acc=[0.14]), [best])
    assert poor.diagnosis == "underfitting"
    assert poor.evidence == (
        "train_acc ended at 0.14, 0.03 ahead of acc and worse than trial 0's acc of 0.9",
    )
    assert analyse(complete([0.8], train_acc=[0.99]), [best]).diagnosis == "overfitting"


def test_without_a_sign_of_trouble_nothing_is_advised():
    tried = [make_trial(n, {**PARAMS, "lr": 0.01 / (n + 1)}, 0.1) for n in range(3)]
    assert analyse(complete([0.8]), tried).advice == ""


def at_size(size, value, trials=()):
    """Return the advice to a trial that still improved, where training longer is no way out."""
    params = {**PARAMS, "epochs": 50, "lr": 0.1, "size": size}
    outcome = complete([0.1, 0.5, *[value] * 20])
    return diagnose(TASK, Trial(9, Proposal(params, "creator")), outcome=outcome, trials=trials)


def sized(number, size, value):
    return make_trial(number, {**PARAMS, "size": size}, value)


@pytest.mark.parametrize(
    ("others", "advice"),
    [
        ([], "raise size above 16"),
        ([sized(0, 8, 0.7)], "raise size above 16"),
        ([sized(0, 8, 0.85)], ""),
        ([sized(0, 32, 0.7)], ""),
        ([sized(0, 32, 0.85)], "raise size above 16"),
        ([sized(0, 8, 0.85), sized(1, 32, 0.9)], "raise size above 16"),
        ([sized(0, 32, None)], "raise size above 16"),
    ],
)
def test_what_did_not_pay_is_not_advised_again(others, advice):
    assert at_size(16, 0.8, others).advice == advice


TREES = {
    "reg_lambda": {"type": "float", "low": 0.01, "high": 100, "log": True},
    "max_depth": {"type": "int", "low": 2, "high": 12},
    "min_child_weight": {"type": "float", "low": 0.1, "high": 50, "log": True},
}


@pytest.mark.parametrize(
    ("names", "others", "advice"),
    [
        # what does most comes first, not what the space names first
        (("reg_lambda", "max_depth", "min_child_weight"), [], "raise min_child_weight above 3"),
        (("reg_lambda", "max_depth"), [], "lower max_depth below 3"),
        (("reg_lambda",), [], "raise reg_lambda above 3"),
        # unless the study's own results say so
        (
            ("reg_lambda", "max_depth"),
            [{"reg_lambda": 9, "max_depth": 3}],
            "raise reg_lambda above 3",
        ),
        (
            ("reg_lambda", "max_depth"),
            [{"reg_lambda": 3, "max_depth": 2}],
            "lower max_depth below 3",
        ),
    ],
)
def test_what_paid_is_advised_first_then_what_does_most(names, others, advice):
    task = make_task({name: TREES[name] for name in names})
    trial = Trial(9, Proposal(dict.fromkeys(names, 3), "engine"))
    better = [make_trial(n, params, 0.9) for n, params in enumerate(others)]
    outcome = complete([0.8], train_acc=[0.99])
    found = diagnose(task, trial, outcome=outcome, trials=better)
    assert (found.diagnosis, found.advice) == ("overfitting", advice)


def test_a_failure_says_where_to_go_back_to_whatever_others_reached():
    others = [sized(0, 8, 0.1), sized(1, 32, 0.9)]
    assert analyse(Outcome("oom", error="8 GB"), others).advice == "lower size below 16"


@pytest.mark.parametrize(
    ("names", "diagnosis"),
    [
        (("max_features", "min_samples_leaf"), "completed"),
        (("n_neighbors", "p"), "completed"),
        (("max_features", "learning_rate"), "overfitting"),
        (("alpha", "l1_ratio"), "overfitting"),
    ],
)
def test_a_gap_says_nothing_of_what_remembers_its_training_data(names, diagnosis):
    task = make_task({name: {"type": "float", "low": 0.1, "high": 9} for name in names})
    trial = Trial(0, Proposal(dict.fromkeys(names, 1.0), "creator"))
    outcome = complete([0.8], train_acc=[1.0])
    assert diagnose(task, trial, outcome=outcome, trials=()).diagnosis == diagnosis


def test_the_insight_compares_with_the_incumbent():
    earlier = [make_trial(0, PARAMS, 0.9), make_trial(1, PARAMS, None)]
    assert (
        analyse(complete([0.8]), earlier).insight
        == "acc 0.8, 0.1 worse than trial 0; it ran to its end."
    )


@pytest.mark.parametrize(("value", "met"), [(0.5, True), (0.7, False), (None, False)])
def test_the_prediction_is_judged_by_code(value, met):
    outcome = Outcome("failed", error="x") if value is None else Outcome("complete", value)
    assert analyse(outcome, expected=Expected(0.5, 0.4, 0.6)).expectation_met is met
    assert analyse(outcome).expectation_met is None


def test_minimising_turns_the_shape_around():
    down = curve([1.0, 0.5, 0.3, 0.2, 0.1, 0.05])
    assert read_shape(down, "minimize").is_still_improving
    assert read_shape(down, "maximize").is_falling


@pytest.mark.parametrize(
    ("metric", "reported", "partner"),
    [
        ("val_loss", "train_loss", "train_loss"),
        ("acc", "train/acc", "train/acc"),
        ("acc", "loss", None),
    ],
)
def test_the_training_metric_is_found_by_its_name(metric, reported, partner):
    assert train_partner(metric, {reported: ()}) == partner


@given(st.lists(st.floats(), max_size=30), st.sampled_from(["minimize", "maximize"]))
def test_any_curve_can_be_read(values, direction):
    points = curve(values)
    last = next((v for v in reversed(values) if math.isfinite(v)), None)
    outcome = (
        Outcome("failed", error="x")
        if last is None
        else Outcome("complete", last, curves={"acc": points, "train_acc": points})
    )
    task = make_task(direction=direction)
    assert diagnose(
        task, Trial(0, Proposal(PARAMS, "creator")), outcome=outcome, trials=[]
    ).evidence


@pytest.mark.parametrize(
    ("values", "diagnosis", "words"),
    [
        ([0.5], "completed", "it ran to its end."),
        ([0.5, 0.6, 0.7], "still_improving", "still improving"),
        ([0.5, 0.7, 0.6], "completed", "it ran to its end."),
        ([0.5, 0.7], "still_improving", "still improving"),
    ],
)
def test_few_points_say_no_more_than_they_can(values, diagnosis, words):
    found = analyse(complete(values))
    assert found.diagnosis == diagnosis
    assert words in found.insight
    assert "trouble" not in found.insight
    if diagnosis == "still_improving":
        assert f"better at each of its {len(values)} reports" in found.evidence[0]
        assert found.advice == "raise epochs above 10"


def test_a_value_that_no_configuration_moves_is_told():
    others = [make_trial(i, {**PARAMS, "lr": 0.001 * (i + 1)}, 0.8) for i in range(4)]
    assert "does the script use" not in analyse(complete([0.8]), others[:3]).insight
    assert "All 5 trials gave 0.8, whatever their configuration: does the script use lr" in (
        analyse(complete([0.8]), others).insight
    )
    assert "does the script" not in analyse(complete([0.81]), others).insight
