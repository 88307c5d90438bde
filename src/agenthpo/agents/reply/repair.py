"""What a model plainly meant: parameters beside the point, names and choices in another case,
numbers as text or as a power.

Whatever could mean two things is left as it is, for the validation to refuse. Nothing is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agenthpo.llm.json_text import parse_json
from agenthpo.scalars import as_number, as_switch
from agenthpo.space import Parameter, Space, among, format_number

__all__ = ["meant_params"]

_OTHER_NAMES = ("hyperparameters", "parameters", "config", "configuration", "hyper_parameters")
_EXTRAS = ("stop", "claim", "more", "again", "widen")
_REPLY_KEYS = frozenset({"rationale", "hypothesis", "expected", *_EXTRAS, *_OTHER_NAMES})
_POWER = re.compile(r"\s*(\d{1,4})\s*(?:\*\*|\^)\s*(-?\d{1,3})\s*")


def meant_params(reply: Mapping[str, Any], space: Space) -> tuple[Any, list[str]]:
    """Return the parameters in ``reply`` as the space spells them, and in words what was read
    otherwise than it was written.
    """
    raw, repairs = _found(reply, space)
    if not isinstance(raw, Mapping):
        return raw, repairs
    names = _spelling(raw, space)
    repairs += [f"'{name}' was read as {known}" for name, known in names.items() if name != known]
    meant: dict[str, Any] = {}
    for name, value in raw.items():
        known = str(names.get(name, name))
        meant[known] = _value(space[known], value) if known in space.names else value
        if known in space.names and type(meant[known]) is not type(value):
            repairs.append(f"{known} '{value}' was read as {format_number(meant[known])}")
        elif isinstance(value, str) and value != meant[known]:
            repairs.append(f"{known} '{value}' was read as '{meant[known]}'")
    return meant, repairs


def _found(reply: Mapping[str, Any], space: Space) -> tuple[Any, list[str]]:
    """Return the object that holds the parameters, by whatever name it goes, or the parameters that
    lie beside the rationale.
    """
    if "params" in reply:
        inner = parse_json(reply["params"]) if isinstance(reply["params"], str) else None
        return (
            (inner, ["params were read from JSON text"])
            if isinstance(inner, Mapping)
            else (reply["params"], [])
        )
    for name in _OTHER_NAMES:
        if isinstance(reply.get(name), Mapping):
            return reply[name], [f"'{name}' was read as params"]
    beside = {name: value for name, value in reply.items() if name not in _REPLY_KEYS}
    if set(beside) & set(space.names):
        return beside, ["the parameters lay beside the rationale"]
    return None, []


def _spelling(raw: Mapping[str, Any], space: Space) -> dict[str, str]:
    """Return for each name the parameter it means: itself, or the only one that differs in case and
    punctuation alone.
    """
    bare: dict[str, list[str]] = {}
    for known in space.names:
        bare.setdefault(_bare(known), []).append(known)
    meant = {name: name for name in raw if name in space.names}
    for name in raw:
        candidates = (
            bare.get(_bare(name), []) if isinstance(name, str) and name not in meant else []
        )
        if len(candidates) == 1 and candidates[0] not in meant.values():
            meant[name] = candidates[0]
    return meant


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _value(parameter: Parameter, value: Any) -> Any:
    if not isinstance(value, str):
        return _as_text(parameter, value)
    if parameter.kind == "bool":
        return as_switch(value.strip())
    if parameter.kind != "categorical":
        return _number(value)
    if among(value, parameter.values):
        return value
    alike = [
        v
        for v in parameter.values
        if isinstance(v, str) and v.strip().lower() == value.strip().lower()
    ]
    if len(alike) == 1:
        return alike[0]
    number = _number(value)
    return next(
        (
            v
            for v in parameter.values
            if not isinstance(v, (str, bool)) and v is not None and v == number
        ),
        value,
    )


def _as_text(parameter: Parameter, value: Any) -> Any:
    """Return the choice that ``value`` is written like, where it is none itself: 16 for
    ``"16"``.
    """
    if (
        parameter.kind != "categorical"
        or isinstance(value, dict | list)
        or among(value, parameter.values)
    ):
        return value
    alike = [v for v in parameter.values if isinstance(v, str) and v == format_number(value)]
    return alike[0] if len(alike) == 1 else value


def _number(text: str) -> Any:
    if match := _POWER.fullmatch(text):
        base, exponent = int(match[1]), int(match[2])
        return base**exponent if exponent >= 0 or base else text
    return as_number(text)
