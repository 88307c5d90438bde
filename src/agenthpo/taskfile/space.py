"""Read a search space from the mapping that a task file or ``tune()`` gives, refusing every mistake
in one sentence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agenthpo.command.option_style import STYLES
from agenthpo.constraint import parse_constraint
from agenthpo.errors import SpaceError
from agenthpo.limit import Limit, parse_limits
from agenthpo.scalars import NO_VALUE, Number, Switch, as_number
from agenthpo.space import Kind, Parameter, Space, among, format_number
from agenthpo.structured import as_word, is_structured, plain
from agenthpo.taskfile.pydantic_errors import did_you_mean, parse

__all__ = ["RESERVED", "ParameterSpec", "Style", "limits_of", "parse_space", "with_constraints"]

Scalar = bool | int | float | str | None
Choice = Scalar | list[Any] | dict[Any, Any] | tuple[Any, ...]
"""A list or mapping is a choice as a whole."""
_NAME = re.compile(r"[^\W\d][\w.-]*")
_EXACT = 2**53
"""Up to here every whole number is a float as well, which is what Optuna's storage keeps of a
range's value.
"""
_MOST_STEPS = 1e9
"""Beyond, neighbours differ by less than what printing and reading a number may lose."""
RESERVED = frozenset(
    {"config_file", "config_yaml", "flags", "overrides", "python", "seed", "trial_dir"}
)
"""Placeholders of the command that no parameter may be named after."""


def _as_style(value: Any) -> Any:
    """Return a style as it is written; 1 is a word, and of true nobody knows how it was spelt."""
    if isinstance(value, bool):
        raise ValueError("must be in quotes, such as 'True' or 'true', since YAML reads both alike")
    return str(value) if isinstance(value, int) else value


Style = Annotated[Literal["", *STYLES], BeforeValidator(_as_style)]  # type: ignore[valid-type]
"""How true, false and null are written."""


class ParameterSpec(BaseModel):
    """One hyperparameter as it is written in a task file."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["float", "int", "categorical", "bool"] = Field(
        description="The kind of its values."
    )
    low: Number | None = Field(
        None, description="The smallest value (inclusive) of a float or int."
    )
    high: Number | None = Field(
        None, description="The largest value (inclusive) of a float or int."
    )
    log: Switch = Field(
        False, description="Search on a logarithmic scale; the range must lie above 0."
    )
    step: Number | None = Field(
        None, description="Only low, low + step, low + 2 step … are allowed; not together with log."
    )
    values: list[Choice] | None = Field(
        None,
        description="The choices. Those of a float or int are ordered; those of a categorical may "
        "be lists or mappings.",
    )
    default: Choice = Field(
        None, description="What a practitioner would start with; the defaults together are trial 0."
    )
    about: str = Field("", description="What it means, in plain words; the agents read it.")
    style: Style = Field(
        "",
        description="How {flags} writes true, false and null as an option, instead of what the "
        "script's text says.",
    )
    as_: Style = Field(
        "",
        alias="as",
        description="How true and false, or null, are written in the command: 'True', '1', 'yes', "
        "'None' …; the same as style.",
    )
    when: dict[str, Scalar | list[Choice]] = Field(
        default_factory=dict,
        description="Active only when each of these parents has this value (or one of these "
        "values).",
    )


def parse_space(raw: Any, *, where: str = "space") -> Space:
    """Return the space that ``raw`` (parameter name -> its fields) describes; ``where`` begins
    every message.

    >>> parse_space({"lr": {"type": "float", "low": 1e-5, "high": 0.1, "log": True}})["lr"].log
    True

    :raises SpaceError: naming the field and the fix.
    """
    if not isinstance(raw, Mapping) or not raw:
        raise SpaceError(
            f"{where} is empty; give at least one parameter, such as learning_rate: "
            f"{{type: float, low: 1e-5, high: 0.1, log: true}}"
        )
    parameters = {
        name: _parameter(name, _in_python(fields), f"{where}.{name}")
        for name, fields in raw.items()
    }
    parameters = {
        name: _with_conditions(parameter, parameters) for name, parameter in parameters.items()
    }
    for parameter in parameters.values():
        _check_conditions(parameter, parameters, f"{where}.{parameter.name}.when")
    return Space(_parents_first(parameters, where))


