import pytest

from agenthpo.assembly import proposer_named
from agenthpo.exchange import Attempt, Choice, Hint
from agenthpo.records import Usage
from agenthpo.search.engine.engine import Engine
from agenthpo.search.hybrid import Hybrid
from agenthpo.search.informed import Informed
from agenthpo.testing import check_proposer
from studies import make_task, make_trial

RAW = {"x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5}}
HINTS = [Hint({"x": x}, f"{x} was good elsewhere") for x in (0.1, 0.2, 0.3)]


def play(values, hints=HINTS, raw=RAW):
    """Return the proposals that follow the default where their trials come to ``values``."""
    task, trials, proposals = make_task(raw, direction="minimize"), [], []
    for number, value in enumerate([0.5, *values, 0.0]):
        proposal = Informed(Engine(0), hints).propose(task, trials)
        proposals.append(proposal)
        trials.append(make_trial(number, proposal.params, value, source=proposal.source))
    return proposals


def sources(proposals):
    return [p.source for p in proposals]


def test_the_first_hint_follows_the_default_and_the_next_where_it_was_better():
    proposals = play([0.4, 0.3, 0.2])
    assert sources(proposals) == ["default", "knowledge", "knowledge", "knowledge", "engine"]
    assert [p.params["x"] for p in proposals[1:4]] == [0.1, 0.2, 0.3]
    assert proposals[1].rationale == "0.1 was good elsewhere"


def test_hints_that_do_not_beat_what_came_before_are_dropped():
    assert sources(play([0.6, 0.1])) == ["default", "knowledge", "engine", "engine"]
    assert sources(play([0.5, 0.1])) == ["default", "knowledge", "engine", "engine"]
    assert sources(play([0.4, 0.45, 0.1]))[1:] == ["knowledge", "knowledge", "engine", "engine"]


def test_a_failed_hint_is_the_last_one():
    assert sources(play([None, 0.1])) == ["default", "knowledge", "engine", "engine"]


def test_a_hint_that_was_tried_or_lies_outside_is_passed_over():
    hints = [Hint({"x": 0.5}, "the default"), Hint({"x": 7.0}, "outside"), HINTS[0]]
    proposals = play([0.4], hints)
    assert [p.params["x"] for p in proposals[:2]] == [0.5, 0.1]


def test_without_a_default_the_first_trial_is_a_hint():
    bare = {"x": {"type": "float", "low": 0.0, "high": 1.0}}
    assert sources(play([0.4], raw=bare))[0] == "knowledge"


def test_it_keeps_the_promises_of_a_proposer_and_shows_the_engines_view():
    check_proposer(lambda seed: Informed(Engine(seed), []))
    task = make_task(RAW, direction="minimize")
    trials = [make_trial(i, {"x": i / 10}, (i / 10 - 0.3) ** 2) for i in range(5)]
    informed = Informed(Engine(0), HINTS)
    assert informed.view(task, trials) == Engine(0).view(task, trials) is not None
    assert Informed(object(), HINTS).view(task, trials) is None


class Silent:
    """A Creator that has nothing to say."""

    def attempt(self, task, trials, view=None):
        return Attempt(None, "nothing")

    def choose(self, task, trials, candidates):
        return Choice(0, "the first", Usage())


@pytest.mark.parametrize(("kind", "source"), [("embedded", "knowledge"), ("strong", "fallback")])
def test_a_weak_model_comes_after_what_was_good_elsewhere(kind, source):
    hybrid = Hybrid(Silent(), Informed(Engine(0), HINTS), model="m", kind=kind)
    task = make_task(RAW, direction="minimize")
    first = make_trial(0, task.space.default(), 0.5, source="default")
    assert hybrid.propose(task, [first]).source == source


def test_the_papers_creator_and_optunas_samplers_take_no_hints():
    assert isinstance(proposer_named("engine", None, seed=0, hints=HINTS), Informed)
    assert not isinstance(proposer_named("tpe", None, seed=0, hints=HINTS), Informed)
    assert not isinstance(proposer_named("engine", None, seed=0), Informed)
