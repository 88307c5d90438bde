"""Any provider through pydantic-ai, on an event loop of its own, so that it works within a
notebook's running loop as well.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm.client import Form, Message, Reply
from agenthpo.llm.json_text import Found, read_json
from agenthpo.llm.names import parse_model
from agenthpo.llm.prices import cost_usd
from agenthpo.llm.remote_bounds import bound
from agenthpo.llm.remote_failures import (
    Unreadable,
    advice,
    describe,
    first_sentence,
    key_name,
    passes,
    refuses_system,
    refuses_tools,
)
from agenthpo.llm.windows import allowance_of
from agenthpo.records import Usage
from agenthpo.text.cleaning import whole_characters
from agenthpo.text.install_hints import install_words
from agenthpo.text.urls import shown_url

__all__ = ["RemoteLLM", "open_remote", "patience_s"]

_TIMEOUT_S, _THINKING_TIMEOUT_S = 120.0, 600.0
_THINKING = re.compile(
    r"\bo[1-9]\b|gpt-(oss|[5-9])|reason|think|deepseek-r|\br1\b|qwq|magistral|opus|grok-[4-9]"
    r"|gemini-(2\.5|[3-9])[\d.]*-pro",
    re.IGNORECASE,
)
"""Models that think before they answer, by name: minutes are nothing unusual."""
_WAITS_S = (1.0, 4.0)
"""Seconds before a request is made again, where the server does not say how long."""
_LONGEST_WAIT_S = 60.0
_MOST_FAILURES, _PAUSE_S = 3, 300.0
_CHARACTERS_A_TOKEN, _MOST_CHARACTERS_A_TOKEN = 4, 8
"""What a token of English holds on average, and never: a server that counts fewer tokens has not
read the whole prompt.
"""
_FEWEST_CUT = 256
"""Tokens below which no server's context ends."""


def open_remote(
    name: str,
    *,
    base_url: str | None = None,
    timeout_s: float | None = None,
    temperature: float | None = None,
) -> RemoteLLM:
    """Return the model ``name`` of a provider, or of the OpenAI-compatible server at ``base_url``.

    :raises ModelError: if pydantic-ai is not installed, knows no such model, or misses a key.
    """
    try:
        import pydantic_ai.models as models
        from pydantic_ai.exceptions import UserError
    except ImportError:
        how = install_words("remote", "pydantic-ai-slim[openai]")
        raise ModelError(
            f"the model {name} needs the package pydantic-ai; install it by: {how}"
        ) from None
    _check_key(key_name(name))
    patience = timeout_s or patience_s(name)
    try:
        if base_url is not None:
            _check_url(base_url)
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai import OpenAIProvider

            key = os.environ.get("OPENAI_API_KEY", "none")
            named = parse_model(name, base_url)
            # a server's own names may hold colons
            known_as = named.own if named.provider == "openai" else named.text
            model = OpenAIChatModel(
                known_as, provider=OpenAIProvider(base_url=base_url, api_key=key)
            )
            return RemoteLLM(
                name, model, base_url=base_url, timeout_s=patience, temperature=temperature
            )
        known = models.infer_model(name)
        return RemoteLLM(name, known, timeout_s=patience, temperature=temperature)
    except ModelError:
        raise
    except (UserError, ValueError, ImportError) as problem:
        hint = (
            "name it as PROVIDER:MODEL (openai:gpt-5, anthropic:claude-sonnet-4-5, "
            "ollama:llama3, local:smollm2), or none"
        )
        raise ModelError(
            f"the model '{name}' cannot be used: {first_sentence(problem)}; {hint}"
        ) from None


def patience_s(name: str) -> float:
    """Return how many seconds the model ``name`` has to answer, unless somebody says so."""
    return _THINKING_TIMEOUT_S if _THINKING.search(name) else _TIMEOUT_S


def _check_key(variable: str) -> None:
    """Refuse a key that no request could carry, where one is set.

    :raises ModelError: naming the variable.
    """
    key = os.environ.get(variable)
    if key is None:
        return
    if not key.strip():
        raise ModelError(
            f"the environment variable {variable} is empty; set it to the key, or unset it"
        )
    if not key.isascii() or not key.isprintable() or key.strip() != key or " " in key:
        odd = next((c for c in key if not c.isascii() or not c.isprintable() or c == " "), " ")
        raise ModelError(
            f"the environment variable {variable} holds {odd!r}, which no key has; set it "
            "to the key alone, without quotes"
        )


