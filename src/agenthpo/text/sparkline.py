"""A curve in a line of text."""

from __future__ import annotations

__all__ = ["sparkline"]

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: list[float], width: int) -> str:
    """Return the latest ``width`` finite values as bars."""
    finite = [v for v in values if abs(v) < float("inf")][-width:]
    if not finite:
        return ""
    low = min(finite)
    span = (max(finite) - min(finite)) or 1.0
    return "".join(_BARS[min(7, int((v - low) / span * 8))] for v in finite)
