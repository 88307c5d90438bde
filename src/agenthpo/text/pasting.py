"""Commands offered for pasting, quoted for a shell whatever a path holds."""

from __future__ import annotations

import shlex
from pathlib import Path

__all__ = ["pasted", "quoted"]


def pasted(*words: str | Path) -> str:
    """Return ``agenthpo WORDS`` as a line for a shell.

    >>> pasted("resume", "my study")
    "agenthpo resume 'my study'"
    """
    return shlex.join(["agenthpo", *map(str, words)])


def quoted(*words: str | Path) -> str:
    """Return the same within a sentence: between quotes, unless it has some of its own."""
    line = pasted(*words)
    return line if "'" in line else f"'{line}'"
