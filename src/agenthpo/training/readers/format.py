"""The contract of a format in which other programs keep metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Format", "Row"]

Row = Mapping[str, float]
"""Metric -> value; ``step`` or ``epoch`` among them is where on the curve they stand."""


@dataclass(frozen=True)
class Format:
    """A format.

    ``rows`` reads a file anew each time it has changed, so that it must give the same rows in the
    same order again, and new ones behind them. What it does not understand it passes over; it
    raises nothing but ``OSError``.
    """

    name: str
    """As ``check --try`` names it."""
    names: tuple[str, ...]
    """Patterns of the ends of paths that are usual for it (``lightning_logs/*/metrics.csv``)."""
    rows: Callable[[Path, float], Iterable[Row]]
    """The rows of a file; those before a time (seconds since 1970) may be left out, where a file
    is shared by many runs.
    """
    is_appended: bool = False
    """Whether a later run may add its rows to a file of an earlier one."""
