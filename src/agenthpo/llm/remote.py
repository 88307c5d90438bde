"""Any provider through pydantic-ai, on an event loop of its own, so that it works within a notebook's running loop as well."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm.client import REMOTE_ALLOWANCE, Form, Message, Reply, read_json
from agenthpo.records import Usage

__all__ = ["RemoteLLM", "open_remote"]

_TIMEOUT_S = 120.0


def open_remote(name: str, *, base_url: str | None = None) -> RemoteLLM:
    """Return the model ``name`` of a provider, or of the OpenAI-compatible server at ``base_url``.

    :raises ModelError: if pydantic-ai is not installed, knows no such model, or misses a key.
    """
    try:
        import pydantic_ai.models as models
        from pydantic_ai.exceptions import UserError
    except ImportError:
        raise ModelError(f"the model {name} needs the package pydantic-ai; install it by: pip install 'agenthpo[remote]'") from None
    try:
        if base_url is not None:
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai import OpenAIProvider

            key = os.environ.get("OPENAI_API_KEY", "none")
            return RemoteLLM(name, OpenAIChatModel(name.removeprefix("openai:"), provider=OpenAIProvider(base_url=base_url, api_key=key)))
        return RemoteLLM(name, models.infer_model(name))
    except (UserError, ValueError, ImportError) as problem:
        hint = "name it as PROVIDER:MODEL (openai:gpt-5, anthropic:claude-sonnet-4-5, ollama:llama3, local:smollm2), or none"
        raise ModelError(f"the model '{name}' cannot be used: {_first_sentence(problem)}; {hint}") from None


class RemoteLLM:
    """A pydantic-ai model behind our protocol."""

    allowance = REMOTE_ALLOWANCE
    holds_to_grammar = False

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model = model
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="agenthpo-llm", daemon=True)
        self._thread.start()

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Return the reply; where it is not of the form, ``data`` is what JSON its text holds.

        :raises LLMFailure: for whatever a provider or the network does not give.
        """
        from pydantic_ai.exceptions import AgentRunError

        began = time.monotonic()
        try:
            reply = self._wait(self._request(messages, form))
        except TimeoutError:
            raise LLMFailure(f"the model {self.name} gave no answer in {_TIMEOUT_S:.0f} s") from None
        except AgentRunError as problem:
            raise LLMFailure(f"the model {self.name} gave no answer: {str(problem).splitlines()[0][:300]}") from None
        usage = Usage(reply.usage.requests, reply.usage.input_tokens, reply.usage.output_tokens, time.monotonic() - began)
        return Reply(reply.text, reply.data, usage)

    def prepare(self, messages: Sequence[Message]) -> None:
        """Do nothing: providers keep caches of their own."""

    def close(self) -> None:
        """End the thread of the event loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, Reply]) -> Reply:
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, _TIMEOUT_S), self._loop).result()

    async def _request(self, messages: Sequence[Message], form: Form) -> Reply:
        """Make one request; validating and asking again is the asker's, so that every model is treated alike."""
        from pydantic_ai.direct import model_request
        from pydantic_ai.messages import TextPart, ToolCallPart
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.tools import ToolDefinition

        tool = ToolDefinition(name=form.name, description="Give your answer.", parameters_json_schema=dict(form.schema), kind="output")
        parameters = ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)
        response = await model_request(self._model, [_turn(m) for m in messages], model_request_parameters=parameters)
        text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
        call = next((part for part in response.parts if isinstance(part, ToolCallPart)), None)
        data = read_json(call.args_as_json_str()) if call else read_json(text)
        used = response.usage
        return Reply(text or (call.args_as_json_str() if call else ""), data, Usage(1, used.input_tokens, used.output_tokens))


def _first_sentence(problem: Exception) -> str:
    return str(problem).splitlines()[0].split(". ")[0].rstrip(".")


def _turn(message: Message) -> Any:
    from pydantic_ai.messages import ModelRequest, ModelResponse, SystemPromptPart, TextPart, UserPromptPart

    if message.role == "assistant":
        return ModelResponse(parts=[TextPart(message.text)])
    return ModelRequest(parts=[SystemPromptPart(message.text) if message.role == "system" else UserPromptPart(message.text)])
