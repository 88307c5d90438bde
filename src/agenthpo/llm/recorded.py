"""Any model with its exchanges written down, one JSON object a line: what was asked, what came
back, what it cost.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from agenthpo.errors import LLMFailure
from agenthpo.files import open_regular
from agenthpo.llm.client import LLM, Form, Message, Reply
from agenthpo.llm.wrapper import Around
from agenthpo.text.cleaning import whole_characters

__all__ = ["EXCHANGES", "Recorded"]

EXCHANGES = "llm.jsonl"
"""The file's name in a study's folder."""


class Recorded(Around):
    """A model that appends every exchange, failed ones too, to a file."""

    def __init__(self, llm: LLM, path: Path) -> None:
        super().__init__(llm)
        self._path = path
        if path.is_file():
            # of a process that was killed as it wrote: what comes next must not be glued to it
            end_last_line(path)

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Ask the model and write the exchange down."""
        entry = {
            "time": time.time(),
            "model": self.name,
            "allowance": self.allowance,
            "holds_to_grammar": self.holds_to_grammar,
            "form": form.name,
            "seed": seed,
            "messages": [asdict(m) for m in messages],
        }
        try:
            reply = self._llm.ask(messages, form, seed=seed)
        except LLMFailure as failure:
            self._write({**entry, "failure": str(failure)})
            raise
        self._write(
            {
                **entry,
                "reply": reply.text,
                "data": reply.data,
                "repairs": reply.repairs,
                "problem": reply.problem,
                "usage": asdict(reply.usage),
            }
        )
        return reply

    def _write(self, entry: dict[str, object]) -> None:
        line = whole_characters(json.dumps(entry, ensure_ascii=False)) + "\n"
        with open(open_regular(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND), "ab") as file:
            file.write(line.encode())


def end_last_line(path: Path) -> None:
    """End an unfinished last line of a file."""
    with open(open_regular(path, os.O_RDWR), "rb+") as file:
        if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
            file.write(b"\n")
