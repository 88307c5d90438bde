"""A command as people write it, split into words as a shell would without running one. What only a
shell could do is refused by name, never handed on as a word.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Line", "split_line"]

_OPERATORS = re.compile(r"[0-9]*(?:>>|>&|>\||<<<|<<|<&|>|<)(?:&?[0-9-])?|&>>?|&&|\|\||\|&|[|&;]")
_EXPANDED = re.compile(r"\$(?:[A-Za-z_0-9@*#?!$-]|\{|\()")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{[^\W\d][\w.-]*\}")


class Line(NamedTuple):
    """A command's words, and the variables that are set before it."""

    words: tuple[str, ...]
    env: dict[str, str]


def split_line(text: str, folder: Path) -> Line:
    """Return the words of a command line. Lines that end in a backslash, or after which an option
    follows, go on; ``VAR=1`` before the command sets a variable; ``~`` is the home folder.

    >>> split_line("CUDA=1 python train.py \\\\\\n  --lr {lr}  # slowly", Path())
    Line(words=('python', 'train.py', '--lr', '{lr}'), env={'CUDA': '1'})

    :raises ValueError: saying what in it only a shell could do, or that its quotes are not
        balanced.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if found := re.search(r"\\[ \t]+\n", text):
        line = text[: found.start()].count("\n") + 1
        raise ValueError(f"has a blank after its backslash at the end of line {line}")
    text = text.replace("\\\n", " ")
    text = "".join(_plain(text, folder))
    words = shlex.split(text)
    env = dict[str, str]()
    while words and (match := _ASSIGNMENT.fullmatch(words[0])):
        env[match[1]] = match[2]
        words = words[1:]
    return Line(tuple(words), env)


def _plain(text: str, folder: Path) -> Iterator[str]:
    """Yield ``text`` with what a shell would have expanded or left out, refusing what is left to
    one.
    """
    quote = ""
    place = 0
    begins = True
    while place < len(text):
        character = text[place]
        if match := _PLACEHOLDER.match(text, place):
            yield match[0]
            place = match.end()
            begins = False
            continue
        if character == "\\" and quote != "'":
            yield text[place : place + 2]
            place += 2
            begins = False
            continue
        if quote != "'" and (character == "`" or (_EXPANDED.match(text, place))):
            word = re.match(r"`[^`]*`?|\$\([^)]*\)?|\$\{[^}]*\}?|\$\w+|\$.", text[place:])
            raise ValueError(f"holds {word[0] if word else character}, which a shell would expand")
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif operator := _OPERATORS.match(text, place):
            if not (operator[0][0].isdigit() and not begins):
                raise ValueError(f"holds '{operator[0]}'")
        elif character == "\n":
            rest = text[place:].lstrip()
            if rest and not rest.startswith(("-", "{", "#")) and "=" not in rest.split()[0]:
                raise ValueError(
                    f"holds two commands, the second '{rest.splitlines()[0][:40]}' (a line that "
                    "goes on ends in a backslash)"
                )
            character = " "
        elif character == "#" and begins:
            place = next((i for i in range(place, len(text)) if text[i] == "\n"), len(text))
            continue
        elif character == "~" and begins:
            end = re.match(r"~[^\s/]*", text[place:])
            home = str(Path(end[0] if end else "~").expanduser())
            yield shlex.quote(home)
            place += len(end[0]) if end else 1
            begins = False
            continue
        elif begins and (files := _matched(text[place:], folder)):
            raise ValueError(f"holds {files}, which a shell would expand")
        begins = not quote and character in " \t\n"
        yield character
        place += 1


def _matched(rest: str, folder: Path) -> str:
    """Return the word that begins here where it is a pattern that files match; empty where not."""
    match = re.match(r"[^\s'\"\\{}]+(?=\s|$)", rest)
    if match is None or not re.search(r"[*?]", match[0]) or match[0].startswith("/"):
        return ""
    try:
        return match[0] if next(folder.glob(match[0]), None) is not None else ""
    except (ValueError, NotImplementedError, OSError):
        return ""
