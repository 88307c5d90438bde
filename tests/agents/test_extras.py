from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agenthpo.agents.creator import Creator, creator_messages
from agenthpo.agents.prompt.findings import hypotheses
from agenthpo.agents.reply.extras import read_extras
from agenthpo.agents.reply.forms import creator_form
from agenthpo.records import Claim, Expected, Widening
from agenthpo.testing import ScriptedLLM
from agenthpo.text.phrases import all_widening_words
from agenthpo.text.story import story
from studies import make_task, make_trial

TASK = make_task()
NOISY = replace(TASK, objective=replace(TASK.objective, noisy=True))
DEFAULT = {"lr": 0.001, "size": 16, "opt": "adam", "epochs": 10}
TRIALS = [make_trial(0, DEFAULT, 0.8, "default"), make_trial(1, {**DEFAULT, "lr": 0.01}, None)]
CLAIM = {"parameter": "lr", "change": "raise", "than": 0, "is_better": True}


def reply(lr=0.003, low=0.8, high=0.9, **more):
    return {
        "rationale": "Trial 0 learnt slowly.",
        "params": {**DEFAULT, "lr": lr},
        "hypothesis": "A larger step helps.",
        "expected": {"value": 0.85, "low": low, "high": high},
        **more,
    }


def proposed(data, task=TASK, trials=TRIALS):
    return Creator(ScriptedLLM(data)).attempt(task, trials).proposal


def ended(proposal, number, value):
    trial = make_trial(number, proposal.params, value, "creator")
    return replace(trial, proposal=replace(proposal, mode="free"))


def test_a_claim_is_kept_where_it_is_so():
    assert proposed(reply(claim=CLAIM)).claim == Claim("lr", "raise", 0)
    false = proposed(reply(claim={**CLAIM, "change": "lower"}))
    assert false.claim is None
    assert false.note == "its claim was left out, since lr is 0.003 here and 0.001 in trial 0"
    for odd in ({**CLAIM, "than": 9}, {**CLAIM, "than": True}, {**CLAIM, "parameter": "size"}):
        assert proposed(reply(claim=odd)).claim is None


@pytest.mark.parametrize(
    ("value", "words", "said"),
    [
        (0.85, "it is", "confirmed"),
        (0.95, "it is", "confirmed"),  # beyond its interval, and right all the same
        (0.70, "it is not", "refuted"),
        (None, "not tested", ""),
    ],
)
def test_a_claim_is_judged_apart_from_its_interval(value, words, said):
    proposal = proposed(reply(claim=CLAIM))
    trial = ended(proposal, 2, value)
    met = None if value is None else proposal.expected.holds(value)
    trial = replace(trial, analysis=replace(trial.analysis, expectation_met=met))
    told = story(trial, TRIALS, metric="acc", direction="maximize")
    assert f"Claim: better than trial 0 with lr raised; {words}." in told
    found = hypotheses([*TRIALS, trial], "maximize")
    assert [line.split(":")[0] for line in found] == ([f"trial 2 {said}"] if said else [])


def test_further_configurations_are_tried_until_a_result_surprises():
    llm = ScriptedLLM(reply(more=[reply(lr=0.005), reply(lr=0.006)]), reply(lr=0.02))
    creator = Creator(llm)
    first = creator.attempt(TASK, TRIALS).proposal
    assert [f.params["lr"] for f in first.further] == [0.005, 0.006]
    trials = [*TRIALS, ended(first, 2, 0.85)]
    second = creator.attempt(TASK, trials).proposal
    assert (second.params["lr"], second.given_with, second.usage.requests) == (0.005, 2, 0)
    assert second.expected == Expected(0.85, 0.8, 0.9)
    assert len(llm.asked) == 1
    as_expected = [*trials, ended(second, 3, 0.81)]
    third = creator.attempt(TASK, as_expected).proposal
    assert (third.params["lr"], third.given_with) == (0.006, 2)
    surprised = [*trials, ended(second, 3, 0.95)]
    assert creator.attempt(TASK, surprised).proposal.params["lr"] == 0.02
    assert len(llm.asked) == 2


