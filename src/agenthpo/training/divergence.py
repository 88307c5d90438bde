"""A training that has diverged while it still runs: nothing that it reports later will count."""

from __future__ import annotations

import math
from collections.abc import Sequence

from agenthpo.records import RunSpec

__all__ = ["divergence"]

_EXPLODED = 1e9
"""A loss that has grown by so much, as a multiple of its first value or of 1, is lost."""
_PATIENT = 3
"""Reports in a row that are no numbers, where one alone may mean something else."""


def divergence(spec: RunSpec, curve: Sequence[tuple[float, float]]) -> str:
    """Return in words that the metric's ``curve`` so far has diverged; empty while it has not.

    A loss that was a number and is none any more has. Of a metric that is maximised a single value
    may be undefined (a correlation of predictions that are all equal), and so may the values before
    the first number. Where the best value counts, one that has come already does.
    """
    if not curve:
        return ""
    first = next((value for _, value in curve if math.isfinite(value)), None)
    if spec.at == "best" and first is not None:
        return ""
    value = curve[-1][1]
    if first is not None and math.isfinite(value):
        is_lost = spec.direction == "minimize" and value > _EXPLODED * max(1.0, abs(first))
        return f"{spec.metric} grew from {first:.6g} to {value:.6g}" if is_lost else ""
    needed = 1 if first is not None and spec.direction == "minimize" else _PATIENT
    latest = [point for _, point in curve[-needed:]]
    if len(latest) < needed or any(map(math.isfinite, latest)):
        return ""
    return f"{spec.metric} became {value}"
