"""Fewer points of a curve, for what has room for some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["thinned"]

T = TypeVar("T")


def thinned(points: Sequence[T], most: int) -> tuple[T, ...]:
    """Return at most ``most`` (two or more) of the points, evenly spread, first and last among
    them.
    """
    if len(points) <= most:
        return tuple(points)
    stride = (len(points) - 1) / (most - 1)
    return tuple(points[round(i * stride)] for i in range(most))
