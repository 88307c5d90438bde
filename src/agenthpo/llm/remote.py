"""Any provider through pydantic-ai, on an event loop of its own, so that it works within a notebook's running loop as well."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm.client import REMOTE_ALLOWANCE, Form, Message, Reply
from agenthpo.llm.failures import advice, describe, first_sentence, passes, refuses_tools
from agenthpo.llm.json_text import read_json
from agenthpo.llm.prices import cost_usd
from agenthpo.records import Usage

__all__ = ["RemoteLLM", "open_remote"]

_TIMEOUT_S = 120.0
_WAITS_S = (1.0, 4.0)
"""Seconds before a request is made again, where the server does not say how long."""
_LONGEST_WAIT_S = 60.0
_MOST_FAILURES, _PAUSE_S = 3, 300.0


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
            model = OpenAIChatModel(name.removeprefix("openai:"), provider=OpenAIProvider(base_url=base_url, api_key=key))
            return RemoteLLM(name, model, base_url=base_url)
        return RemoteLLM(name, models.infer_model(name))
    except (UserError, ValueError, ImportError) as problem:
        hint = "name it as PROVIDER:MODEL (openai:gpt-5, anthropic:claude-sonnet-4-5, ollama:llama3, local:smollm2), or none"
        raise ModelError(f"the model '{name}' cannot be used: {first_sentence(problem)}; {hint}") from None


class RemoteLLM:
    """A pydantic-ai model behind our protocol: requests that fail for the moment are made again, visibly bounded."""

    allowance = REMOTE_ALLOWANCE
    holds_to_grammar = False

    def __init__(self, name: str, model: Any, *, base_url: str | None = None, timeout_s: float = _TIMEOUT_S) -> None:
        self.name = name
        self._model, self._base_url, self._timeout_s = model, base_url, timeout_s
        self._takes_tools = True
        self._failed, self._ask_again_at = 0, 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="agenthpo-llm", daemon=True)
        self._thread.start()

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Return the reply; where it is not of the form, ``data`` is what JSON its text holds.

        :raises LLMFailure: for whatever a provider or the network does not give. After three failures in a row the model is left
            alone for some minutes, so that an outage costs no study its time.
        """
        if (wait := self._ask_again_at - time.monotonic()) > 0:
            raise LLMFailure(f"the model {self.name} is not asked for {wait:.0f} s, since its last {self._failed} requests failed")
        began = time.monotonic()
        try:
            reply = self._patiently(messages, form)
        except Exception as problem:
            if (said := describe(self.name, problem, self._timeout_s)) is None:
                raise
            self._failed += 1
            self._ask_again_at = time.monotonic() + _PAUSE_S if self._failed >= _MOST_FAILURES else 0.0
            raise LLMFailure(said) from None
        self._failed = 0
        return replace(reply, usage=replace(reply.usage, seconds=time.monotonic() - began))

    def verify(self) -> None:
        """Make one tiny request.

        :raises ModelError: if the key is wrong, the model unknown, or nobody answers.
        """
        try:
            self._run(self._request([Message("user", "Reply with the word OK.")], None))
        except Exception as problem:
            if (said := describe(self.name, problem, self._timeout_s)) is None:
                raise
            raise ModelError(f"{said}; {advice(self.name, problem, self._base_url)}") from None

    def prepare(self, messages: Sequence[Message]) -> None:
        """Do nothing: providers keep caches of their own."""

    def close(self) -> None:
        """End the thread of the event loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _patiently(self, messages: Sequence[Message], form: Form) -> Reply:
        """Ask, and ask again after what passes by itself; a server that knows no tools is asked for text."""
        for wait_s in (*_WAITS_S, None):
            try:
                return self._run(self._request(messages, form))
            except Exception as problem:
                if self._takes_tools and refuses_tools(problem):
                    self._takes_tools = False
                elif wait_s is None or not passes(problem):
                    raise
                else:
                    time.sleep(min(_LONGEST_WAIT_S, getattr(problem, "retry_after", None) or wait_s))
        return self._run(self._request(messages, form))

    def _run(self, work: Coroutine[Any, Any, Reply]) -> Reply:
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, self._timeout_s), self._loop).result()

    async def _request(self, messages: Sequence[Message], form: Form | None) -> Reply:
        """Make one request; validating and asking again is the asker's, so that every model is treated alike."""
        from pydantic_ai.direct import model_request
        from pydantic_ai.messages import TextPart, ToolCallPart
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.settings import ModelSettings
        from pydantic_ai.tools import ToolDefinition

        settings = ModelSettings(timeout=self._timeout_s, max_retries=0)
        parameters = ModelRequestParameters()
        if form is not None and self._takes_tools:
            tool = ToolDefinition(name=form.name, description="Give your answer.", parameters_json_schema=dict(form.schema), kind="output")
            parameters = ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)
        response = await model_request(
            self._model, [_turn(m) for m in messages], model_settings=settings, model_request_parameters=parameters
        )
        text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
        calls = [part for part in response.parts if isinstance(part, ToolCallPart) and form is not None and part.tool_name == form.name]
        said = (calls[0].args if isinstance(calls[0].args, str) else calls[0].args_as_json_str()) if calls else text
        found = read_json(said, form.schema.get("required", ()) if form else ())
        used = response.usage
        cost = cost_usd(self.name, input_tokens=used.input_tokens, output_tokens=used.output_tokens, base_url=self._base_url)
        return Reply(text or said, found.data, Usage(1, used.input_tokens, used.output_tokens, cost_usd=cost), found.repairs)


def _turn(message: Message) -> Any:
    from pydantic_ai.messages import ModelRequest, ModelResponse, SystemPromptPart, TextPart, UserPromptPart

    if message.role == "assistant":
        return ModelResponse(parts=[TextPart(message.text)])
    return ModelRequest(parts=[SystemPromptPart(message.text) if message.role == "system" else UserPromptPart(message.text)])
