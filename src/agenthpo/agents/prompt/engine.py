"""The engine's view in words that a Creator can use."""

from __future__ import annotations

from agenthpo.exchange import Candidate, View
from agenthpo.records import Params
from agenthpo.space import format_number, short_number

__all__ = ["params_words", "view_words"]

_MATTERS = 0.05
"""Share of the differences below which a parameter is not worth a word."""
_KNOWN = 2
"""Configurations from elsewhere that are told."""


def view_words(view: View, *, short: bool) -> str:
    """Return the view as lines, or as one line with the best candidate, for a model that pays for
    every word; empty where there is nothing to say.
    """
    if not view.candidates:
        return "" if short else "\n".join(_known(view))
    if short:
        return f"The engine would try {params_words(view.candidates[0].params)}."
    lines = [
        "A statistical engine models the results. You may take one of its candidates, "
        "alter it, or go your own way, and say why."
    ]
    lines += [
        f"- candidate {letter}, {_where(candidate)}: {_words(candidate)}"
        for letter, candidate in zip("ABCDE", view.candidates, strict=False)
    ]
    matters = [
        f"{name} {share:.0%}" for name, share in view.importance.items() if share >= _MATTERS
    ]
    if matters:
        lines.append(f"- what explains the differences so far: {', '.join(matters)}")
    lines.append(
        f"- a single value is uncertain by about {format_number(float(f'{view.noise:.2g}'))}"
    )
    if view.gaps:
        lines.append(f"- never tried: {'; '.join(view.gaps)}")
    return "\n".join([*lines, *_known(view)])


def _known(view: View) -> list[str]:
    return [
        f"- known from elsewhere, not tried here: {params_words(hint.params)}. {hint.rationale}"
        for hint in view.known[:_KNOWN]
    ]


def _where(candidate: Candidate) -> str:
    return "near the best" if candidate.is_near else "far from the best"


def _words(candidate: Candidate) -> str:
    e = candidate.expected
    return (
        f"{params_words(candidate.params)}: {e.value:.4g} expected, {e.low:.4g} to "
        f"{e.high:.4g} nine times in ten"
    )


def params_words(params: Params) -> str:
    """Return a configuration in a line, numbers in three digits: a small model pays for each of
    them.
    """
    return " ".join(f"{name}={short_number(value)}" for name, value in params.items())
