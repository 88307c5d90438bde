"""Real models on the benchmark: every reply is kept beside the results, so that a second run asks
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agenthpo.agents.creator import Creator
from agenthpo.errors import LLMFailure
from agenthpo.llm.client import LLM, Form, Message, Reply
from agenthpo.llm.opening import manner_of, open_model
from agenthpo.llm.recorded import Recorded
from agenthpo.llm.replay import ReplayLLM

__all__ = ["Remembered", "creator"]


class Remembered:
    """The model ``name``, opened at the first question that is not answered in ``path`` yet."""

    def __init__(self, name: str, path: Path, *, temperature: float | None = None) -> None:
        """:param temperature: how freely it draws its words; its own without it."""
        manner = manner_of(name)
        self.name, self.allowance, self.holds_to_grammar = (
            manner.name,
            manner.allowance,
            manner.holds_to_grammar,
        )
        self._path, self._temperature = path, temperature
        self._known = ReplayLLM(path) if path.is_file() and path.stat().st_size else None
        self._live: LLM | None = None

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Return the kept reply, else the model's."""
        if self._known is not None and self._live is None:
            try:
                return self._known.ask(messages, form, seed=seed)
            except LLMFailure:
                pass
        if self._live is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._live = Recorded(open_model(self.name, temperature=self._temperature), self._path)
        return self._live.ask(messages, form, seed=seed)

    def verify(self) -> None:
        """Do nothing: it may never be needed."""

    def prepare(self, messages: Sequence[Message]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Free the model."""
        if self._live is not None:
            self._live.close()


def creator(name: str, folder: Path, *, game: str, seed: int) -> Creator:
    """Return a Creator by the model ``name`` for one game; its replies are kept in ``folder``, a
    file a game.
    """
    return Creator(Remembered(name, folder / f"{game}.jsonl"), seed)
