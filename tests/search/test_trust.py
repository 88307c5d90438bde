from dataclasses import replace

import pytest

from agenthpo.llm.model_class import class_of
from agenthpo.records import Expected
from agenthpo.search.trust import (
    CLASSES,
    FIRST_TURNS,
    Trust,
    assessed,
    is_creators,
    record_of,
    was_asked,
)
from studies import make_trial


def told(*trials):
    """Trials as (source, value) or (source, value, interval), the default before them."""
    made = [make_trial(0, {}, 0.5, "default")]
    for number, (source, value, *interval) in enumerate(trials, 1):
        expected = Expected(sum(interval[0]) / 2, *interval[0]) if interval else None
        made.append(make_trial(number, {}, value, source, expected=expected))
    return made


def trust(*trials, kind="unknown"):
    return assessed(told(*trials), "maximize", kind=kind)


def test_results_earn_trust_and_lose_it():
    nothing = trust()
    better, worse = (
        trust(("creator", 0.9), ("engine", 0.6)),
        trust(("creator", 0.1), ("engine", 0.6)),
    )
    assert worse.value < nothing.value < better.value
    assert (better.better, worse.better) == (1.0, 0.0)
    assert assessed(told(("creator", 0.9)), "minimize").value < nothing.value


def test_later_results_count_more():
    risen = trust(*[("creator", 0.1)] * 4, ("engine", 0.6), *[("creator", 0.9)] * 3)
    fallen = trust(*[("creator", 0.9)] * 4, ("engine", 0.6), *[("creator", 0.1)] * 3)
    assert risen.value > 0.55 > 0.45 > fallen.value


def test_failed_trials_are_worse_than_every_result():
    assert trust(("creator", None), ("engine", 0.2)).better == 0.0


def test_intervals_that_hold_count_and_replies_that_were_refused():
    held, failed = trust(("creator", 0.6, (0.5, 0.7))), trust(("creator", 0.6, (0.8, 0.9)))
    assert failed.value < held.value and (held.held, held.judged, failed.held) == (1, 1, 0)
    refused = trust(("fallback", 0.9), ("fallback", 0.9))
    assert refused.value < trust().value and refused.refused == 2 and refused.results == 0
    assert "1 of 1 intervals held" in held.words()


def test_the_class_of_a_model_is_where_trust_starts():
    assert [
        trust(kind=kind).value for kind in ("strong", "unknown", "small", "embedded")
    ] == sorted(
        (trust(kind=kind).value for kind in ("strong", "unknown", "small", "embedded")),
        reverse=True,
    )


def turns(values, count=30):
    """Whose the turns are where the Creator's results are as in ``values`` (by its turn) and the
    engine's 0.6.
    """
    trials = told()
    while len(trials) < count:
        asked = sum(t.proposal.source == "creator" for t in trials)
        is_its = is_creators(trials, assessed(trials, "maximize"))
        value = values(asked) if is_its else 0.6
        trials.append(make_trial(len(trials), {}, value, "creator" if is_its else "engine"))
    return "".join("C" if t.proposal.source == "creator" else "e" for t in trials[1:])


def test_who_is_good_leads_and_who_is_bad_is_heard_now_and_then():
    good, bad = turns(lambda _: 0.9), turns(lambda _: 0.1)
    assert (
        good.startswith("CC") and 0.6 < good.count("C") / len(good) <= 0.9 and "CCCCCC" not in good
    )
    assert bad[0] == "C" and bad.count("C") <= 4 and bad[10:].count("C") >= 1


def test_a_late_bloomer_is_seen_and_who_fades_is_left():
    late, fading = (
        turns(lambda asked: 0.1 if asked < 2 else 0.9, 40),
        turns(lambda asked: 0.9 if asked < 3 else 0.1, 40),
    )
    assert late[-12:].count("C") >= 6
    assert fading.startswith("CC") and fading[-12:].count("C") <= 3


