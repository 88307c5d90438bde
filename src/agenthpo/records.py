"""The nouns of a study, frozen: what was proposed, what ran, what came out, what was learnt.

Nothing here does anything: no input or output, no validation against a search space (``space``), no
statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from agenthpo.limit import Limit

__all__ = [
    "CREATORS",
    "Analysis",
    "Claim",
    "Curve",
    "CurveDiagnosis",
    "Diagnosis",
    "Direction",
    "Expected",
    "Further",
    "Mode",
    "Needs",
    "Outcome",
    "Owner",
    "Params",
    "Proposal",
    "RunFolder",
    "RunSpec",
    "Source",
    "Status",
    "Stop",
    "Trial",
    "Usage",
    "Widening",
    "who_words",
]

T = TypeVar("T")
Params = dict[str, Any]
Direction = Literal["minimize", "maximize"]
Source = Literal["default", "creator", "engine", "knowledge", "fallback", "human", "agent"]
CREATORS: frozenset[Source] = frozenset({"creator", "agent"})
"""Sources that are Creators: our language model, and an agent beside the study."""
Mode = Literal["", "free", "choice", "by position"]
"""``by position``: its choice did not stand when the candidates came in another order, and the
engine's own was taken.
"""
Status = Literal["complete", "failed", "timeout", "oom", "diverged", "interrupted", "pruned"]
"""``pruned``: somebody stopped it, since it was hopeless."""
CurveDiagnosis = Literal[
    "completed",
    "overfitting",
    "underfitting",
    "still_improving",
    "plateau",
    "unstable",
]
"""Of a trial that has a value."""
Diagnosis = Literal[
    CurveDiagnosis,
    "diverged",
    "out_of_memory",
    "timed_out",
    "crashed",
    "pruned",
    "task_error",
]
"""``task_error``: not the configuration, but the task is at fault, such as a metric that the script
never reports.
"""
Curve = tuple[tuple[float, float], ...]
"""Points ``(step, value)`` in the order in which they were reported."""


@dataclass(frozen=True)
class Usage:
    """What language-model requests cost: counts of requests and tokens, seconds waited, money."""

    requests: int = 0
    """Requests, failed ones too."""
    input_tokens: int = 0
    """Tokens of prompts."""
    output_tokens: int = 0
    """Tokens of replies."""
    seconds: float = 0.0
    """Seconds waited for replies."""
    cost_usd: float | None = 0.0
    """US dollars; None as soon as the price of one request is not known."""

    @property
    def tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            seconds=self.seconds + other.seconds,
            cost_usd=None
            if self.cost_usd is None or other.cost_usd is None
            else self.cost_usd + other.cost_usd,
        )


@dataclass(frozen=True)
class Expected:
    """A prediction of the objective value, with the interval ``[low, high]`` in which the proposer
    expects it.
    """

    value: float
    """The predicted value of the objective."""
    low: float
    """Lower end of the interval, inclusive."""
    high: float
    """Upper end of the interval, inclusive."""

    def holds(self, value: float) -> bool:
        """Return whether ``value`` fell into the interval."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Needs:
    """What a trial is expected to take, from what others took; nine in ten fall into the
    intervals.
    """

    seconds: Expected | None = None
    """From start to end; None where it is not known."""
    memory_mb: Expected | None = None
    """At most at once, in 10^6 bytes."""


@dataclass(frozen=True)
class Claim:
    """What a hypothesis says, in a form that code can test against the result."""

    parameter: str
    """The one that was moved."""
    change: Literal["raise", "lower", "change"]
    """How it differs from its value in trial ``than``."""
    than: int
    """The number of the trial that it is compared with."""
    is_better: bool = True
    """Whether the result is said to be better than that trial's, or worse."""


@dataclass(frozen=True)
class Further:
    """A configuration that came with another one, to be tried after it."""

    params: Params
    rationale: str
    hypothesis: str
    expected: Expected


@dataclass(frozen=True)
class Widening:
    """A range that seems too narrow. It is advice to the user: nothing is tried outside."""

    parameter: str
    to: float
    """The end that it should have, beyond the one it has."""
    why: str = ""


def who_words(source: Source, by: str) -> str:
    """Return a source with the name of the person or the agent, where that says more.

    >>> who_words("agent", "claude"), who_words("agent", "agent"), who_words("engine", "")
    ('agent claude', 'agent', 'engine')
    """
    return source if by in ("", source) else f"{source} {by}"


