"""How one metric is read from a line of output by a pattern: a number whole, or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from agenthpo.scalars import whole_number
from agenthpo.text.metric_pattern import compile_pattern, is_regular
from agenthpo.text.redaction import redact
from agenthpo.training.numbers import as_float

__all__ = ["Pattern", "PatternError", "needles_of"]

_BEFORE = re.compile(r"(?:\d|\d[.,:_'’٫٬]|[.,][-+]?|\d[eE][-+]?)$")
"""What a number is only the rest of."""
_BEFORE_FIRST = re.compile(r"(?:\w|\d[.,:_'’٫٬-]|−)$")
"""The same where a pattern begins with the number, so that nothing says where it begins."""
_AFTER = re.compile(r"[\u00a0\u2009\u202f.,:_'’٫٬]*\d|[+-]\d|[eEdD][-+]?\d|[^\W\dA-Za-z]|#")
"""What makes a number a part of another one: ``1,234``, ``1_000``, ``12:30``, ``3.2d-05``, digits
of another alphabet.
"""
_LETTERS_AFTER = re.compile(r"[A-Za-z]+\w*")
_UNITS = frozenset({"s", "sec", "secs", "seconds", "x", "db", "px", "pct", "nats", "bits"})
"""What may follow a number without being named in its pattern; other letters may multiply it, as in
``1.5M``.
"""


class PatternError(ValueError):
    """A pattern's group stopped in the middle of a number, so that its value would be wrong."""


def needles_of(patterns: Mapping[str, str], wanted: Collection[str]) -> tuple[bytes, ...] | None:
    """Return texts one of which every line holds that can give a value; None where that cannot be
    said.
    """
    needles = [
        quoted for name in wanted for quoted in (json.dumps(name).lower(), f"'{name}'".lower())
    ]
    for pattern in patterns.values():
        words = (
            re.findall(r"[a-z0-9_]{2,}", pattern.replace("{number}", " ").lower())
            if "{number}" in pattern and not is_regular(pattern)
            else []
        )
        if not words:
            return None
        needles.append(max(words, key=len))
    return (
        tuple(needle.encode() for needle in needles)
        if all(needle.isascii() and "\\" not in needle for needle in needles)
        else None
    )


class Pattern:
    """How one metric is read from a line."""

    def __init__(self, name: str, pattern: str, *, is_plain: bool = False) -> None:
        """:param is_plain: whether it is one of ours, for a metric that has none of its own."""
        self._name = name
        self._is_plain = is_plain
        self._compiled = compile_pattern(pattern)
        before, is_template, after = pattern.partition("{number}")
        self._is_first = bool(is_template) and not before
        self._is_joined = bool(is_template) and after[:1] not in ("", " ", "{")
        """Whether the pattern itself says what follows the number."""
        self._fix = (
            "let the script print it as 0.853 or 1234.5, or write what follows {number} "
            "into the pattern"
            if is_template
            else "write {number} there"
        )

    def value(self, line: str) -> tuple[float, bool] | None:
        """Return the value in ``line``, by the first place that matches, and whether there are
        more; None where there is none.

        :raises PatternError: if what stands there is no whole number.
        """
        matches = self._compiled.finditer(line)
        match = next(matches, None)
        if match is None:
            return None
        text = match[1] or ""
        start = match.start(1)
        end = match.end(1)
        before = line[max(0, start - 4) : start]
        after = line[end : end + 24]
        letters = _LETTERS_AFTER.match(after) if match.end() == end else None
        cut = (_BEFORE_FIRST if self._is_first else _BEFORE).search(before)
        goes_on = not self._is_joined and (
            _AFTER.match(after) or (letters and letters[0].lower() not in _UNITS)
        )
        number = whole_number(text)
        if cut or goes_on or number is None:
            around = _around(redact(line[max(0, start - 2000) : end + 2000], quick=True), text)
            if self._is_plain:
                raise PatternError(
                    f"{self._name} is printed as {text!r} in {around!r}, which is not a whole "
                    "number; let the script print it as 0.853 or 1234.5, or set train.metrics"
                )
            raise PatternError(
                f"the pattern of {self._name} takes {text!r} out of {around!r}, which is "
                f"not a whole number; {self._fix}"
            )
        return as_float(number), next(matches, None) is not None


def _around(line: str, text: str) -> str:
    """Return what stands about ``text`` in a line that holds no secret any more."""
    place = max(line.find(text), 0)
    return line[max(0, place - 40) : place + len(text) + 40].strip()
