"""Every sentence that the faces share, letter by letter."""

from dataclasses import FrozenInstanceError, replace

import pytest

from agenthpo.agents.prompt.findings import hypotheses
from agenthpo.budget import Budget
from agenthpo.events import Opened, Stopped
from agenthpo.records import Expected, Outcome, Owner, RunSpec, Stop, Trial, Usage
from agenthpo.text.phrases import (
    budget_words,
    gain_words,
    measured_words,
    params_words,
    source_words,
    summary,
    trial_words,
)
from agenthpo.thinning import thinned
from agenthpo.trials import best_measured, improvements, incumbent, mean_value, next_number, ranked
from studies import make_trial


def trial(number, x, value, source="engine", **fields):
    return make_trial(number, {"x": x}, value, source, **fields)


def test_parameters_and_budget():
    assert (
        params_words({"lr": 0.0123456789, "opt": "adam", "on": True, "w": None})
        == "lr=0.0123457 opt=adam on=true w=null"
    )
    assert budget_words(Budget(7)) == "7 trials"
    full = Budget(7, time_s=90.0, tokens=12345, cost_usd=2.5, target=0.95, patience=3)
    assert (
        budget_words(full)
        == "7 trials or 1m 30s or 12,345 tokens or $2.5 or a value of 0.95 or 3 trials "
        "without a new best"
    )


def test_a_trial_in_one_line():
    best, worse = trial(1, 1, 0.75, insight="Fine."), trial(2, 2, 0.5, insight="Less.")
    assert trial_words(best, best, "maximize") == "0.75 (best so far) in 0.0s, completed: Fine."
    assert trial_words(worse, best, "maximize") == "0.5 in 0.0s, completed: Less."
    failed = trial(3, 3, None, insight="Bad.")
    assert trial_words(failed, None, "maximize") == "failed in 0.0s, crashed: Bad."
    assert trial_words(replace(best, outcome=None), None, "maximize") == "not finished"
    held = [
        replace(best, analysis=replace(best.analysis, expectation_met=met)) for met in (True, False)
    ]
    assert [trial_words(t, None, "maximize")[-24:] for t in held] == [
        "ne. The prediction held.",
        ". The prediction failed.",
    ]


@pytest.mark.parametrize(
    ("direction", "value", "words"),
    [
        ("maximize", 0.96, "It came out better than predicted."),
        ("maximize", 0.7, "The prediction failed."),
        ("maximize", None, "The prediction failed."),
        ("minimize", 0.7, "It came out better than predicted."),
        ("minimize", 0.96, "The prediction failed."),
    ],
)
def test_a_better_value_than_predicted_refutes_nothing(direction, value, words):
    found = trial(1, 1, value, insight="So.")
    found = replace(
        found,
        proposal=replace(found.proposal, expected=Expected(0.9, 0.85, 0.95)),
        analysis=replace(found.analysis, expectation_met=False),
    )
    assert trial_words(found, None, direction).endswith(f"So. {words}")
    found = replace(found, proposal=replace(found.proposal, hypothesis="Faster."))
    (said,) = hypotheses([found], direction)
    assert ("refuted" in said) == (words == "The prediction failed.")
    assert ("came out better than expected" in said) == ("better" in words)


@pytest.mark.parametrize(
    ("direction", "values", "words"),
    [
        ("minimize", (0.5, 0.25), "0.25 better than the default configuration's 0.5"),
        ("maximize", (0.25, 0.5), "0.25 better than the default configuration's 0.25"),
        ("minimize", (-1.0, -4.0), "3 better than the default configuration's -1"),
        (
            "minimize",
            (0.25, 0.5),
            "none over the default configuration, which stayed the best (0.25)",
        ),
        ("maximize", (None, 0.5), "the default configuration gave no value (failed)"),
    ],
)
def test_the_gain_of_a_study_in_either_direction(direction, values, words):
    trials = [trial(0, 0, values[0], "default"), trial(1, 1, values[1])]
    assert gain_words(trials, incumbent(trials, direction)) == words
    waiting = [replace(trials[0], outcome=None), trials[1]]
    assert gain_words(waiting, trials[1]) == "the default configuration gave no value (not run)"
    assert gain_words(trials[1:], trials[1]) == "there was no default configuration to compare with"


def test_what_was_measured_more_than_once():
    trials = [trial(0, 0, 3.0, "default"), trial(1, 1, 1.0), trial(2, 1, 2.0), trial(3, 1, None)]
    assert measured_words(trials, "minimize") == ["    measured 2 times: 1.5 on average, 1 to 2"]
    assert measured_words(trials, "maximize") == []
    assert measured_words(trials[:2], "minimize") == []


def test_who_found_what():
    used = {"usage": Usage(1, 1000, 200)}
    trials = [
        trial(0, 0, 3.0, "default"),
        trial(1, 1, 1.0, "creator", **used),
        trial(2, 2, None, "creator"),
        trial(3, 3, 2.0),
    ]
    met = [
        replace(t, analysis=replace(t.analysis, expectation_met=m))
        for t, m in zip(trials, (None, True, False, None), strict=True)
    ]
    assert source_words(met, "minimize") == [
        "    default: 1 proposed, 1 became the best so far",
        "    creator: 2 proposed, 1 became the best so far, moved the best by 2, 1 "
        "failed, 1 of 2 predictions held, 1,200 tokens",
        "    engine: 1 proposed, 0 became the best so far",
    ]
    small = [trial(0, 0, 1.0, "default"), trial(1, 1, 0.5)]
    assert (
        source_words(small, "minimize")[1]
        == "    engine: 1 proposed, 1 became the best so far, moved the best by 0.5"
    )
    assert (
        source_words(trials[:2], "maximize")[1]
        == "    creator: 1 proposed, 0 became the best so far, 1,200 tokens"
    )