@dataclass(frozen=True)
class Proposal:
    """A configuration to try, who proposed it, and why. ``params`` holds the active parameters
    only.
    """

    params: Params
    """The active parameters and their values."""
    source: Source
    """Who proposed it: ``default``, ``creator``, ``engine``, ``fallback`` (the engine, instead of a
    Creator that failed), ``human`` or ``agent`` (one beside the study, such as a coding agent).
    """
    rationale: str = ""
    """Why it is worth a trial."""
    hypothesis: str = ""
    """What the Creator expects to see, in words."""
    expected: Expected | None = None
    """The predicted value; None if nothing was predicted."""
    note: str = ""
    """What the reader should know of how it came about: the reason of a fall-back, the replies that
    were sent back.
    """
    model: str = ""
    """The language model that was asked, whether or not its answer was used."""
    usage: Usage = field(default_factory=Usage)
    """What the language model cost."""
    mode: Mode = ""
    """What the Creator was asked for: a proposal of its own, or a choice among the engine's
    candidates.
    """
    turn: str = ""
    """Why it was this side's turn, where Creator and engine share the study: what the Creator had
    earned by then.
    """
    forecast: Expected | None = None
    """What the other side expected of it: the engine, of a configuration of the Creator's."""
    claim: Claim | None = None
    """The hypothesis in a form that code tests; None where it has none."""
    needs: Needs | None = None
    """What it is expected to take of time and memory; None where nothing is foretold."""
    further: tuple[Further, ...] = ()
    """What the same reply proposed to try after it, at most two."""
    given_with: int | None = None
    """The trial whose reply held this one too, so that no model was asked for it."""
    widening: Widening | None = None
    """The range that the Creator would widen."""
    by: str = ""
    """The name of the person or the agent who proposed it."""
    queued: str = ""
    """The request that it came from, where somebody asked for this very configuration."""
    asked: str = ""
    """The request for so many trials, of which this is one."""
    share: float = 1.0
    """How much of a whole training it is, above 0, where the task has a fidelity."""
    promoted_from: int | None = None
    """The trial of less of a training that it goes on from."""

    @property
    def who(self) -> str:
        """Who proposed it, in words: the source, with a person's or an agent's name."""
        return who_words(self.source, self.by)

    @cached_property
    def sorted_params(self) -> tuple[tuple[str, Any], ...]:
        """The parameters and their values by name, to tell configurations apart; worked out once,
        since all trials are looked at before each.
        """
        return tuple(sorted(self.params.items()))


@dataclass(frozen=True)
class Stop:
    """What a proposer answers where it has nothing more to try, and why."""

    reason: str
    """In words."""


@dataclass(frozen=True)
class Owner:
    """Whose result an outcome is: what was run, for which trial of which study. Anything else in a
    trial's folder is no result.
    """

    study: str
    trial: int
    params: Params
    seed: int
    script: str


@dataclass(frozen=True)
class RunFolder:
    """What a folder of the trial's own is made of."""

    source: str
    """The task's folder (absolute)."""
    names: tuple[str, ...] | None = None
    """What of it is there, by paths below it; None for all."""


@dataclass(frozen=True)
class RunSpec:
    """All that is needed to run one trial somewhere else; picklable unless ``function`` is a
    closure.
    """

    trial: int
    params: Params
    workdir: str
    """The trial's own folder (absolute): params.json, run.log, metrics.jsonl, outcome.json."""
    metric: str
    direction: Direction = "maximize"
    at: str = "last"
    """Which point of the metric's curve is the objective value: ``last``, ``best``, or the ``mean
    of last N`` or ``median of last N``.
    """
    test_metric: str | None = None
    seed: int = 0
    command: tuple[str, ...] = ()
    cwd: str | None = None
    run_folder: RunFolder | None = None
    """What ``cwd`` is made of, where that is a folder of the trial's own."""
    env: Mapping[str, str] = field(default_factory=dict)
    function: Callable[[Params], Any] | None = None
    pty: bool = False
    """Whether the command writes to a terminal, so that it does not hold its output back."""
    timeout_s: float | None = None
    limits: tuple[Limit, ...] = ()
    """What its results have to keep."""
    others: tuple[str, ...] = ()
    """The metrics of the objectives beside the first."""
    silence_s: float | None = None
    """How long a training may write nothing."""
    memory_mb: float | None = None
    """10^6 bytes of resident memory that the training and its children may hold together."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """Metric name -> text of an output line in which ``{number}`` stands for the value."""
    metrics_file: str | None = None
    """A file, a pattern or a folder that the script writes metrics to (absolute)."""
    finds_metrics: bool = False
    """Whether metrics are looked for in the files of known loggers where it runs."""
    objects: Params = field(default_factory=dict)
    """The lists and mappings that the script gets for the words in ``params``."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path below the trial's folder -> text of a file that the script reads."""
    ignores_exit_code: bool = False
    """Whether a metric that was reported counts although the script then ended with an exit code of
    its own above 0.
    """
    cpus: tuple[int, ...] = ()
    """The processors that the command is held to; empty for all."""
    study: str = ""
    """The study's own identity, which no other study has."""
    script: str = ""
    """A digest of what trains: the command and the script's text."""

    @property
    def given(self) -> Params:
        """What the script gets."""
        return {**self.params, **self.objects}

    @property
    def owner(self) -> Owner:
        """Whose result the outcome of this run is."""
        return Owner(
            study=self.study,
            trial=self.trial,
            params=self.params,
            seed=self.seed,
            script=self.script,
        )


