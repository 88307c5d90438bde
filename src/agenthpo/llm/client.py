"""The protocol between agents and language models.

A model is asked for a reply in a given form; what comes back is data that the asker validates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from agenthpo.records import Usage

__all__ = [
    "EMBEDDED_ALLOWANCE",
    "LLM",
    "REMOTE_ALLOWANCE",
    "WIDE_ALLOWANCE",
    "Form",
    "Manner",
    "Mannered",
    "Message",
    "Reply",
]

EMBEDDED_ALLOWANCE, REMOTE_ALLOWANCE, WIDE_ALLOWANCE = 700, 3000, 12_000


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    text: str
    """What is said."""


@dataclass(frozen=True)
class Form:
    """What a reply must look like: a JSON schema for models that follow one, a grammar
    (llguidance's Lark) for those held to it.
    """

    name: str
    """What the form is called, such as ``proposal``."""
    schema: Mapping[str, Any]
    """The JSON schema of the reply."""
    grammar: str
    """The same as a grammar in llguidance's Lark."""


@dataclass(frozen=True)
class Reply:
    """What a model answered: ``data`` is the JSON in it, or None where there is none; ``repairs``
    is what had to be put right to read it.
    """

    text: str
    """The reply as it came."""
    data: Any
    """The JSON in it; None if there is none."""
    usage: Usage
    """What the request cost."""
    repairs: tuple[str, ...] = ()
    """What had to be put right to read it, a sentence each."""
    problem: str = ""
    """Why there is no data, where the reply held several answers, or one that it took back."""


class Mannered(Protocol):
    """What a prompt for a model depends on."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    @property
    def allowance(self) -> int:
        """Tokens a prompt may hold beside its unchanging head."""
        ...

    @property
    def holds_to_grammar(self) -> bool:
        """Whether replies are held to a form's grammar, else they are asked to follow its
        schema.
        """
        ...


@dataclass(frozen=True)
class Manner:
    """A model's manner without the model."""

    name: str
    allowance: int
    holds_to_grammar: bool


class LLM(Mannered, Protocol):
    """A language model."""

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Return the model's reply to the conversation.

        :raises LLMFailure: if there is none: an outage, a time-out, a refusal.
        """
        ...

    def verify(self) -> None:
        """Make sure that the model can be asked at all, before anything begins.

        :raises ModelError: if it cannot: a wrong key, an unknown model, no network.
        """
        ...

    def prepare(self, messages: Sequence[Message]) -> None:
        """Read, in the background, what every conversation will begin with; a model that gains
        nothing by it does nothing.
        """
        ...

    def close(self) -> None:
        """Free what the model holds."""
        ...
