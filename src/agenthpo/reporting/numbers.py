"""Numbers as a report shows them."""

from __future__ import annotations

from agenthpo.space import format_number

__all__ = ["shown_number"]


def shown_number(value: float | None) -> str:
    """Return ``value`` to six digits; empty where there is none.

    >>> shown_number(0.12345678), shown_number(None)
    ('0.123457', '')
    """
    return "" if value is None else format_number(float(f"{value:.6g}"))
