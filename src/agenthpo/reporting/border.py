"""The border of the report: whatever text is in the evidence passes it once, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from agenthpo.text.cleaning import clean
from agenthpo.text.redaction import redactor

__all__ = ["passed"]

T = TypeVar("T")
_LONGEST, _LONGEST_OF_FILES = 4000, 100_000
"""Characters of a text, and of one that is a file or a command."""
_FILES = frozenset({"task", "command"})


def passed(value: T) -> T:
    """Return ``value``, a tree of dataclasses, with each text in it cleaned, without secrets, and
    of a bearable length.
    """
    found: T = _Border().passed(value)
    return found


class _Border:
    def __init__(self) -> None:
        self._redact = redactor(quick=True)
        self._known: dict[str, str] = {}
        self._most = _LONGEST

    def passed(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: self._field(f.name, value) for f in fields(value)})
        if isinstance(value, Mapping):
            return {self.passed(name): self.passed(each) for name, each in value.items()}
        if isinstance(value, tuple):
            if value and isinstance(value[0], float):  # a point of a curve
                return value
            return tuple(self.passed(each) for each in value)
        return value

    def _field(self, name: str, of: Any) -> Any:
        before, self._most = self._most, _LONGEST_OF_FILES if name in _FILES else self._most
        try:
            return self.passed(getattr(of, name))
        finally:
            self._most = before

    def _text(self, text: str) -> str:
        if text not in self._known:
            cleaned = clean(text)
            cut = cleaned if len(cleaned) <= self._most else f"{cleaned[: self._most]} …"
            self._known[text] = self._redact(cut)
        return self._known[text]