def with_defaults(space: Space, defaults: Mapping[str, Any], *, where: str = "defaults") -> Space:
    """Return ``space`` with these defaults instead of its own.

    :raises SpaceError: for a name that is not a parameter, or a value that the parameter does not
        allow.
    """
    for name in defaults:
        if name not in space.names:
            raise SpaceError(
                f"{where}.{name} is not a parameter of the search space ({', '.join(space.names)})"
            )
    parameters = tuple(
        _with_default(p, defaults.get(p.name, NO_VALUE), f"{where}.{p.name}") for p in space
    )
    return _checked_default(replace(space, parameters=parameters), where)


def with_constraints(
    space: Space, constraints: Sequence[str], *, where: str = "constraints"
) -> Space:
    """Return ``space`` with what must hold between its parameters, such as ``warmup < epochs``.

    :raises SpaceError: for a text that is no constraint, or one that the default breaks.
    """
    found = []
    for i, text in enumerate(constraints):
        place = f"{where}[{i}] '{text}'"
        try:
            if parse_limits(text, space.names):  # on results
                continue
            constraint = parse_constraint(text, frozenset(space.names))
        except ValueError as problem:
            raise SpaceError(f"{place} {problem}") from None
        some = {p.name: p.default if p.has_default else _some_value(p) for p in space}
        if wrong := constraint.problem(some):
            raise SpaceError(f"{place} cannot be worked out: {wrong}; compare numbers with numbers")
        found.append(constraint)
    return _checked_default(replace(space, constraints=tuple(found)), where)


def limits_of(
    space: Space, constraints: Sequence[str], *, test_metric: str | None, where: str = "constraints"
) -> tuple[Limit, ...]:
    """Return what the results have to keep, of the same ``constraints``: ``latency_ms <= 20``.

    :raises SpaceError: for one on the test metric, which decides nothing.
    """
    found = [limit for text in constraints for limit in parse_limits(text, space.names)]
    for limit in found:
        if limit.metric == test_metric:
            raise SpaceError(
                f"{where}: {limit.text} is on the test metric, which is told once the search is "
                "over and decides nothing; name another metric"
            )
    return tuple(found)


def _some_value(parameter: Parameter) -> Any:
    return parameter.values[0] if parameter.is_discrete else parameter.low


def _checked_default(space: Space, where: str) -> Space:
    default = replace(space, constraints=()).default()
    if default is not None and (broken := space.broken(default)):
        raise SpaceError(f"{where}: {broken[0]}, which are defaults; change one of them")
    return space


def _parameter(name: Any, fields: Any, where: str) -> Parameter:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SpaceError(
            f"{where} is not a usable name; use letters, digits, '_', '.' and '-' without "
            "blanks, starting with a letter"
        )
    if name in RESERVED:
        raise SpaceError(
            f"{where}: '{name}' is reserved for a placeholder of the command; rename the parameter"
        )
    spec = parse(ParameterSpec, fields, where=where, error=SpaceError)
    objects = _words(spec, where)
    if objects:
        count = len(spec.values or [])
        spec.values = list(objects)
        if len(objects) < count:
            raise SpaceError(f"{where}.values holds one of its choices twice; remove one of them")
    _CHECKS[spec.type](spec, where)
    parameter = replace(_built(name, spec), objects=objects)
    return _with_default(parameter, _default(parameter, spec), where)


def _in_python(fields: Any) -> Any:
    """Return a parameter's fields with Python's own numbers, and its values as a list."""
    fields = plain(fields)
    if isinstance(fields, dict) and isinstance(fields.get("values"), tuple):
        return {**fields, "values": list(fields["values"])}
    return fields


def _words(spec: ParameterSpec, where: str) -> dict[str, Any]:
    """Return the words of choices of which one is a list or mapping, with the choices; nothing
    where none is.

    :raises SpaceError: for a choice that cannot be written down.
    """
    values = spec.values or []
    if spec.type != "categorical" or not any(is_structured(value) for value in values):
        return {}
    try:
        return {as_word(value): value for value in values}
    except (ValueError, RecursionError) as problem:
        raise SpaceError(f"{where}.values: {problem}; fix it") from None


def _built(name: str, spec: ParameterSpec) -> Parameter:
    values = (
        (False, True)
        if spec.type == "bool"
        else tuple(_cast(spec.type, v) for v in spec.values or ())
    )
    when = tuple(
        (parent, tuple(v) if isinstance(v, list) else (v,)) for parent, v in spec.when.items()
    )
    bounds = {key: _cast(spec.type, getattr(spec, key)) for key in ("low", "high", "step")}
    if spec.type == "float" and spec.step is not None:
        # 1.7 where arithmetic made it 1.7000000000000002
        bounds["high"] = float(f"{bounds['high']:.12g}")
    return Parameter(
        name,
        spec.type,
        **bounds,
        log=spec.log,
        values=values,
        about=" ".join(spec.about.split()),
        when=when,
        style=spec.as_ or spec.style,
    )


