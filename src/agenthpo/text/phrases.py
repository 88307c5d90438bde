"""The sentences and figures that every face shares."""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.budget import Budget
from agenthpo.events import Opened, Stopped
from agenthpo.limit import broken_words
from agenthpo.pareto import Goal, front, goals_words, hypervolume, others_words
from agenthpo.records import Direction, Params, Trial
from agenthpo.shadow import Shadow
from agenthpo.space import format_number
from agenthpo.text.pasting import pasted
from agenthpo.trials import (
    Account,
    Verdict,
    best_measured,
    claim_verdict,
    default_trial,
    ledger,
    mean_value,
    verdict,
)
from agenthpo.units import format_duration

__all__ = [
    "all_widening_words",
    "budget_words",
    "certain_words",
    "claim_words",
    "gain_words",
    "measured_words",
    "nothing_kept",
    "params_words",
    "shadow_words",
    "source_words",
    "summary",
    "trial_words",
    "value_words",
    "verdict_words",
    "widening_words",
]


def params_words(params: Params) -> str:
    """Return ``lr=0.01 opt=adam``."""
    return " ".join(f"{name}={format_number(value)}" for name, value in params.items())


def value_words(trial: Trial) -> str:
    """Return the trial's value, or the state of one that has none; empty while it trains."""
    if trial.outcome is None:
        return ""
    return trial.outcome.status if trial.value is None else format_number(trial.value)


def budget_words(budget: Budget) -> str:
    """Return the limits in words."""
    limits = [
        "" if budget.trials is None else f"{budget.trials} trials",
        "" if budget.time_s is None else format_duration(budget.time_s),
        "" if budget.tokens is None else f"{budget.tokens:,} tokens",
        "" if budget.cost_usd is None else f"${budget.cost_usd:g}",
        "" if budget.target is None else f"a value of {budget.target:g}",
        "" if budget.patience is None else f"{budget.patience} trials without a new best",
    ]
    return " or ".join(filter(None, limits)) or "no limit"


def verdict_words(trial: Trial, direction: Direction) -> str:
    """Return in a sentence what became of the prediction; empty where there was none."""
    words: dict[Verdict | None, str] = {
        "held": "The prediction held.",
        "better": "It came out better than predicted.",
        "failed": "The prediction failed.",
        None: "",
    }
    return words[verdict(trial, direction)]


def claim_words(trial: Trial, trials: Sequence[Trial], direction: Direction) -> str:
    """Return in a sentence what the trial claimed and whether it was so; empty where it claimed
    nothing.
    """
    claim = trial.proposal.claim
    if claim is None:
        return ""
    verb = {"raise": "raised", "lower": "lowered", "change": "changed"}[claim.change]
    said = "better" if claim.is_better else "worse"
    found = claim_verdict(trial, trials, direction)
    became = {True: "it is", False: "it is not", None: "not tested"}[found]
    return f"Claim: {said} than trial {claim.than} with {claim.parameter} {verb}; {became}."


def widening_words(trial: Trial) -> str:
    """Return the advice to widen a range in a sentence; empty where there is none."""
    advice = trial.proposal.widening
    if advice is None:
        return ""
    why = f": {advice.why}" if advice.why else ""
    return f"Advice: widen the range of {advice.parameter} to {format_number(advice.to)}{why}"


def all_widening_words(trials: Sequence[Trial]) -> list[str]:
    """Return the latest advice on each range, a sentence each, with the trial that gave it."""
    latest = {t.proposal.widening.parameter: t for t in trials if t.proposal.widening}
    return [f"{widening_words(t)} (trial {t.number})" for t in latest.values()]


def trial_words(trial: Trial, incumbent: Trial | None, direction: Direction) -> str:
    """Return what came out of ``trial`` in one line."""
    outcome, analysis = trial.outcome, trial.analysis
    if outcome is None or analysis is None:
        return "not finished"
    best = " (best so far)" if incumbent is not None and incumbent.number == trial.number else ""
    result = outcome.status if trial.value is None else f"{format_number(trial.value)}{best}"
    result += others_words(outcome)
    if broken := broken_words(outcome.margins):
        result += f" ({broken})"
    told = f"{analysis.insight} {verdict_words(trial, direction)}".rstrip()
    return f"{result} in {format_duration(outcome.duration_s)}, {analysis.diagnosis}: {told}"


def summary(opened: Opened, stopped: Stopped) -> list[str]:
    """Return the closing lines: why it ended, the best configuration, its gain over the default,
    and who found what.
    """
    lines = [f"Ended: {stopped.reason}."]
    if stopped.incumbent is None:
        nothing = nothing_kept(stopped.trials)
        return [
            *lines,
            nothing or "No trial succeeded; see the errors above and the logs of the trials.",
        ]
    best = stopped.incumbent
    outcome = best.outcome
    tested = (
        ""
        if outcome is None or outcome.test_value is None
        else f" (test {format_number(outcome.test_value)})"
    )
    lines.append(
        f"Best: trial {best.number} by {best.proposal.who}, {opened.metric} "
        f"{format_number(best.value)}{tested}"
    )
    lines.append(f"    {params_words(best.proposal.params)}")
    lines += measured_words(stopped.trials, opened.direction)
    lines += front_words(stopped.trials, opened.metric, opened.direction, opened.goals)
    lines += [
        f"Gain: {gain_words(stopped.trials, best)}",
        *source_words(stopped.trials, opened.direction),
        *shadow_words(stopped.shadow),
        *all_widening_words(stopped.trials),
    ]
    return [*lines, f"Study: {opened.folder} ({pasted('show', opened.folder)})"]


