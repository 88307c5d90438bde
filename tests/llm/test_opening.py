import asyncio

import psutil
import pytest

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm.client import Form, Message
from agenthpo.llm.opening import open_model
from agenthpo.llm.remote import RemoteLLM

SCHEMA = {
    "type": "object",
    "properties": {"size": {"enum": [8, 16]}},
    "required": ["size"],
    "additionalProperties": False,
}
FORM = Form("answer", SCHEMA, '%llguidance {}\nstart: "{\\"size\\": " ("8" | "16") "}"')
TALK = [Message("system", "You choose sizes."), Message("user", "Choose a size, 8 or 16.")]


def test_the_embedded_model_answers_in_form(smollm2, capfd):
    reply = smollm2.ask(TALK, FORM, seed=1)
    assert reply.data["size"] in (8, 16)
    assert reply.usage.requests == 1
    assert reply.usage.input_tokens > 10
    assert [
        c for c in psutil.Process().net_connections("inet") if c.status == psutil.CONN_LISTEN
    ] == []
    assert capfd.readouterr() == ("", "")


def test_a_conversation_beyond_the_context_is_a_failure_not_a_crash(smollm2):
    with pytest.raises(LLMFailure, match="exceeds the available context"):
        smollm2.ask([Message("user", "word " * 9000)], FORM)


def test_a_file_that_is_no_model_is_a_users_mistake(tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"no model")
    model = open_model(f"local:{tmp_path}/x.gguf")
    with pytest.raises(ModelError, match=r"x.gguf is no GGUF file; get another one"):
        model.verify()
    with pytest.raises(LLMFailure, match="could not be loaded"):
        model.ask(TALK, FORM)
    model.close()


def test_it_works_within_a_running_event_loop():
    from pydantic_ai.messages import ModelResponse, TextPart
    from pydantic_ai.models.function import FunctionModel

    model = RemoteLLM(
        "scripted", FunctionModel(lambda messages, info: ModelResponse([TextPart('{"size": 16}')]))
    )

    async def notebook():
        return model.ask(TALK, FORM).data

    assert asyncio.run(notebook()) == {"size": 16}
    model.close()


@pytest.mark.parametrize("name", ["openai:gpt-5", "nobody:nothing", "gpt"])
def test_a_model_that_cannot_be_used_is_a_users_mistake(name):
    with pytest.raises(
        ModelError, match=f"the model '{name}' cannot be used: .*name it as PROVIDER:MODEL"
    ) as caught:
        open_model(name)
    assert "\n" not in str(caught.value)


def test_a_model_that_is_here_is_pulled_by_saying_where(smollm2):
    from agenthpo.llm.catalogue import find
    from calling import agenthpo

    assert agenthpo("models", "pull", "local:smollm2", code=0).stdout == f"{find('smollm2').path}\n"
    assert "local:smollm2" in agenthpo("models", "list", code=0).stdout
    assert agenthpo("models", "verify", code=0).stdout.startswith("local:")
