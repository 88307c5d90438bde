"""A task's background in a model's words, from the text of its script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agenthpo.agents.claims import Shown, sentences
from agenthpo.agents.prompt.build import render
from agenthpo.agents.prompt.trials import fenced
from agenthpo.agents.reply.forms import closed
from agenthpo.llm.client import LLM, Form, Message
from agenthpo.text.cleaning import clean, clean_line

__all__ = ["described"]

_KEYS = ("task", "dataset", "model", "notes")
_LONGEST, _SCRIPT = 400, 12_000
"""Characters of one part, and of the script that are shown."""
_NOTHING = re.compile(
    r"^(?:not |un|none|n/?a|empty|the script does not)[^.]{0,60}\.?$", re.IGNORECASE
)
_GRAMMAR = r"""
start: "{\"task\": " said ", \"dataset\": " said ", \"model\": " said ", \"notes\": " said "}"
said: /"[A-Z][ -!#-\[\]-~]{12,160}[.]"/
"""
"""For a model that is held to it: one sentence a part."""


def described(
    script: str, known: Mapping[str, str], llm: LLM, *, seed: int = 0
) -> tuple[dict[str, str], list[str]]:
    """Return the parts of the background as a model completes them, and the sentences of its that
    were left out, since they hold a number or a quotation that is not in the script.

    :param script: the script's text, which is shown as data.
    :param known: what was found without a model; a part of it stays where the model says nothing.
    :raises LLMFailure: if the model gives no reply.
    """
    # line by line as it is, but for what would end the place where it stands
    shown = re.sub(r"</(?=\s*script)", "< /", clean(script[:_SCRIPT]), flags=re.IGNORECASE)
    told = "\n".join(f"- {key}: {text}" for key, text in known.items())
    prompt = render("describe", script=shown, known=fenced(told))
    schema = closed({key: {"type": "string"} for key in _KEYS})
    form = Form("background", schema, f"%llguidance {{}}\n{_GRAMMAR.strip()}")
    reply = llm.ask([Message("user", prompt)], form, seed=seed)
    evidence = Shown(f"{script}\n{told}", [])
    found, left_out = dict(known), list[str]()
    for key in _KEYS:
        text, dropped = _checked(_said(reply.data, key), evidence)
        left_out += dropped
        if text:
            found[key] = text
    return found, left_out


def _said(data: Any, key: str) -> str:
    said = data.get(key) if isinstance(data, Mapping) else None
    text = clean_line(said) if isinstance(said, str) else ""
    return "" if _NOTHING.match(text) else text


def _checked(text: str, shown: Shown) -> tuple[str, list[str]]:
    """Return the sentences of ``text`` that name nothing which was not shown, as many as fit, and
    those that do.
    """
    kept, dropped = "", list[str]()
    for sentence in sentences(text):
        if shown.checked(sentence).struck:
            dropped.append(sentence)
        elif len(kept) + len(sentence) < _LONGEST:
            kept = f"{kept} {sentence}".strip()
    return kept, dropped
