"""The closing narrative in a model's words, each sentence looked up in the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from agenthpo.agents.claims import Shown, sentences, trials_named
from agenthpo.agents.prompt.build import render
from agenthpo.agents.reply.forms import closed
from agenthpo.errors import LLMFailure
from agenthpo.llm.client import LLM, Form, Message
from agenthpo.llm.model_class import is_weak
from agenthpo.reporting.evidence import Evidence, Sentence
from agenthpo.reporting.narrative import MOST_WORDS
from agenthpo.reporting.numbers import shown_number
from agenthpo.text.cleaning import clean_line
from agenthpo.trials import upward

__all__ = ["told_by"]

_FEWEST, _MOST = 3, 40
"""Sentences that are worth a story, and trials that are shown: the best, the default, the
latest.
"""


def told_by(llm: LLM, evidence: Evidence, *, seed: int = 0) -> tuple[Evidence, str]:
    """Return the evidence with the story as ``llm`` tells it, and what was left of that in words; a
    story by rules stays where the model is a small one, gives none, or too little of it is in the
    evidence.
    """
    if is_weak(llm):
        return evidence, f"the story is by rules: {llm.name} is too small to tell it"
    shown = "\n".join(_lines(evidence))
    schema = closed({"story": {"type": "string"}})
    safe = shown.replace("</evidence", "< /evidence")
    prompt = render("story", words=str(MOST_WORDS - 20), evidence=safe)
    try:
        reply = llm.ask([Message("user", prompt)], Form("story", schema, grammar=""), seed=seed)
    except LLMFailure as failure:
        return evidence, f"the story is by rules: {failure}"
    said = reply.data.get("story") if isinstance(reply.data, Mapping) else None
    found, dropped = _checked(said, shown, evidence)
    if len(found) < _FEWEST:
        return evidence, (
            f"the story is by rules: {len(found)} of {len(found) + dropped} sentences of "
            f"{llm.name} could be found in the evidence"
        )
    left = f"; {dropped} sentences were left out" if dropped else ""
    return replace(evidence, story=tuple(found)), f"the story is by {llm.name}{left}"


def _checked(said: Any, shown: str, evidence: Evidence) -> tuple[list[Sentence], int]:
    """Return the sentences that name trials and nothing that was not shown, as many as fit, and how
    many were left out.
    """
    numbers = [t.number for t in evidence.trials]
    looked = Shown(shown, numbers)
    found, dropped, words = list[Sentence](), 0, 0
    for sentence in sentences(clean_line(said)) if isinstance(said, str) else []:
        named = tuple(dict.fromkeys(int(n[:9]) for n in trials_named(sentence)))
        words += len(sentence.split())
        if not named or looked.checked(sentence).struck or words > MOST_WORDS:
            dropped += 1
        else:
            found.append(Sentence(sentence, named))
    return found, dropped


def _lines(evidence: Evidence) -> Iterator[str]:
    """Return the evidence as a model reads it."""
    answer = evidence.answer
    yield f"objective: {evidence.direction} {evidence.metric}"
    yield from (f"- {sentence.text}" for sentence in evidence.story)
    yield f"how sure: {answer.sure}"
    for m in evidence.matters:
        yield f"importance of {m.name}: {m.share:.0%}, between {m.low:.0%} and {m.high:.0%}"
    yield from (edge.words for edge in evidence.edges)
    yield from (f"learnt from failures: {rule}" for rule in evidence.rules)
    if evidence.audit:
        yield from (change.words for change in evidence.audit.changes)
    sign = -upward(evidence.direction)
    scored = sorted(
        (t for t in evidence.trials if t.value is not None), key=lambda t: sign * (t.value or 0.0)
    )
    latest = evidence.trials[-_MOST // 2 :]
    kept = {t.number: t for t in (*evidence.trials[:1], *scored[: _MOST // 2], *latest)}
    for number in sorted(kept):
        t = kept[number]
        value = t.state if t.value is None else shown_number(t.value)
        changed = f", from trial {t.base}: {t.changes}" if t.base is not None else ""
        yield f"trial {number} by {t.who}: {value}{changed}. {t.insight or t.error}"[:400]
