"""Whole studies with a model that misbehaves, over real HTTP on loopback."""

import json
from pathlib import Path

import pytest

from agenthpo.experience.finding import read_meta
from calling import agenthpo as call
from loopback import failing, message, model_server
from studies import shown

TASK = """\
name: toy
objective: {metric: score, direction: maximize}
train: {command: "{python} train.py {flags}", metrics: {score: "score {number}"}}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
  opt: {type: categorical, values: [adam, sgd], default: adam}
budget: {trials: 4}
"""
SCRIPT = """
import sys
with open("ran", "a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
print("score", sys.argv[2])
"""


@pytest.fixture(autouse=True)
def _task(monkeypatch):
    Path("task.yaml").write_text(TASK)
    Path("train.py").write_text(SCRIPT)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")


def reply(x, opt="adam"):
    return {
        "rationale": "Trial 0 was low.",
        "params": {"x": x, "opt": opt},
        "hypothesis": "Up.",
        "expected": {"value": 1, "low": 0, "high": 1},
    }


def talk(*proposals):
    """Answer proposals one after the other, the last one from then on, and every analysis."""
    left = list(proposals)

    def answer(body, number):
        if body.get("tools", [{}])[0].get("function", {}).get("name") == "analysis":
            return message(arguments={"insight": "It went well."}, tool="analysis")
        if not body.get("tools"):
            return message("OK")
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def agenthpo(*arguments, code=0):
    return call(*arguments, code=code)


def ran():
    return Path("ran").read_text().splitlines() if Path("ran").exists() else []


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "set OPENAI_API_KEY to a valid key"), (404, "fix the name after --model")],
)
def test_a_users_mistake_stops_before_the_first_trial(status, words):
    with model_server(lambda body, number: failing(status)) as (url, asked):
        done = agenthpo("run", ".", "--model", "toy", "--base-url", url, code=2)
    assert words in done.stderr
    assert (len(asked), ran()) == (1, [])
    assert not Path(".agenthpo/toy").exists()


def test_no_network_stops_before_the_first_trial():
    done = agenthpo("run", ".", "--model", "toy", "--base-url", "http://127.0.0.1:9/v1", code=2)
    assert "check the server at http://127.0.0.1:9/v1" in done.stderr
    assert ran() == []


def outage(body, number):
    return message("OK") if number == 0 else failing(401, "revoked")


def test_an_outage_in_mid_run_falls_back_and_says_so():
    with model_server(outage) as (url, _):
        said = agenthpo(
            "run", ".", "--proposer", "creator", "--model", "toy", "--base-url", url
        ).stdout
    assert (
        "note: instead of the Creator: the model toy gave no answer: the key was "
        "refused, HTTP 401, revoked" in said
    )
    trials = shown()
    assert [t["source"] for t in trials] == ["default", "fallback", "fallback", "fallback"]
    assert len(ran()) == 4


def test_a_model_has_the_time_to_answer_that_it_is_given():
    def slow(body, number):
        return "hang" if body.get("tools") else message("OK")

    with model_server(slow) as (url, _):
        own = ["--proposer", "creator", "--model", "toy", "--base-url", url, "--trials"]
        said = agenthpo("run", ".", *own, "2", "--llm-timeout", "1s").stdout
        assert "instead of the Creator: the model toy gave no answer in 1 s" in said
        # a resumed study keeps it
        assert "gave no answer in 1 s" in agenthpo("resume", "toy", "--trials", "3").stdout
    refused = agenthpo("run", ".", *own, "2", "--llm-timeout", "soon", code=2).stderr
    assert "--llm-timeout: 'soon' is not a duration such as 90, 90s, 5m or 2h" in refused


def test_an_outage_stops_resumably_where_that_was_asked_for():
    with model_server(outage) as (url, _):
        done = agenthpo(
            "run",
            ".",
            "--proposer",
            "creator",
            "--model",
            "toy",
            "--base-url",
            url,
            "--on-llm-failure",
            "stop",
            code=2,
        )
    assert (
        "the study stops as it was asked to, resume with: agenthpo resume .agenthpo/toy"
        in done.stderr
    )
    assert len(ran()) == 1
    with model_server(talk(*(message(arguments=reply(x)) for x in (0.75, 0.875, 0.625)))) as (
        url,
        _,
    ):
        agenthpo("resume", "toy", "--model", "toy", "--base-url", url)
    assert [t["source"] for t in shown()] == ["default", "creator", "creator", "creator"]
    assert len(ran()) == 4, "the first trial was not run again"


def test_every_kind_of_bad_reply_is_read_or_sent_back():
    bad = [
        message(""),
        message("I'm sorry, I cannot help with that."),
        message('{"rationale": "x", "params": {"x": 0.7'),
        message(arguments=reply(7.0)),
        message(arguments=reply("0.1 to 0.9")),
        message(arguments={"query": "learning rates"}, tool="search"),
        message(arguments={**reply(0.8), "params": {"x": 0.8, "opt": "adam", "layers": 3}}),
        message(arguments=reply(0.5)),
    ]
    good = [
        message(
            "<think>so {</think>Sure:\n```json\n"
            + json.dumps(reply("2**-1", "SGD")).replace("}}", "}, // done\n}")
            + "\n```"
        ),
        message(json.dumps(reply("0.625", "Adam"))),
    ]
    order = [*bad[:2], good[0], *bad[2:4], good[1], *bad[4:7], bad[7]]
    with model_server(talk(*order)) as (url, _):
        agenthpo(
            "run",
            ".",
            "--proposer",
            "creator",
            "--model",
            "toy",
            "--base-url",
            url,
            "--trials",
            "5",
        )
    trials = shown()
    assert [t["source"] for t in trials][1:] == ["creator", "creator", "fallback", "fallback"]
    assert (trials[1]["params"], trials[2]["params"]) == (
        {"x": 0.5, "opt": "sgd"},
        {"x": 0.625, "opt": "adam"},
    )
    assert "opt 'SGD' was read as 'sgd'" in trials[1]["note"]
    assert "2 replies were sent back" in trials[2]["note"]
    assert all(0.0 <= float(line.split()[1]) <= 1.0 for line in ran())
    assert len(ran()) == 5


def test_the_command_line_replays_a_study_with_its_seed():
    with model_server(talk(*(message(arguments=reply(x)) for x in (0.75, 0.875, 0.625)))) as (
        url,
        _,
    ):
        agenthpo("run", ".", "--model", "toy", "--base-url", url, "--seed", "5")
    first = shown()
    agenthpo("run", ".", "--model", "replay:toy", "--study", "again")
    assert [(t["params"], t["source"], t["rationale"], t["value"]) for t in shown("again")] == [
        (t["params"], t["source"], t["rationale"], t["value"]) for t in first
    ]
    assert read_meta(Path(".agenthpo/again")).seed == 5


def test_a_password_in_the_servers_address_is_shown_nowhere():
    with model_server(talk(message(arguments=reply(0.75)))) as (url, _):
        address = url.replace("://", "://me:hunter2@")
        said = agenthpo(
            "run", ".", "--model", "toy", "--base-url", address, "--trials", "2", "--json"
        )
        shown_study = agenthpo("show", "toy", "--json")
        again = agenthpo("resume", "toy", "--trials", "3")
    for done in (said, shown_study, again):
        assert "hunter2" not in done.stdout + done.stderr
    assert json.loads(shown_study.stdout)["study"]["base_url"] == url.replace("://", "://me@")
    assert "seal" not in json.loads(shown_study.stdout)["study"]
