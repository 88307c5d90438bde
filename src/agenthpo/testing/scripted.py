"""A language model that answers what a test tells it to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agenthpo.llm.client import Form, Message, Reply
from agenthpo.llm.json_text import read_json
from agenthpo.records import Usage

__all__ = ["Asked", "ScriptedLLM"]

_USAGE = Usage(requests=1, input_tokens=100, output_tokens=10)


@dataclass(frozen=True)
class Asked:
    """One request: the conversation, the form of the reply, and the seed."""

    messages: tuple[Message, ...]
    form: Form
    seed: int


class ScriptedLLM:
    """A model that gives ``answers`` in turn, and keeps every request in ``asked``.

    :param answers: each a dict, which is the JSON of a reply; a text, which is read as a reply's
        text is; an exception, which is raised; or a function of an ``Asked`` that returns one
        of these.
    :param name: what the model is called, which also decides its class (``strong``, ``small`` …).
    :param allowance: tokens that a prompt may hold beside its unchanging head.
    :param holds_to_grammar: whether it is asked as an embedded model is.

    A request beyond the last answer is an ``AssertionError``: the code asked more than expected.
    """

    def __init__(
        self,
        *answers: Any,
        name: str = "scripted",
        allowance: int = 3000,
        holds_to_grammar: bool = False,
    ) -> None:
        self.name = name
        self.allowance = allowance
        self.holds_to_grammar = holds_to_grammar
        self.asked: list[Asked] = []
        self._answers = list(answers)

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Return the next answer."""
        asked = Asked(tuple(messages), form, seed)
        self.asked.append(asked)
        if not self._answers:
            raise AssertionError(f"{self.name} was asked {len(self.asked)} times, once too often")
        answer = self._answers.pop(0)
        if callable(answer):
            answer = answer(asked)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            found = read_json(answer, form.schema.get("required", ()))
            return Reply(answer, found.data, _USAGE, found.repairs, problem=found.problem)
        return Reply(json.dumps(answer), answer, _USAGE)

    def verify(self) -> None:
        """Do nothing."""

    def prepare(self, messages: Sequence[Message]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
