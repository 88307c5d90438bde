"""What a study is compared with: the engine alone, as far as it can be estimated."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Shadow"]


@dataclass(frozen=True)
class Shadow:
    """What the engine alone would have been expected to reach. It is an estimate, by the engine's
    own process of the study's results; no training was run for it.
    """

    trials: int
    """With how many trials."""
    value: float
    """The best value, on average over the functions that the results allow."""
    low: float
    """The lowest of these."""
    high: float
    """The highest of these."""
    repeats: int
    """How many functions were drawn."""
    course: tuple[float, ...] = ()
    """The best value so far after each trial, likewise; empty in studies of earlier versions."""
