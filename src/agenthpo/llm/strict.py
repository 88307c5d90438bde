"""A model whose failure stops the study, for those who would rather wait than search without it."""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm.client import LLM, Form, Message, Reply
from agenthpo.llm.wrapper import Around

__all__ = ["Strict"]


class Strict(Around):
    """Turn a request's failure into an error that ends the run; what was recorded before stays."""

    def __init__(self, llm: LLM, hint: str) -> None:
        super().__init__(llm)
        self._hint = hint

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Ask the model.

        :raises ModelError: if it gives no answer.
        """
        try:
            return self._llm.ask(messages, form, seed=seed)
        except LLMFailure as failure:
            raise ModelError(
                f"{failure}; the study stops as it was asked to, {self._hint}"
            ) from None
