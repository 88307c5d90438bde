"""The fields of a parameter as a task file has them, for problems that are written in code."""

from __future__ import annotations

from typing import Any

__all__ = ["one_of", "real", "whole"]


def real(
    low: float, high: float, default: float, *, log: bool = False, **more: Any
) -> dict[str, Any]:
    """Return a float's fields; ``more`` are about, step or when."""
    return {"type": "float", "low": low, "high": high, "log": log, "default": default, **more}


def whole(low: int, high: int, default: int, **more: Any) -> dict[str, Any]:
    """Return an int's fields; ``more`` are log, about, step or when."""
    return {"type": "int", "low": low, "high": high, "default": default, **more}


def one_of(default: Any, *values: Any, kind: str = "categorical", **more: Any) -> dict[str, Any]:
    """Return the fields of a choice among ``values``; ``kind`` is the type."""
    return {"type": kind, "values": list(values), "default": default, **more}
