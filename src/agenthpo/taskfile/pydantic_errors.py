"""Turn what pydantic finds wrong with a mapping into one sentence: the field, the value, the fix.

It knows nothing of task files; the models it checks against are its callers'.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

__all__ = ["close_to", "did_you_mean", "parse"]

M = TypeVar("M", bound=BaseModel)
_WANTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "text",
    "bool_type": "true or false",
    "dict_type": "a mapping of names to values",
    "mapping_type": "a mapping of names to values",
    "model_type": "a mapping of names to values",
    "list_type": "a list",
    "tuple_type": "a list",
}


_BRANCH = re.compile(r"int|float|str|bool|(?:dict|list|tuple|literal)\[.*\]")
"""What pydantic calls the branches of a union."""


def close_to(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that ``name`` is probably a slip of, if there is one."""
    return next(iter(difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'x'?"`` when a known name is close, else the list of the known
    ones.
    """
    known = list(known)
    close = close_to(name, known)
    return f"did you mean '{close}'?" if close else f"known are {', '.join(known)}"


def parse(model: type[M], raw: Any, *, where: str, error: type[Exception]) -> M:
    """Validate ``raw`` against ``model``; raise ``error`` with a sentence that starts with
    ``where`` and the field's path.
    """
    try:
        return model.model_validate(raw, strict=True)
    except ValidationError as problem:
        raise error(_sentence(model, problem, where)) from None


def _sentence(model: type[BaseModel], problem: ValidationError, where: str) -> str:
    details = _most_telling(problem)
    path = _path(details["loc"])
    place = f"{where}{path}" if not where.endswith(" ") else f"{where}{path.removeprefix('.')}"
    kind, value = details["type"], details["input"]
    if kind == "extra_forbidden":
        return (
            f"{place} is not a known key; "
            f"{did_you_mean(str(details['loc'][-1]), _siblings(model, details['loc']))}"
        )
    if kind == "missing":
        return f"{place} is missing; add it"
    if kind == "literal_error":
        return f"{place} is {_shown(value)}, but must be {details['ctx']['expected']}"
    if wanted := _wanted(problem, path):
        return f"{place} is {_shown(value)}, but must be {wanted}{_hint(value, wanted)}"
    return f"{place} is {_shown(value)}: {details['msg'].removeprefix('Value error, ')}"


def _most_telling(problem: ValidationError) -> Any:
    """Return an unknown key before anything else (it explains a missing one), else the first error
    outside union branches.
    """
    errors = problem.errors(include_url=False)
    return next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])


def _wanted(problem: ValidationError, path: str) -> str | None:
    """Return in words what may stand at ``path``; a union has one error for each of its
    branches.
    """
    errors = [e for e in problem.errors(include_url=False) if _path(e["loc"]) == path]
    kinds = [e["type"] for e in errors]
    if {"string_type", "float_type"} <= set(kinds):
        return "text, a number, or true or false"
    if {"int_type", "float_type"} <= set(kinds):
        return "a number"
    words = [next((e["ctx"]["expected"] for e in errors if e["type"] == "literal_error"), "")]
    words = [_WANTED.get(kinds[0], ""), *filter(None, words)]
    return ", or ".join(words) if words[0] else None


def _path(loc: tuple[Any, ...]) -> str:
    """Return ``.a.b[2]``; the names of union branches, which pydantic puts at the end, say nothing
    to a user.
    """
    kept = [part for part in loc if not (isinstance(part, str) and _BRANCH.fullmatch(part))]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in kept)


def _siblings(model: Any, loc: tuple[Any, ...]) -> list[str]:
    for part in loc[:-1]:
        model = _step_into(model, part)
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _step_into(model: Any, part: Any) -> Any:
    """Return the pydantic model found under the field ``part`` of ``model``, also within ``X |
    None`` and ``dict[str, X]``.
    """
    if model is None:
        return None
    if isinstance(model, tuple):
        return model[0]
    field = next((f for n, f in model.model_fields.items() if (f.alias or n) == part), None)
    found = _models_in(field.annotation) if field else []
    if not found:
        return None
    is_mapping = "dict" in str(field.annotation) if field else False
    return (found[0],) if is_mapping else found[0]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for arg in getattr(annotation, "__args__", ()) for model in _models_in(arg)]


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, Mapping):
        return "a mapping"
    return "empty" if value is None else repr(value)


def _hint(value: Any, wanted: str) -> str:
    if not isinstance(value, str) or wanted not in ("a number", "a whole number", "true or false"):
        return ""
    return "; write it without quotes" if _looks_right(value) else f"; write {wanted}"


def _looks_right(value: str) -> bool:
    return value.lower() in ("true", "false") or value.replace(".", "", 1).lstrip("+-").isdigit()