@pytest.mark.parametrize("kind", ["embedded", "small"])
def test_a_weak_models_first_turn_is_one(kind):
    trials = told(("creator", 0.1))
    assert not is_creators(trials, assessed(trials, "maximize", kind=kind), kind=kind)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("openai:gpt-5", "strong"),
        ("anthropic:claude-opus-4-6", "strong"),
        ("openai:gpt-5-mini", "small"),
        ("ollama:qwen2.5-coder:7b", "small"),
        ("ollama:llama3.3:70b", "unknown"),
        ("toy", "unknown"),
    ],
)
def test_a_models_class_is_guessed_by_its_name(name, kind):
    assert class_of(name, embedded=False) == kind
    assert class_of(name, embedded=True) == "embedded"


def test_a_model_brings_a_little_of_its_record():
    good, bad = trust(*[("creator", 0.9)] * 8), trust(*[("creator", 0.1)] * 8)
    assert record_of([]) == (0.0, 0.0) and record_of([trust()]) == (0.0, 0.0)
    assert record_of([good] * 5) == (2.0, 0.0) and record_of([bad]) == (0.0, 2.0)
    better, worse = record_of([trust(("creator", 0.9)), trust(("creator", 0.1))])
    assert (better, worse) == (0.5, 0.5)
    begins = [assessed(told(), "maximize", record=record_of([t])).value for t in (bad, good)]
    assert begins == [0.25, 0.75]


def near(value):
    return pytest.approx(value, abs=1e-12)


def test_what_a_result_counts_for_in_numbers():
    """Beginning with 1 better and 1 worse; a result counts twice its share, and each earlier one
    0.8 of the next.
    """
    assert trust().value == 0.5
    assert trust(("creator", 0.9), ("engine", 0.6)).value == near((1 + 2) / (2 + 2))
    assert trust(("creator", 0.1), ("engine", 0.6)).value == near(1 / 4)
    risen = trust(("creator", 0.1), ("creator", 0.9), ("engine", 0.6))
    assert risen.value == near((1 + 2) / (2 + 2 * 1.8))
    assert risen.better == near(1 / 1.8)
    thrice = trust(("creator", 0.1), ("creator", 0.1), ("creator", 0.9), ("engine", 0.6))
    assert thrice.better == near(1 / (1 + 0.8 + 0.64))
    assert trust(("creator", 0.6), ("engine", 0.6)).better == 0.75  # the default has 0.5


def test_what_an_interval_and_a_refusal_count_for_in_numbers():
    assert trust(("creator", 0.6, (0.5, 0.7)), ("engine", 0.6)).value == near(
        (1 + 0.25 + 2 * 0.75) / (2 + 0.25 + 2)
    )
    assert trust(("creator", 0.6, (0.8, 0.9)), ("engine", 0.6)).value == near(
        (1 + 2 * 0.75) / (2 + 0.25 + 2)
    )
    assert trust(("fallback", 0.9)).value == near(1 / 2.25)
    before = trust(("fallback", 0.6), ("creator", 0.9))
    assert before.value == near((1 + 2 * 1.0) / (2 + 2 + 0.25 * 0.8))


def test_the_engines_latest_eight_results_are_compared_with():
    engine = [("engine", value) for value in (0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)]
    assert trust(*engine, ("creator", 0.65)).better == near(6 / 8)
    assert trust(*engine, ("creator", 0.95)).better == 1.0
    assert trust(("engine", None), ("creator", 0.4)).better == 0.0, (
        "the default counts as the engine's"
    )


