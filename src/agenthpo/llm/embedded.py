"""A language model inside this process (llama.cpp by xllamacpp): no key, no network, no TCP port.

It loads in the background from the moment it is made, so that the first trial can train meanwhile.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agenthpo.errors import LLMFailure, ModelError, first_line
from agenthpo.llm.client import EMBEDDED_ALLOWANCE, Form, Message, Reply
from agenthpo.llm.json_text import read_json
from agenthpo.records import Usage
from agenthpo.text.install_hints import install_words

__all__ = ["THINKS", "EmbeddedLLM"]

THINKS = "agenthpo-thinks"
"""The name of the thread in which a model thinks."""
_MAGIC = b"GGUF"
_CONTEXT = 8192
_MOST_TOKENS = 320
_TEMPERATURE = 0.7
_CLOSING_S = 1.0
_PRIORITY = 10
"""The niceness of the threads that think."""


class EmbeddedLLM:
    """A model file, loaded once, asked one request at a time."""

    allowance = EMBEDDED_ALLOWANCE
    holds_to_grammar = True

    def __init__(self, name: str, path: Path, *, temperature: float | None = None) -> None:
        self.name = name
        self._temperature = _TEMPERATURE if temperature is None else temperature
        self._path = path
        self._server: Any = None
        self._failure = ""
        # for the socket; a stale one would make the server fail
        self._folder = tempfile.mkdtemp(prefix="agenthpo-")
        _library()
        self._loading = threading.Thread(target=self._load, name="agenthpo-model", daemon=True)
        self._loading.start()

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Return the reply, which the form's grammar holds to the form.

        :raises LLMFailure: if the model could not be loaded, or the conversation is longer than its
            context.
        """
        self._loading.join()
        if self._server is None:
            raise LLMFailure(f"the model {self.name} could not be loaded ({self._failure})")
        began = time.monotonic()
        answer = self._awaited(
            messages,
            grammar=form.grammar,
            max_tokens=_MOST_TOKENS,
            temperature=self._temperature,
            seed=seed,
        )
        if "choices" not in answer:
            raise LLMFailure(
                f"the model {self.name} refused the request "
                f"({answer.get('error', {}).get('message', answer)})"
            )
        text = answer["choices"][0]["message"]["content"] or ""
        used = answer["usage"]
        return Reply(
            text,
            read_json(text).data,
            Usage(
                requests=1,
                input_tokens=used["prompt_tokens"],
                output_tokens=used["completion_tokens"],
                seconds=time.monotonic() - began,
            ),
        )

    def verify(self) -> None:
        """Refuse a file that is no model; whether a whole one loads is seen when it is first asked,
        since loading takes its time.

        :raises ModelError: if it is none.
        """
        with self._path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise ModelError(
                    f"the model file {self._path} is no GGUF file; get another one, or fix "
                    "the path after 'local:'"
                )

    def prepare(self, messages: Sequence[Message]) -> None:
        """Read the head of the conversations to come into the cache, once the model is loaded."""
        loading = self._loading

        def read() -> None:
            loading.join()
            if self._server is not None:
                _complete(self._server, messages, max_tokens=1)

        self._loading = threading.Thread(target=read, name="agenthpo-head", daemon=True)
        self._loading.start()

    def close(self) -> None:
        """Unload the model; one that still thinks, after an interruption, is unloaded when it has
        finished.
        """
        self._loading.join(_CLOSING_S)
        self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _awaited(self, messages: Sequence[Message], **settings: Any) -> Any:
        """Return what the model answers. It thinks in another thread, since Ctrl-C waits for a call
        into C++ to return.
        """
        answers: list[Any] = []
        server = self._server
        thinking = threading.Thread(
            target=lambda: answers.append(_complete(server, messages, **settings)),
            name=THINKS,
            daemon=True,
        )
        thinking.start()
        # who leaves while it thinks must not take the library from under it
        atexit.register(thinking.join)
        thinking.join()
        atexit.unregister(thinking.join)
        return answers[0] if answers else {"error": {"message": "the library failed"}}

    def _load(self) -> None:
        _give_way()
        xllamacpp = _library()
        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.verbosity = 0
        params.n_ctx, params.n_parallel, params.warmup = _CONTEXT, 1, False
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _threads()
        params.hostnames = [os.path.join(self._folder, "llm.sock")]
        params.endpoint_metrics = True
        try:
            server = xllamacpp.Server(params)
            # it answers once its loop runs: one that is told to end before it has begun runs on,
            # and who unloads the model waits for that without an end
            server.handle_metrics()
            self._server = server
        except Exception as problem:  # whatever the C++ side makes of a file that is no model
            self._failure = first_line(problem)


def _complete(server: Any, messages: Sequence[Message], **settings: Any) -> Any:
    turns = [{"role": m.role, "content": m.text} for m in messages]
    return server.handle_chat_completions({"messages": turns, "cache_prompt": True, **settings})


def _give_way() -> None:
    """Let trainings have the processors first. The threads in which the library thinks have the
    priority of the one that loads it.
    """
    if sys.platform == "linux":  # elsewhere it is the whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _PRIORITY)


def _threads() -> int:
    """Return how many threads think: all but one, which keeps a busy machine's replies from taking
    ten times as long; both of two.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return cores if cores <= 2 else cores - 1


def _library() -> Any:
    # Threads that wait must sleep, not spin: a training may need the core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import xllamacpp
    except ImportError:
        how = install_words("embedded", "xllamacpp")
        raise ModelError(
            f"embedded models need the package xllamacpp; install it by: {how}"
        ) from None
    return xllamacpp
