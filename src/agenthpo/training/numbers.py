"""Numbers out of JSON and Python's dicts, as floats."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping
from typing import Any

from agenthpo.scalars import as_number

__all__ = ["as_float", "is_number", "json_numbers", "json_object", "numbers_of", "printed_numbers"]

_LONGEST = 5000
"""Characters of a dict's text that are read."""


def json_numbers(line: str) -> dict[str, float]:
    """Return the numbers of a JSON object; empty when ``line`` is none."""
    return numbers_of(json_object(line))


def printed_numbers(line: str) -> dict[str, float]:
    """Return the numbers of a JSON object, or of a dict as Python prints it; empty when ``line`` is
    neither. Nothing in it is run.

    >>> printed_numbers("{'eval_loss': 0.25, 'eval_accuracy': '0.75', 'epoch': 1.0, 'x': None}")
    {'eval_loss': 0.25, 'eval_accuracy': 0.75, 'epoch': 1.0}
    """
    if found := json_numbers(line):
        return found
    if not line.endswith("}") or len(line) > _LONGEST:
        return {}
    try:
        read = ast.literal_eval(line)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return {}
    if not isinstance(read, dict):
        return {}
    return numbers_of({name: as_number(v) for name, v in read.items() if isinstance(name, str)})


def json_object(line: str) -> dict[str, Any]:
    """Return a JSON object; empty when ``line`` is none."""
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def numbers_of(read: Mapping[str, Any]) -> dict[str, float]:
    """Return what in ``read`` is a number; true and false are none."""
    return {name: as_float(value) for name, value in read.items() if is_number(value)}


def is_number(value: object) -> bool:
    """Return whether ``value`` is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_float(value: int | float) -> float:
    """Return ``value`` as a float, infinite where it is beyond what one holds."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
