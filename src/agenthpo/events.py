"""What the loop tells the outside while it runs; a face (live view, JSON lines, a notebook) is a
function of one event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agenthpo.budget import Budget
from agenthpo.certificate import Certificate
from agenthpo.pareto import Goal
from agenthpo.records import Direction, Trial
from agenthpo.shadow import Shadow

__all__ = [
    "Analysed",
    "Analysing",
    "Certified",
    "Event",
    "Finished",
    "OnEvent",
    "Opened",
    "Placed",
    "Proposing",
    "Reading",
    "Repeated",
    "Reported",
    "Started",
    "Stopped",
    "Waiting",
    "ignore",
]


@dataclass(frozen=True)
class Opened:
    """The study is open; ``trials`` are those it already has."""

    study: str
    folder: str
    metric: str
    direction: Direction
    model: str
    """The language model's name, or ``none``."""
    budget: Budget
    trials: tuple[Trial, ...] = ()
    workers: int = 1
    """How many trials run at once."""
    shared: bool = False
    """Whether other drivers may be at work in it."""
    certify: int = 0
    """Trials of the budget that are kept to certify the winner."""
    goals: tuple[Goal, ...] = ()
    """The objectives beside the first."""
    hint: str = ""
    """One sentence for the user, such as how to get a model."""


@dataclass(frozen=True)
class Proposing:
    """The proposer is thinking about the next trial."""

    trial: int


@dataclass(frozen=True)
class Started:
    """A trial was recorded and its training begins; ``again`` for one that was interrupted."""

    trial: Trial
    again: bool = False


@dataclass(frozen=True)
class Placed:
    """A trial has its place among those that run at once: a slot of this machine, a machine of the
    cluster, or a job, and the GPUs that it sees.
    """

    trial: int
    place: str


@dataclass(frozen=True)
class Reported:
    """A training run reported metrics (never the test metric)."""

    trial: int
    step: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class Reading:
    """A trial's log is so long that reading it takes a while: bytes that are read, and bytes in
    all.
    """

    trial: int
    done: int
    total: int


@dataclass(frozen=True)
class Repeated:
    """A run of a trial that has several is done, and the next one begins."""

    trial: int
    run: int
    """Counted from 1."""
    runs: int
    """How many it has at most."""
    value: float | None


@dataclass(frozen=True)
class Finished:
    """A trial is in the experience log with its outcome, and with what the rules say of it."""

    trial: Trial
    incumbent: Trial | None
    elsewhere: bool = False
    """Whether another driver of the study ran it."""


@dataclass(frozen=True)
class Analysing:
    """The Executor is asked for words on a trial that has finished; others may run meanwhile."""

    trial: Trial


@dataclass(frozen=True)
class Analysed:
    """A trial's analysis has become another one than when it finished: in the model's words, or
    with a note why not.
    """

    trial: Trial


@dataclass(frozen=True)
class Stopped:
    """The study ended, and why."""

    reason: str
    trials: tuple[Trial, ...]
    incumbent: Trial | None
    fault: str = ""
    """Why it is the task that fails, where that ended the study before its budget."""
    shadow: Shadow | None = None
    """What the engine alone would have been expected to reach, where others took part."""


@dataclass(frozen=True)
class Certified:
    """The winner and the default were run again on fresh seeds."""

    certificate: Certificate


@dataclass(frozen=True)
class Waiting:
    """The driver waits for something else than a training: another driver, a storage that does not
    answer.
    """

    why: str


Event = (
    Opened
    | Proposing
    | Started
    | Placed
    | Repeated
    | Reported
    | Reading
    | Finished
    | Analysing
    | Analysed
    | Stopped
    | Certified
    | Waiting
)
OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Do nothing with ``event``."""
