"""What a report says, as plain values: every number in it is worked out by code from the trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agenthpo.audit import Audit
from agenthpo.certificate import Certificate
from agenthpo.pareto import Goal
from agenthpo.records import Direction, Expected, Params, Struck
from agenthpo.search.importance import Importance
from agenthpo.shadow import Shadow

__all__ = [
    "Answer",
    "Calibration",
    "Claims",
    "Contour",
    "Cost",
    "Edge",
    "Evidence",
    "Failures",
    "Made",
    "Parameter",
    "Prediction",
    "Sentence",
    "Source",
    "TestGap",
    "TrialEvidence",
]


@dataclass(frozen=True)
class Parameter:
    """One axis of the search space."""

    name: str
    values: tuple[Any, ...] = ()
    """Its values, where it has a list of them."""
    low: float | None = None
    high: float | None = None
    log: bool = False


@dataclass(frozen=True)
class TrialEvidence:
    """One trial: what was tried and why, what was expected, what came, what it taught."""

    number: int
    who: str
    source: str
    model: str
    state: str
    """``complete``, ``failed``, ``timeout``, ``oom``, ``diverged``, ``interrupted``, ``pruned`` or
    ``running``.
    """
    diagnosis: str
    value: float | None
    test: float | None
    is_best_so_far: bool
    is_kept: bool
    """Whether it keeps the limits on results."""
    share: float
    """How much of a whole training it was."""
    params: Params
    base: int | None
    """The earlier trial that it differs from the least."""
    changes: str
    """What it changed of that one, in words."""
    rationale: str
    hypothesis: str
    expected: Expected | None
    prediction: str
    """``held``, ``better``, ``failed``, or empty where nothing was predicted."""
    claim: str
    """What it claimed and whether it was so, in a sentence."""
    error: str
    insight: str
    insight_by: str
    advice: str
    seen: tuple[str, ...]
    """What the diagnosis rests on."""
    notes: tuple[str, ...]
    """What the reader should know of how it came about, and what people left on it."""
    struck: tuple[Struck, ...]
    """What was struck of the words of a model, and why."""
    seconds: float | None
    memory_mb: float | None
    tokens: int
    curves: Mapping[str, tuple[tuple[float, float], ...]]
    """Step and value of each metric, thinned."""
    others: Mapping[str, float] = field(default_factory=dict)
    """The values of the objectives beside the first."""
    margins: Mapping[str, float] = field(default_factory=dict)
    """How far each limit is exceeded."""
    repeats: tuple[float, ...] = ()


@dataclass(frozen=True)
class Cost:
    """What the study took."""

    trials: int
    failed: int
    training_s: float
    """Seconds of all trainings together."""
    elapsed_s: float
    """Seconds during which any training or request was at work."""
    tokens: int
    cost_usd: float | None
    """None where the price of a request is not known."""


@dataclass(frozen=True)
class Answer:
    """The best configuration, and how sure it is."""

    best: int | None
    """The certified winner's trial, else the best one's; None while none has a value."""
    is_certified: bool
    params: Params
    value: float | None
    test: float | None
    default: int | None
    """The trial of the default configuration."""
    default_value: float | None
    gain: float | None
    """By how much it is better than the default, in the metric's units; above 0 is better."""
    noise: float | None
    """The standard deviation of the value of a single run, as far as it is known."""
    is_noise_measured: bool
    """Whether fresh seeds showed it, by a certificate or an audit; else it is what the engine
    believes, and trials that share a seed may show too little of it.
    """
    sure: str
    """How sure it is, in a sentence."""
    next_hour: str
    """What one more hour would settle, where nothing is certified; else empty."""
    ended: str
    """Why it ended; empty while it may go on."""
    front: tuple[int, ...]
    """The trials of the Pareto front, where there are several objectives."""
    hypervolume: float | None
    cost: Cost


@dataclass(frozen=True)
class Edge:
    """The best configuration has a parameter at an end of its range."""

    name: str
    value: Any
    way: str
    """``upwards`` or ``downwards``."""
    words: str


