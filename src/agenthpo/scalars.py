"""Values as people write them in a task file: ``yes`` for true, ``"1e-3"`` for a number, and
nothing beyond what is plainly meant.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

__all__ = [
    "NO_VALUE",
    "Number",
    "Switch",
    "Text",
    "Whole",
    "as_number",
    "as_switch",
    "whole_number",
]

_SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMERIC = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
_WHOLE = re.compile(
    r"(?:[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?(?:nan|inf|infinity))",
    re.IGNORECASE,
)


class _NoValue:
    """What stands where no value was given, since null is a value."""

    def __repr__(self) -> str:
        return "no value"


NO_VALUE: Any = _NoValue()


def as_switch(value: Any) -> Any:
    """Return true or false for the words that mean them, in any case; everything else as it is."""
    return _SWITCHES.get(value.lower(), value) if isinstance(value, str) else value


def whole_number(text: str) -> int | float | None:
    """Return the number that all of ``text`` is, in ASCII digits with a point; None for ``1,5``,
    ``1_000``, ``1.5M``, ``12:30``, ``3.2d-05``.

    What a part of a text says is no number: it would be another one than the writer meant.
    """
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:  # a fraction, or more digits than Python takes
            continue
    return None


def as_number(value: Any) -> Any:
    """Return the number that a text is; everything else as it is."""
    number = whole_number(value) if isinstance(value, str) else None
    return value if number is None else number


def _as_whole(value: Any) -> Any:
    value = as_number(value)
    # 1e6 means a million
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def _schema(kind: str, **text: Any) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": kind}, {"type": "string", **text}]})


Switch = Annotated[bool, BeforeValidator(as_switch), _schema("boolean", enum=list(_SWITCHES))]
Number = Annotated[int | float, BeforeValidator(as_number), _schema("number", pattern=_NUMERIC)]
Whole = Annotated[int, BeforeValidator(_as_whole), _schema("integer", pattern=_NUMERIC)]
Text = Annotated[
    str, BeforeValidator(_as_text), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
