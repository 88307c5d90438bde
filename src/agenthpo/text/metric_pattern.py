"""What a pattern of a metric means: plain text or a regular expression, with the value in it."""

from __future__ import annotations

import re

__all__ = ["NUMBER", "compile_pattern", "is_regular"]

NUMBER = r"(?>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?(?:nan|inf(?:inity)?)\b)"
_REGULAR = re.compile(r"\\[dswbDSWB.\[\](){}|+*?^$/]|\.[*+]|\(\?|\[\^|^\^|\$$")


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression, whose first group is the value, that ``pattern`` stands for.

    With ``{number}``, the rest is plain text (any amount of space where it has some), the first
    ``{number}`` is the value and further ones are passed over. Without, ``pattern`` is a regular
    expression with one group; beside what is plainly one (``\\s``, ``.*``, ``(?:``), ``{number}``
    stands for that group.
    """
    if "{number}" not in pattern:
        return re.compile(pattern)
    if is_regular(pattern):
        before, _, after = pattern.partition("{number}")
        return re.compile(f"{before}({NUMBER}){after.replace('{number}', NUMBER)}")
    first, *others = [_plain(part) for part in pattern.split("{number}")]
    edge = r"(?<!\w)" if pattern[:1].isalnum() else ""
    return re.compile(f"{edge}{first}({NUMBER}){NUMBER.join(others)}", re.IGNORECASE)


def is_regular(pattern: str) -> bool:
    """Return whether a pattern with ``{number}`` holds what means something in regular expressions
    only, and would never stand in a line.
    """
    return _REGULAR.search(pattern) is not None


def _plain(text: str) -> str:
    """Return what matches ``text`` with any amount of space where it has some."""
    return r"\s+".join(re.escape(word) for word in re.split(r"\s+", text))
