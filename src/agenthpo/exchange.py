"""What a classical engine thinks, as data: for the Creator's prompt, which may take a candidate, alter it, or go its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agenthpo.records import Expected, Params

__all__ = ["Candidate", "View"]


@dataclass(frozen=True)
class Candidate:
    """A configuration that the engine would try, and the value it expects."""

    params: Params
    expected: Expected


@dataclass(frozen=True)
class View:
    """The engine's candidates, the best first; what matters; how noisy a value is; where there are no data."""

    candidates: tuple[Candidate, ...]
    importance: Mapping[str, float] = field(default_factory=dict)
    """Parameter -> share of the differences between configurations that it alone explains, the largest first."""
    noise: float = 0.0
    """Standard deviation of a single value."""
    gaps: tuple[str, ...] = ()
    """Places that no trial has been to, in words."""
