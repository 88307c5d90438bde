"""A study goes without a part of AgentHPO, and the model is told so much less."""

import json
from pathlib import Path

import pytest

import agenthpo
from agenthpo.errors import AgentHPOError
from agenthpo.studies import meta_of
from calling import agenthpo as call
from loopback import message, model_server

SPACE = {
    "x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5, "about": "a dial"},
    "k": {"type": "int", "low": 1, "high": 9, "default": 5},
}


def answer(body, number):
    if not body.get("tools"):
        return message("OK")
    if body["tools"][0]["function"]["name"] == "analysis":
        said = {"diagnosis": "completed", "evidence": ["value"], "insight": "The dial pays."}
        return message(arguments={**said, "advice": {}}, tool="analysis")
    reply = {
        "rationale": "Up.",
        "params": {"x": number / 100, "k": 1 + number % 9},
        "hypothesis": "More is more.",
        "expected": {"value": 0.5, "low": 0, "high": 2},
    }
    return message(arguments=reply)


def tuned(study="toy", trials=4, **given):
    """Return the trials, and each request that was made: the texts of its messages, and the whole."""
    given = {"background": "A wheel of fortune.", "seed": 0, **given}
    with model_server(answer) as (url, asked):
        result = agenthpo.tune(
            lambda params: params["x"],
            SPACE,
            direction="maximize",
            trials=trials,
            study=study,
            model="toy",
            base_url=url,
            on_event=lambda event: None,
            **given,
        )
    asked = [body for body in asked if body.get("tools")]
    return result.trials, asked


def of(asked, tool):
    return [
        "\n".join(m["content"] for m in body["messages"])
        for body in asked
        if body["tools"][0]["function"]["name"] == tool
    ]


def test_with_all_parts_the_model_is_told_of_each():
    _, asked = tuned(proposer="creator")
    last = of(asked, "proposal")[-1]
    assert "A wheel of fortune." in last and "a dial" in last
    assert "trial 0 (default)" in last and "completed. The dial pays." in last
    assert len(of(asked, "analysis")) == 4


def test_without_background_nothing_in_words_is_told():
    _, asked = tuned(proposer="creator", without=["background"])
    for text in [json.dumps(body) for body in asked]:
        assert "wheel" not in text and "a dial" not in text
    assert "x: float from 0 to 1, default 0.5" in of(asked, "proposal")[0]


def test_without_history_no_trial_is_told():
    trials, asked = tuned(proposer="creator", without=["history"])
    texts = of(asked, "proposal")
    assert all("trial 0 (" not in text and "None yet." in text for text in texts)
    assert "propose the configuration of trial 3." in texts[-1]
    assert len({json.dumps(t.proposal.params) for t in trials}) == len(trials)


def test_without_analysis_the_executor_asks_nothing_and_its_words_are_not_told():
    trials, asked = tuned(proposer="creator", without=["analysis"])
    assert of(asked, "analysis") == []
    last = of(asked, "proposal")[-1]
    assert "trial 0 (default): x=0.5 k=5 -> value 0.5." in last
    assert "completed" not in last and "evidence:" not in last
    assert trials[-1].analysis.diagnosis  # the rules still read it, for the person


def test_without_the_engine_every_trial_is_the_creators():
    trials, asked = tuned(trials=8, without=["engine"])
    assert [t.proposal.source for t in trials] == ["default", *["creator"] * 7]
    assert all("statistical engine" not in text for text in of(asked, "proposal"))


def test_the_paper_begins_with_the_background_alone():
    trials, asked = tuned(trials=6, proposer="paper")
    assert {t.proposal.source for t in trials} == {"creator"}
    first, *_, last = of(asked, "proposal")
    assert "A wheel of fortune." in first and "None yet." in first
    assert "completed. The dial pays." in last and "statistical engine" not in last


