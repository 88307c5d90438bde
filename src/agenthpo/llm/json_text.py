"""Find the JSON in what a model says: in a code fence, between words, after its thoughts, with
comments or a trailing comma in it.

Only what can be read without guessing is read. Text that ends in the middle of a value is no JSON,
and of several different answers none is, unless one is plainly marked as the answer. The text is
read once, from left to right, in time that grows with its length alone. Nothing is ever evaluated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agenthpo.text.cleaning import whole_characters

__all__ = ["Found", "parse_json", "read_json"]

_LONGEST, _DEEPEST, _MOST_DIGITS = 200_000, 32, 300
_STEPS = 2
"""Characters that are read for each one of the text at most, the starts that lead nowhere included.
"""
_TAG = re.compile(r"[<\[](/?)(think|thinking|thought|reasoning|scratchpad)[>\]]", re.IGNORECASE)
_MARKED = re.compile(
    r"\b(final|answer|my (?:reply|proposal)|corrected|definitive)\b[^{}\[\]]*$", re.IGNORECASE
)
_BEFORE_ANSWER = 120
_TAKEN_BACK = re.compile(
    r"\b(scrap|disregard|ignore|withdraw|retract|forget|never ?mind|second thoughts?|not "
    r"my answer|take (?:that|it) back|hold on|"
    r"that(?: is|'s| was) wrong|strike that)\b|^\W*(?:wait|no|hmm)\b",
    re.IGNORECASE,
)
_PARAMETER = "<parameter="
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z]+")
_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]*'), "'": re.compile(r"[^'\\\n]*")}
_START = re.compile(r"[{\[]")


@dataclass(frozen=True)
class Found:
    """The JSON value that was found (None where there is none), and what had to be put right to
    read it.
    """

    data: Any = None
    repairs: tuple[str, ...] = ()
    problem: str = ""
    """Why none is taken, where there is more than one, or one that was taken back."""


def read_json(text: str, keys: Collection[str] = ()) -> Found:
    """Return the JSON value in ``text``; of several, the one that has the most of ``keys``, the
    last of equals.

    Where more than one has all of them and they differ, none is taken, unless exactly one is marked
    as the answer.
    """
    text = text[:_LONGEST]
    value = parse_json(text)
    if value is not _NOTHING:
        return _unwrapped(Found(value), keys)
    said = _without_thoughts(text)
    repairs = ("thoughts were left out",) if said != text else ()
    if called := _called(said):
        return Found(called, (*repairs, "a tool call in the text was read"))
    try:
        values = list(_values(said))
    except _Twice as problem:
        return Found(None, repairs, str(problem))
    whole = [found for found in values if not found.is_cut]
    if not whole:
        return Found()
    rest = said[values[-1].start :].rstrip() if values[-1].is_cut else ""
    # a model that says the same again until it is cut off
    repeats = any(said.startswith(rest, found.start) for found in whole)
    return _chosen(said, whole, keys, repairs, is_cut=bool(rest) and not repeats)


def parse_json(text: str) -> Any:
    """Return the JSON value that all of ``text`` is, else ``_NOTHING``. Texts in it hold whole
    characters; numbers beyond a float are infinite.
    """
    try:
        value = json.loads(text, parse_int=_whole, object_pairs_hook=_object)
        return _cleaned(value)
    except (ValueError, RecursionError):
        return _NOTHING


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NOTHING: Any = _Nothing()


def _chosen(
    said: str,
    whole: Sequence[_Value],
    keys: Collection[str],
    repairs: tuple[str, ...],
    *,
    is_cut: bool,
) -> Found:
    wrapped = [_unwrapped(Found(found.value), keys) for found in whole]
    fits = [_fitting(found.data, keys) for found in wrapped]
    best = max(fits)
    candidates = [i for i, fit in enumerate(fits) if fit == best]
    place = candidates[-1]
    if keys and best == len(set(keys)):
        different = [i for i in candidates if wrapped[i].data != wrapped[place].data]
        if different or is_cut:
            marked = [
                i
                for i in candidates
                if _MARKED.search(
                    said[
                        max(whole[i - 1].end if i else 0, whole[i].start - _BEFORE_ANSWER) : whole[
                            i
                        ].start
                    ]
                )
            ]
            if len(marked) != 1 or is_cut:
                what = (
                    "it ends in the middle of another answer"
                    if is_cut
                    else f"it holds {len(candidates)} different answers"
                )
                return Found(None, repairs, f"{what}; reply with one JSON object and nothing else")
            place = marked[0]
        elif _TAKEN_BACK.search(said[whole[place].end :]):
            return Found(
                None,
                repairs,
                "what follows the answer takes it back; reply with one JSON object and "
                "nothing else",
            )
    chosen = whole[place]
    notes = []
    if chosen.is_corrected:
        notes.append("its notation was corrected")
    if (said[: chosen.start] + said[chosen.end :]).strip():
        notes.append("text around the JSON was left out")
    return replace(wrapped[place], repairs=(*repairs, *notes, *wrapped[place].repairs))


def _unwrapped(found: Found, keys: Collection[str]) -> Found:
    """Return the arguments of a tool call that came as text, or of one whose arguments are JSON
    text.
    """
    value = found.data
    repairs = list(found.repairs)
    if not keys:
        return found
    for _ in range(3):
        inner = _NOTHING
        if isinstance(value, str):
            inner = parse_json(value)
        elif isinstance(value, dict) and not set(keys) & set(value):
            call = value.get("function", value)
            arguments = (
                call.get("arguments", call.get("parameters", _NOTHING))
                if isinstance(call, dict) and "name" in call
                else _NOTHING
            )
            inner = parse_json(arguments) if isinstance(arguments, str) else arguments
        if not isinstance(inner, dict | str):
            break
        value = inner
        repairs.append(
            "a tool call in the text was read"
            if isinstance(found.data, dict)
            else "JSON within a text was read"
        )
    return Found(value, tuple(dict.fromkeys(repairs)), found.problem)


def _called(text: str) -> dict[str, Any]:
    """Return the parameters of a call as ``<function=NAME><parameter=KEY>value</parameter>``; empty
    where there is none.
    """
    found: dict[str, Any] = {}
    position = text.find(_PARAMETER)
    while position >= 0:
        name_end = text.find(">", position)
        end = text.find("</parameter>", name_end)
        if name_end < 0 or end < 0:
            break
        inside = text[name_end + 1 : end].strip()
        value = parse_json(inside)
        found[text[position + len(_PARAMETER) : name_end].strip()] = (
            inside if value is _NOTHING else value
        )
        position = text.find(_PARAMETER, end)
    return found


def _without_thoughts(text: str) -> str:
    """Return ``text`` without what stands between the tags of thoughts; what stands before a
    closing tag alone is thoughts as well.
    """
    kept = list[str]()
    depth = 0
    position = 0
    for tag in _TAG.finditer(text):
        if not depth:
            kept.append(text[position : tag.start()])
        if tag[1]:
            kept = [] if not depth else kept
            depth = max(0, depth - 1)
        else:
            depth += 1
        position = tag.end()
    return " ".join(kept + ([] if depth else [text[position:]])) if position else text


def _fitting(value: Any, keys: Collection[str]) -> int:
    return len(set(keys) & set(value)) if isinstance(value, dict) else 0


@dataclass(frozen=True)
class _Value:
    value: Any
    start: int
    end: int
    is_corrected: bool = False
    is_cut: bool = False


def _values(text: str) -> Iterator[_Value]:
    """Yield the objects (and lists of more than one value) in ``text``, from left to right, none
    within another.

    One that the text ends in the middle of is cut, and the last: what is whole within it is not
    what was meant.
    """
    position = 0
    left = _STEPS * len(text) + 1000
    while left > 0 and (match := _START.search(text, position)):
        reader = _Reader(text, match.start())
        try:
            value = reader.value(0)
        except _Cut:
            yield _Value(None, match.start(), len(text), is_cut=True)
            return
        except (_Wrong, RecursionError):
            left -= reader.position - match.start() + 1
            position = match.start() + 1
            continue
        position = reader.position
        if isinstance(value, dict) or len(value) > 1:
            yield _Value(
                value=_cleaned(value),
                start=match.start(),
                end=position,
                is_corrected=reader.is_corrected,
            )


class _Twice(ValueError):
    """An object says two things."""


class _Wrong(Exception):
    """What stands there is no value."""


class _Cut(Exception):
    """The text ends in the middle of a value."""


class _Reader:
    """Read one value from a place on, as JSON or as people and Python write it."""

    def __init__(self, text: str, position: int) -> None:
        self._text, self.position, self.is_corrected = text, position, False

    def value(self, depth: int) -> Any:
        """Return the value that begins here.

        :raises _Cut: if the text ends before it does.
        :raises _Wrong: if it is none.
        """
        if depth > _DEEPEST:
            raise _Wrong
        character = self._next()
        if character == "{":
            return self._mapping(depth)
        if character == "[":
            return self._list(depth)
        if character in "\"'":
            return self._string(character)
        return self._scalar()

    def _mapping(self, depth: int) -> dict[str, Any]:
        self.position += 1
        pairs: list[tuple[str, Any]] = []
        while (character := self._next()) != "}":
            if character not in "\"'":
                raise _Wrong
            name = self._string(character)
            if self._next() != ":":
                raise _Wrong
            self.position += 1
            pairs.append((name, self.value(depth + 1)))
            self._comma("}")
        self.position += 1
        return _object(pairs)

    def _list(self, depth: int) -> list[Any]:
        self.position += 1
        values = []
        while self._next() != "]":
            values.append(self.value(depth + 1))
            self._comma("]")
        self.position += 1
        return values

    def _comma(self, closing: str) -> None:
        character = self._next()
        if character == ",":
            self.position += 1
            self.is_corrected |= self._next() == closing
        elif character != closing:
            raise _Wrong

    def _next(self) -> str:
        """Return the next character that is no space and in no comment."""
        while True:
            match = _SPACE.match(self._text, self.position)
            self.position = match.end() if match else self.position
            rest = self._text[self.position : self.position + 2]
            if not rest:
                raise _Cut
            if rest[0] == "#" or rest == "//":
                self._skip_to("\n")
            elif rest == "/*":
                self._skip_to("*/")
            else:
                return rest[0]

    def _skip_to(self, end: str) -> None:
        self.is_corrected = True
        found = self._text.find(end, self.position + 2 if end == "*/" else self.position)
        if found < 0:
            raise _Cut
        self.position = found + len(end)

    def _string(self, quote: str) -> str:
        self.is_corrected |= quote == "'"
        self.position += 1
        parts = []
        while True:
            match = _PLAIN[quote].match(self._text, self.position)
            if match:
                parts.append(match[0])
                self.position = match.end()
            if self.position >= len(self._text):
                raise _Cut
            character = self._text[self.position]
            if character == quote:
                self.position += 1
                return "".join(parts)
            if character != "\\":  # a line break or another control character
                raise _Wrong
            parts.append(self._escape(quote))

    def _escape(self, quote: str) -> str:
        letter = self._text[self.position + 1 : self.position + 2]
        if not letter:
            raise _Cut
        if letter == "u":
            digits = self._text[self.position + 2 : self.position + 6]
            if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                raise _Cut if len(digits) < 4 else _Wrong
            self.position += 6
            return chr(int(digits, 16))
        self.position += 2
        if letter in _ESCAPED:
            return _ESCAPED[letter]
        if letter in "\"\\/'":
            return letter
        raise _Wrong

    def _scalar(self) -> Any:
        if (match := _NUMBER.match(self._text, self.position)) and match[0]:
            self.position = match.end()
            if self.position >= len(self._text):
                raise _Cut
            text = match[0]
            self.is_corrected |= text[0] == "+" or text[0] == "." or text[-1] == "."
            return _whole(text) if text.lstrip("+-").isdigit() else float(text)
        if match := _WORD.match(self._text, self.position):
            if match[0] not in _WORDS:
                raise _Cut if match.end() >= len(self._text) else _Wrong
            self.position = match.end()
            self.is_corrected |= match[0][0].isupper()
            return _WORDS[match[0]]
        raise _Wrong


def _whole(text: str) -> int | float:
    return int(text) if len(text) <= _MOST_DIGITS else float(text)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; one that names a key twice with different values says two things.

    :raises _Twice: for such a one.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise _Twice(
                f"it gives two different values for '{name[:40]}'; reply with one JSON "
                "object and nothing else"
            )
        found[name] = value
    return found


def _cleaned(value: Any, depth: int = 0) -> Any:
    """Return ``value`` with whole characters in its texts.

    :raises ValueError: if it is nested too deep to be an answer.
    """
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, dict):
        return {whole_characters(name): _cleaned(each, depth + 1) for name, each in value.items()}
    return [_cleaned(each, depth + 1) for each in value] if isinstance(value, list) else value
