"""What is asked for comes before what the proposer would propose; what is pinned is held."""

import pytest

from agenthpo.assembly import proposer_named
from agenthpo.experience.requests import Asked, Request
from agenthpo.records import Expected, Stop
from agenthpo.search.engine.engine import Engine
from agenthpo.search.heeding import NOTHING_ASKED, Heeding, hindrance
from agenthpo.testing import check_proposer
from studies import make_task, make_trial

RAW = {
    "x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5},
    "y": {"type": "int", "low": 1, "high": 9, "default": 5},
    "z": {"type": "categorical", "values": ["a", "b"], "default": "a"},
}
TASK = make_task(RAW)


def params(x, y=5, z="a"):
    return {"x": x, "y": y, "z": z}


def tried(identity, x, by="claude", **fields):
    return Request("try", by, id=identity, params=params(x), rationale="because", **fields)


def proposed(trials, *requests, proposer=None, only_asked=False, task=TASK):
    heeding = Heeding(proposer or Engine(0), lambda: Asked(requests), only_asked=only_asked)
    return heeding.propose(task, trials)


def play(requests, values, count, task=TASK):
    """Return the trials of a study that runs only what is asked for."""
    heeding = Heeding(Engine(0), lambda: Asked(tuple(requests)), only_asked=True)
    trials = []
    while len(trials) < count and not isinstance(p := heeding.propose(task, trials), Stop):
        value = values(p) if callable(values) else values
        trials.append(
            make_trial(len(trials), p.params, value, p.source, queued=p.queued, asked=p.asked)
        )
    return trials


DEFAULT = make_trial(0, params(0.5), 0.5, "default")


def test_without_a_request_the_proposer_goes_its_way():
    assert proposed([DEFAULT]) == Engine(0).propose(TASK, [DEFAULT])


def test_a_persons_configuration_is_next_and_says_whose_it_is():
    mine = tried("r2", 0.9, by="ann", is_person=True)
    found = proposed([DEFAULT], tried("r1", 0.8), mine)
    assert (found.source, found.by, found.queued, found.params) == (
        "human",
        "ann",
        "r2",
        params(0.9),
    )
    assert found.who == "human ann"


def test_the_default_stays_the_first_trial():
    assert proposed([], tried("r1", 0.9, is_person=True)).source == "default"
    assert proposed([], Request("run", "a", id="r1", trials=1), only_asked=True).source == "default"


def test_an_agent_has_the_first_turn_and_the_engine_forecasts_it():
    trials = [DEFAULT, make_trial(1, params(0.1), 0.4), make_trial(2, params(0.7), 0.6)]
    found = proposed(trials[:1], tried("r1", 0.9, expected=Expected(0.6, 0.5, 0.7)))
    assert (found.source, found.by, found.mode) == ("agent", "claude", "free")
    assert found.turn.startswith("trust ") and found.expected == Expected(0.6, 0.5, 0.7)
    assert proposed(trials[:1], tried("r1", 0.9)).forecast is None
    agents = [*trials[:2], make_trial(2, params(0.7), 0.9, source="agent")]
    assert proposed(agents, tried("r1", 0.9)).forecast is not None


def test_an_agent_whose_trials_gained_nothing_waits_while_the_engine_has_its_turn():
    lost = [
        DEFAULT,
        *(make_trial(i, params(0.5 + i / 100), 0.5 - i / 10, source="agent") for i in (1, 2, 3)),
    ]
    found = proposed(lost, tried("r9", 0.9))
    assert found.source == "engine" and found.queued == "" and "trust" in found.turn


def test_a_run_ends_when_as_many_trials_were_run_as_were_asked_for():
    trials = play([tried("r1", 0.9), Request("run", "claude", id="r2", trials=2)], 0.6, 9)
    assert [t.proposal.source for t in trials] == ["default", "agent", "engine"]
    assert [t.proposal.asked for t in trials] == ["", "r2", "r2"]
    last = proposed(trials, Request("run", "claude", id="r2", trials=2), only_asked=True)
    assert last == Stop(NOTHING_ASKED)