def test_a_paper_whose_model_fails_tries_a_random_configuration_and_says_so():
    def silent(body, number):
        return message("no")

    with model_server(silent) as (url, _):
        trials = agenthpo.tune(
            lambda params: params["x"],
            {name: {k: v for k, v in p.items() if k != "default"} for name, p in SPACE.items()},
            direction="maximize",
            trials=3,
            model="toy",
            base_url=url,
            proposer="paper",
            on_event=lambda event: None,
        ).trials
    assert {t.proposal.source for t in trials} == {"fallback"}
    assert all(t.proposal.note.startswith("instead of the Creator:") for t in trials)


def test_a_resumed_study_still_goes_without():
    tuned(trials=2, proposer="creator", without=["history", "background"], temperature=0.25)
    assert meta_of(Path(".agenthpo/toy")).without == ("background", "history")
    assert meta_of(Path(".agenthpo/toy")).temperature == 0.25
    trials, asked = tuned(trials=4, proposer="creator", resume=True)
    assert meta_of(Path(".agenthpo/toy")).without == ("background", "history")
    assert len(trials) == 4
    for text in of(asked, "proposal"):
        assert "wheel" not in text and "None yet." in text


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_a_temperature_reaches_the_model(temperature):
    _, asked = tuned(trials=2, proposer="creator", temperature=temperature)
    assert {body["temperature"] for body in asked} == {temperature}


def test_without_a_temperature_the_model_keeps_its_own():
    _, asked = tuned(trials=2, proposer="creator")
    assert all("temperature" not in body for body in asked)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"without": ["luck"]}, "there is no part 'luck' to go without; known are background,"),
        (
            {"without": ["engine"]},
            "--without engine leaves out the engine beside the Creator, which",
        ),
        (
            {"without": ["history"], "proposer": "tpe"},
            "which only a language model would miss, and none is asked",
        ),
        ({"temperature": 9}, "the temperature 9 must be a number from 0 to 2"),
        ({"temperature": float("nan")}, "the temperature nan must be a number from 0 to 2"),
        ({"proposer": "paper"}, "the proposer 'paper' is a language model; name one by --model"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(given, words):
    with pytest.raises(AgentHPOError, match=words):
        agenthpo.tune(
            lambda params: 1.0, SPACE, direction="maximize", trials=2, model="none", **given
        )
    assert not Path(".agenthpo").exists()


def test_the_command_line_takes_them():
    Path("train.py").write_text("print('score: 1.0')\n")
    Path("task.yaml").write_text(
        "name: toy\nobjective: {metric: score, direction: maximize}\n"
        'train: {command: "python train.py {flags}"}\n'
        "space: {x: {type: float, low: 0, high: 1, default: 0.5}}\n"
    )
    wrong = call("run", "task.yaml", "--without", "luck", "--model", "none")
    assert wrong.returncode != 0 and "there is no part 'luck'" in wrong.stderr
    hot = call("run", "task.yaml", "--temperature", "3", "--model", "none")
    assert hot.returncode != 0 and "temperature" in hot.stderr


def test_a_range_that_was_widened_as_advised_is_said():
    def advising(body, number):
        said = answer(body, number)
        if not body.get("tools") or body["tools"][0]["function"]["name"] == "analysis":
            return said
        reply = json.loads(said["tool_calls"][0]["function"]["arguments"])
        widen = {"parameter": "x", "to": 1.5, "why": "The best values are at its end."}
        return message(arguments={**reply, "widen": widen})

    def opened(space, trials, resume):
        seen = []
        with model_server(advising) as (url, _):
            agenthpo.tune(
                lambda params: params["x"],
                space,
                direction="maximize",
                trials=trials,
                study="toy",
                resume=resume,
                model="toy",
                base_url=url,
                proposer="creator",
                on_event=seen.append,
            )
        return seen[0]

    opened(SPACE, 2, False)
    wider = {**SPACE, "x": {**SPACE["x"], "high": 2.0}}
    assert "x was widened as trial 1 advised." in opened(wider, 3, True).hint
