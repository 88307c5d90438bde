"""The evidence as Markdown, for a pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agenthpo.reporting.evidence import Evidence
from agenthpo.reporting.numbers import money
from agenthpo.space import format_number
from agenthpo.text.cleaning import clean_line
from agenthpo.text.sparkline import sparkline
from agenthpo.thinning import thinned
from agenthpo.units import format_duration

__all__ = ["markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#!~@])")
_STEPS, _ROWS, _WIDTH = 8, 8, 60


def markdown(evidence: Evidence) -> str:
    """Return the answer, how sure it is, the course, what mattered and what failed. What comes from
    logs, models and names is text: it becomes no link, no picture and no markup.
    """
    answer, metric = evidence.answer, _text(evidence.metric)
    lines = [
        f"## {_text(evidence.study)}: {metric} {_number(answer.value) or 'has no value yet'}",
        "",
    ]
    lines += [_text(answer.sure), ""]
    if answer.best is not None:
        rows = [
            (_text(name), _number(value), _number(_default(evidence, name)))
            for name, value in answer.params.items()
        ]
        lines += [*_table(("parameter", f"best (trial {answer.best})", "default"), rows), ""]
    if answer.gain is not None:
        how = "on fresh seeds" if answer.is_noise_measured else "as the trials show it"
        noise = f", noise of a single run {_number(answer.noise)}, {how}" if answer.noise else ""
        lines += [f"Gain over the default: {answer.gain:+.4g}{noise}.", ""]
    if answer.next_hour:
        lines += [_text(answer.next_hour), ""]
    if values := [t.value for t in evidence.trials if t.value is not None]:
        lines += [f"`{sparkline(list(thinned(values, _WIDTH)), _WIDTH)}` {metric} by trial", ""]
    lines += _won(evidence)
    if evidence.matters:
        rows = [
            (_text(m.name), f"{m.share:.0%}", f"{m.low:.0%} to {m.high:.0%}")
            for m in evidence.matters[:_ROWS]
        ]
        lines += ["### What matters", "", *_table(("parameter", "share", "nine in ten"), rows), ""]
    lines += [f"- {_text(edge.words)}" for edge in evidence.edges]
    lines += [""] if evidence.edges else []
    if answer.front:
        numbers = ", ".join(map(str, answer.front))
        lines += [f"Pareto front: trials {numbers}.", ""]
    if evidence.audit:
        lines += [f"### Audit of trial {evidence.audit.winner}", ""]
        lines += [f"- {_text(change.words)}" for change in evidence.audit.changes]
        lines += ["", _text(evidence.audit.words), ""]
        if evidence.audit.winner != answer.best:
            lines += [f"Trial {answer.best} is the best now, which is not audited.", ""]
    lines += _account(evidence)
    if evidence.failures:
        lines += ["### Failures", ""]
        lines += [f"- {f.count} × {_text(f.cause)}" for f in evidence.failures[:_ROWS]]
        lines += [f"- learnt: {_text(rule)}" for rule in evidence.rules] + [""]
    if evidence.story:
        told = " ".join(
            s.text + (f" (trials {', '.join(map(str, s.trials))})" if s.trials else "")
            for s in evidence.story
        )
        lines += ["### What was learnt", "", _text(told), ""]
    cost, made = answer.cost, evidence.made
    paid = money(cost.cost_usd)
    lines += [f"It ended because {_text(answer.ended)}.", ""] if answer.ended else []
    lines += [
        f"{cost.trials} trials, {cost.failed} without a value, "
        f"{format_duration(cost.elapsed_s)}, {cost.tokens:,} tokens"
        f"{', ' * bool(paid)}{paid}; model {_text(made.model)}, "
        f"seed {made.seed}."
    ]
    if made.command:
        fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", made.command)), default=0))
        lines += ["", "Run the best trial again:", "", f"{fence}sh", made.command, fence]
    return "\n".join(lines) + "\n"


def _default(evidence: Evidence, name: str) -> object:
    number = evidence.answer.default
    default = next((t for t in evidence.trials if t.number == number), None)
    return "" if default is None else default.params.get(name, "")


def _won(evidence: Evidence) -> list[str]:
    """Return the trials that were the best so far, the latest of them."""
    won = [t for t in evidence.trials if t.is_best_so_far][-_STEPS:]
    rows = [
        (str(t.number), _text(t.who), _number(t.value), _text(t.changes or "the first"))
        for t in won
    ]
    heads = ("trial", "source", _text(evidence.metric), "changed")
    return ["### Course", "", *_table(heads, rows), ""] if rows else []


def _account(evidence: Evidence) -> list[str]:
    if not evidence.sources:
        return []
    rows = [
        (
            _text(s.who),
            str(s.proposed),
            str(s.failed),
            str(s.won),
            f"{s.gained:.4g}",
            f"{s.held} of {s.judged}",
            f"{s.tokens:,}",
        )
        for s in evidence.sources
    ]
    heads = ("source", "proposed", "no value", "best so far", "moved by", "held", "tokens")
    lines = ["### Account", "", *_table(heads, rows), ""]
    if evidence.random:
        lines += [f"Random search: {_number(evidence.random.value)} expected (an estimate).", ""]
    if evidence.gap and evidence.gap.grows:
        lines += [_text(evidence.gap.words), ""]
    return lines


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{' --- |' * len(heads)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _number(value: object) -> str:
    if value is None:
        return ""
    is_float = isinstance(value, float)
    return _text(format_number(float(f"{value:.6g}") if is_float else value))


def _text(text: str) -> str:
    """Return text from outside as text: on one line, and what Markdown reads as markup escaped."""
    plain = _SPECIAL.sub(r"\\\1", clean_line(text))
    # what a page would make a link of by itself
    return re.sub(r"(?i)\b(https?|www)(?=[:.])", "\\1\u200b", plain)
