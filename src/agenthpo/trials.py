"""Who contributed what to a study: what each side proposed, won and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from agenthpo.records import Direction, Source, Trial, Usage, improvements, upward

__all__ = ["Account", "ledger", "ledger_json"]


@dataclass(frozen=True)
class Account:
    """One source's trials."""

    source: Source
    proposed: int = 0
    failed: int = 0
    """Trials that gave no value."""
    won: int = 0
    """Trials that were the best so far."""
    gained: float = 0.0
    """By how much these moved the best value, in the metric's units, upward or downward as is better; the first one moves nothing."""
    held: int = 0
    judged: int = 0
    """Predictions that held, of those that could be judged."""
    usage: Usage = field(default_factory=Usage)
    """What proposing cost; the Executor's words are not in it."""


def ledger(trials: Sequence[Trial], direction: Direction) -> list[Account]:
    """Return an account for each source, in the order of their first trials."""
    won = improvements(trials, direction)
    steps = {now.number: upward(direction) * (now.value - before.value) for before, now in pairwise(won)}  # type: ignore[operator]
    firsts = {t.number for t in won}
    accounts = []
    for source in dict.fromkeys(t.proposal.source for t in trials):
        mine = [t for t in trials if t.proposal.source == source]
        judged = [t.analysis.expectation_met for t in mine if t.analysis and t.analysis.expectation_met is not None]
        accounts.append(
            Account(
                source,
                len(mine),
                sum(t.outcome is not None and t.value is None for t in mine),
                sum(t.number in firsts for t in mine),
                sum(steps.get(t.number, 0.0) for t in mine),
                sum(judged),
                len(judged),
                sum((t.proposal.usage for t in mine), Usage()),
            )
        )
    return accounts


def ledger_json(trials: Sequence[Trial], direction: Direction) -> list[dict[str, Any]]:
    """Return the accounts as plain values."""
    return [asdict(account) for account in ledger(trials, direction)]
