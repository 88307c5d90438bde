import asyncio
import json
from contextlib import contextmanager

import psutil
import pytest

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm.client import Form, Message, open_model, read_json
from agenthpo.llm.remote import RemoteLLM
from loopback import QuietHandler, serving

SCHEMA = {"type": "object", "properties": {"size": {"enum": [8, 16]}}, "required": ["size"], "additionalProperties": False}
FORM = Form("answer", SCHEMA, '%llguidance {}\nstart: "{\\"size\\": " ("8" | "16") "}"')
TALK = [Message("system", "You choose sizes."), Message("user", "Choose a size, 8 or 16.")]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"a": 1}', {"a": 1}),
        ('```json\n{"a": {"b": 2}}\n```', {"a": {"b": 2}}),
        ('Sure! {no} Here: {"a": 1} Good luck.', {"a": 1}),
        ("no json", None),
        ("", None),
        ("{" * 3000, None),
    ],
)
def test_json_is_found_in_what_a_model_says(text, data):
    assert read_json(text) == data


def test_the_embedded_model_answers_in_form_opens_no_port_and_prints_nothing(smollm2, capfd):
    reply = smollm2.ask(TALK, FORM, seed=1)
    assert reply.data["size"] in (8, 16)
    assert reply.usage.requests == 1
    assert reply.usage.input_tokens > 10
    assert [c for c in psutil.Process().net_connections("inet") if c.status == psutil.CONN_LISTEN] == []
    assert capfd.readouterr() == ("", "")


def test_a_conversation_beyond_the_context_is_a_failure_not_a_crash(smollm2):
    with pytest.raises(LLMFailure, match="exceeds the available context"):
        smollm2.ask([Message("user", "word " * 9000)], FORM)


def test_a_file_that_is_no_model_is_a_failure(tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"no model")
    model = open_model(f"local:{tmp_path}/x.gguf")
    with pytest.raises(LLMFailure, match="could not be loaded"):
        model.ask(TALK, FORM)
    model.close()


@contextmanager
def server(answer, status=200):
    """An OpenAI-compatible server on loopback that gives ``answer`` (a message) to every request."""
    asked = []

    class Handler(QuietHandler):
        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **answer}}
            usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
            body = json.dumps(
                {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
            ).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as address:
        yield f"{address}/v1", asked


CALL = {"content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "answer", "arguments": '{"size": 8}'}}]}


@pytest.mark.parametrize("answer", [CALL, {"content": 'I say {"size": 8}.'}])
def test_a_server_is_asked_over_http_and_its_answer_read(answer):
    with server(answer) as (url, asked):
        model = open_model("toy", base_url=url)
        reply = model.ask(TALK, FORM)
        model.close()
    assert reply.data == {"size": 8}
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (11, 5)
    assert asked[0]["model"] == "toy"
    assert [m["role"] for m in asked[0]["messages"]] == ["system", "user"]
    assert asked[0]["tools"][0]["function"]["parameters"]["properties"]["size"] == {"enum": [8, 16]}


def test_a_server_that_fails_is_a_failure_in_one_line():
    with server({}, status=401) as (url, _):
        model = open_model("toy", base_url=url)
        with pytest.raises(LLMFailure, match=r"the model toy gave no answer: .*401") as caught:
            model.ask(TALK, FORM)
        model.close()
    assert "\n" not in str(caught.value)


def test_it_works_within_a_running_event_loop():
    from pydantic_ai.messages import ModelResponse, TextPart
    from pydantic_ai.models.function import FunctionModel

    model = RemoteLLM("scripted", FunctionModel(lambda messages, info: ModelResponse([TextPart('{"size": 16}')])))

    async def notebook():
        return model.ask(TALK, FORM).data

    assert asyncio.run(notebook()) == {"size": 16}
    model.close()


@pytest.mark.parametrize("name", ["openai:gpt-5", "nobody:nothing", "gpt"])
def test_a_model_that_cannot_be_used_is_a_users_mistake(name):
    with pytest.raises(ModelError, match=f"the model '{name}' cannot be used: .*name it as PROVIDER:MODEL") as caught:
        open_model(name)
    assert "\n" not in str(caught.value)
