"""What the trials of a study say: which is the best, which improved on all before, and what each
source proposed, won and cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

from agenthpo.records import Direction, Source, Trial, Usage, who_words

__all__ = [
    "Account",
    "Verdict",
    "alike",
    "best_measured",
    "claim_verdict",
    "course",
    "default_trial",
    "gain_over_default",
    "improvements",
    "incumbent",
    "ledger",
    "ledger_json",
    "mean_value",
    "next_number",
    "ranked",
    "upward",
    "verdict",
    "whole_trainings",
]

Verdict = Literal["held", "better", "failed"]
"""What became of a prediction: ``better`` than its whole interval is no failure."""


def next_number(trials: Sequence[Trial]) -> int:
    """Return the number of the trial that comes after ``trials``, some of which may have been left
    out.
    """
    return trials[-1].number + 1 if trials else 0


def alike(trials: Sequence[Trial], share: float) -> list[Trial]:
    """Return the trials that are as much of a training as ``share``, for comparison among
    themselves: as if that were a whole one.
    """
    return [
        t if t.is_whole else replace(t, proposal=replace(t.proposal, share=1.0))
        for t in trials
        if t.proposal.share == share
    ]


def whole_trainings(trials: Iterable[Trial]) -> float:
    """Return how many whole trainings the trials are, the beginning of one as much of it as it
    is.
    """
    return sum((t.proposal.share for t in trials), 0.0)


def ranked(trials: Sequence[Trial], direction: Direction) -> list[Trial]:
    """Return the trials that have a value and keep the limits, the best first, the earlier of
    equals before the later.
    """
    scored = [(-upward(direction) * t.score, t) for t in trials if t.score is not None]
    return [trial for _, trial in sorted(scored, key=lambda pair: pair[0])]


def improvements(trials: Sequence[Trial], direction: Direction) -> list[Trial]:
    """Return the trials that were better than all before them."""
    best = float("-inf")
    found = []
    for trial in trials:
        if trial.score is not None and upward(direction) * trial.score > best:
            best = upward(direction) * trial.score
            found.append(trial)
    return found


def course(trials: Sequence[Trial], direction: Direction) -> tuple[list[int], list[float]]:
    """Return the numbers of the trials from the first value on, and the best value so far at each
    of them.
    """
    numbers, values = list[int](), list[float]()
    pick = max if direction == "maximize" else min
    for trial in trials:
        if trial.score is not None or values:
            numbers.append(trial.number)
            values.append(pick([*values[-1:], *([] if trial.score is None else [trial.score])]))
    return numbers, values


def upward(direction: Direction) -> int:
    """Return what makes a larger value of ``direction`` a better one: 1 to maximise, -1 to
    minimise.
    """
    return 1 if direction == "maximize" else -1


def default_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial of the default configuration; None where it was not run."""
    return next((t for t in trials if t.proposal.source == "default"), None)


def gain_over_default(
    trial: Trial | None, default: Trial | None, direction: Direction
) -> float | None:
    """Return by how much ``trial`` is better than the default, below 0 where it is worse; None
    where one of the two has no value.
    """
    if trial is None or default is None or trial.value is None or default.value is None:
        return None
    return upward(direction) * (trial.value - default.value)


def verdict(trial: Trial, direction: Direction) -> Verdict | None:
    """Return what became of the trial's prediction; None where nothing was predicted."""
    met = trial.analysis.expectation_met if trial.analysis else None
    if met is None:
        return None
    expected, sign = trial.proposal.expected, upward(direction)
    if met or expected is None or trial.value is None:
        return "held" if met else "failed"
    is_better = sign * trial.value > max(sign * expected.low, sign * expected.high)
    return "better" if is_better else "failed"