def _cast(kind: Kind, value: Any) -> Any:
    return float(value) if kind == "float" and value is not None else value


def _default(parameter: Parameter, spec: ParameterSpec) -> Any:
    """Return the default; null is one where it is among the values, else it says that there is
    none.
    """
    given = "default" in spec.model_fields_set and (
        spec.default is not None or None in parameter.values
    )
    return spec.default if given else NO_VALUE


def _with_default(parameter: Parameter, default: Any, where: str) -> Parameter:
    if default is NO_VALUE:
        return parameter
    value = parameter.snap(default)
    if reason := parameter.violation(value):
        raise SpaceError(
            f"{where}.default is {format_number(default)}, but "
            f"{reason.split(', not ')[0]}; move the default or widen the range"
        )
    return replace(parameter, default=value)


def _check_range(spec: ParameterSpec, where: str) -> None:
    if spec.values is not None:
        _check_ordered_values(spec, where)
        return
    for key in ("low", "high"):
        if getattr(spec, key) is None:
            raise SpaceError(
                f"{where}.{key} is missing; a {spec.type} needs low and high (or a list of values)"
            )
    assert spec.low is not None and spec.high is not None
    _check_numbers(spec, where)
    if spec.low >= spec.high:
        raise SpaceError(
            f"{where}.low is {format_number(spec.low)}, which is not below high "
            f"({format_number(spec.high)}); swap or change them"
        )
    if spec.log and spec.low <= 0:
        raise SpaceError(
            f"{where}.low is {format_number(spec.low)}, but a log scale needs a range "
            "above 0; raise low (such as 1e-6) or remove log"
        )
    _check_step(spec, where)


def _check_numbers(spec: ParameterSpec, where: str) -> None:
    for key in ("low", "high", "step"):
        value = getattr(spec, key)
        if value is None:
            continue
        if not math.isfinite(value):
            raise SpaceError(f"{where}.{key} is {value}, but must be a finite number")
        if spec.type == "int" and not isinstance(value, int):
            raise SpaceError(
                f"{where}.{key} is {value}, but the type is int; write a whole number or "
                "use type: float"
            )
        if spec.type == "int" and abs(value) > _EXACT:
            raise SpaceError(
                f"{where}.{key} is {value}, beyond 2^53, where a range is not exact any "
                "more; list the values instead"
            )


def _check_step(spec: ParameterSpec, where: str) -> None:
    if spec.step is None:
        return
    if spec.log:
        raise SpaceError(f"{where}.step cannot go together with log; remove one of them")
    assert spec.low is not None and spec.high is not None
    if spec.step <= 0 or spec.step > spec.high - spec.low:
        raise SpaceError(
            f"{where}.step is {format_number(spec.step)}, but must be above 0 and at most "
            "high - low"
        )
    steps = (spec.high - spec.low) / spec.step
    if steps > _MOST_STEPS:
        raise SpaceError(
            f"{where}.step is {format_number(spec.step)}, which makes {steps:.2g} places; "
            "leave it out, or make it larger"
        )
    if abs(steps - round(steps)) > 1e-6:
        last = spec.low + math.floor(steps) * spec.step
        raise SpaceError(
            f"{where}.high is {format_number(spec.high)}, which no step from low reaches; "
            f"use {format_number(last)}"
        )


def _check_ordered_values(spec: ParameterSpec, where: str) -> None:
    for key in ("low", "high", "step"):
        if getattr(spec, key) is not None:
            raise SpaceError(f"{where}.{key} cannot go together with values; remove one of them")
    if spec.log:
        raise SpaceError(
            f"{where}.log cannot go together with values; their order is all that counts, "
            "so remove log"
        )
    wanted = int if spec.type == "int" else (int, float)
    spec.values = [as_number(value) for value in spec.values or []]
    for value in spec.values:
        if isinstance(value, bool) or not isinstance(value, wanted) or not math.isfinite(value):
            raise SpaceError(
                f"{where}.values holds {value!r}, which is no {spec.type}; fix it or use "
                "type: categorical"
            )
    _check_choices(spec, where)
    if sorted(spec.values or []) != spec.values:  # type: ignore[type-var]
        raise SpaceError(
            f"{where}.values are not in ascending order; sort them, or use type: "
            "categorical if their order means nothing"
        )


