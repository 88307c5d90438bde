"""What a model says of a trial: its diagnosis, evidence, insight and advice, each held to what it
was shown and to the space. Nothing of it is believed unread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from agenthpo.agents.claims import Checked, Shown
from agenthpo.agents.levers import moved
from agenthpo.agents.reply.forms import closed
from agenthpo.agents.reply.validate import words_of
from agenthpo.llm.client import Form
from agenthpo.records import CurveDiagnosis, Params, Struck
from agenthpo.space import Space
from agenthpo.task import Task

__all__ = ["OF_CURVES", "Opinion", "opinion_form", "read_opinion"]

OF_CURVES = get_args(CurveDiagnosis)
"""Diagnoses of a trial that has a value; how one failed is code's to say."""
_INSIGHT, _EVIDENCE, _REASON = 500, 160, 200
"""Characters of the insight, of a piece of evidence, and of an advice's reason."""
_PIECES = 4


@dataclass(frozen=True)
class Opinion:
    """What is left of a reply."""

    diagnosis: CurveDiagnosis | None
    """None where it names none, or has no evidence for it."""
    evidence: tuple[str, ...]
    insight: str
    advice: str
    said: int
    struck: tuple[Struck, ...]


def opinion_form(task: Task) -> Form:
    """Return the form of what a model that is not weak says of a trial; it has no grammar, since
    no embedded model is asked.
    """
    text = {"type": "string"}
    ordered = [p.name for p in task.space if p.is_ordered]
    advice = closed(
        {
            "parameter": {"enum": [*ordered, ""], "description": "Empty where none is to move."},
            "direction": {"enum": ["raise", "lower"]},
            "reason": text,
        }
    )
    properties = {
        "diagnosis": {"enum": list(OF_CURVES)},
        "evidence": {
            "type": "array",
            "items": text,
            "description": "Numbers and quotations from what you were shown.",
        },
        "insight": {"type": "string", "description": "What it teaches, in two or three sentences."},
        "advice": advice,
    }
    return Form("analysis", closed(properties), grammar="")


def read_opinion(data: Any, space: Space, params: Params, shown: Shown) -> Opinion:
    """Return what of a reply stands; nothing where it is no object. Never raises.

    :param shown: what its sentences may name.
    """
    fields = data if isinstance(data, dict) else {}
    insight = shown.checked(words_of(fields.get("insight"), _INSIGHT))
    given = fields.get("evidence")
    pieces = given if isinstance(given, list) else [given]
    read = [shown.checked(words_of(piece, _EVIDENCE)) for piece in pieces[:_PIECES]]
    evidence = tuple(each.text.rstrip(".") for each in read if each.text)
    named = fields.get("diagnosis")
    reason = Checked("", 0, ())
    advice = ""
    raw = fields.get("advice")
    if isinstance(raw, dict):
        advice = moved(space, params, str(raw.get("parameter")), _way(raw.get("direction")))
        reason = shown.checked(words_of(raw.get("reason"), _REASON))
        if advice and reason.text:
            advice += f": {reason.text.rstrip('.')}"
    every = [insight, *read, reason]
    diagnosis = next((each for each in OF_CURVES if each == named), None)
    return Opinion(
        diagnosis=diagnosis if evidence else None,
        evidence=evidence,
        insight=insight.text,
        advice=advice,
        said=sum(each.said for each in every),
        struck=tuple(one for each in every for one in each.struck),
    )


def _way(direction: Any) -> int:
    return {"raise": 1, "lower": -1}.get(direction, 0) if isinstance(direction, str) else 0
