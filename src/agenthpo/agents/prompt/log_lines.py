"""The informative lines of a training's log: how it begins, what is new, what warns, how it ends.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["informative"]

_WARNS = re.compile(
    r"warn|error|exception|traceback|nan\b|\binf\b|overflow|fail|killed|memory", re.I
)
_DIGITS = re.compile(r"[-+]?\d[\d.,:eE+-]*")
_HEAD, _END = 3, 6
"""Lines at either end that are told whatever they say."""
_WIDTH = 160


def informative(log: str, *, most: int, hidden: str | None = None) -> list[str]:
    """Return lines of ``log`` in at most ``most`` characters, in their order: those that warn, the
    last, the first, and each that is the first of its kind, numbers aside.

    :param hidden: a metric that agents are not to see; lines that speak of it or of a test are
        left out.
    """
    lines = [" ".join(line.split())[:_WIDTH] for line in log.splitlines()]
    lines = [line for line in lines if line and not _is_hidden(line, hidden)]
    kept = set[int]()
    room = most
    for i in dict.fromkeys(_ranked(lines)):
        if len(lines[i]) < room:
            kept.add(i)
            room -= len(lines[i]) + 1
    return [lines[i] for i in sorted(kept)]


def _ranked(lines: Sequence[str]) -> list[int]:
    """Return the places of the lines that are worth telling, the most telling first."""
    seen = set[str]()
    new = []
    for i, line in enumerate(lines):
        kind = _DIGITS.sub("#", line)
        if kind not in seen:
            seen.add(kind)
            new.append(i)
    places = list(range(len(lines)))
    warning = [i for i in new if _WARNS.search(lines[i])]
    return [*warning, *reversed(places[-_END:]), *places[:_HEAD], *new]


def _is_hidden(line: str, hidden: str | None) -> bool:
    return hidden is not None and (hidden.lower() in line.lower() or "test" in line.lower())
