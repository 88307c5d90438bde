"""Find the JSON in what a model says: in a code fence, between words, after its thoughts, with comments or a trailing comma in it.

Only what can be read without guessing is read: text that ends in the middle of a value is no JSON. Nothing is ever evaluated.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Found", "read_json"]

_THOUGHTS = re.compile(r"<(think|thinking|thought|reasoning|scratchpad)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_TOKENS = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")|(?P<single>'(?:[^'\\\n]|\\.)*')|(?P<comment>//[^\n]*|/\*.*?\*/|\#[^\n]*)"""
    r"""|(?P<comma>,(?=(?:\s|//[^\n]*|\#[^\n]*|/\*.*?\*/)*[}\]]))|(?P<word>\b(?:True|False|None)\b)|(?P<plus>(?<=[:\[,\s])\+(?=\d))""",
    re.DOTALL,
)
_WORDS = {"True": "true", "False": "false", "None": "null"}
_LONGEST, _MOST_STARTS = 200_000, 200


@dataclass(frozen=True)
class Found:
    """The JSON value that was found (None where there is none), and what had to be put right to read it."""

    data: Any = None
    repairs: tuple[str, ...] = ()


def read_json(text: str, keys: Collection[str] = ()) -> Found:
    """Return the JSON value in ``text``; of several objects, the last of those that have the most of ``keys``."""
    text = text[:_LONGEST]
    plain = _parsed(text)
    if plain is not _NOTHING:
        return Found(plain)
    said = _THOUGHTS.sub(" ", text)
    thoughts = ("thoughts were left out",) if said != text else ()
    mended, places = _mended(said)
    whole = list(_values(mended))
    spans = [(places(start), places(end - 1)) for _, start, end in whole]
    read = [((_fitting(value, keys), True), value, ("its notation was mended", *_around(mended, value))) for value, _, _ in whole]
    for value, start, end in _values(said):
        fits = _fitting(value, keys)
        is_part = any(first < start and end <= last for first, last in spans)  # of what had to be mended: only its keys speak for it
        read.append(((fits, fits > 0 or not is_part), value, _around(said, value)))
    if read:  # of equals the last: the final answer, and what needed no mending
        _, value, repairs = max(reversed(read), key=lambda found: found[0])
        return Found(value, (*thoughts, *repairs))
    return Found()


_NOTHING: Any = object()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOTHING


def _values(text: str) -> Iterator[tuple[Any, int, int]]:
    """Yield the objects (and lists of more than one value) in ``text`` that are whole, and where; from left to right, none within another."""
    position, starts = 0, 0
    decoder = json.JSONDecoder()
    while starts < _MOST_STARTS and (match := re.compile(r"[{\[]").search(text, position)):
        starts += 1
        try:
            value, position = decoder.raw_decode(text, match.start())
        except json.JSONDecodeError as problem:
            if problem.pos >= len(text.rstrip()) or problem.msg.startswith("Unterminated"):
                return  # cut off: what is whole within it is not what was meant
            position = match.start() + 1
            continue
        except RecursionError:
            return
        if isinstance(value, dict) or len(value) > 1:
            yield value, match.start(), position


def _around(text: str, value: Any) -> tuple[str, ...]:
    return () if _parsed(text.strip()) == value else ("text around the JSON was left out",)


def _fitting(value: Any, keys: Collection[str]) -> int:
    return len(set(keys) & set(value)) if isinstance(value, dict) else 0


def _mended(text: str) -> tuple[str, Callable[[int], int]]:
    """Return ``text`` without comments and trailing commas, with Python's spelling of strings and constants made JSON's.

    The function tells where in ``text`` a character of the mended one was.
    """
    ends, shifts = [0], [0]

    def mend(match: re.Match[str]) -> str:
        kind, token = match.lastgroup, match[0]
        if kind == "single":
            new = json.dumps(re.sub(r"\\(.)", r"\1", token[1:-1]))
        elif kind == "word":
            new = _WORDS[token]
        else:
            new = token if kind == "string" else ""
        shifts.append(shifts[-1] + len(token) - len(new))
        ends.append(match.end() - shifts[-1])
        return new

    return _TOKENS.sub(mend, text), lambda place: place + shifts[bisect_right(ends, place) - 1]
