from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.records import Stop
from agenthpo.search.optuna_samplers import OptunaSampler
from spaces import spaces
from studies import make_task, make_trial


def play(task, score, trials, seed=0):
    history = []
    for number in range(trials):
        proposal = OptunaSampler(seed).propose(task, history)
        if isinstance(proposal, Stop):
            assert len(history) == len(list(task.space.configurations()))
            break
        task.space.check(proposal.params)
        history.append(make_trial(number, proposal.params, score(proposal.params), proposal.source))
    return history


def test_the_default_comes_first_and_is_named_so():
    history = play(make_task(), lambda p: 0.5, 3)
    assert [t.proposal.source for t in history] == ["default", "engine", "engine"]
    assert history[0].proposal.params == {"lr": 0.001, "size": 16, "opt": "adam", "epochs": 10}


def test_without_a_complete_default_it_samples_at_once():
    task = make_task({"lr": {"type": "float", "low": 0.0, "high": 1.0}})
    assert OptunaSampler().propose(task, []).source == "engine"


def test_the_proposal_follows_from_seed_and_history():
    task = make_task()
    history = play(task, lambda p: p["size"], 5)
    assert OptunaSampler(0).propose(task, history) == OptunaSampler(0).propose(task, history)
    assert OptunaSampler(0).propose(task, history) != OptunaSampler(1).propose(task, history)


def test_it_learns_from_results_and_survives_failures():
    task = make_task(direction="minimize")
    found = play(task, lambda p: None if p["opt"] == "sgd" else abs(p["epochs"] - 30), 30)
    values = [t.value for t in found if t.value is not None]
    assert sum(values[-8:]) / 8 < sum(values[:5]) / 5
    assert sum(t.proposal.params["opt"] == "adam" for t in found[15:]) > 8


def test_no_configuration_is_tried_twice_while_others_are_left():
    task = make_task({"a": {"type": "int", "low": 1, "high": 3}, "b": {"type": "bool"}})
    history = play(task, lambda p: p["a"], 6)
    assert len({task.space.key(t.proposal.params) for t in history}) == 6


@settings(max_examples=25)
@given(spaces(), st.integers(0, 3))
def test_every_proposal_lies_in_the_space(raw, seed):
    play(make_task(raw), lambda p: 0.5, 5, seed)


def test_what_is_kept_between_calls_changes_no_proposal():
    task, history, keeping = make_task(), [], OptunaSampler(3)
    for number in range(15):
        kept, anew = keeping.propose(task, history), OptunaSampler(3).propose(task, history)
        assert kept == anew
        history.append(
            make_trial(
                number,
                kept.params,
                None if number % 4 == 3 else kept.params["epochs"] / 50,
                kept.source,
            )
        )
    pending = replace(history[-1], outcome=None)
    assert keeping.propose(task, [*history[:-1], pending]) == OptunaSampler(3).propose(
        task, [*history[:-1], pending]
    )
    assert keeping.propose(task, history[:7]) == OptunaSampler(3).propose(task, history[:7])
    assert keeping.propose(task, history) == OptunaSampler(3).propose(task, history)
