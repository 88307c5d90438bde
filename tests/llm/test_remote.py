import time
from contextlib import contextmanager

import pytest

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm import remote
from agenthpo.llm.client import Form, Message
from agenthpo.llm.opening import open_model
from loopback import failing, message, model_server

SCHEMA = {
    "type": "object",
    "properties": {"size": {"enum": [8, 16]}},
    "required": ["size"],
    "additionalProperties": False,
}
FORM = Form("answer", SCHEMA, "")
TALK = [Message("system", "You choose sizes."), Message("user", "Choose a size, 8 or 16.")]
CALL = message(arguments={"size": 8}, tool="answer")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr(remote, "_WAITS_S", (0.01, 0.02))


@contextmanager
def model(*answers, timeout_s=10.0):
    """A model on a server that gives ``answers`` one after the other, the last of them from then
    on.
    """
    with model_server(lambda body, number: answers[min(number, len(answers) - 1)]) as (url, asked):
        opened = open_model("toy", base_url=url)
        opened._timeout_s = timeout_s
        yield opened, asked
        opened.close()


@pytest.mark.parametrize(
    "answer", [CALL, message('I say {"size": 8}.'), message('```json\n{"size": 8}\n```')]
)
def test_a_server_is_asked_over_http_and_its_answer_read(answer):
    with model(answer) as (toy, asked):
        reply = toy.ask(TALK, FORM)
    assert reply.data == {"size": 8}
    assert (
        reply.usage.requests,
        reply.usage.input_tokens,
        reply.usage.output_tokens,
        reply.usage.cost_usd,
    ) == (1, 11, 5, None)
    assert asked[0]["model"] == "toy"
    assert [m["role"] for m in asked[0]["messages"]] == ["system", "user"]
    assert asked[0]["tools"][0]["function"]["parameters"]["properties"]["size"] == {"enum": [8, 16]}


@pytest.mark.parametrize(
    "answers",
    [
        (failing(500), failing(503), CALL),
        (failing(429, "slow down", **{"Retry-After": "0"}), CALL),
        ("cut", CALL),
        (failing(400, "this model does not support tools"), message('{"size": 8}')),
    ],
)
def test_what_passes_by_itself_is_waited_for(answers):
    with model(*answers) as (toy, asked):
        assert toy.ask(TALK, FORM).data == {"size": 8}
    assert len(asked) == len(answers)
    assert ("tools" in asked[-1]) == (answers[-1] == CALL)


def test_retry_after_is_honoured():
    with model(failing(429, "slow down", **{"Retry-After": "1"}), CALL) as (toy, _):
        began = time.monotonic()
        toy.ask(TALK, FORM)
        assert time.monotonic() - began > 0.9


@pytest.mark.parametrize(
    ("answer", "times", "words"),
    [
        (failing(401, "Incorrect API key."), 1, "the key was refused, HTTP 401, Incorrect API key"),
        (failing(404, "no model toy"), 1, "HTTP 404, no model toy"),
        (failing(500, "oh"), 3, "HTTP 500, oh"),
        ("cut", 3, "the model toy gave no answer: "),
        ("hang", 1, "gave no answer in 1 s"),
    ],
)
def test_a_failure_is_one_line_and_bounded(answer, times, words):
    with (
        model(answer, timeout_s=1.0 if answer == "hang" else 10.0) as (toy, asked),
        pytest.raises(LLMFailure) as caught,
    ):
        toy.ask(TALK, FORM)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(asked) == times


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("openai:o3", 600),
        ("openai:gpt-5", 600),
        ("deepseek:deepseek-reasoner", 600),
        ("ollama:qwq:32b", 600),
        ("groq:qwen3-235b-thinking", 600),
        ("google:gemini-2.5-pro", 600),
        ("openai:gpt-4o", 120),
        ("google:gemini-2.5-flash", 120),
        ("ollama:llama3.3:70b", 120),
        ("toy", 120),
    ],
)
def test_a_model_that_thinks_first_has_more_time(name, seconds):
    assert remote.patience_s(name) == seconds


def test_after_three_failures_a_model_is_left_alone_for_a_while():
    with model(failing(401)) as (toy, asked):
        for _ in range(5):
            with pytest.raises(LLMFailure) as caught:
                toy.ask(TALK, FORM)
        assert "is not asked for 300 s, since its last 3 requests failed" in str(caught.value)
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            failing(401),
            "the key was refused, HTTP 401, no; set OPENAI_API_KEY to a valid key, or "
            "choose another model by --model",
        ),
        (failing(403), "OPENAI_API_KEY"),
        (failing(404), "fix the name after --model, or the address http://127.0.0.1"),
        (failing(500), "try again later"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused_before_anything_begins(answer, words):
    with model(answer) as (toy, _), pytest.raises(ModelError) as caught:
        toy.verify()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_server_is_a_sentence_with_the_fix():
    toy = open_model("toy", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(
        ModelError, match=r"check the server at http://127.0.0.1:9/v1, or choose --model none"
    ):
        toy.verify()
    toy.close()


@pytest.mark.parametrize("answer", [CALL, message("OK"), message("")])
def test_a_model_that_answers_anything_can_be_asked(answer):
    with model(answer) as (toy, asked):
        toy.verify()
    assert len(asked) == 1
    assert "tools" not in asked[0]


@pytest.mark.parametrize(
    "answer",
    [
        message(""),
        message("I cannot help with that."),
        message('{"size": '),
        message(arguments='{"size": 8', tool="answer"),
        message(arguments={}, tool="search"),
    ],
)
def test_an_answer_without_json_has_no_data(answer):
    with model(answer) as (toy, _):
        assert toy.ask(TALK, FORM).data is None


def test_a_repaired_answer_says_so():
    with model(message('<think>8?</think> {"size": 8, // small\n}')) as (toy, _):
        reply = toy.ask(TALK, FORM)
    assert reply.data == {"size": 8}
    assert "its notation was corrected" in reply.repairs
