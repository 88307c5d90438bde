"""A study's model as it was recorded: the same questions get the same answers, without the model,
its key or a network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from agenthpo.errors import LLMFailure, ModelError
from agenthpo.llm.client import Form, Message, Reply
from agenthpo.llm.names import REPLAY
from agenthpo.records import Usage

__all__ = ["VARYING", "ReplayLLM"]

VARYING = re.compile(r"^ {4}(?:\||took:|left:).*$", re.MULTILINE)
"""Lines of a prompt that another run of the same trainings would not repeat."""


class ReplayLLM:
    """Answers from an ``llm.jsonl``. Its name and manner are the recorded model's, so that every
    decision is the same.
    """

    def __init__(self, path: Path) -> None:
        """Read the exchanges in ``path``.

        :raises ModelError: if there are none.
        """
        self._path = path
        self._answers: dict[str, list[dict[str, Any]]] = {}
        entries = list(_entries(path))
        if not entries:
            raise ModelError(
                f"there is no exchange with a model in {path}; name a study that was run "
                f"with one after '{REPLAY}'"
            )
        for entry in entries:
            self._answers.setdefault(
                _key(entry["form"], entry["seed"], entry["messages"]), []
            ).append(entry)
        first = entries[0]
        self.name, self.allowance, self.holds_to_grammar = (
            first["model"],
            first["allowance"],
            first["holds_to_grammar"],
        )

    def ask(self, messages: Sequence[Message], form: Form, *, seed: int = 0) -> Reply:
        """Return what was answered to the same question; asked again, the last answer to it.

        :raises LLMFailure: if it was never asked, or failed then.
        """
        answers = self._answers.get(_key(form.name, seed, [asdict(m) for m in messages]))
        if not answers:
            raise LLMFailure(
                f"{self._path} has no answer to this question: the study has gone another "
                "way than the recorded one"
            )
        entry = answers.pop(0) if len(answers) > 1 else answers[0]
        if "failure" in entry:
            raise LLMFailure(entry["failure"])
        return Reply(
            text=entry["reply"],
            data=entry["data"],
            usage=Usage(**entry["usage"]),
            repairs=tuple(entry["repairs"]),
            problem=entry.get("problem", ""),
        )

    def verify(self) -> None:
        """Do nothing: what is recorded needs no server."""

    def prepare(self, messages: Sequence[Message]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _key(form: str, seed: int, messages: Sequence[Any]) -> str:
    # Prompts of earlier versions called the engine's trials classical; that is the same question.
    # A log's lines, seconds and megabytes are no two times the same.
    asked = [{**each, "text": VARYING.sub("", str(each.get("text", "")))} for each in messages]
    return json.dumps([form, seed, asked], sort_keys=True).replace("(classical)", "(engine)")


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole exchanges; a line that a crash tore, or that is no exchange of ours, is
    passed over.
    """
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict) and _is_exchange(entry):
                yield entry


def _is_exchange(entry: dict[str, Any]) -> bool:
    kinds = {
        "form": str,
        "seed": int,
        "messages": list,
        "model": str,
        "allowance": int,
        "holds_to_grammar": bool,
    }
    if not all(isinstance(entry.get(name), kind) for name, kind in kinds.items()):
        return False
    if "failure" in entry:
        return isinstance(entry["failure"], str)
    usage = entry.get("usage")
    known = {field.name for field in fields(Usage)}
    numbers = (
        isinstance(usage, dict)
        and set(usage) <= known
        and all(v is None or isinstance(v, int | float) for v in usage.values())
    )
    return (
        numbers
        and isinstance(entry.get("reply"), str)
        and "data" in entry
        and isinstance(entry.get("repairs"), list)
    )