def test_the_record_in_numbers():
    assert record_of([]) == (0.0, 0.0)
    assert record_of([Trust(0.5, 2, 0.5, 0, 0, 0)]) == (near(0.5), near(0.5))
    assert record_of([Trust(0.9, 20, 0.75, 0, 0, 0), Trust(0.9, 0, 0.5, 0, 0, 0)]) == (
        near(1.5),
        near(0.5),
    )
    assert (
        Trust(0.5, 3, 0.25, 1, 2, 4).words()
        == "trust 0.50, 3 results, better than the engine's in 25%, likely to gain 37%, the "
        "engine 25%, 1 of 2 intervals held, 4 refused"
    )
    assert (
        Trust(0.5, 3, 0.25, 0, 0, 0).words()
        == "trust 0.50, 3 results, better than the engine's in 25%, likely to gain 37%, the "
        "engine 25%"
    )


def test_each_side_has_its_floor():
    sure = Trust(1.0, 9, 1.0, 0, 0, 0, gains=1.0, engine_gains=0.0)
    doubtful = Trust(0.0, 9, 0.0, 0, 0, 0, gains=0.0, engine_gains=1.0)
    for count, its in ((8, True), (9, False)):
        assert is_creators(told(("engine", 0.5), *[("creator", 0.9)] * count), sure) is its
    for count, its in ((13, False), (14, True)):
        assert is_creators(told(("creator", 0.1), *[("engine", 0.9)] * count), doubtful) is its


def test_the_first_turns():
    good, bad = Trust(0.6, 1, 0.6, 0, 0, 0), Trust(0.4, 1, 0.5, 0, 0, 0, gains=0.2)
    assert is_creators(told(), bad, kind="unknown")
    assert is_creators(told(("creator", 0.9)), good, kind="unknown")
    assert not is_creators(told(("creator", 0.1)), bad, kind="unknown")
    assert not is_creators(told(("creator", 0.1)), bad, kind="small")


def test_one_first_loss_costs_a_strong_model_no_turn():
    lost = told(("creator", 0.1))
    shown = assessed(lost, "maximize", kind="strong")
    assert shown.better == 0.0
    assert is_creators(lost, shown, kind="strong")
    assert not is_creators(lost, shown)
    lost = told(("creator", 0.1), ("creator", 0.2))
    shown = assessed(lost, "maximize", kind="strong")
    assert not is_creators(lost, shown, kind="strong")


@pytest.mark.parametrize("kind", ["strong", "unknown"])
def test_nobody_takes_a_models_turn_while_it_gains(kind):
    def whose(values):
        trials = told()
        for value in values:
            its = is_creators(trials, assessed(trials, "maximize", kind=kind), kind=kind)
            source, came = ("creator", value) if its else ("engine", 0.6)
            trials.append(make_trial(len(trials), {}, came, source))
        return "".join(t.proposal.source[0] for t in trials[1:])

    rising = [0.7 + 0.01 * n for n in range(14)]
    assert whose(rising) == "cccccccccecccc"
    # where nothing is gained any more, the engine has its turn, and then both have
    stuck = whose([0.7, 0.71, 0.72, *[0.65] * 20])
    assert stuck.startswith("ccccc") and "e" in stuck[:12] and "c" in stuck[12:]


def test_the_classes_in_numbers():
    assert {kind: trust(kind=kind).value for kind in CLASSES} == {
        "strong": near(2 / 3),
        "unknown": 0.5,
        "small": near(0.5 / 1.5),
        "embedded": near(0.3 / 1.5),
    }
    assert FIRST_TURNS == {"strong": 3, "unknown": 2, "small": 1, "embedded": 1}


def test_the_turn_is_the_sides_that_is_likelier_to_gain():
    later = told(*[("creator", 0.9)] * 2, *[("engine", 0.5)] * 2)
    for value, gains, its in (
        (0.6, 0.3, True),
        (0.6, 0.2, True),  # as likely: it costs nothing
        (0.6, 0.19, False),
        (0.46, 0.3, True),
        (0.45, 0.3, False),  # what is worse on the whole has gained by luck
    ):
        shown = Trust(value, 9, 0.5, 0, 0, 0, gains=gains, engine_gains=0.2)
        assert is_creators(later, shown) is its
    # but for once more where it just has
    just = Trust(0.1, 9, 0.5, 0, 0, 0, gains=0.3, engine_gains=0.2, has_gained=True)
    assert is_creators(later, just)
    assert trust(("creator", 0.1), ("creator", 0.9)).has_gained
    assert not trust(("creator", 0.9), ("creator", 0.1)).has_gained
    assert not trust(("creator", 0.7), ("fallback", 0.9)).has_gained


