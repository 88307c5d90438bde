"""What those who propose hand each other: the engine's view, the Creator's attempt at a proposal,
its choice, and hints from what is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agenthpo.records import Expected, Params, Proposal, Stop, Usage

__all__ = ["Attempt", "Candidate", "Choice", "Hint", "View"]


@dataclass(frozen=True)
class Hint:
    """A configuration of the task's own space that was good elsewhere, and why it is worth a
    trial.
    """

    params: Params
    rationale: str


@dataclass(frozen=True)
class Candidate:
    """A configuration that the engine would try, and the value it expects."""

    params: Params
    expected: Expected
    is_near: bool = False
    """Whether it is a small step from the best that was tried: no parameter is more than a fifth
    of its range away, or one step of its list.
    """


@dataclass(frozen=True)
class View:
    """The engine's candidates, the best first; what matters; how noisy a value is; where there are
    no data.
    """

    candidates: tuple[Candidate, ...]
    importance: Mapping[str, float] = field(default_factory=dict)
    """Parameter -> share of the differences between configurations that it alone explains, the
    largest first.
    """
    noise: float = 0.0
    """Standard deviation of a single value."""
    gaps: tuple[str, ...] = ()
    """Places that no trial has been to, in words."""
    known: tuple[Hint, ...] = ()
    """What was good elsewhere, and has not been tried here."""


@dataclass(frozen=True)
class Attempt:
    """The result of asking the Creator: a proposal, or None and the reason."""

    proposal: Proposal | Stop | None
    reason: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class Choice:
    """What the model chose: the index among the candidates, or None where the two answers did not
    name the same one, and why.
    """

    index: int | None
    reason: str
    usage: Usage
    by_position: bool = False
    """Whether it named the same place in both orders, whatever stood there."""
