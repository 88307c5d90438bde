import json
import re
from pathlib import Path

import pytest

import agenthpo
from agenthpo.errors import ModelError
from agenthpo.studies import meta_of
from loopback import failing, message, model_server

SPACE = {
    "x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5},
    "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
}


def objective(params):
    for step in range(6):
        agenthpo.report(step=step, value=params["x"] * step)
    return params["x"] * 5 + (params["opt"] == "sgd")


def answer(body, number):
    """Good, repaired, refused and failing answers in turn, each another one."""
    if not body.get("tools"):
        return message("OK")
    if body["tools"][0]["function"]["name"] == "analysis":
        return (
            failing(400, "bad day")
            if number % 5 == 4
            else message(arguments={"insight": f"Lesson {number}."}, tool="analysis")
        )
    reply = {
        "rationale": f"Because of {number}.",
        "params": {
            "x": number / 64 + (2.0 if number % 3 == 0 else 0.0),
            "opt": "SGD" if number % 2 else "adam",
        },
        "hypothesis": "Up.",
        "expected": {"value": 3, "low": 1, "high": 5},
    }
    return message(f"So: {json.dumps(reply)}")


def told(trials):
    """What was decided, and why: everything but times."""
    rows = []
    for t in trials:
        p, a = t.proposal, t.analysis
        said = (a.diagnosis, a.evidence, a.insight, a.advice, a.expectation_met, a.author, a.note)
        rows.append(
            (
                t.number,
                p.params,
                p.source,
                p.rationale,
                p.hypothesis,
                p.expected,
                p.note,
                p.model,
                p.usage.tokens,
                t.value,
                *said,
            )
        )
    return json.dumps(rows, default=vars).encode()


def exchanges(study):
    kept = ("form", "seed", "messages", "reply", "data", "repairs", "failure", "model")
    text = Path(f".agenthpo/{study}/llm.jsonl").read_text()
    # seconds and megabytes are no two times the same
    lines = map(json.loads, re.sub(r"    took: [^\\]+", "", text).splitlines())
    return [{key: line.get(key) for key in kept} for line in lines]


def tune(study, **options):
    options = {"proposer": "creator", **options}
    return agenthpo.tune(
        objective, SPACE, direction="maximize", study=study, on_event=lambda event: None, **options
    )


def test_a_study_replays_byte_for_byte():
    with model_server(answer) as (url, asked):
        first = tune("first", trials=9, model="toy", base_url=url, seed=3)
    again = tune("again", trials=9, model="replay:first")
    assert told(again.trials) == told(first.trials)
    assert exchanges("again") == exchanges("first")
    assert len(asked) > 12
    assert {t.proposal.source for t in first.trials} == {"default", "creator"}
    third = tune("third", trials=9, model="replay:again")
    assert told(third.trials) == told(first.trials)


def test_a_study_that_called_the_engine_classical_replays_as_well():
    with model_server(answer) as (url, _):
        first = tune("first", trials=9, model="toy", base_url=url, seed=3, proposer="hybrid")
    assert "engine" in {t.proposal.source for t in first.trials}
    recorded = Path(".agenthpo/first/llm.jsonl")
    assert "(engine)" in recorded.read_text()
    recorded.write_text(recorded.read_text().replace("(engine)", "(classical)"))
    assert told(tune("again", trials=9, model="replay:first", proposer="hybrid").trials) == told(
        first.trials
    )


def test_a_replay_goes_on_after_an_interruption():
    with model_server(answer) as (url, _):
        first = tune("first", trials=8, model="toy", base_url=url)
    tune("again", trials=4, model="replay:first")
    whole = tune("again", trials=8, resume=True)
    assert told(whole.trials) == told(first.trials)


def test_what_was_never_asked_falls_back_visibly():
    with model_server(answer) as (url, _):
        tune("first", trials=3, model="toy", base_url=url)
    longer = tune("longer", trials=6, model="replay:first")
    assert [t.proposal.source for t in longer.trials][-3:] == ["fallback", "fallback", "fallback"]
    assert "has no answer to this question" in longer.trials[3].proposal.note


def test_a_study_without_a_model_cannot_be_replayed():
    tune("plain", trials=1, model="none", proposer=None)
    with pytest.raises(
        ModelError,
        match=r"there is no exchange with a model in .*; name a study that was run with one "
        r"after 'replay:'",
    ):
        tune("again", trials=1, model="replay:plain")
    assert not Path(".agenthpo/again").exists()


def test_a_model_begins_with_what_it_showed_in_the_studies_beside():
    with model_server(answer) as (url, _):
        tune("first", trials=7, model="toy", base_url=url)
        tune("second", trials=2, model="toy", base_url=url, proposer="hybrid")
    record = meta_of(Path(".agenthpo/second")).record
    assert meta_of(Path(".agenthpo/first")).record == (0.0, 0.0) and 1.0 < sum(record) <= 2.0
    tune("again", trials=2, model="replay:second", proposer="hybrid")
    assert meta_of(Path(".agenthpo/again")).record == record