def test_what_a_side_is_likely_to_gain_in_numbers():
    """Beginning with 0.6 of 1.6 and 0.4 of 1.6, each trial counting 0.85 of the next."""
    nothing = trust()
    assert (nothing.gains, nothing.engine_gains) == (near(0.6 / 1.6), near(0.4 / 1.6))
    shown = trust(("creator", 0.6), ("engine", 0.4), ("creator", 0.5), ("engine", 0.7))
    assert shown.gains == near((0.6 + 0.85) / (1.6 + 1.85))
    assert shown.engine_gains == near((0.4 + 1.0) / (1.6 + 1.85))
    # a fallback is a turn of the Creator's that gained it nothing
    assert trust(("fallback", 0.9)).gains == near(0.6 / 2.6)
    assert trust(("fallback", 0.9)).engine_gains == near(0.4 / 1.6)


def test_a_half_that_shows_nothing_brings_nothing():
    assert record_of([Trust(0.9, 0, 0.5, 0, 0, 0)]) == (0.0, 0.0)
    assert record_of([Trust(0.9, 2, 1.0, 0, 0, 0)]) == (near(1.0), 0.0)


def test_what_a_model_brings_is_added_to_its_class():
    assert assessed(told(), "maximize", kind="unknown", record=(1.0, 0.0)).value == near(2 / 3)
    assert assessed(told(), "maximize", kind="unknown", record=(0.0, 1.0)).value == near(1 / 3)
    assert assessed(told(), "maximize", kind="embedded", record=(0.2, 0.4)).value == near(0.5 / 2.1)


def test_who_was_asked_whatever_became_of_the_answer():
    asked = [make_trial(1, {}, 0.5, source) for source in ("creator", "fallback", "engine")]
    by_position = make_trial(2, {}, 0.5, "engine")
    by_position = replace(by_position, proposal=replace(by_position.proposal, mode="by position"))
    assert [was_asked(trial) for trial in [*asked, by_position]] == [True, True, False, True]


def test_a_forecast_nearer_than_the_engines_is_told_and_earns_no_turn():
    def with_forecasts(own, engines):
        trials = told(("creator", 0.6, (own - 0.3, own + 0.3)), ("engine", 0.6))
        forecast = Expected(engines, engines - 0.1, engines + 0.1)
        trials[1] = replace(trials[1], proposal=replace(trials[1].proposal, forecast=forecast))
        return assessed(trials, "maximize")

    nearer, further, even = (
        with_forecasts(0.61, 0.9),
        with_forecasts(0.8, 0.59),
        with_forecasts(0.7, 0.7),
    )
    assert (nearer.nearer, nearer.compared, even.compared) == (1, 1, 0)
    assert (further.nearer, further.compared) == (0, 1)
    assert "nearer than the engine's forecast in 1 of 1" in nearer.words()
    assert "forecast" not in even.words()
    assert nearer.value == with_forecasts(0.61, 0.61).value == with_forecasts(0.61, 0.6).value


def test_what_a_person_had_tried_takes_no_turn_from_either_side():
    default = make_trial(0, {"x": 0.5}, 0.5, "default")
    human = make_trial(1, {"x": 0.9}, 0.9, "human")
    for trials in ([default], [default, human]):
        trust = assessed(trials, "maximize")
        assert is_creators(trials, trust)
    agent = make_trial(2, {"x": 0.6}, 0.6, "agent")
    assert assessed([default, human, agent], "maximize").better == 1.0  # than the default alone
