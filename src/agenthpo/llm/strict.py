"""A model whose failure stops the study, for those who would rather wait than search without it."""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm.client import LLM, Form, Message, Reply

__all__ = ["Strict"]


class Strict:
    """Turn a request's failure into an error that ends the run; what was recorded before stays."""

    def __init__(self, llm: LLM, hint: str) -> None:
        self.name, self.allowance, self.holds_to_grammar = llm.name, llm.allowance, llm.holds_to_grammar
        self._llm, self._hint = llm, hint

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Ask the model.

        :raises ModelError: if it gives no answer.
        """
        try:
            return self._llm.ask(messages, form, seed=seed)
        except LLMFailure as failure:
            raise ModelError(f"{failure}; the study stops as it was asked to, {self._hint}") from None

    def verify(self) -> None:
        """Make sure that the model can be asked."""
        self._llm.verify()

    def prepare(self, messages: Sequence[Message]) -> None:
        """Let the model prepare."""
        self._llm.prepare(messages)

    def close(self) -> None:
        """Free what the model holds."""
        self._llm.close()
