"""Known configurations, put into a task's own space by the names and ranges of its parameters.

Nothing is taken where the match is weak: where the family is not named, or fewer than half of the
parameters find a value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from agenthpo.exchange import Hint
from agenthpo.knowledge.families import family_of
from agenthpo.knowledge.names import usual_names
from agenthpo.knowledge.portfolios import Kind, Portfolio, Tip, portfolios
from agenthpo.records import Params
from agenthpo.space import Parameter, Space, format_number, short_number

__all__ = ["fitting_hint", "hints_for", "kind_of", "mapped"]

_BEYOND = 0.1
"""How far beyond a range a value may lie to count as its end, as a share of the range."""
_FEWEST, _SHARE = 2, 0.5
"""Parameters that must find a value: at least so many, and at least this share of the space's."""
_WIDE = 8
"""Factor between the ends of listed values from which on they are taken to be on a log scale."""
_NAMED = 4
"""Parameters that a rationale names."""
_KINDS: Mapping[Kind, re.Pattern[str]] = {
    "classes": re.compile(
        r"classif|\bclass(es)?\b|accuracy|\bauc\b|\bf1\b|error.rate|log.?loss|cross.entropy",
        re.IGNORECASE,
    ),
    "numbers": re.compile(
        r"(?<!logistic )regress|\br?mse\b|\bmae\b|\br2\b|squared.error", re.IGNORECASE
    ),
}


def hints_for(
    space: Space,
    said: str,
    *,
    imports: Collection[str] = (),
    known: Sequence[Portfolio] | None = None,
) -> tuple[Hint, ...]:
    """Return what is known of a task's family of models in its own ``space``, the best first; empty
    where the family is not recognised or little of it fits.

    :param said: the task in plain words, and its metric.
    :param imports: the names that the training script imports.
    :param known: the portfolios to take it from; the package's own without it.
    """
    family = family_of(said, imports)
    if family is None:
        return ()
    kind = kind_of(said)
    fitting = [
        portfolio
        for portfolio in (portfolios() if known is None else known)
        if portfolio.family == family.name and kind in (portfolio.kind, None)
    ]
    # where nobody says what is predicted, what fits better
    found = [
        [hint for tip in portfolio.tips if (hint := _hint(space, tip, family.about))]
        for portfolio in fitting
    ]
    return tuple(sorted(found, key=len)[-1]) if found else ()


def kind_of(said: str) -> Kind | None:
    """Return what a task's words say is predicted; None where they say nothing, or both."""
    text = said.replace("_", " ")
    found: list[Kind] = [kind for kind, pattern in _KINDS.items() if pattern.search(text)]
    return found[0] if len(found) == 1 else None


def mapped(space: Space, named: Mapping[str, Any]) -> tuple[Params, tuple[str, ...]]:
    """Return the configuration of ``space`` that takes its values from ``named`` (usual name ->
    value) where they fit, and the names of the parameters that did. The others have their default,
    or the middle of their range.
    """
    usual = usual_names(space.names)
    params: Params = {}
    found: list[str] = []
    for parameter in space:
        if parameter not in space.active(params):
            continue
        name = usual[parameter.name]
        value = _fitted(parameter, named[name]) if name in named else None
        if value is not None:
            found.append(parameter.name)
        elif parameter.has_default:
            value = parameter.default
        else:
            value = _middle(parameter)
        params[parameter.name] = value
    return params, tuple(found)


def _hint(space: Space, tip: Tip, about: str) -> Hint | None:
    reason = f"Better than the default on {tip.better} of {tip.of} other data sets for {about}"
    return fitting_hint(space, tip.params, reason, changed=tip.changed)


def fitting_hint(
    space: Space, named: Mapping[str, Any], reason: str, *, changed: Sequence[str] = ()
) -> Hint | None:
    """Return the configuration that ``named`` means in ``space``, for a ``reason``; None where too
    few parameters find a value, or it is the default.

    :param changed: which of ``named`` to take; the others only show that the space is like theirs.
    """
    params, found = mapped(space, named)
    if len(found) < max(_FEWEST, _SHARE * len(params)):
        return None
    if changed:
        params, found = mapped(space, {name: named[name] for name in changed})
        if len(found) < len(changed):
            return None
    if params == space.default():
        return None
    defaults = space.default() or {}
    moved = [name for name in found if params[name] != defaults.get(name)]
    words = ", ".join(f"{name} {short_number(params[name])}" for name in moved[:_NAMED])
    rest = "" if len(moved) <= _NAMED else f" and {len(moved) - _NAMED} more"
    return Hint(params, f"{reason}: {words}{rest}.")


def _fitted(parameter: Parameter, value: Any) -> Any:
    """Return the parameter's own value that ``value`` means or comes next to; None for none."""
    if not parameter.is_ordered:
        text = format_number(value).lower()
        return next((v for v in parameter.values if format_number(v).lower() == text), None)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    if parameter.kind == "int" and 0 < value < 1:
        return None  # a share, where this one counts
    low, high = _ends(parameter)
    is_log = _is_log(parameter)
    if is_log and value <= 0:
        return None

    def place(number: float) -> float:
        return math.log(number) if is_log else float(number)

    beyond = _BEYOND * (place(high) - place(low))
    if not place(low) - beyond <= place(value) <= place(high) + beyond:
        return None
    return _nearest(parameter, value)


def _middle(parameter: Parameter) -> Any:
    if not parameter.is_ordered:
        return parameter.values[len(parameter.values) // 2]
    low, high = _ends(parameter)
    return _nearest(parameter, math.sqrt(low * high) if _is_log(parameter) else (low + high) / 2)


def _nearest(parameter: Parameter, number: float) -> Any:
    """Return the parameter's own value next to ``number``, on its scale."""
    low, high = _ends(parameter)
    if parameter.is_discrete:
        is_log = _is_log(parameter) and number > 0
        return min(
            parameter.values,
            key=lambda v: abs(math.log(v / number) if is_log else v - number),
        )
    number = min(max(number, low), high)
    if parameter.step is not None:
        number = low + round((number - low) / parameter.step) * parameter.step
    return parameter.snap(round(number) if parameter.kind == "int" else float(number))


def _ends(parameter: Parameter) -> tuple[float, float]:
    ends = parameter.values or (parameter.low, parameter.high)
    return min(ends), max(ends)


def _is_log(parameter: Parameter) -> bool:
    """Return whether equal factors mean equal changes, as is taken of values that span many."""
    low, high = _ends(parameter)
    return parameter.log or (parameter.is_discrete and low > 0 and high / low > _WIDE)
