"""A study's trials as a small HTML table, for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from agenthpo.records import Trial
from agenthpo.text.cleaning import clean_line
from agenthpo.text.phrases import params_words, value_words

__all__ = ["study_html"]

_SHOWN = 30
"""More rows than that, and only the last and the best are shown."""


def study_html(
    headline: str, trials: Sequence[Trial], *, metric: str, best: Trial | None, now: str = ""
) -> str:
    """Return the trials as a table with a line above it, the best one in bold; ``now`` says what
    happens at the moment. Everything in it is text: nothing from outside becomes markup.
    """
    shown = list(trials[-_SHOWN:])
    if best is not None and best not in shown:
        shown = [best, *shown[1:]]
    left = len(trials) - len(shown)
    rest = f", {left} more not shown" if left else ""
    rows = "".join(_row(trial, trial is best) for trial in shown)
    heads = _cells("th", ("trial", "source", metric, "diagnosis", "parameters"))
    return (
        f"<div><p><b>{_text(headline)}</b>{rest}</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"{f'<p>{_text(now)}</p>' if now else ''}</div>"
    )


def _row(trial: Trial, is_best: bool) -> str:
    cells = (
        str(trial.number),
        trial.proposal.source,
        value_words(trial),
        trial.analysis.diagnosis if trial.analysis else "not finished",
        params_words(trial.proposal.params),
    )
    style = ' style="font-weight: bold"' if is_best else ""
    return f"<tr{style}>{_cells('td', cells)}</tr>"


def _cells(tag: str, texts: Sequence[str]) -> str:
    style = ' style="text-align: left"'
    return "".join(f"<{tag}{style}>{_text(text)}</{tag}>" for text in texts)


def _text(text: str) -> str:
    return escape(clean_line(text))
