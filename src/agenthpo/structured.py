"""Choices that are lists or mappings: within a study each is a word, its JSON text.

A study's storage, its tables and a model's reply hold the word; what reaches a script is the choice
itself.
"""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["as_word", "is_structured", "plain"]


def is_structured(value: Any) -> bool:
    """Return whether ``value`` is a list, a tuple or a mapping."""
    return isinstance(value, list | tuple | dict)


def as_word(value: Any) -> str:
    """Return the word that stands for a choice; a text is its own.

    >>> as_word([64, 64]), as_word({"layers": 2}), as_word("adam"), as_word((0.9, 0.999))
    ('[64, 64]', '{"layers": 2}', 'adam', '[0.9, 0.999]')

    :raises ValueError: for what JSON cannot hold: a number that is not finite, an object, a key
        that is no text.
    """
    if isinstance(value, str):
        return value
    _check(value)
    return json.dumps(value, ensure_ascii=False)


def plain(value: Any) -> Any:
    """Return what a caller in Python gives as Python's own: numbers and arrays of NumPy, ranges.

    >>> plain({"values": range(2, 5), "low": __import__("numpy").int64(3)})
    {'values': [2, 3, 4], 'low': 3}
    """
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, range):
        return list(value)
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(plain(each) for each in value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return value.tolist()
    return value


def _check(value: Any) -> None:
    if isinstance(value, dict):
        if any(not isinstance(key, str) for key in value):
            raise ValueError("a mapping's keys must be text")
        for each in value.values():
            _check(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _check(each)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number that could be compared")
    elif not (value is None or isinstance(value, bool | int | float | str)):
        raise ValueError(f"a {type(value).__name__} cannot be written down")