def nothing_kept(trials: Sequence[Trial]) -> str:
    """Return in a sentence that no trial with a value keeps the limits, and which comes nearest;
    empty where that is not so.
    """
    broken = [t for t in trials if t.value is not None and not t.is_kept]
    if not broken or any(t.score is not None for t in trials):
        return ""

    def beyond(trial: Trial) -> float:
        return sum(max(by, 0.0) for by in trial.outcome.margins.values()) if trial.outcome else 0.0

    nearest = min(broken, key=beyond)
    assert nearest.outcome is not None
    return (
        f"No trial keeps what results have to keep; the nearest, trial {nearest.number}, "
        f"{broken_words(nearest.outcome.margins)}."
    )


def front_words(
    trials: Sequence[Trial], metric: str, direction: Direction, goals: Sequence[Goal]
) -> list[str]:
    """Return the Pareto front, a line a trial, and how much it dominates; nothing for a single
    objective.
    """
    if not goals:
        return []
    found = front(trials, direction, goals)
    share = hypervolume(trials, direction, goals)
    lines = [
        f"Pareto front ({goals_words(metric, direction, goals)}): {len(found)} trials; it "
        f"dominates {share:.0%} of the box between the worst and the best values"
    ]
    for trial in found:
        assert trial.outcome is not None
        values = f"{metric} {format_number(trial.value)}{others_words(trial.outcome)}"
        lines.append(f"    trial {trial.number}: {values}: {params_words(trial.proposal.params)}")
    return lines


def certain_words(opened: Opened, stopped: Stopped) -> list[str]:
    """Return that a gain may be luck, and how to be sure, in a line; nothing where it is certified
    anyhow, or there is none.
    """
    best = stopped.incumbent
    if (
        opened.certify
        or opened.goals
        or best is None
        or not gain_words(stopped.trials, best)[0].isdigit()
    ):
        return []
    return [f"The gain is not certified: be sure by {pasted('certify', opened.folder)}"]


def measured_words(trials: Sequence[Trial], direction: Direction) -> list[str]:
    """Return how often the best configuration was measured and what came on average, in a line,
    where that was more than once.
    """
    measured = best_measured(trials, direction)
    if len(measured) < 2:
        return []
    values = [t.value for t in measured if t.value is not None]
    spread = f"{format_number(min(values))} to {format_number(max(values))}"
    return [
        f"    measured {len(measured)} times: {format_number(mean_value(measured))} on "
        f"average, {spread}"
    ]


def gain_words(trials: Sequence[Trial], best: Trial) -> str:
    """Return how far the best trial is from the default, in words."""
    default = default_trial(trials)
    if default is None:
        return "there was no default configuration to compare with"
    if default.value is None or best.value is None:
        return (
            "the default configuration gave no value "
            f"({default.outcome.status if default.outcome else 'not run'})"
        )
    if default.outcome and (broken := broken_words(default.outcome.margins)):
        return f"not to be compared with the default configuration, which {broken}"
    if best.number == default.number:
        return (
            "none over the default configuration, which stayed the best "
            f"({format_number(default.value)})"
        )
    return (
        f"{abs(best.value - default.value):.4g} better than the default configuration's "
        f"{format_number(default.value)}"
    )


def source_words(trials: Sequence[Trial], direction: Direction) -> list[str]:
    """Return one line a source: what it proposed, won and cost."""
    return [_account_words(account) for account in ledger(trials, direction)]


def shadow_words(shadow: Shadow | None) -> list[str]:
    """Return in a line what the engine alone would have been expected to reach, where that is
    known.
    """
    if shadow is None:
        return []
    spread = f"{format_number(shadow.low)} to {format_number(shadow.high)}"
    return [
        f"    engine alone (an estimate): {shadow.value:.4g} expected after {shadow.trials} "
        f"trials, {spread}"
    ]


def _account_words(account: Account) -> str:
    parts = [f"{account.proposed} proposed", f"{account.won} became the best so far"]
    if account.gained > 0:
        parts.append(f"moved the best by {account.gained:.4g}")
    if account.failed:
        parts.append(f"{account.failed} failed")
    if account.judged:
        parts.append(f"{account.held} of {account.judged} predictions held")
    if account.usage.tokens:
        parts.append(f"{account.usage.tokens:,} tokens")
    return f"    {account.who}: {', '.join(parts)}"
