"""Numbers as a report shows them."""

from __future__ import annotations

from agenthpo.space import format_number

__all__ = ["money", "shown_number"]


def shown_number(value: float | None) -> str:
    """Return ``value`` to six digits; empty where there is none.

    >>> shown_number(0.12345678), shown_number(None)
    ('0.123457', '')
    """
    return "" if value is None else format_number(float(f"{value:.6g}"))


def money(cost_usd: float | None) -> str:
    """Return what was paid; empty where it was nothing.

    >>> money(1.234), money(0.0), money(0.004), money(None)
    ('$1.23', '', '$0.0040', 'price not known')
    """
    if cost_usd is None:
        return "price not known"
    return f"${cost_usd:.{2 if cost_usd >= 0.01 else 4}f}" if cost_usd else ""