def claim_verdict(trial: Trial, trials: Sequence[Trial], direction: Direction) -> bool | None:
    """Return whether the result is as the trial's claim says: better, or worse, than that of the
    trial it names. None where nothing was claimed or one of the two has no value.

    It is apart from whether the value fell into the interval: a hypothesis may be right although
    the size of its effect was not foreseen.
    """
    claim = trial.proposal.claim
    if claim is None:
        return None
    base = next((t for t in trials if t.number == claim.than), None)
    if base is None or trial.value is None or base.value is None:
        return None
    ahead = upward(direction) * (trial.value - base.value)
    return ahead > 0 if claim.is_better else ahead < 0


def best_measured(trials: Sequence[Trial], direction: Direction) -> list[Trial]:
    """Return the trials of the configuration whose mean value is best, the earliest of equals; none
    while none has a value and keeps the limits, each time that it was measured.
    """
    groups: dict[tuple[tuple[str, Any], ...], list[Trial]] = {}
    broken = {t.proposal.sorted_params for t in trials if not t.is_kept}
    for trial in trials:
        is_candidate = trial.value is not None and trial.is_whole
        if is_candidate and trial.proposal.sorted_params not in broken:
            groups.setdefault(trial.proposal.sorted_params, []).append(trial)
    sign = upward(direction)
    return max(groups.values(), key=lambda group: sign * mean_value(group), default=[])


def mean_value(measured: Sequence[Trial]) -> float:
    """Return the mean of the trials' values, all of which have one."""
    if len(measured) == 1 and (only := measured[0].value) is not None:
        return only
    # each divided, so that no sum overflows
    return sum(t.value / len(measured) for t in measured if t.value is not None)


def incumbent(trials: Sequence[Trial], direction: Direction) -> Trial | None:
    """Return the best trial so far (the earliest of equals), or None while none is complete.

    Of a configuration that was measured more than once the mean counts, and its first trial stands
    for it.
    """
    return next(iter(best_measured(trials, direction)), None)


@dataclass(frozen=True)
class Account:
    """One source's trials."""

    source: Source
    by: str = ""
    """The name of the person or the agent."""
    proposed: int = 0
    failed: int = 0
    """Trials that gave no value."""
    won: int = 0
    """Trials that were the best so far."""
    gained: float = 0.0
    """By how much these moved the best value, in the metric's units, upward or downward as is
    better; the first one moves nothing.
    """
    held: int = 0
    judged: int = 0
    """Predictions that held, of those that could be judged."""
    usage: Usage = field(default_factory=Usage)
    """What proposing cost; the Executor's words are not in it."""

    @property
    def who(self) -> str:
        """The source, with the name of the person or the agent."""
        return who_words(self.source, self.by)


def ledger(trials: Sequence[Trial], direction: Direction) -> list[Account]:
    """Return an account for each source, and for each agent and person one, in the order of their
    first trials.
    """
    won = improvements(trials, direction)
    steps = {
        now.number: upward(direction) * (now.value - before.value)
        for before, now in pairwise(won)
        if now.value is not None and before.value is not None
    }
    firsts = {t.number for t in won}
    accounts = []
    for source, by in dict.fromkeys((t.proposal.source, t.proposal.by) for t in trials):
        mine = [t for t in trials if (t.proposal.source, t.proposal.by) == (source, by)]
        judged = [
            t.analysis.expectation_met
            for t in mine
            if t.analysis and t.analysis.expectation_met is not None
        ]
        accounts.append(
            Account(
                source=source,
                by=by,
                proposed=len(mine),
                failed=sum(t.outcome is not None and t.value is None for t in mine),
                won=sum(t.number in firsts for t in mine),
                gained=sum(steps.get(t.number, 0.0) for t in mine),
                held=sum(judged),
                judged=len(judged),
                usage=sum((t.proposal.usage for t in mine), Usage()),
            )
        )
    return accounts


def ledger_json(trials: Sequence[Trial], direction: Direction) -> list[dict[str, Any]]:
    """Return the accounts as plain values."""
    return [asdict(account) for account in ledger(trials, direction)]
