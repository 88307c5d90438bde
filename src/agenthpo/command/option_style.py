"""How true, false and null are written as options of a command line: a style, written as it looks
for an option ``--name``.

``--name`` alone says nothing for false, ``--name/--no-name`` has an option for each, ``--name
true`` writes the value.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = [
    "BARE",
    "JSON_TEXT",
    "LEFT_OUT",
    "LISTS",
    "REPEATED",
    "SEVERAL",
    "STYLES",
    "WITH_COMMAS",
    "WORDS",
    "write_option",
    "write_word",
]

BARE, LEFT_OUT = "--name", "left out"
_FALSE = {"true": "false", "True": "False", "1": "0", "yes": "no", "on": "off"}
_NULL = ("null", "None", "none")
WORDS = (*_FALSE, *_NULL)
"""What stands for true (false is its opposite), or for null, wherever a value is written."""
SEVERAL, REPEATED = "--name a b", "--name a --name b"
WITH_COMMAS, JSON_TEXT = "--name a,b", "--name [a, b]"
LISTS = (SEVERAL, REPEATED, WITH_COMMAS, JSON_TEXT)
"""How a list is written as an option; a mapping is always JSON text."""
STYLES = (
    BARE,
    "--name/--no-name",
    "--name/--noname",
    *(f"--name{between}{word}" for word in _FALSE for between in " ="),
    *(f"--name{between}{word}" for word in _NULL for between in " ="),
    *WORDS,
    *LISTS,
)
"""What ``style`` may be; those that end in a word for null write null alone by it, and true and
false as ``true`` and ``false``. A word alone is ``--name word``.
"""


def write_option(name: str, value: bool | None, style: str) -> list[str]:
    """Return the words that give the option ``name`` the value true, false or null."""
    if style == LEFT_OUT:
        return []
    style = f"--name {style}" if style in WORDS else style
    yes, slash, no = style.partition("/")
    if slash or style == BARE:
        template = yes if value else no
        return [_named(template, name)] if template else []
    between = "=" if "=" in style else " "
    word = style.partition(between)[2]
    return (
        (f"--{name}{between}" + _word(value, word)).split(between, 1)
        if between == " "
        else [f"--{name}={_word(value, word)}"]
    )


def write_word(value: bool | None, style: str) -> str:
    """Return the word for true, false or null where it stands by itself.

    >>> write_word(False, "True"), write_word(True, "--name=1"), write_word(None, "--name")
    ('False', '1', 'null')
    """
    return _word(value, style if style in WORDS else re.split("[ =]", style)[-1])


def _named(template: str, name: str) -> str:
    """Return the option: the ``no`` of a nested name stands before its last part, as in
    ``--optim.no-nesterov``.
    """
    before, dot, last = name.rpartition(".")
    return f"--{before}{dot}" + template.removeprefix("--").replace("name", last)


def _word(value: Any, word: str) -> str:
    if value is None:
        return word if word in _NULL else "None" if word == "True" else "null"
    yes = word if word in _FALSE else "true"
    return yes if value else _FALSE[yes]
