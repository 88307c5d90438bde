"""What a study's language model was asked and answered, as it was written down."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agenthpo.files import read_regular
from agenthpo.llm.recorded import EXCHANGES
from agenthpo.text.cleaning import clean

__all__ = ["Exchanges", "read_exchanges"]

_LONGEST = 120
"""Characters of what was wrong with a reply; what comes after is of this one alone."""


@dataclass(frozen=True)
class Exchanges:
    """All of them, in the order in which they were."""

    entries: tuple[Mapping[str, Any], ...] = ()
    problems: Mapping[str, int] = field(default_factory=dict)
    """What was wrong with replies, and how often."""
    digest: str = ""
    """Of what the model was told to be, the first time it was asked."""

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self.entries)


def read_exchanges(folder: Path) -> Exchanges:
    """Return what the study in ``folder`` asked its model; lines that cannot be read are left
    out, as are all where there is no such file.
    """
    try:
        lines = read_regular(folder / EXCHANGES).decode(errors="replace").splitlines()
    except OSError:
        return Exchanges()
    entries = [entry for line in lines if (entry := _entry(line))]
    problems = Counter[str]()
    for entry in entries:
        if isinstance(failure := entry.get("failure"), str):
            problems[f"no reply: {_kind(failure)}"] += 1
        elif isinstance(problem := entry.get("problem"), str) and problem:
            problems[f"invalid: {_kind(problem)}"] += 1
        elif isinstance(repairs := entry.get("repairs"), int | list) and repairs:
            problems["valid after it was sent back"] += 1
    digest = ""
    if entries:
        first = json.dumps(entries[0].get("messages"), sort_keys=True)
        digest = hashlib.sha256(first.encode()).hexdigest()[:16]
    return Exchanges(tuple(entries), problems, digest)


def _entry(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _kind(words: str) -> str:
    return " ".join(clean(words).split())[:_LONGEST]
