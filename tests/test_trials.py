from dataclasses import replace

import pytest

from agenthpo.records import Usage
from agenthpo.text.phrases import measured_words, source_words
from agenthpo.trials import incumbent, ledger, ledger_json
from studies import make_trial


def judged(trial, met):
    return replace(trial, analysis=replace(trial.analysis, expectation_met=met))


TRIALS = [
    make_trial(0, {}, 0.5, "default"),
    judged(make_trial(1, {}, 0.7, "creator", usage=Usage(2, 900, 100)), True),
    judged(make_trial(2, {}, 0.6, "engine"), False),
    judged(make_trial(3, {}, 0.75, "engine"), True),
    make_trial(4, {}, None, "creator", usage=Usage(1, 400, 50)),
]


def test_each_side_is_credited_with_what_it_proposed_won_and_cost():
    default, creator, engine = ledger(TRIALS, "maximize")
    assert (default.source, default.proposed, default.won, default.gained) == ("default", 1, 1, 0.0)
    assert (creator.proposed, creator.failed, creator.won, creator.held, creator.judged) == (
        2,
        1,
        1,
        1,
        1,
    )
    assert creator.gained == pytest.approx(0.2) and creator.usage.tokens == 1450
    assert (engine.proposed, engine.won, engine.held, engine.judged) == (
        2,
        1,
        1,
        2,
    ) and engine.gained == pytest.approx(0.05)
    assert sum(a.gained for a in ledger(TRIALS, "maximize")) == pytest.approx(0.25)


def test_it_is_the_other_way_round_where_less_is_better():
    assert [a.won for a in ledger(TRIALS, "minimize")] == [1, 0, 0]


def test_it_is_told_in_words_and_in_json():
    assert source_words(TRIALS, "maximize")[1] == (
        "    creator: 2 proposed, 1 became the best so far, moved the best by 0.2, 1 "
        "failed, 1 of 1 predictions held, 1,450 tokens"
    )
    assert ledger_json(TRIALS, "maximize")[2]["usage"]["requests"] == 0


def test_of_a_configuration_measured_more_than_once_the_mean_counts():
    lucky, again, steady = (
        make_trial(1, {"x": 1}, 0.9),
        make_trial(3, {"x": 1}, 0.5),
        make_trial(2, {"x": 2}, 0.8),
    )
    trials = [make_trial(0, {"x": 0}, None), lucky, steady, again]
    assert incumbent(trials[:3], "maximize") is lucky and incumbent(trials, "maximize") is steady
    assert incumbent(trials, "minimize") is lucky and incumbent(trials[:1], "maximize") is None
    assert measured_words(trials, "minimize") == [
        "    measured 2 times: 0.7 on average, 0.5 to 0.9"
    ]
    assert measured_words(trials, "maximize") == []
