"""What is not for an agent's eyes: the test metric before the search is over, and secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from agenthpo.text.redaction import redact

__all__ = ["plain", "without_test"]

_SHORT = 12
"""Characters below which a text holds no secret."""
_VALUES = ("params", "default", "id", "handle", "study", "task")
"""What has to stay as it is to be of use."""


def without_test(lines: Sequence[str], metric: str | None) -> list[str]:
    """Return the ``lines`` that do not speak of the test ``metric``.

    >>> without_test(["val_acc 0.9", "test_acc 0.8"], "test_acc")
    ['val_acc 0.9']
    """
    if metric is None:
        return list(lines)
    named = re.compile(rf"(?<!\w){re.escape(metric)}(?!\w)", re.IGNORECASE)
    return [line for line in lines if not named.search(line)]


def plain(answer: Any) -> dict[str, Any]:
    """Return an operation's answer as plain values, its texts without secrets: whoever reads them
    may be on another machine.
    """
    found: dict[str, Any] = _redacted(asdict(answer))
    return found


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) < _SHORT else redact(value)
    if isinstance(value, dict):
        return {k: each if k in _VALUES else _redacted(each) for k, each in value.items()}
    return [_redacted(each) for each in value] if isinstance(value, list | tuple) else value
