"""A model that is never told a secret, nor what would move a reader's terminal: every prompt passes
here on its way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agenthpo.llm.client import Form, Message, Reply
from agenthpo.llm.wrapper import Around
from agenthpo.text.cleaning import clean
from agenthpo.text.redaction import redact

__all__ = ["Redacting", "redact"]


class Redacting(Around):
    """A model that is never told a secret."""

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Ask the model, without the secrets in ``messages``."""
        return self._llm.ask(_without_secrets(messages), form, seed=seed)

    def prepare(self, messages: Sequence[Message]) -> None:
        """Let the model prepare, on the words it will be sent."""
        self._llm.prepare(_without_secrets(messages))


def _without_secrets(messages: Sequence[Message]) -> list[Message]:
    return [replace(message, text=redact(clean(message.text))) for message in messages]
