"""The closing narrative: what was learnt, each sentence with the trials that bear it out.

It is written by rules from the evidence, so that it says nothing that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from agenthpo.reporting.evidence import Evidence, Sentence, TrialEvidence
from agenthpo.space import format_number

__all__ = ["MOST_WORDS", "narrative"]

MOST_WORDS = 200
_STEPS = 3
"""Improvements that are told one by one."""


def narrative(evidence: Evidence) -> Evidence:
    """Return the evidence with its story, in at most ``MOST_WORDS`` words."""
    sentences = [
        *_outcome(evidence),
        *_steps(evidence),
        *_matters(evidence),
        *_edges(evidence),
        *_failures(evidence),
        *_calibration(evidence),
        *_gap(evidence),
    ]
    kept = list[Sentence]()
    words = 0
    for sentence in sentences:
        words += len(sentence.text.split())
        if words > MOST_WORDS:
            break
        kept.append(sentence)
    return replace(evidence, story=tuple(kept))


def _outcome(evidence: Evidence) -> list[Sentence]:
    answer, metric = evidence.answer, evidence.metric
    if not evidence.trials:
        return [Sentence("No trial has run yet.")]
    if answer.best is None or answer.value is None:
        return [
            Sentence(
                f"None of {_count(len(evidence.trials), 'trial')} has given a value that counts.",
                tuple(t.number for t in evidence.trials[:5]),
            )
        ]
    value = format_number(answer.value)
    if answer.default is None or answer.default_value is None:
        text = f"The best {metric} was {value}; there was no default to compare it with."
        return [Sentence(text, (answer.best,))]
    default = format_number(answer.default_value)
    if answer.best == answer.default or not answer.gain or answer.gain <= 0:
        text = f"Nothing beat the default configuration's {metric} of {default}."
        return [Sentence(text, (answer.default,))]
    how = "raised" if evidence.direction == "maximize" else "lowered"
    text = f"The search {how} {metric} from the default's {default} to {value}"
    if evidence.certificate is not None and answer.is_certified:
        text += f", and fresh seeds say: {evidence.certificate.judgement}"
    elif answer.noise:
        times = answer.gain / answer.noise
        text += f", {times:.1f} times the noise of a single run; it is not certified"
    else:
        text += "; it is not certified"
    return [Sentence(f"{text}.", (answer.default, answer.best))]


def _steps(evidence: Evidence) -> list[Sentence]:
    """Tell the largest improvements: what changed from which trial."""
    won = [t for t in evidence.trials if t.is_best_so_far and t.value is not None]
    if evidence.goals or len(won) < 2:
        return []
    steps = [
        (abs(now.value - before.value), before, now)
        for before, now in pairwise(won)
        if now.value is not None and before.value is not None
    ]
    largest = sorted(steps, key=lambda step: -step[0])[:_STEPS]
    return [_step(by, now, evidence) for by, _, now in sorted(largest, key=lambda s: s[2].number)]


def _step(by: float, trial: TrialEvidence, evidence: Evidence) -> Sentence:
    named = _short(trial.changes)
    since = "" if trial.base is None else f" (from trial {trial.base}: {named})"
    about = tuple(n for n in (trial.base, trial.number) if n is not None)
    text = f"Trial {trial.number} by {trial.who} improved the best by {by:.3g}{since}."
    return Sentence(text, about)


def _short(changes: str, most: int = 3) -> str:
    """Return the first changes, and how many more there were."""
    parts = changes.split(", ")
    if not changes:
        return "nothing changed"
    more = "" if len(parts) <= most else f" and {len(parts) - most} more"
    return ", ".join(parts[:most]) + more


def _matters(evidence: Evidence) -> list[Sentence]:
    sure = [m for m in evidence.matters if m.low > 1 / (2 * len(evidence.matters))]
    if not evidence.matters:
        return []
    if not sure:
        return [Sentence("Which parameter matters most cannot be told from these trials yet.")]
    top = sure[0]
    text = (
        f"Most of what tells good configurations from others is {top.name}: {top.share:.0%} of it, "
        f"between {top.low:.0%} and {top.high:.0%}."
    )
    return [Sentence(text, _with_value(evidence.trials, top.name))]


def _with_value(trials: Sequence[TrialEvidence], name: str, most: int = 5) -> tuple[int, ...]:
    """Return trials that changed ``name``."""
    changed = [t.number for t in trials if t.changes.startswith(name) or f", {name} " in t.changes]
    return tuple(changed[:most])


def _edges(evidence: Evidence) -> list[Sentence]:
    about = () if evidence.answer.best is None else (evidence.answer.best,)
    return [Sentence(edge.words, about) for edge in evidence.edges[:2]]


def _failures(evidence: Evidence) -> list[Sentence]:
    failed = [n for each in evidence.failures for n in each.trials]
    if not failed:
        return []
    first = evidence.failures[0]
    text = f"{_count(len(failed), 'trial')} of {len(evidence.trials)} failed"
    text += f"; most often: {first.cause[:100]}." if first.cause else "."
    return [Sentence(text, first.trials[:5])]


def _calibration(evidence: Evidence) -> list[Sentence]:
    judged = [c for c in evidence.calibration if c.judged >= 3]
    return [
        Sentence(
            f"Of {each.judged} predictions by {each.who}, {each.inside} held.",
            tuple(p.trial for p in evidence.predictions if p.who == each.who)[:5],
        )
        for each in judged[:2]
    ]


def _gap(evidence: Evidence) -> list[Sentence]:
    if evidence.gap is None or not evidence.gap.grows:
        return []
    best = evidence.answer.best
    return [Sentence(evidence.gap.words, () if best is None else (best,))]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