@dataclass(frozen=True)
class Outcome:
    """The result of a run. ``value`` is set if and only if ``status`` is ``complete``, and is
    finite.
    """

    status: Status
    """How the run ended."""
    value: float | None = None
    """The objective value, finite; None unless ``status`` is ``complete``."""
    step: float | None = None
    """The step at which ``value`` was reported."""
    test_value: float | None = None
    """Recorded and shown to people; never shown to an agent or an optimiser."""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """Every metric that was reported, except the test metric's."""
    duration_s: float = 0.0
    """Seconds from start to end."""
    exit_code: int | None = None
    """The script's; negative for the signal that ended it; None if there is none."""
    peak_mb: float | None = None
    """The most resident memory that the training and its children held together, as sampled, in
    10^6 bytes.
    """
    error: str = ""
    """One line: why it is not complete."""
    log_tail: str = ""
    """The end of the output."""
    log_head: str = ""
    """Its first lines, as far as they are not part of the end."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """For each metric that a pattern reads, the line of output that its latest value was taken
    from.
    """
    read_from: Mapping[str, str] = field(default_factory=dict)
    """For each tuned or tested metric that came otherwise, which way, or from which file."""
    warnings: tuple[str, ...] = ()
    """What in the output could have been read in more than one way."""
    margins: Mapping[str, float] = field(default_factory=dict)
    """For each limit that the task sets to its results, how far they are beyond it; 0 or less where
    they keep it.
    """
    others: Mapping[str, float] = field(default_factory=dict)
    """The values of the objectives beside the first, by their metrics."""
    repeats: tuple[float, ...] = ()
    """The values of its runs, each with another seed, of which ``value`` is the mean; empty where
    there is one.
    """
    beaten_by: int | None = None
    """The trial by which it was clearly beaten before all of its runs were done."""

    @property
    def runs(self) -> int:
        """How many runs it had, a failed one not counted where there were others."""
        return max(len(self.repeats), 1)

    @property
    def broken(self) -> list[str]:
        """The limits that the results break."""
        return [text for text, margin in self.margins.items() if margin > 0]


@dataclass(frozen=True)
class Struck:
    """A sentence of a model that does not stand."""

    text: str
    why: str


@dataclass(frozen=True)
class Analysis:
    """What the Executor makes of an outcome: code gives diagnosis, evidence and advice, a language
    model (or code) the words.
    """

    diagnosis: Diagnosis
    """What happened, as one of a fixed list of words."""
    evidence: tuple[str, ...] = ()
    """What the diagnosis rests on, a sentence each."""
    insight: str = ""
    """What this trial taught, in a sentence or two."""
    advice: str = ""
    """What to change next; empty if there is nothing to say."""
    expectation_met: bool | None = None
    """Whether the value fell into the predicted interval; None if nothing was predicted."""
    author: str = "rules"
    """Who wrote ``insight``: ``rules``, or the model's name."""
    note: str = ""
    """Why the words are not the model's, where one was asked and failed, or what was struck of
    them.
    """
    usage: Usage = field(default_factory=Usage)
    """What the language model cost."""
    foreseen: Expected | None = None
    """What the model expected of the trial when it was asked beside the engine, while it ran."""
    second: Diagnosis | None = None
    """What the rules diagnosed, where the model said otherwise."""
    said: int = 0
    """Sentences that the model said."""
    struck: int = 0
    """And how many of them named a number, a quotation or a trial that it was not shown, or, from a
    weak model, nothing that the trial changed.
    """
    crossed_out: tuple[Struck, ...] = ()
    """These sentences; no prompt repeats them."""


@dataclass(frozen=True)
class Trial:
    """One configuration's way through the study. Times are seconds since the epoch (UTC)."""

    number: int
    """Counted from 0."""
    proposal: Proposal
    """What was tried, and why."""
    outcome: Outcome | None = None
    """How it ended; None while it runs."""
    analysis: Analysis | None = None
    """What the Executor made of it; None while it runs."""
    started_at: float = 0.0
    """When it was proposed."""
    finished_at: float | None = None
    """When its result was recorded; None before."""

    @property
    def value(self) -> float | None:
        """The objective value, or None while there is none."""
        return self.outcome.value if self.outcome else None

    @property
    def is_kept(self) -> bool:
        """Whether the results, as far as there are any, keep the task's limits."""
        return self.outcome is None or not self.outcome.broken

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole training, not the beginning of one."""
        return self.proposal.share >= 1.0

    @property
    def score(self) -> float | None:
        """The value of a trial that may be the best: None where it has none, breaks a limit, or is
        no whole training.
        """
        return self.value if self.is_kept and self.is_whole else None

    @property
    def usage(self) -> Usage:
        """Tokens and requests of proposing and analysing."""
        return self.proposal.usage + (self.analysis.usage if self.analysis else Usage())
