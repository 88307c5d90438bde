"""How much a study may spend, and the sentence that says why it stopped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from agenthpo.records import Direction, Trial, Usage
from agenthpo.trials import incumbent, upward, whole_trainings
from agenthpo.units import format_duration

__all__ = ["DEFAULT_BUDGET", "DEFAULT_TRIALS", "Budget", "Spent"]

DEFAULT_TRIALS = 20
"""Trials of a task that does not say how many."""

_NOTHING = Usage()


@dataclass(frozen=True)
class Spent:
    """What a study has used up so far, and what it has found for it."""

    trials: float = 0
    """Whole trainings; the beginning of one counts for as much of it as it is."""
    time_s: float = 0.0
    """Seconds of trials and of thinking."""
    tokens: int = 0
    cost_usd: float | None = 0.0
    best: float | None = None
    since_best: int = 0
    """Trials that ended after the best one."""

    @classmethod
    def of(cls, trials: Sequence[Trial], direction: Direction) -> Spent:
        """Return what the finished ones of ``trials`` took."""
        done = [t for t in trials if t.outcome]
        best = incumbent(trials, direction)
        usages = [
            u
            for t in done
            for u in (t.proposal.usage, t.analysis.usage if t.analysis else _NOTHING)
            if u.requests
        ]
        costs = [u.cost_usd for u in usages]
        return cls(
            trials=_rounded(whole_trainings(done)),
            time_s=_trained_s(done) + sum(u.seconds for u in usages),
            tokens=sum(u.input_tokens + u.output_tokens for u in usages),
            cost_usd=None if None in costs else sum(costs),  # type: ignore[arg-type]
            best=None if best is None else best.value,
            since_best=0 if best is None else sum(t.number > best.number for t in done),
        )

    def with_running(self, count: float) -> Spent:
        """Return what is spent once ``count`` running trials are counted."""
        return replace(self, trials=_rounded(self.trials + count))


def _rounded(trials: float) -> float:
    """Return a sum of shares without what rounding has left of it, a whole number as one."""
    found = round(trials, 6)
    return int(found) if found == int(found) else found


def _trained_s(done: Sequence[Trial]) -> float:
    """Return for how many seconds any of the trials trained; several at once count once."""
    spans, total = list[tuple[float, float]](), 0.0
    for trial in done:
        assert trial.outcome is not None
        took, end = trial.outcome.duration_s, trial.finished_at
        if end:
            spans.append((end - took, end))
        else:  # nobody knows when it was
            total += took
    until = -math.inf
    for start, end in sorted(spans):
        total += max(end - max(start, until), 0.0)
        until = max(until, end)
    return total


@dataclass(frozen=True)
class Budget:
    """The limits of a study; None is without limit.

    It is also how a caller changes the limits of a task: those that are None stay as they are.
    """

    trials: int | None = None
    """Trials in all."""
    time_s: float | None = None
    """Seconds of trials and of thinking."""
    tokens: int | None = None
    """Tokens that the language model reads and writes."""
    cost_usd: float | None = None
    """US dollars that the language model costs."""
    target: float | None = None
    """A value of the objective that is good enough."""
    patience: int | None = None
    """Trials without a new best after which to stop."""
    creator_may_stop: bool = False
    """Whether the study ends when the Creator proposes to stop."""

    def changed_by(self, limits: Budget) -> Budget:
        """Return this budget with each limit replaced that ``limits`` sets."""
        asked = {each.name: getattr(limits, each.name) for each in fields(limits)}
        # False is what a flag says that is not set, as None is for a limit; 0.0 is a limit
        set_ones = {
            n: value for n, value in asked.items() if value is not None and value is not False
        }
        return replace(self, **set_ones)

    def reason(self, spent: Spent, direction: Direction) -> str | None:
        """Return in words why the study ends when ``spent`` is used up; None while something is
        left.
        """
        if (
            self.target is not None
            and spent.best is not None
            and (spent.best - self.target) * upward(direction) >= 0
        ):
            return f"the target of {self.target:g} is reached"
        if self.trials is not None and spent.trials >= self.trials:
            return f"all {self.trials} trials of the budget are done"
        if self.time_s is not None and spent.time_s >= self.time_s:
            return f"the time budget of {format_duration(self.time_s)} is spent"
        if self.tokens is not None and spent.tokens >= self.tokens:
            return f"the budget of {self.tokens:,} tokens is spent ({spent.tokens:,})"
        if (
            self.cost_usd is not None
            and spent.cost_usd is not None
            and spent.cost_usd >= self.cost_usd
        ):
            return f"the budget of ${self.cost_usd:g} is spent (${spent.cost_usd:.4f})"
        if self.patience is not None and spent.since_best >= self.patience:
            return f"{self.patience} trials in a row brought nothing better"
        return None

    def left_words(self, spent: Spent) -> str:
        """Return what is left of trials, time and tokens, in words; empty where none is limited."""
        words = []
        if self.trials is not None:
            words.append(f"{max(self.trials - spent.trials, 0):.4g} of {self.trials} trials")
        if self.time_s is not None:
            left = format_duration(max(self.time_s - spent.time_s, 0.0))
            words.append(f"{left} of {format_duration(self.time_s)}")
        if self.tokens is not None:
            words.append(f"{max(self.tokens - spent.tokens, 0):,} of {self.tokens:,} tokens")
        return ", ".join(words)


DEFAULT_BUDGET = Budget(DEFAULT_TRIALS)
"""The budget of a task that does not say any."""
