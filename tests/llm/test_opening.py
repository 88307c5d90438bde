import asyncio
import threading
from types import SimpleNamespace
from unittest.mock import MagicMock

import psutil
import pytest

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm import embedded
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


def test_a_model_that_nobody_asks_is_there_once_its_loop_runs(smollm2, tmp_path, monkeypatch):
    """Told to end before its loop has begun, the library would wait for that without an end."""
    smollm2.ask(TALK, FORM)
    assert "llamacpp:" in smollm2._server.handle_metrics()  # an answer, not that there is none
    model, seen = None, []

    class Server:
        def __init__(self, params):
            assert params.endpoint_metrics

        def handle_metrics(self):
            seen.append(model is not None and model._server is None)
            return ""

    made = threading.Event()
    library = SimpleNamespace(CommonParams=lambda: made.wait(9) and MagicMock(), Server=Server)
    monkeypatch.setattr(embedded, "_library", lambda: library)
    model = embedded.EmbeddedLLM("toy", tmp_path / "x.gguf")
    made.set()
    model._loading.join()
    assert seen == [True] and isinstance(model._server, Server)
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