def _check_url(url: str) -> None:
    """Refuse what is no address of a server.

    :raises ModelError: naming the fix.
    """
    shown = shown_url(url)
    try:
        parts = urlsplit(url)
        good = (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError as problem:
        raise ModelError(
            f"--base-url {shown} is no address of a server ({problem}); write it as "
            "http://HOST:PORT/v1"
        ) from None
    if not good:
        raise ModelError(
            f"--base-url {shown} is no address of a server; write it as http://HOST:PORT/v1"
        )


class RemoteLLM:
    """A pydantic-ai model behind our protocol: requests that fail for the moment are made again,
    visibly bounded.
    """

    holds_to_grammar = False

    def __init__(
        self,
        name: str,
        model: Any,
        *,
        base_url: str | None = None,
        timeout_s: float = _TIMEOUT_S,
        temperature: float | None = None,
    ) -> None:
        self.name = name
        self._temperature = temperature
        self.allowance = allowance_of(name, base_url)
        self._model, self._base_url, self._timeout_s = model, base_url, timeout_s
        self._takes_tools = self._takes_system = True
        self._tells_usage = True
        bound(model)
        self._failed, self._ask_again_at = 0, 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="agenthpo-llm", daemon=True
        )
        self._thread.start()

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Return the reply; where it is not of the form, ``data`` is what JSON its text holds.

        :raises LLMFailure: for whatever a provider or the network does not give. After three
            failures in a row the model is left
            alone for some minutes, so that an outage costs no study its time.
        """
        if (wait := self._ask_again_at - time.monotonic()) > 0:
            raise LLMFailure(
                f"the model {self.name} is not asked for {wait:.0f} s, since its last "
                f"{self._failed} requests failed"
            )
        began = time.monotonic()
        try:
            reply = self._patiently(messages, form)
        except Exception as problem:
            if (said := describe(self.name, problem, self._timeout_s)) is None:
                raise
            self._failed += 1
            self._ask_again_at = (
                time.monotonic() + _PAUSE_S if self._failed >= _MOST_FAILURES else 0.0
            )
            raise LLMFailure(said) from None
        self._failed = 0
        return replace(reply, usage=replace(reply.usage, seconds=time.monotonic() - began))

    def verify(self) -> None:
        """Make one tiny request.

        :raises ModelError: if the key is wrong, the model unknown, or nobody answers.
        """
        try:
            self._patiently([Message("user", "Reply with the word OK.")], None)
        except Exception as problem:
            if (said := describe(self.name, problem, self._timeout_s)) is None:
                raise
            raise ModelError(f"{said}; {advice(self.name, problem, self._base_url)}") from None

    def prepare(self, messages: Sequence[Message]) -> None:
        """Do nothing: providers keep caches of their own."""

    def close(self) -> None:
        """End the thread of the event loop; the second time there is nothing to end."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _patiently(self, messages: Sequence[Message], form: Form | None) -> Reply:
        """Ask, and ask again after what passes by itself; without tools or a system message where a
        server refuses these.

        Without a ``form`` it is the very first request: there, a server that does not answer at all
        is the user's mistake.
        """
        waits = iter(_WAITS_S)
        while True:
            try:
                return self._run(self._request(messages, form))
            except Exception as problem:
                if self._takes_tools and form is not None and refuses_tools(problem):
                    self._takes_tools = False
                elif (
                    self._takes_system
                    and refuses_system(problem)
                    and any(m.role == "system" for m in messages)
                ):
                    self._takes_system = False
                elif (
                    not passes(problem)
                    or (form is None and not getattr(problem, "status_code", None))
                    or (wait_s := next(waits, None)) is None
                ):
                    raise
                else:
                    time.sleep(
                        min(_LONGEST_WAIT_S, getattr(problem, "retry_after", None) or wait_s)
                    )

    def _run(self, work: Coroutine[Any, Any, Reply]) -> Reply:
        return asyncio.run_coroutine_threadsafe(
            asyncio.wait_for(work, self._timeout_s), self._loop
        ).result()

    async def _request(self, messages: Sequence[Message], form: Form | None) -> Reply:
        """Make one request; validating and asking again is the asker's, so that every model is
        treated alike.
        """
        from pydantic_ai.direct import model_request
        from pydantic_ai.exceptions import AgentRunError, UserError
        from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.settings import ModelSettings
        from pydantic_ai.tools import ToolDefinition

        settings = ModelSettings(timeout=self._timeout_s, max_retries=0)
        if self._temperature is not None:
            settings["temperature"] = self._temperature
        parameters = ModelRequestParameters()
        if form is not None and self._takes_tools:
            tool = ToolDefinition(
                name=form.name,
                description="Give your answer.",
                parameters_json_schema=dict(form.schema),
                kind="output",
            )
            parameters = ModelRequestParameters(
                output_mode="tool", output_tools=[tool], allow_text_output=False
            )
        turns = [_turn(m) for m in (messages if self._takes_system else _without_system(messages))]
        try:
            response = await model_request(
                self._model, turns, model_settings=settings, model_request_parameters=parameters
            )
        except (AgentRunError, UserError, asyncio.CancelledError, TimeoutError):
            raise
        except (
            Exception
        ) as problem:  # whatever the HTTP stack or a parser makes of what a server sends
            raise Unreadable(
                f"its reply cannot be read ({type(problem).__name__}: "
                f"{first_sentence(problem)[:100]})"
            ) from problem
        if response.finish_reason == "length" and form is not None:
            raise Unreadable(
                "its reply was cut off by a limit on its length; raise the server's limit "
                "on output tokens, or choose another model"
            )
        text = whole_characters(
            "".join(part.content for part in response.parts if isinstance(part, TextPart))
        )
        thought = (
            ""
            if text
            else whole_characters(
                "".join(part.content for part in response.parts if isinstance(part, ThinkingPart))
            )
        )
        calls = [
            part
            for part in response.parts
            if isinstance(part, ToolCallPart) and form is not None and part.tool_name == form.name
        ]
        required = form.schema.get("required", ()) if form else ()
        if len({str(call.args) for call in calls}) > 1:
            found = Found(
                None,
                (),
                f"it calls the tool {len(calls)} times with different arguments; call it once",
            )
        else:
            found = read_json(
                (calls[0].args if isinstance(calls[0].args, str) else calls[0].args_as_json_str())
                if calls
                else text or thought,
                required,
            )
        said = text or thought or (str(calls[0].args) if calls else "")
        usage, notes = self._usage(response.usage, messages, said)
        return Reply(
            text=whole_characters(said),
            data=found.data,
            usage=usage,
            repairs=(*found.repairs, *notes),
            problem=found.problem,
        )

    def _usage(self, used: Any, messages: Sequence[Message], said: str) -> tuple[Usage, list[str]]:
        """Return what a request took, estimated where the server does not say; and what is to be
        told of it.
        """
        asked = sum(len(m.text) for m in messages)
        read = used.input_tokens
        wrote = used.output_tokens
        notes = list[str]()
        if not read and not wrote:
            read = asked // _CHARACTERS_A_TOKEN
            wrote = len(said) // _CHARACTERS_A_TOKEN
            if self._tells_usage:
                notes.append(
                    "the server does not say how many tokens it took; they are estimated "
                    "from here on"
                )
            self._tells_usage = False
        elif _FEWEST_CUT <= read < asked // _MOST_CHARACTERS_A_TOKEN:
            notes.append(
                f"the server read {read} tokens of a prompt of {asked} characters, so it "
                "was cut; raise the server's context length"
            )
        cost = cost_usd(self.name, input_tokens=read, output_tokens=wrote, base_url=self._base_url)
        return Usage(1, read, wrote, cost_usd=cost), notes


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """Return the conversation with what the system says at the head of what the user does."""
    head = "\n\n".join(m.text for m in messages if m.role == "system")
    rest = [m for m in messages if m.role != "system"]
    return (
        [Message("user", f"{head}\n\n{rest[0].text}"), *rest[1:]]
        if rest and rest[0].role == "user"
        else [Message("user", head), *rest]
    )


def _turn(message: Message) -> Any:
    from pydantic_ai.messages import (
        ModelRequest,
        ModelResponse,
        SystemPromptPart,
        TextPart,
        UserPromptPart,
    )

    if message.role == "assistant":
        return ModelResponse(parts=[TextPart(message.text)])
    return ModelRequest(
        parts=[
            SystemPromptPart(message.text)
            if message.role == "system"
            else UserPromptPart(message.text)
        ]
    )
