import json
from dataclasses import replace

import pytest

from agenthpo.agents.creator import Creator
from agenthpo.assembly import proposer_named
from agenthpo.errors import LLMFailure
from agenthpo.llm.client import Message, Reply
from agenthpo.llm.recorded import Recorded
from agenthpo.llm.redact import Redacting
from agenthpo.llm.replay import ReplayLLM
from agenthpo.records import Proposal, Stop, Usage
from agenthpo.search.engine.engine import Engine
from agenthpo.search.hybrid import Hybrid
from agenthpo.search.optuna_samplers import OptunaSampler
from agenthpo.testing import ScriptedLLM, check_llm, check_proposer
from loopback import message, model_server

NAMES = ("engine", "hybrid", "tpe", "random", "qmc", "cmaes")
PROPOSAL = {
    "rationale": "So.",
    "params": {"learning_rate": 0.01, "optimizer": "sgd"},
    "hypothesis": "Up.",
    "expected": {"value": 0.9, "low": 0.8, "high": 1.0},
}


@pytest.mark.parametrize("name", NAMES)
def test_each_proposer_keeps_the_contract(name):
    check_proposer(lambda seed: proposer_named(name, None, seed=seed))


def test_a_hybrid_whose_model_fails_keeps_the_contract():
    def failing(seed):
        llm = ScriptedLLM(*[LLMFailure("out of reach")] * 1000)
        return Hybrid(Creator(llm, seed), Engine(seed), model="scripted")

    check_proposer(failing)


class Broken:
    """Random search with one fault."""

    def __init__(self, seed):
        self.inner = OptunaSampler(seed, "random")

    def propose(self, task, trials):
        return self.inner.propose(task, trials)


class Leaves(Broken):
    def propose(self, task, trials):
        found = super().propose(task, trials)
        if isinstance(found, Stop):
            return found
        return replace(found, params={**found.params, next(iter(found.params)): 99.0})


class Repeats(Broken):
    def propose(self, task, trials):
        return trials[0].proposal if trials else super().propose(task, trials)


class Remembers(Broken):
    """Counts its own calls, so that a resumed study would go another way."""

    def __init__(self, seed):
        super().__init__(seed)
        self.calls = 0

    def propose(self, task, trials):
        self.calls += 1
        self.inner.seed = self.calls
        return super().propose(task, trials)


class Mutates(Broken):
    def propose(self, task, trials):
        found = super().propose(task, trials)
        for trial in trials:
            trial.proposal.params["lr"] = 1e-3
        return found


class Stops(Broken):
    def propose(self, task, trials):
        return Stop("enough") if len(trials) > 4 else super().propose(task, trials)


class NeverStops(Broken):
    def propose(self, task, trials):
        found = super().propose(task, trials)
        return trials[0].proposal if isinstance(found, Stop) else found


class Nameless(Broken):
    def propose(self, task, trials):
        found = super().propose(task, trials)
        return replace(found, source="mine") if isinstance(found, Proposal) else found


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Leaves, "it left the space: lr"),
        (Repeats, "again"),
        (Remembers, "another one with the same seed and trials"),
        (Mutates, "it changed the trials"),
        (Stops, "it stopped after 5"),
        (NeverStops, "does not return a Stop"),
        (Nameless, "its source is 'mine'"),
    ],
)
def test_a_broken_proposer_is_named(make, words):
    with pytest.raises(AssertionError, match=words):
        check_proposer(make)


def test_the_embedded_model_keeps_the_contract(smollm2):
    class StaysOpen:  # other tests use it too
        def __getattr__(self, name):
            return (lambda: None) if name == "close" else getattr(smollm2, name)

    check_llm(StaysOpen())


def test_a_remote_model_keeps_the_contract():
    from agenthpo.llm.opening import open_model

    with model_server(lambda body, number: message(json.dumps(PROPOSAL))) as (url, _):
        check_llm(open_model("toy", base_url=url))


def test_a_server_that_fails_keeps_the_contract():
    from agenthpo.llm.opening import open_model

    with model_server(lambda body, number: message("no JSON at all")) as (url, _):
        check_llm(open_model("toy", base_url=url))


def test_what_stands_before_a_model_keeps_the_contract(tmp_path):
    file = tmp_path / "llm.jsonl"
    check_llm(Redacting(Recorded(ScriptedLLM(PROPOSAL, PROPOSAL), file)))
    check_llm(ReplayLLM(file))


class Wrong(ScriptedLLM):
    def __init__(self, reply):
        super().__init__()
        self.reply = reply

    def ask(self, messages, form, *, seed=0):
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.mark.parametrize(
    ("llm", "words"),
    [
        (Wrong(TimeoutError("slow")), "it raised TimeoutError"),
        (Wrong(LLMFailure("")), "its LLMFailure has no words"),
        (Wrong("text"), "it returned str, not a Reply"),
        (Wrong(Reply(None, {}, Usage(1))), "the text of its reply is no text"),
        (Wrong(Reply("", {}, Usage())), "counts no request"),
        (Wrong(Reply("", {}, Usage(1, -1))), "a negative number"),
        (Wrong(Reply("", {1, 2}, Usage(1))), "is no JSON"),
        (ScriptedLLM({}, holds_to_grammar=True), "its proposal cannot be read"),
        (ScriptedLLM(PROPOSAL, {}, holds_to_grammar=True), "has no insight"),
        (ScriptedLLM(PROPOSAL, name=""), "its name is empty"),
        (ScriptedLLM(PROPOSAL, allowance=0), "its allowance is not above 0"),
    ],
)
def test_a_broken_model_is_named(llm, words):
    with pytest.raises(AssertionError, match=words):
        check_llm(llm)


def test_a_scripted_model_answers_in_turn_and_keeps_what_it_was_asked():
    class FORM:
        schema = {"required": ["a"]}  # noqa: RUF012

    words = [Message("user", "Well?")]
    llm = ScriptedLLM({"a": 1}, 'Sure: {"a": 2}', LLMFailure("no"), lambda asked: {"a": asked.seed})
    assert llm.ask(words, FORM).data == {"a": 1}
    assert llm.ask(words, FORM).data == {"a": 2}
    with pytest.raises(LLMFailure, match="no"):
        llm.ask(words, FORM)
    assert llm.ask(words, FORM, seed=5).data == {"a": 5}
    assert [asked.seed for asked in llm.asked] == [0, 0, 0, 5]
    assert llm.asked[0].messages == (words[0],)
    with pytest.raises(AssertionError, match="asked 5 times, once too often"):
        llm.ask(words, FORM)
