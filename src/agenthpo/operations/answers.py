"""What the operations answer: plain values, of which the JSON schemas are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "Analysed",
    "Briefing",
    "Checked",
    "Drafted",
    "Interval",
    "Opened",
    "Proposed",
    "Queued",
    "Running",
    "Source",
    "Started",
    "Stopping",
    "TrialLine",
    "Verdict",
    "Waited",
]


@dataclass(frozen=True)
class Drafted:
    """A task file drafted from a script."""

    task: str
    """The file that was written."""
    metric: str
    tuned: list[str]
    """The parameters that are tuned."""
    guessed: list[str]
    """What to look at, a sentence each."""
    to_fill: list[str]
    """What has to be filled in before it runs."""
    text: str
    """The file's text."""
    next: str


@dataclass(frozen=True)
class Checked:
    """What a task file means, and what one short run of its default gave."""

    task: str
    works: bool
    says: list[str]
    """What arrived, in lines."""
    seconds: float
    """How long the run took, or was let run."""
    memory_mb: float | None
    budget_s: float | None
    """Seconds that the budget's trials will take."""
    default: dict[str, Any] | None
    """The configuration that every trial is compared with."""
    space: list[str]
    next: str


@dataclass(frozen=True)
class Opened:
    """A study that can be worked in."""

    study: str
    """What to call it in the other operations."""
    is_new: bool
    trials: int
    """Trials that have ended."""
    left: str
    """What is left of the budget."""
    metric: str
    direction: str
    next: str


@dataclass(frozen=True)
class Briefing:
    """All that a Creator needs, in Markdown."""

    text: str
    left: str
    turn: Literal["agent", "engine"]
    """Whose turn the next trial is."""
    why: str
    """Why it is."""
    waiting: list[str]
    """The ids of the configurations that wait for a trial."""


@dataclass(frozen=True)
class Interval:
    """An expected value of the metric, with the interval about it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Proposed:
    """A configuration that waits for its trial."""

    id: str
    params: dict[str, Any]
    compared_with: int | None
    """The trial that it is nearest to, or was based on."""
    changed: list[str]
    """What it changes of that one."""
    warning: str
    """Empty where there is nothing to warn of."""
    notes: list[str]
    """What was read otherwise than it was written."""
    turn: Literal["agent", "engine"]
    why: str
    engine_expects: Interval | None
    next: str


@dataclass(frozen=True)
class Queued:
    """A person's configuration, veto, pin or note."""

    id: str
    says: str


@dataclass(frozen=True)
class Started:
    """Trials that were asked for and run in the background."""

    handle: str
    trials: int
    """How many were asked for."""
    says: str
    next: str


@dataclass(frozen=True)
class TrialLine:
    """A trial in short."""

    number: int
    source: str
    """Who proposed it."""
    state: str
    params: dict[str, Any]
    value: float | None
    prediction: str
    """``held``, ``better``, ``failed``, or empty where nothing was predicted."""
    says: str


@dataclass(frozen=True)
class Running:
    """A trial that trains."""

    number: int
    source: str
    params: dict[str, Any]
    seconds: float
    curve: list[list[float]]
    """Step and value of the metric so far, thinned."""


@dataclass(frozen=True)
class Waited:
    """How far the trials have come that were asked for."""

    done: bool
    """Whether all of them have ended, or none of the others will be run."""
    ended: list[TrialLine]
    """Those that have ended, the default before them too."""
    running: list[Running]
    """Those that train now."""
    left: int
    """How many have not begun."""
    problem: str
    """Why the rest will not be run; empty where there is no such thing."""
    next: str


@dataclass(frozen=True)
class Stopping:
    """A trial whose training was asked to end."""

    trial: int
    says: str


@dataclass(frozen=True)
class Analysed:
    """A trial's story."""

    trial: int
    state: str
    story: list[str]
    log: list[str]
    """The lines of its log that say the most."""
    curve: list[list[float]]
    insight: str
    """What was kept of the insight that was given."""
    struck: list[str]
    """Why the other sentences were left out."""


@dataclass(frozen=True)
class Source:
    """What one source's trials came to."""

    source: str
    proposed: int
    failed: int
    improved: int
    """Trials that were the best so far."""
    gained: float
    """By how much they moved the best value."""
    tokens: int


@dataclass(frozen=True)
class Verdict:
    """What was found, and how sure it is."""

    best: TrialLine | None
    gain: str
    """How far it is from the default, in words."""
    noise: float | None
    """The standard deviation of a single value, as far as the engine has learnt it."""
    sure: str
    """Whether the gain stands out from the noise, in a sentence."""
    sources: list[Source]
    command: str
    """The command that uses it."""
    test: float | None
    """The test metric's value, which is told once and ends the search."""
    notes: list[str]
