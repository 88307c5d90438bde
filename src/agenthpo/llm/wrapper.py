"""A model around another one, which changes what is asked or answered and leaves the rest alone."""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.llm.client import LLM, Form, Message, Reply

__all__ = ["Around"]


class Around:
    """The model ``llm`` as it is; one that changes something redefines ``ask``, ``prepare`` or
    ``verify``.
    """

    def __init__(self, llm: LLM) -> None:
        self.name, self.allowance, self.holds_to_grammar = (
            llm.name,
            llm.allowance,
            llm.holds_to_grammar,
        )
        self._llm = llm

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Ask the model."""
        return self._llm.ask(messages, form, seed=seed)

    def verify(self) -> None:
        """Make sure that the model can be asked."""
        self._llm.verify()

    def prepare(self, messages: Sequence[Message]) -> None:
        """Let the model prepare."""
        self._llm.prepare(messages)

    def close(self) -> None:
        """Free what the model holds."""
        self._llm.close()