def test_the_closing_lines():
    opened = Opened("toy", "my folder/toy", "loss", "minimize", "none", Budget(2))
    trials = (trial(0, 0, 3.0, "default"), trial(1, 1, 1.0))
    tested = replace(trials[1], outcome=replace(trials[1].outcome, test_value=1.25))
    assert summary(opened, Stopped("all is done", trials, tested)) == [
        "Ended: all is done.",
        "Best: trial 1 by engine, loss 1 (test 1.25)",
        "    x=1",
        "Gain: 2 better than the default configuration's 3",
        "    default: 1 proposed, 1 became the best so far",
        "    engine: 1 proposed, 1 became the best so far, moved the best by 2",
        "Study: my folder/toy (agenthpo show 'my folder/toy')",
    ]
    nothing = summary(opened, Stopped("x", trials[:0], None))
    assert nothing == [
        "Ended: x.",
        "No trial succeeded; see the errors above and the logs of the trials.",
    ]


def test_the_order_of_trials_in_either_direction():
    trials = [
        trial(0, 0, 2.0),
        trial(1, 1, None),
        trial(2, 2, 1.0),
        trial(3, 3, 3.0),
        trial(4, 4, 1.0),
    ]
    assert [t.number for t in ranked(trials, "minimize")] == [2, 4, 0, 3]
    assert [t.number for t in ranked(trials, "maximize")] == [3, 0, 2, 4]
    assert [t.number for t in improvements(trials, "minimize")] == [0, 2]
    assert [t.number for t in improvements(trials, "maximize")] == [0, 3]
    assert (incumbent(trials, "minimize").number, incumbent(trials, "maximize").number) == (2, 3)
    assert incumbent(trials[1:2], "maximize") is None
    assert (next_number([]), next_number(trials), next_number(trials[:2])) == (0, 5, 2)


def test_a_configuration_counts_by_the_mean_of_its_values():
    trials = [trial(0, 0, 2.0), trial(1, 1, 1.0), trial(2, 1, 4.0)]
    assert [t.number for t in best_measured(trials, "minimize")] == [0]
    assert [t.number for t in best_measured(trials, "maximize")] == [1, 2]
    assert mean_value(trials[1:]) == 2.5
    assert best_measured([], "minimize") == []


def test_curves_are_thinned_evenly_with_both_ends():
    assert thinned(range(5), 5) == (0, 1, 2, 3, 4)
    assert thinned(range(101), 5) == (0, 25, 50, 75, 100)
    assert thinned(range(6), 5) == (0, 1, 2, 4, 5)


def test_usage_adds_up_and_an_unknown_price_stays_unknown():
    total = Usage(1, 10, 5, 0.5, 0.25) + Usage(2, 20, 7, 1.0, 0.5)
    assert total == Usage(3, 30, 12, 1.5, 0.75)
    assert total.tokens == 42
    assert (total + Usage(cost_usd=None)).cost_usd is None
    assert (Usage(cost_usd=None) + total).cost_usd is None


def test_a_trial_has_what_its_outcome_has():
    one = trial(0, 0, 0.5, usage=Usage(1, 10, 5))
    assert one.value == 0.5
    assert replace(one, outcome=None).value is None
    assert replace(one, analysis=replace(one.analysis, usage=Usage(1, 1, 1))).usage == Usage(
        2, 11, 6
    )
    assert replace(one, analysis=None).usage == Usage(1, 10, 5)
    assert Outcome("failed").value is None


def test_an_interval_holds_both_its_ends():
    expected = Expected(1.0, 0.5, 2.0)
    assert [expected.holds(value) for value in (0.49, 0.5, 1.0, 2.0, 2.01)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_records_are_values_that_nobody_changes():
    whole = [
        trial(0, 0, 1.0),
        Outcome("failed"),
        Usage(),
        Expected(1, 0, 2),
        Stop("x"),
        Owner("s", 0, {}, 0, ""),
        RunSpec(0, {}, "w", "acc"),
    ]
    for record in [*whole, whole[0].proposal, whole[0].analysis]:
        with pytest.raises(FrozenInstanceError):
            setattr(record, next(iter(vars(record))), None)


def test_what_a_run_is_without_more_words():
    spec = RunSpec(3, {"x": 1}, "w", "acc", study="s", script="d")
    assert (spec.direction, spec.at, spec.seed, spec.command, spec.ignores_exit_code) == (
        "maximize",
        "last",
        0,
        (),
        False,
    )
    assert spec.owner == Owner("s", 3, {"x": 1}, 0, "d")
    assert Usage() == Usage(0, 0, 0, 0.0, 0.0)
    assert Outcome("failed") == Outcome("failed", None, None, None, {}, 0.0, None, None, "", "")
    assert Trial(0, whole_proposal()).started_at == 0.0


def whole_proposal():
    return trial(0, 0, 1.0).proposal