def test_a_best_value_that_another_side_found_drops_what_came_together():
    creator = Creator(ScriptedLLM(reply(more=[reply(lr=0.005)]), reply(lr=0.02)))
    first = creator.attempt(TASK, TRIALS).proposal
    for value, lr in ((0.82, 0.005), (0.99, 0.02)):
        engines = make_trial(3, {**DEFAULT, "lr": 0.05}, value)
        trials = [*TRIALS, ended(first, 2, 0.85), engines]
        assert creator.attempt(TASK, trials).proposal.params["lr"] == lr


def test_what_came_together_is_tried_while_the_first_still_runs():
    creator = Creator(ScriptedLLM(reply(more=[reply(lr=0.005)]), reply(lr=0.02)))
    first = creator.attempt(TASK, TRIALS).proposal
    running = replace(ended(first, 2, 0.0), outcome=None, analysis=None)
    second = creator.attempt(TASK, [*TRIALS, running]).proposal
    assert second.given_with == 2
    both = [*TRIALS, running, replace(ended(second, 3, 0.0), outcome=None, analysis=None)]
    assert creator.attempt(TASK, both).proposal.given_with is None


def test_extras_that_are_not_valid_never_cost_the_proposal():
    more = [reply(lr=7), reply(), reply(lr=0.004)]
    found = proposed(reply(more=more, claim="yes", widen={"parameter": "lr", "to": 0.05}))
    assert found.params["lr"] == 0.003
    assert found.further == ()
    assert found.widening is None
    assert (
        found.note.count("a further configuration was left out") == 2
    )  # the third is one too many
    assert "its advice to widen a range was left out, since it names no wider one" in found.note


def test_a_trial_may_be_asked_for_again_by_its_number():
    data = {k: v for k, v in reply(again=0).items() if k != "params"}
    assert proposed(data, NOISY).params == DEFAULT
    assert proposed(reply(again=0)).params["lr"] == 0.003
    assert "again" in creator_form(NOISY, []).schema["properties"]
    assert "again" not in creator_form(TASK, []).schema["properties"]
    assert '"again"' in creator_messages(ScriptedLLM(), NOISY, trials=[])[0].text
    assert '"again"' not in creator_messages(ScriptedLLM(), TASK, trials=[])[0].text


def test_a_range_to_widen_is_advice_and_changes_nothing():
    why = "The best three values of lr are at its end."
    found = proposed(reply(widen={"parameter": "lr", "to": 0.5, "why": why}))
    assert found.widening == Widening("lr", 0.5, why)
    assert not TASK.space.violations(found.params)
    trial = ended(found, 2, 0.85)
    said = f"Advice: widen the range of lr to 0.5: {why}"
    assert said in story(trial, TRIALS, metric="acc", direction="maximize")
    assert all_widening_words([*TRIALS, trial]) == [f"{said} (trial 2)"]


def test_what_is_not_asked_for_is_not_required():
    schema = creator_form(TASK, []).schema
    assert schema["required"] == ["rationale", "params", "hypothesis", "expected"]
    assert {"claim", "more", "widen"} < set(schema["properties"])
    assert schema["properties"]["more"]["maxItems"] == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
named = st.fixed_dictionaries(
    {},
    optional={
        "parameter": st.sampled_from(["lr", "size", "opt", ""]) | json_values,
        "change": st.sampled_from(["raise", "lower", "change"]) | json_values,
        "than": st.integers(-1, 3) | json_values,
        "to": json_values,
        "why": json_values,
    },
)


@example(claim=None, more=None, widen=None, again=1)
@given(claim=json_values | named, more=json_values, widen=json_values | named, again=json_values)
def test_no_extra_makes_reading_fail(claim, more, widen, again):
    data = reply(claim=claim, more=more, widen=widen, again=again)
    for task in (TASK, NOISY):
        found = read_extras(data, task, TRIALS, {**DEFAULT, "lr": 0.003})
        assert all(not task.space.violations(f.params) for f in found.further)
        assert found.widening is None or task.space["lr"].violation(found.widening.to)
        # one that asks to measure a failed trial again is refused, and comes twice more
        Creator(ScriptedLLM(data, data, data)).attempt(task, TRIALS)
