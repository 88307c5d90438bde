"""What the results have to keep: ``latency_ms <= 20``, ``0.9 <= recall``, ``peak_mb < 4000``.

A trial that breaks one has a value all the same, and is no winner.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["MEASURED", "Limit", "broken_words", "limits_words", "parse_limits"]

MEASURED = ("duration_s", "peak_mb")
"""What is measured of each trial, beside the metrics that it reports."""
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_METRIC = r"[A-Za-z_][\w./@%-]*"
_AFTER = re.compile(rf"({_METRIC})\s*(<=?|>=?)\s*({_NUMBER})")
_BEFORE = re.compile(rf"({_NUMBER})\s*(<=?|>=?)\s*({_METRIC})")
_BETWEEN = re.compile(rf"({_NUMBER})\s*(<=?)\s*({_METRIC})\s*(<=?)\s*({_NUMBER})")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LEAST, _MOST = 1e-9, 1e300
"""By how much a value at the bound breaks a strict limit, and one that is no number any."""


@dataclass(frozen=True)
class Limit:
    """A bound on a metric."""

    metric: str
    sign: str
    """``<``, ``<=``, ``>`` or ``>=``."""
    bound: float

    @property
    def text(self) -> str:
        """The limit as people write it."""
        return f"{self.metric} {self.sign} {self.bound:g}"

    def margin(self, value: float) -> float:
        """Return how far ``value`` is beyond the bound; 0 or less where it keeps it."""
        if not math.isfinite(value):
            return _MOST
        beyond = value - self.bound if self.sign[0] == "<" else self.bound - value
        return _LEAST if beyond == 0 and len(self.sign) == 1 else beyond


def parse_limits(text: str, names: Collection[str]) -> tuple[Limit, ...]:
    """Return the limits on metrics that ``text`` states; none where it is about the parameters
    ``names``, or something else.

    :raises ValueError: saying what is wrong, where the metric looks like a parameter misspelt.
    """
    written = text.strip()
    found: tuple[Limit, ...]
    if match := _BETWEEN.fullmatch(written):
        low, left, metric, right, high = match.groups()
        found = (Limit(metric, _TURNED[left], float(low)), Limit(metric, right, float(high)))
    elif match := _AFTER.fullmatch(written):
        found = (Limit(match[1], match[2], float(match[3])),)
    elif match := _BEFORE.fullmatch(written):
        found = (Limit(match[3], _TURNED[match[2]], float(match[1])),)
    else:
        return ()
    metric = found[0].metric
    if metric in names:
        return ()
    if near := difflib.get_close_matches(metric, list(names), 1, 0.8):
        raise ValueError(
            f"names '{metric}', which is no parameter; if {near[0]} is meant, write that"
        )
    return found


def limits_words(limits: Sequence[Limit]) -> str:
    """Return ``latency_ms <= 20 and recall >= 0.9``."""
    return " and ".join(limit.text for limit in limits)


def broken_words(margins: Mapping[str, float]) -> str:
    """Return ``breaks latency_ms <= 20 by 11.2``; empty where all limits are kept."""
    words = [f"{text} by {margin:.4g}" for text, margin in margins.items() if margin > 0]
    return f"breaks {' and '.join(words)}" if words else ""
