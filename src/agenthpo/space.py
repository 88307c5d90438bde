"""The search space: its parameters and conditions, and whether a configuration is a point of it.

A configuration is a plain dict that holds the *active* parameters only. Reading a space from a task
file is ``space_file``, turning it into the form of a reply is ``agents.reply``; nothing here knows
Optuna.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from agenthpo.constraint import Constraint
from agenthpo.errors import InvalidParams
from agenthpo.records import Params
from agenthpo.scalars import NO_VALUE, as_number, as_switch
from agenthpo.structured import as_word, is_structured

__all__ = [
    "Key",
    "Kind",
    "Parameter",
    "Space",
    "among",
    "differing",
    "format_number",
    "same",
    "short_number",
]

Key = tuple[tuple[str, str], ...]
"""What two equal configurations share."""
Kind = Literal["float", "int", "categorical", "bool"]
_TOLERANCE = 1e-9
"""Relative distance at which a number counts as a bound or a grid point: what printing and parsing
may lose.
"""


def same(a: Any, b: Any) -> bool:
    """Return whether two values of a parameter are equal; unlike ``==``, True is not 1, while 2 is
    2.0.
    """
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def differing(before: Params, after: Params) -> list[str]:
    """Return the names of the parameters in which two configurations differ, or that only one of
    them has; those of ``after`` first.
    """
    return [
        name
        for name in dict.fromkeys([*after, *before])
        if name not in before or name not in after or not same(before[name], after[name])
    ]


def format_number(value: Any) -> str:
    """Return a value as short text: floats with six significant digits, bools in lower case, None
    as null.
    """
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def short_number(value: Any) -> str:
    """Return a value as text with floats in three significant digits: a small model pays for each
    of them.
    """
    return f"{value:.3g}" if isinstance(value, float) else format_number(value)


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter.

    Either a range (``low`` and ``high`` inclusive, perhaps ``log`` or with a ``step``) or a choice
    among ``values``. ``values`` of a float or int are ordered. ``when`` holds pairs (parent, its
    values that make this parameter active), all of which must hold.
    """

    name: str
    kind: Kind
    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    step: float | int | None = None
    values: tuple[Any, ...] = ()
    default: Any = NO_VALUE
    about: str = ""
    when: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    style: str = ""
    """How ``{flags}`` writes true, false and null; see ``agenthpo.command.option_style``. Empty
    where the script is asked.
    """
    objects: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Where choices are lists or mappings: the word among ``values`` -> the choice itself."""

    @property
    def has_default(self) -> bool:
        """Whether a default was given; null may be one."""
        return self.default is not NO_VALUE

    @property
    def is_discrete(self) -> bool:
        """Whether it takes one of ``values``."""
        return bool(self.values)

    @property
    def is_ordered(self) -> bool:
        """Whether its values are numbers, so that "larger" means something."""
        return self.kind in ("float", "int")

    def violation(self, value: Any) -> str | None:
        """Say why ``value`` is not allowed, or return None where it is."""
        if self.is_discrete:
            return (
                None
                if among(value, self.values)
                else f"{self.name} must be one of {self.choices()}, not {value!r}"
            )
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return (
                f"{self.name} must be {'an integer' if self.kind == 'int' else 'a number'} "
                f"{self.extent()}, not {value!r}"
            )
        if not _is_finite(value) or not self._low <= value <= self._high:
            return f"{self.name} must lie {self.extent()}, not {format_number(value)}"
        if self.kind == "int" and not isinstance(value, int):
            return f"{self.name} must be an integer {self.extent()}, not {value!r}"
        if self.step is not None and not _on_grid(value, self._low, self.step):
            return (
                f"{self.name} must be {format_number(self.low)} plus a multiple of "
                f"{format_number(self.step)}, not {format_number(value)}"
            )
        return None

    def snap(self, value: Any) -> Any:
        """Return the allowed value that ``value`` plainly means (``3.0`` for 3, ``"0.1"`` for 0.1,
        rounding at a bound), else itself.
        """
        value = (
            as_number(value)
            if self.is_ordered
            else as_switch(value)
            if self.kind == "bool"
            else value
        )
        if self.objects:
            value = self._word(value)
        if self.is_discrete:
            return next(
                (v for v in self.values if same(value, v) or self._is_close(value, v)), value
            )
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_finite(value):
            return value
        if self.kind == "int":
            return int(value) if value == int(value) else value
        if not self._low <= value <= self._high:
            value = next(
                (bound for bound in (self._low, self._high) if self._is_close(value, bound)), value
            )
        if self.step is not None and _on_grid(value, self._low, self.step):
            value = min(self._low + round((value - self._low) / self.step) * self.step, self._high)
            return float(f"{value:.12g}")  # 0.3, not 0.30000000000000004
        return float(value)

    def given(self, value: Any) -> Any:
        """Return what a script gets for ``value``: a list or mapping for its word."""
        return self.objects.get(value, value) if self.objects else value

    def _word(self, value: Any) -> Any:
        """Return the word that a list or mapping, or another spelling of it, means."""
        with suppress(ValueError, RecursionError):
            if isinstance(value, str) and value not in self.values:
                value = json.loads(value)
            if is_structured(value) or value not in self.values:
                return as_word(value)
        return value

    def grid(self) -> tuple[Any, ...]:
        """Return all its values.

        :raises ValueError: if it is continuous.
        """
        if self.is_discrete:
            return self.values
        if math.isinf(self.count):
            raise ValueError(f"{self.name} is continuous")
        return tuple(self.snap(self._low + i * (self.step or 1)) for i in range(int(self.count)))

    @property
    def count(self) -> float:
        """How many values it can take; infinite where it is continuous."""
        if self.is_discrete:
            return len(self.values)
        if self.low is None or self.high is None or (self.kind == "float" and self.step is None):
            return math.inf
        return math.floor((self.high - self.low) / (self.step or 1) + 1e-9) + 1

    def extent(self) -> str:
        """Return its range in words."""
        return f"from {format_number(self.low)} to {format_number(self.high)}"

    def choices(self) -> str:
        """Return its values in words."""
        return ", ".join(format_number(v) for v in self.values)

    def describe(self) -> str:
        """Return one line for people and models: kind, range, scale, default, condition,
        meaning.
        """
        extent = f"one of {self.choices()}" if self.is_discrete else self.extent()
        parts = [f"{self.kind} {extent}" if self.kind != "bool" else "true or false"]
        if self.log:
            parts.append("log scale")
        if self.step is not None:
            parts.append(f"step {format_number(self.step)}")
        if self.has_default:
            parts.append(f"default {format_number(self.default)}")
        parts += [f"only when {_condition(parent, values)}" for parent, values in self.when]
        return f"{self.name}: {', '.join(parts)}" + (f". {self.about}" if self.about else "")

    def _is_close(self, value: Any, other: Any) -> bool:
        if (
            not self.is_ordered
            or isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not _is_finite(value)
        ):
            return False
        return math.isclose(value, other, rel_tol=_TOLERANCE)

    @property
    def _low(self) -> float | int:
        return -math.inf if self.low is None else self.low

    @property
    def _high(self) -> float | int:
        return math.inf if self.high is None else self.high


@dataclass(frozen=True)
class Space:
    """The search space: parameters in an order in which every parent comes before its children."""

    parameters: tuple[Parameter, ...]
    constraints: tuple[Constraint, ...] = ()
    """What must hold between the parameters."""

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, name: str) -> Parameter:
        return next(p for p in self.parameters if p.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names."""
        return tuple(p.name for p in self.parameters)

    def active(self, values: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """Return the parameters that ``values`` make active; a child whose parent is missing or
        inactive is not.
        """
        active: dict[str, Parameter] = {}
        for parameter in self.parameters:
            if all(
                p in active and p in values and among(values[p], allowed)
                for p, allowed in parameter.when
            ):
                active[parameter.name] = parameter
        return tuple(active.values())

    def violations(self, params: Any) -> list[str]:
        """Return every reason why ``params`` is not a point of the space; empty when it is one.
        Never raises.
        """
        if not isinstance(params, Mapping):
            return [
                "params must be an object with the parameters' names as keys, not "
                f"{type(params).__name__}"
            ]
        active = {p.name: p for p in self.active(params)}
        found = [f"{p.name} is missing" for p in active.values() if p.name not in params]
        for name, value in params.items():
            reason = active[name].violation(value) if name in active else self._why_not_active(name)
            found += [reason] if reason else []
        return found or self.broken(params)

    def broken(self, params: Mapping[str, Any]) -> list[str]:
        """Return the constraints that ``params`` breaks, each in a sentence with its values."""
        return [
            f"{each.text} must hold, but does not for "
            + ", ".join(
                f"{name} {format_number(params[name])}" for name in self.names if name in each.names
            )
            for each in self.constraints
            if not each.holds(params)
        ]

    def check(self, params: Any) -> None:
        """Raise ``InvalidParams`` with every violation unless ``params`` is a point of the
        space.
        """
        if found := self.violations(params):
            raise InvalidParams(found)

    def snap(self, params: Mapping[str, Any]) -> Params:
        """Return ``params`` with each value snapped and nulls of inactive parameters dropped, in
        the space's order.
        """
        snapped = {p.name: p.snap(params[p.name]) for p in self.parameters if p.name in params}
        snapped |= {name: value for name, value in params.items() if name not in snapped}
        active = {p.name for p in self.active(snapped)}
        return {
            name: value for name, value in snapped.items() if value is not None or name in active
        }

    def restrict(self, params: Mapping[str, Any]) -> Params:
        """Return the active parameters of ``params`` only."""
        return {p.name: params[p.name] for p in self.active(params) if p.name in params}

    def given(self, params: Mapping[str, Any]) -> Params:
        """Return ``params`` as a script gets them: lists and mappings for their words."""
        return {p.name: p.given(params[p.name]) for p in self.parameters if p.name in params} | {
            name: value for name, value in params.items() if name not in self.names
        }

    def default(self) -> Params | None:
        """Return the default configuration, or None unless every parameter active in it has a
        default.
        """
        values = {p.name: p.default for p in self.parameters if p.has_default}
        chosen = self.restrict(values)
        return None if self.violations(chosen) else chosen

    def key(self, params: Mapping[str, Any]) -> Key:
        """Return what two equal configurations share; floats are compared to ten digits."""
        return tuple(
            (n, f"{v:.10g}" if isinstance(v, float) else repr(v)) for n, v in sorted(params.items())
        )

    def describe(self) -> str:
        """Return one Markdown list item per parameter and constraint."""
        lines = [f"- {p.describe()}" for p in self.parameters]
        return "\n".join([*lines, *(f"- must hold: {each.text}" for each in self.constraints)])

    def size(self) -> float:
        """Return how many configurations there are, were there no constraints; infinite as soon as
        one parameter is continuous.
        """
        return math.prod(p.count for p in self.parameters)

    def configurations(self) -> Iterator[Params]:
        """Yield every configuration; nothing where one parameter is continuous."""
        if math.isinf(self.size()):
            return
        for params in self._extended({}, self.parameters):
            if not self.broken(params):
                yield params

    def _extended(self, params: Params, rest: Sequence[Parameter]) -> Iterator[Params]:
        if not rest:
            yield params
            return
        first, *others = rest
        if all(p in params and among(params[p], allowed) for p, allowed in first.when):
            for value in first.grid():
                yield from self._extended({**params, first.name: value}, others)
        else:
            yield from self._extended(params, others)

    def _why_not_active(self, name: Any) -> str:
        if name not in self.names:
            return f"{name} is not a parameter of the search space ({', '.join(self.names)})"
        conditions = " and ".join(_condition(parent, vs) for parent, vs in self[name].when)
        return f"{name} must be left out, since it is active only when {conditions}"


def _condition(parent: str, values: Sequence[Any]) -> str:
    return f"{parent} is {' or '.join(map(format_number, values))}"


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def among(value: Any, allowed: Sequence[Any]) -> bool:
    """Return whether ``value`` is the same as one of those ``allowed``."""
    return any(same(value, v) for v in allowed)


def _on_grid(value: float, low: float, step: float) -> bool:
    steps = (value - low) / step
    return math.isfinite(steps) and abs(steps - round(steps)) <= 1e-6