@dataclass(frozen=True)
class Claims:
    """What the agents claimed of one parameter, beside what the statistics say."""

    name: str
    claimed: int
    """Claims that could be tested."""
    borne_out: int
    share: float | None
    """Its importance; None where that is not known."""


@dataclass(frozen=True)
class Contour:
    """What the engine expects over the two parameters that matter most, the others as in the best
    trial.
    """

    x: str
    y: str
    xs: tuple[Any, ...]
    ys: tuple[Any, ...]
    values: tuple[tuple[float, ...], ...]
    """A row for each of ``ys``."""


@dataclass(frozen=True)
class Prediction:
    """What was expected of a trial, and what came."""

    trial: int
    who: str
    expected: Expected
    value: float


@dataclass(frozen=True)
class Calibration:
    """How far one side's predictions can be believed."""

    who: str
    judged: int
    inside: int
    """Results that fell into the interval."""
    mean_error: float
    """The mean of what came less what was expected."""


@dataclass(frozen=True)
class Source:
    """What one source proposed, improved and cost."""

    who: str
    proposed: int
    failed: int
    won: int
    """Trials that were the best so far."""
    gained: float
    """By how much these moved the best value."""
    held: int
    judged: int
    tokens: int
    cost_usd: float | None


@dataclass(frozen=True)
class TestGap:
    """Validation against test: how much of the gain is real."""

    best: float
    """By how much the best trial's test value is worse than its validation value."""
    others: float
    """The median of the same over all trials."""
    grows: bool
    words: str


@dataclass(frozen=True)
class Failures:
    """Failures of one kind."""

    cause: str
    count: int
    trials: tuple[int, ...]
    example: str
    """The error of the first of them."""


@dataclass(frozen=True)
class Made:
    """What is needed to make it again."""

    version: str
    seed: int
    model: str
    proposer: str
    workers: int
    task_file: str | None
    task: str
    """The task file's text as it is now, without secrets; empty where there is none."""
    command: str
    """A line for a shell that runs the best trial again; empty where there is none."""
    audit: str
    """A line for a shell that says which change made the gain."""
    prompts: str
    """A digest of what the model was told to be; empty where none was asked."""
    exchanges: int
    """How often it was asked."""
    made_with: Mapping[str, str]
    """The machine and the versions where the study was begun, or, of one by an earlier version,
    where the report was made.
    """
    is_begun_there: bool
    """Whether it is the former."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of the narrative, and the trials that bear it out."""

    text: str
    trials: tuple[int, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """A study's evidence. ``form`` is raised whenever a field changes its meaning."""

    form: int
    study: str
    task: str
    metric: str
    direction: Direction
    goals: tuple[Goal, ...]
    test_metric: str | None
    made_at: float
    """Seconds since the epoch (UTC)."""
    answer: Answer
    space: tuple[Parameter, ...]
    trials: tuple[TrialEvidence, ...]
    certificate: Certificate | None
    audit: Audit | None
    matters: tuple[Importance, ...]
    edges: tuple[Edge, ...]
    claims: tuple[Claims, ...]
    contour: Contour | None
    predictions: tuple[Prediction, ...]
    calibration: tuple[Calibration, ...]
    sources: tuple[Source, ...]
    duplicates: int
    """Trials of a configuration that was tried before."""
    fallbacks: Mapping[str, int]
    """Why the engine stepped in for the model, and how often."""
    replies: Mapping[str, int]
    """What was wrong with replies of the model, and how often."""
    shadow: Shadow | None
    """The engine alone, as far as it can be estimated."""
    random: Shadow | None
    """Random search, likewise."""
    gap: TestGap | None
    failures: tuple[Failures, ...]
    rules: tuple[str, ...]
    """What was learnt of them, in statements."""
    pinned: Params
    widened: Mapping[str, Params]
    """Ranges that people have widened: parameter -> low, high, values to add."""
    people: tuple[str, ...]
    """What people and agents asked of the study and left on it, with who, when and why."""
    made: Made
    story: tuple[Sentence, ...] = ()
    """The closing narrative."""