def _check_choices(spec: ParameterSpec, where: str) -> None:
    values = spec.values or []
    if len(values) < 2:
        raise SpaceError(
            f"{where}.values needs at least two values; a parameter with one belongs into "
            "the command instead"
        )
    for value in values:
        if isinstance(value, float) and not math.isfinite(value):
            raise SpaceError(
                f"{where}.values holds {value}, which is no number that could be compared; "
                "quote it to make it text, or remove it"
            )
    if len(kinds := {_kind(v): v for v in values if v is not None}) > 1:
        (one, a), (other, b), *_ = kinds.items()
        raise SpaceError(
            f"{where}.values mixes {one} ({format_number(a)}) and {other} ({format_number(b)}); "
            "quote all of them to make them text, or write all as one kind"
        )
    for i, value in enumerate(values):
        if any(value == other for other in values[:i]):
            raise SpaceError(
                f"{where}.values holds {format_number(value)} twice; remove one of them"
            )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "text" if isinstance(value, str) else "numbers"


def _check_categorical(spec: ParameterSpec, where: str) -> None:
    _refuse(spec, where, ("low", "high", "step", "log"))
    if spec.values is None:
        raise SpaceError(
            f"{where}.values is missing; list the choices of a categorical, such as "
            "values: [adam, sgd]"
        )
    _check_choices(spec, where)


def _check_bool(spec: ParameterSpec, where: str) -> None:
    _refuse(spec, where, ("low", "high", "step", "log", "values"))


def _refuse(spec: ParameterSpec, where: str, keys: tuple[str, ...]) -> None:
    for key in keys:
        if getattr(spec, key) not in (None, False):
            raise SpaceError(
                f"{where}.{key} has no meaning for type: {spec.type}; remove it or change the type"
            )


_CHECKS: dict[str, Callable[[ParameterSpec, str], None]] = {
    "float": _check_range,
    "int": _check_range,
    "categorical": _check_categorical,
    "bool": _check_bool,
}


def _with_conditions(parameter: Parameter, parameters: Mapping[str, Parameter]) -> Parameter:
    """Return ``parameter`` with the values in its conditions as their parents hold them: ``yes`` is
    true, ``32.0`` is 32.
    """
    read = []
    for name, values in parameter.when:
        parent = parameters.get(name)
        held = values if parent is None else tuple(parent.snap(value) for value in values)
        read.append((name, held))
    return replace(parameter, when=tuple(read))


def _check_conditions(
    parameter: Parameter, parameters: Mapping[str, Parameter], where: str
) -> None:
    for name, allowed in parameter.when:
        parent = parameters.get(name)
        if parent is None or parent is parameter:
            others = [other for other in parameters if other != parameter.name]
            raise SpaceError(
                f"{where} names '{name}', which is not another parameter of the space; "
                f"{did_you_mean(name, others)}"
            )
        if not parent.is_discrete and parent.kind == "float":
            raise SpaceError(
                f"{where} depends on '{name}', a float range; a condition needs a parent "
                "that is categorical, bool, int or has values"
            )
        for value in allowed:
            if reason := parent.violation(value):
                raise SpaceError(f"{where}.{name} can never hold: {reason}")
        if not allowed:
            raise SpaceError(f"{where}.{name} is an empty list; name at least one value of {name}")
        left = [v for v in parent.values if not among(v, allowed)]
        if parent.is_discrete and not left and not parent.when:
            raise SpaceError(
                f"{where}.{name} lists every value of {name}, so it always holds; remove it"
            )


def _parents_first(parameters: Mapping[str, Parameter], where: str) -> tuple[Parameter, ...]:
    """Order so that parents precede children, else as written. A cycle leaves nothing that could
    come next.
    """
    ordered: dict[str, Parameter] = {}
    waiting = dict(parameters)
    while waiting:
        ready = next(
            (p for p in waiting.values() if all(parent in ordered for parent, _ in p.when)), None
        )
        if ready is None:
            raise SpaceError(
                f"{where}: the conditions of {', '.join(waiting)} form a circle; remove one 'when'"
            )
        ordered[ready.name] = waiting.pop(ready.name)
    return tuple(ordered.values())
