"""Ranges that people widen while a study runs or rests: the task file stays as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agenthpo.errors import SpaceError
from agenthpo.space import Parameter, among, format_number
from agenthpo.task import Task

__all__ = ["AsAsked", "widened", "with_ranges"]


def widened(parameter: Parameter, change: Mapping[str, Any]) -> Parameter:
    """Return ``parameter`` with a wider range.

    :param change: ``low`` or ``high`` or both, for a range; ``values`` to add to a list.
    :raises SpaceError: where that is no wider range of the same kind, with the reason.
    """
    if parameter.is_discrete:
        return _with_values(parameter, change)
    if "values" in change:
        raise SpaceError(f"{parameter.name} is a range; widen it by low or high")
    ends = {
        name: _number(parameter, name, change[name]) for name in ("low", "high") if name in change
    }
    if not ends:
        raise SpaceError(f"say how far {parameter.name} is to reach, by low or high")
    low, high = parameter.low, parameter.high
    assert low is not None and high is not None
    if ends.get("low", low) > low or ends.get("high", high) < high:
        raise SpaceError(
            f"{parameter.name} lies {parameter.extent()}, and that would be narrower; hold it by "
            "pin, or change the task file"
        )
    if ends.get("low", low) == low and ends.get("high", high) == high:
        raise SpaceError(f"{parameter.name} reaches that far already: it lies {parameter.extent()}")
    if parameter.log and ends.get("low", low) <= 0:
        raise SpaceError(f"{parameter.name} has a logarithmic range, so that low must be above 0")
    step = parameter.step
    if step is not None:
        for name, end in ends.items():
            if not math.isclose((end - low) / step, round((end - low) / step), abs_tol=1e-6):
                raise SpaceError(
                    f"{parameter.name} goes by steps of {format_number(step)} from "
                    f"{format_number(low)}, and {name} {format_number(end)} is none of them"
                )
    return replace(parameter, low=ends.get("low", low), high=ends.get("high", high))


def _number(parameter: Parameter, name: str, value: Any) -> float | int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise SpaceError(f"{name} of {parameter.name} must be a number, not {value!r:.60}")
    if parameter.kind == "int":
        if value != int(value):
            raise SpaceError(f"{name} of {parameter.name} must be an integer, not {value!r:.60}")
        return int(value)
    return float(value)


def _with_values(parameter: Parameter, change: Mapping[str, Any]) -> Parameter:
    values = change.get("values")
    if not isinstance(values, list) or not values or "low" in change or "high" in change:
        raise SpaceError(
            f"{parameter.name} is a list ({parameter.choices()}); widen it by values to add"
        )
    if parameter.objects or parameter.kind == "bool":
        raise SpaceError(f"{parameter.name} takes no further values; change the task file")
    added = list[Any]()
    for value in values:
        if parameter.is_ordered:
            value = _number(parameter, "a value", value)
        elif not isinstance(value, str | int | float | None):
            raise SpaceError(f"a value of {parameter.name} cannot be {value!r:.60}")
        if among(value, (*parameter.values, *added)):
            raise SpaceError(f"{parameter.name} has the value {format_number(value)} already")
        added.append(value)
    every = (*parameter.values, *added)
    return replace(parameter, values=tuple(sorted(every)) if parameter.is_ordered else every)


def with_ranges(task: Task, ranges: Mapping[str, Mapping[str, Any]]) -> Task:
    """Return ``task`` with the ranges that were widened, as far as they fit it: the same one where
    none does.
    """
    written = task.written_space or task.space
    found = []
    for parameter in written:
        try:
            found.append(widened(parameter, ranges[parameter.name]))
        except (KeyError, SpaceError):  # it was not, or the task file was changed since
            found.append(parameter)
    if tuple(found) == task.space.parameters:
        return task
    space = replace(written, parameters=tuple(found))
    return replace(task, space=space, written_space=written)


class AsAsked:
    """The task as people have changed it by now; the same one while they change nothing, by which a
    proposer knows what it has worked out already.
    """

    def __init__(self, ranges: Callable[[], Mapping[str, Mapping[str, Any]]]) -> None:
        """:param ranges: what was widened; read before each trial."""
        self._ranges = ranges
        self._known: tuple[Task, Mapping[str, Mapping[str, Any]], Task] | None = None

    def __call__(self, task: Task) -> Task:
        """Return ``task`` with the ranges as they are now."""
        ranges = self._ranges()
        known = self._known
        if known is None or known[0] is not task or known[1] != ranges:
            self._known = known = task, ranges, with_ranges(task, ranges)
        return known[2]
