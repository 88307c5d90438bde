"""Text from outside, cleaned once where it crosses a border: a terminal, a prompt, a page, a file
that is UTF-8.

Logs, models, other people's studies and names may hold escape sequences that write the clipboard or
the window's title, characters that turn the reading direction, halves of characters. What is left
is what a person can read, tabs and line breaks included.
"""

from __future__ import annotations

import re

__all__ = ["clean", "clean_line", "whole_characters"]

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # OSC: title, clipboard, links
    r"|\x1b[PX^_][^\x1b\n]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|[\x1b\x9b]\[?[0-9;:?<=>]*[ -/]*[@-~]"  # CSI and two-character sequences
)
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def clean(text: str) -> str:
    """Return ``text`` without escape sequences, control characters and bidirectional overrides;
    tabs and line breaks stay.

    >>> clean("a\\x1b]0;title\\x07b\\x1b[31mred\\u202e")
    'abred'
    """
    if text.isascii() and text.isprintable():
        return text
    return whole_characters(_CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n"))))


def whole_characters(text: str) -> str:
    """Return ``text`` as UTF-8 can hold it: two halves that belong together are one character, a
    half alone is a question mark.
    """
    return (
        text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if _SURROGATES.search(text)
        else text
    )


def clean_line(text: str) -> str:
    """Return ``text`` cleaned, on one line."""
    return " ".join(clean(text).split())
