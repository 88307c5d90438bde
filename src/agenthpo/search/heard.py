"""What people and agents have asked of a study, in words: for whoever proposes next, and for
whoever reads of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agenthpo.experience.requests import Asked, Request
from agenthpo.text.cutting import cut
from agenthpo.text.phrases import params_words

__all__ = ["deed", "heard", "remarks"]

_LONGEST = 150
"""Characters of a reason or a note that are told."""
_MOST, _ALL = 3, 700
"""Pins, ranges, vetoes and notes that are told, of each the latest, and the characters of all: they
stand in every prompt.
"""


def deed(request: Request, asked: Asked) -> str:
    """Return what ``request`` did, such as ``pinned lr=0.1``; empty for one that only runs what
    others ask for.
    """
    match request.kind:
        case "try":
            return f"asked for {params_words(request.params)}"
        case "pin":
            return f"pinned {params_words(request.params)}"
        case "unpin":
            return f"let {request.whose} go"
        case "widen":
            return f"widened {request.whose}: {params_words(request.params)}"
        case "narrow":
            return f"took back that {request.whose} was widened"
        case "veto":
            return f"took back {_target(request, asked)}"
        case "note":
            return "noted" if request.trial is None else f"noted on trial {request.trial}"
        case "told":
            return "was told the test metric"
        case "run":
            return ""


def heard(asked: Asked) -> tuple[str, ...]:
    """Return what whoever proposes should know of what people did, a sentence each: the reasons
    of what is pinned and widened, which configurations were taken back, and the notes.

    >>> heard(Asked((Request("note", "ann", is_person=True, text="Mind the memory.", trial=3),)))
    ('ann noted on trial 3: Mind the memory.',)
    """
    found, told, room = list[str](), Counter[str](), _ALL
    for request in reversed(asked.requests):  # the latest are told where not all can be
        if told[request.kind] < _MOST and request.is_person and _counts(request, asked):
            (words,) = remarks([request], asked)
            room -= len(words)
            if room < 0:
                break
            told[request.kind] += 1
            found.append(words)
    return tuple(reversed(found))


def remarks(requests: Sequence[Request], asked: Asked) -> tuple[str, ...]:
    """Return each of ``requests`` as a sentence, with who asked, and why.

    :param asked: all that was asked.
    """
    return tuple(_remark(each, deed(each, asked)) for each in requests)


def _remark(request: Request, did: str) -> str:
    text = request.text or request.rationale
    why = text if len(text) <= _LONGEST else f"{cut(text, _LONGEST).rsplit(' ', 1)[0]} …"
    said = f"{request.by} {did}: {why}" if why else f"{request.by} {did}"
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


def _target(veto: Request, asked: Asked) -> str:
    """Return what a veto is against: its id, and the configuration where it is one."""
    target = asked.by_id(veto.whose)
    words = "" if target is None else params_words(target.params)
    return f"{veto.whose} ({words})" if words else veto.whose


def _counts(request: Request, asked: Asked) -> bool:
    """Return whether whoever proposes should know of ``request`` as things are now."""
    match request.kind:
        case "pin":  # what is held is told anyway, so only why
            return bool(request.text) and request in asked.holding.values()
        case "widen":
            return request in asked.widening
        case "veto":
            target = asked.by_id(request.whose)
            return target is not None and target.kind == "try"
        case "note":
            return True
        case _:
            return False
