"""Durations and sizes as people write them: ``90``, ``"90s"``, ``"5m"``, ``"2h"``; ``"8GB"``,
``"500 MB"``.
"""

from __future__ import annotations

import math
import re

__all__ = ["format_duration", "format_memory", "parse_duration", "parse_memory"]

_SECONDS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_MEGABYTES = {
    "mb": 1.0,
    "m": 1.0,
    "gb": 1e3,
    "g": 1e3,
    "tb": 1e6,
    "mib": 1.048576,
    "gib": 1073.741824,
}
_QUANTITY = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([A-Za-z]*)\s*")


def parse_duration(text: str | float) -> float:
    """Return seconds for ``90``, ``"90s"``, ``"5m"``, ``"2h"`` or ``"1d"``.

    :raises ValueError: with a sentence, when it is no positive duration.
    """
    match = _QUANTITY.fullmatch(str(text))
    if match is None or match[2].lower() not in _SECONDS:
        raise ValueError(f"{text!r} is not a duration such as 90, 90s, 5m or 2h")
    value = float(match[1]) * _SECONDS[match[2].lower()]
    if value <= 0 or not math.isfinite(value):
        raise ValueError(f"{text!r} must be above 0, a duration such as 90, 90s, 5m or 2h")
    return value


def parse_memory(text: str | float) -> float:
    """Return 10^6 bytes for ``"8GB"``, ``"500 MB"`` or ``"4GiB"``.

    :raises ValueError: with a sentence, when it is no size with a unit.
    """
    match = _QUANTITY.fullmatch(str(text))
    if match is None or match[2].lower() not in _MEGABYTES or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is not an amount of memory such as 8GB or 500MB")
    return float(match[1]) * _MEGABYTES[match[2].lower()]


def format_duration(seconds: float) -> str:
    """Return ``4.2s``, ``3m 05s`` or ``2h 10m``."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def format_memory(megabytes: float) -> str:
    """Return ``512 MB`` or ``8.2 GB``, of 10^6 and 10^9 bytes."""
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"