def test_a_run_of_the_engines_own_leaves_an_agents_configuration_waiting():
    trials = play(
        [tried("r1", 0.9), Request("run", "claude", id="r2", trials=1, by_engine=True)], 0.6, 9
    )
    assert [t.proposal.source for t in trials] == ["default", "engine"]


def test_a_vetoed_request_is_not_served():
    veto = Request("veto", "ann", id="r2", is_person=True, whose="r1")
    assert proposed([DEFAULT], tried("r1", 0.9), veto).source == "engine"


def test_what_is_tried_already_or_outside_the_space_is_passed_over():
    again = Request("try", "a", id="r1", is_person=True, params=params(0.5))
    outside = Request("try", "a", id="r2", is_person=True, params=params(7.0))
    good = tried("r3", 0.9, is_person=True)
    assert proposed([DEFAULT], again, outside, good).queued == "r3"
    assert hindrance(TASK, [DEFAULT], again) == "trial 0 has tried it"
    assert "7" in hindrance(TASK, [DEFAULT], outside)
    assert hindrance(TASK, [DEFAULT], good) == ""


@pytest.mark.parametrize("proposer", ["engine", "random", "tpe"])
def test_what_is_pinned_is_held_by_whoever_proposes(proposer):
    pin = Request("pin", "ann", id="r1", is_person=True, params={"x": 0.25, "z": "b"})
    heeding = Heeding(proposer_named(proposer, None, seed=0), lambda: Asked((pin,)))
    trials = [DEFAULT]
    for number in range(1, 8):
        found = heeding.propose(TASK, trials)
        assert found.params["x"] == 0.25 and found.params["z"] == "b", found
        trials.append(make_trial(number, found.params, 0.5 + found.params["y"] / 20))
    if proposer != "random":
        # what is left free is still searched: each is another one
        assert len({t.proposal.params["y"] for t in trials}) >= 6


def test_what_contradicts_a_pin_waits():
    pin = Request("pin", "ann", id="r1", is_person=True, params={"x": 0.25})
    found = proposed([DEFAULT], pin, tried("r2", 0.9, is_person=True))
    assert found.queued == "" and found.params["x"] == 0.25


def test_a_pin_that_no_longer_fits_the_space_holds_nothing():
    pins = Request("pin", "ann", id="r1", is_person=True, params={"x": 7.0, "gone": 1})
    assert proposed([DEFAULT], pins) == Engine(0).propose(TASK, [DEFAULT])


def test_all_configurations_that_a_pin_leaves_are_tried_before_it_stops():
    task = make_task({"y": {"type": "int", "low": 1, "high": 3, "default": 1}, "z": RAW["z"]})
    pin = Request("pin", "ann", id="r1", is_person=True, params={"z": "b"})
    heeding = Heeding(Engine(0), lambda: Asked((pin,)))
    trials = [make_trial(0, {"y": 1, "z": "a"}, 0.5, "default")]
    while not isinstance(found := heeding.propose(task, trials), Stop):
        trials.append(make_trial(len(trials), found.params, 0.5))
    assert sorted(t.proposal.params["y"] for t in trials[1:]) == [1, 2, 3]


def test_it_is_a_proposer_as_any_other():
    check_proposer(lambda seed: Heeding(Engine(seed), Asked))


def test_a_creator_is_told_what_people_noted_and_pinned():
    told = []

    class Listening:
        def propose(self, task, trials):
            told.append(task.background.notes)
            return Engine(0).propose(task, trials)

    notes = [Request("note", "ann", is_person=True, text=f"Note {n}.") for n in range(5)]
    others = [Request("note", "claude", text="I think so."), Request("pin", "ann", params={"y": 3})]
    proposed([DEFAULT], *notes, *others, proposer=Listening())
    assert told == [
        "A person holds y=3; propose nothing else for it. "
        "While it ran, ann noted: Note 2. ann noted: Note 3. ann noted: Note 4."
    ]
