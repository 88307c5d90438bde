"""One trial's story: what changed from which trial and why, what was expected, what came, what it
taught.
"""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.limit import broken_words
from agenthpo.records import Direction, Expected, Needs, Outcome, Params, Trial
from agenthpo.space import differing, format_number
from agenthpo.text.phrases import claim_words, params_words, verdict_words, widening_words
from agenthpo.text.sparkline import sparkline
from agenthpo.thinning import thinned
from agenthpo.trials import upward
from agenthpo.units import format_duration, format_memory

__all__ = ["changes", "nearest", "needs_words", "runs_words", "story"]

_WIDTH = 60


def story(
    trial: Trial,
    earlier: Sequence[Trial],
    *,
    metric: str,
    direction: Direction,
    shows_test: bool = True,
) -> list[str]:
    """Return the story in lines, with the test metric unless it is not for the reader's eyes."""
    proposal, model = trial.proposal, f" ({trial.proposal.model})" if trial.proposal.model else ""
    lines = [
        f"Trial {trial.number}, proposed by {proposal.who}{model}",
        f"    {params_words(proposal.params)}",
    ]
    base = nearest(proposal.params, earlier, direction)
    if base is not None:
        result = (
            base.outcome.status
            if base.value is None and base.outcome
            else f"{metric} {format_number(base.value)}"
        )
        lines.append(
            f"Changed from trial {base.number} ({result}): "
            f"{changes(base.proposal.params, proposal.params) or 'nothing'}"
        )
    if proposal.rationale:
        lines.append(f"Why: {proposal.rationale}")
    if proposal.hypothesis:
        lines.append(f"Hypothesis: {proposal.hypothesis}")
    if proposal.expected:
        lines.append(f"Expected: {metric} {_interval(proposal.expected)}")
    if trial.analysis and trial.analysis.foreseen:
        foreseen = _interval(trial.analysis.foreseen)
        lines.append(f"The model expected, while it ran: {metric} {foreseen}")
    if proposal.forecast:
        lines.append(f"The engine expected: {metric} {_interval(proposal.forecast)}")
    if claimed := claim_words(trial, [*earlier, trial], direction):
        lines.append(claimed)
    if foretold := needs_words(proposal.needs):
        lines.append(f"Foretold: {foretold}")
    if proposal.given_with is not None:
        lines.append(f"Proposed together with trial {proposal.given_with}, in one reply")
    if advice := widening_words(trial):
        lines.append(advice)
    if proposal.turn:
        lines.append(f"Turn: {proposal.turn}")
    if proposal.note:
        lines.append(f"Note: {proposal.note}")
    return [*lines, *_came(trial, metric, direction, shows_test=shows_test)]


def needs_words(needs: Needs | None) -> str:
    """Return what a trial is expected to take, in words; empty where nothing is foretold."""
    if needs is None:
        return ""
    both = ((needs.seconds, format_duration), (needs.memory_mb, format_memory))
    return ", ".join(
        f"{words(found.value)} ({words(found.low)} to {words(found.high)})"
        for found, words in both
        if found is not None
    )


def runs_words(outcome: Outcome) -> str:
    """Return the values of a trial's runs in words; empty where it had one."""
    if not outcome.repeats:
        return ""
    words = ", ".join(map(format_number, outcome.repeats))
    if outcome.beaten_by is not None:
        words += f"; no more, since trial {outcome.beaten_by} is clearly better with the same seeds"
    return words


def _interval(expected: Expected) -> str:
    low, high = format_number(expected.low), format_number(expected.high)
    return f"{format_number(expected.value)}, from {low} to {high}"


def nearest(params: Params, earlier: Sequence[Trial], direction: Direction) -> Trial | None:
    """Return the earlier trial from which the fewest values differ; of several, the best."""

    def distance(trial: Trial) -> tuple[int, float]:
        differ = len(differing(trial.proposal.params, params))
        return differ, float("inf") if trial.value is None else -upward(direction) * trial.value

    return min(earlier, key=distance, default=None)


def changes(before: Params, after: Params) -> str:
    """Return in words how two configurations differ; empty where they do not."""
    words = []
    for name in differing(before, after):
        if name not in after:
            words.append(f"{name} no longer applies")
        elif name not in before:
            words.append(f"{name} now {format_number(after[name])}")
        else:
            words.append(f"{name} {format_number(before[name])} -> {format_number(after[name])}")
    return ", ".join(words)


def _came(trial: Trial, metric: str, direction: Direction, *, shows_test: bool) -> list[str]:
    outcome, analysis = trial.outcome, trial.analysis
    if outcome is None or analysis is None:
        return ["It has not finished."]
    memory = f", {format_memory(outcome.peak_mb)}" if outcome.peak_mb else ""
    took = f"in {format_duration(outcome.duration_s)}{memory}"
    if trial.value is None:
        lines = [f"Came: {outcome.status} {took}: {outcome.error}"]
    else:
        at = "" if outcome.step is None else f" at step {format_number(outcome.step)}"
        tested = (
            f" (test {format_number(outcome.test_value)})"
            if shows_test and outcome.test_value is not None
            else ""
        )
        lines = [f"Came: {metric} {format_number(trial.value)}{tested}{at} {took}"]
        lines += [f"    {n} {format_number(v)}" for n, v in outcome.others.items()]
    if runs := runs_words(outcome):
        lines.append(f"Runs: {runs}")
    if broken := broken_words(outcome.margins):
        lines.append(f"It {broken}, and cannot be the best.")
    if verdict := verdict_words(trial, direction):
        lines.append(verdict)
    for name, curve in outcome.curves.items():
        values = [value for _, value in curve]
        if len(values) > 1:
            lines.append(
                f"    {name}: {sparkline(list(thinned(values, _WIDTH)), _WIDTH)} "
                f"{format_number(values[0])} to {format_number(values[-1])}"
            )
    lines.append(
        f"Diagnosis: {analysis.diagnosis}"
        + (f", {analysis.second} by the rules" if analysis.second else "")
        + (f" ({'; '.join(analysis.evidence)})" if analysis.evidence else "")
    )
    lines.append(f"Insight ({analysis.author}): {analysis.insight}")
    if analysis.advice:
        lines.append(f"Advice: {analysis.advice}")
    if analysis.note:
        lines.append(f"Note: {analysis.note}")
    return lines
