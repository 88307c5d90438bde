"""Search spaces as scikit-learn's users write them: lists of values, frozen distributions of SciPy,
distributions of Optuna; and choices that are objects of any kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from agenthpo.errors import SpaceError
from agenthpo.records import Params

__all__ = ["ForeignSpace", "read_foreign"]

_UNIFORM, _LOG, _WHOLE = ("uniform",), ("loguniform", "reciprocal"), ("randint",)


@dataclass(frozen=True)
class ForeignSpace:
    """A space in the form of a task file, and what its words stand for."""

    raw: dict[str, dict[str, Any]]
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    """For each parameter whose choices are no plain values: its word -> the choice itself."""

    def own(self, params: Params) -> Params:
        """Return ``params`` with the choices themselves for their words."""
        return {
            name: self.objects[name][value] if name in self.objects else value
            for name, value in params.items()
        }

    def word_of(self, name: str, value: Any) -> Any:
        """Return the word that stands for ``value``; the value where none does."""
        for word, choice in self.objects.get(name, {}).items():
            if choice is value or (type(choice) is type(value) and _equal(choice, value)):
                return word
        return value


def read_foreign(space: Mapping[str, Any]) -> ForeignSpace:
    """Return a space of which each parameter is a mapping as in a task file, a list of choices, a
    frozen ``uniform``, ``loguniform`` or ``randint`` of ``scipy.stats``, or a distribution of
    Optuna.

    >>> read_foreign({"C": [0.1, 1.0, 10.0]}).raw
    {'C': {'type': 'float', 'values': [0.1, 1.0, 10.0]}}
    >>> read_foreign({"hidden": [(64,), (64, 64)]}).raw
    {'hidden': {'type': 'categorical', 'values': ['(64,)', '(64, 64)']}}

    :raises SpaceError: for anything else, naming the parameter.
    """
    if not isinstance(space, Mapping) or not space:
        raise SpaceError("space is empty; give at least one parameter, such as {'C': [0.1, 1, 10]}")
    found = ForeignSpace({})
    for name, given in space.items():
        if isinstance(given, Mapping):
            found.raw[name] = dict(given)
        elif isinstance(given, BaseDistribution):
            _add_optuna(found, name, given)
        elif hasattr(given, "dist") and hasattr(given, "support"):
            found.raw[name] = _of_scipy(name, given)
        elif isinstance(given, (list, tuple, range)) or hasattr(given, "tolist"):
            _add_choices(found, name, given)
        else:
            raise SpaceError(
                f"space.{name} is a {type(given).__name__}; give a list of values, a range such as "
                "{'type': 'float', 'low': 0.1, 'high': 10, 'log': True}, or a distribution of "
                "scipy.stats or Optuna"
            )
    return found


def _add_optuna(found: ForeignSpace, name: str, given: BaseDistribution) -> None:
    match given:
        case CategoricalDistribution():
            _add_choices(found, name, given.choices)
        case FloatDistribution() | IntDistribution():
            kind = "float" if isinstance(given, FloatDistribution) else "int"
            step = given.step if kind == "float" or not given.log else None
            fields = {"type": kind, "low": given.low, "high": given.high, "log": given.log}
            found.raw[name] = {**fields, "step": step} if step not in (None, 1) else fields
        case _:
            raise SpaceError(f"space.{name} is a {type(given).__name__}, which is not known")


def _of_scipy(name: str, given: Any) -> dict[str, Any]:
    kind = getattr(given.dist, "name", "")
    low, high = (float(end) for end in given.support())
    if kind not in (*_UNIFORM, *_LOG, *_WHOLE) or not math.isfinite(low + high):
        raise SpaceError(
            f"space.{name} is scipy.stats.{kind}, which has no range of its own; use uniform, "
            "loguniform or randint"
        )
    if kind in _WHOLE:
        return {"type": "int", "low": int(low), "high": int(high)}
    return {"type": "float", "low": low, "high": high, "log": kind in _LOG}


def _add_choices(found: ForeignSpace, name: str, given: Any) -> None:
    """Add a list of choices: numbers in ascending order are ordered, and an object is known by its
    text.
    """
    values = [_plain(value) for value in given]
    kinds = {type(value) for value in values}
    if kinds == {bool} and len(values) == 2:
        found.raw[name] = {"type": "bool"}
    elif kinds and kinds <= {int, float} and _is_ascending(values):
        found.raw[name] = {"type": "int" if kinds == {int} else "float", "values": values}
    elif kinds and (kinds <= {str, type(None)} or kinds <= {int, float, type(None)}):
        found.raw[name] = {"type": "categorical", "values": values}
    else:
        words = [value if isinstance(value, str) else repr(value) for value in values]
        if len(set(words)) < len(words):
            words = [f"{word} ({place})" for place, word in enumerate(words)]
        found.raw[name] = {"type": "categorical", "values": words}
        found.objects[name] = dict(zip(words, values, strict=True))


def _is_ascending(values: list[Any]) -> bool:
    return len(values) > 1 and all(a < b for a, b in pairwise(values))


def _plain(value: Any) -> Any:
    """Return a number of NumPy as Python's own."""
    return value.item() if hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0 else value


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except ValueError:  # arrays
        return False
