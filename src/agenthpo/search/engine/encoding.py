"""A space as the matrix a model works on: one column a parameter, one row a configuration.

A number stands at its place between 0 and 1 on its own scale (an ordered value at that of its
index), a name at its index. A parameter that is not active stands at one fixed place, so that it
says nothing about configurations that lack it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from agenthpo.records import Params
from agenthpo.space import Parameter, Space, same

__all__ = ["Encoding", "Matrix", "Vector"]

Matrix = np.ndarray
Vector = np.ndarray
_LARGEST_GRID = 10_000
_MIDDLE = 0.5
_DIGITS, _FINE = 10, 1e-8
"""Digits of a proposed number, where they tell it from others within so much of its range."""
_ROUNDS, _AT_LEAST, _FEW = 50, 500, 8
"""How often rows are drawn again where constraints leave little, how many each time, and how often
where some are found, but not as many as were asked for.
"""


@dataclass(frozen=True)
class _Axis:
    """One parameter's column. ``levels`` counts the places it can take, 0 where it is continuous or
    an integer on a log scale.
    """

    parameter: Parameter
    levels: int
    is_name: bool

    @classmethod
    def of(cls, parameter: Parameter) -> _Axis:
        is_even = (
            parameter.is_discrete
            or parameter.step is not None
            or (not parameter.log and parameter.count <= _LARGEST_GRID)
        )
        return cls(
            parameter,
            int(parameter.count) if is_even else 0,
            parameter.is_discrete and not parameter.is_ordered,
        )

    @property
    def is_whole(self) -> bool:
        return self.parameter.kind == "int"

    @property
    def _ends(self) -> tuple[float, float]:
        low, high = self.parameter.low, self.parameter.high
        assert low is not None and high is not None
        return (math.log(low), math.log(high)) if self.parameter.log else (float(low), float(high))

    def place(self, value: object) -> float:
        """Return where ``value`` stands."""
        if self.parameter.is_discrete:
            index = next(i for i, v in enumerate(self.parameter.values) if same(v, value))
            return float(index) if self.is_name else self._unit(index)
        low, high = self._ends
        number = math.log(value) if self.parameter.log else float(value)  # type: ignore[arg-type]
        if self.levels:
            return self._unit(round((number - low) / (self.parameter.step or 1)))
        return min(max((number - low) / (high - low), 0.0), 1.0) if high > low else 0.0

    def value(self, place: float) -> object:
        """Return the value that stands at ``place``."""
        if self.parameter.is_discrete:
            return self.parameter.values[
                round(place if self.is_name else place * (self.levels - 1))
            ]
        low, high = self._ends
        if self.levels:
            number = low + round(place * (self.levels - 1)) * (self.parameter.step or 1)
        else:
            number = low + place * (high - low)
            number = math.exp(number) if self.parameter.log else number
            short = float(f"{number:.{_DIGITS}g}")  # 0.1, not 0.10000000000000002
            most = _FINE * (high - low) * (number if self.parameter.log else 1.0)
            number = short if abs(short - number) <= most else number
        parameter = self.parameter
        assert parameter.low is not None and parameter.high is not None
        number = min(max(number, parameter.low), parameter.high)
        return self.parameter.snap(round(number) if self.is_whole else float(number))

    def snapped(self, places: Vector) -> Vector:
        """Return the places that a value can stand at, next to ``places``."""
        if self.is_name:
            return places
        places = np.clip(places, 0.0, 1.0)
        if self.levels:
            return np.round(places * (self.levels - 1)) / max(self.levels - 1, 1)
        low, high = self._ends
        if self.is_whole and high > low:
            numbers = low + places * (high - low)
            wholes = np.round(np.exp(numbers) if self.parameter.log else numbers)
            return np.clip(
                (np.log(np.maximum(wholes, 1e-300)) if self.parameter.log else wholes) - low,
                0,
                high - low,
            ) / (high - low)
        return places

    def drawn(self, rng: np.random.Generator, count: int, width: float = 1.0) -> Vector:
        """Return places drawn uniformly, numbers from the middle ``width`` of their range."""
        if self.levels:
            indices = rng.integers(self.levels, size=count).astype(float)
            places = indices if self.is_name else indices / max(self.levels - 1, 1)
        else:
            places = self.snapped(rng.random(count))
        return (
            places
            if self.is_name or width == 1
            else self.snapped(_MIDDLE + width * (places - _MIDDLE))
        )

    def moved(self, places: Vector, step: Vector, rng: np.random.Generator) -> Vector:
        """Return other places near ``places``, ``step`` away or the least that makes a difference;
        another name, whatever the step.
        """
        if self.is_name:
            return (places + rng.integers(1, max(self.levels, 2), size=len(places))) % self.levels
        shift = rng.normal(size=len(places)) * step
        least = 1 / (self.levels - 1) if self.levels > 1 else 0.0
        shift = np.where(np.abs(shift) < least, np.where(shift < 0, -least, least), shift)
        goal = places + shift
        # back from the border, not stuck at it
        return self.snapped(np.where((goal < -1e-9) | (goal > 1 + 1e-9), places - shift, goal))

    @property
    def resting(self) -> float:
        return 0.0 if self.is_name else float(self.snapped(np.array([_MIDDLE]))[0])

    def _unit(self, index: int) -> float:
        return index / (self.levels - 1) if self.levels > 1 else 0.0


class Encoding:
    """The columns of a space."""

    def __init__(self, space: Space, pins: Mapping[str, Any] | None = None) -> None:
        """:param pins: values that parameters are held at in every row that is drawn or moved."""
        self.space, self.pins = space, dict(pins or {})
        self.axes = tuple(_Axis.of(p) for p in space)
        self._column = {p.name: i for i, p in enumerate(space)}
        self._held = {
            self._column[name]: self.axes[self._column[name]].place(value)
            for name, value in self.pins.items()
        }

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.axes)

    @cached_property
    def names(self) -> np.ndarray:
        """Which columns hold names, whose distance is 0 or 1."""
        return np.array([axis.is_name for axis in self.axes])

    def rows(self, configurations: Sequence[Params]) -> Matrix:
        """Return the configurations as rows."""
        found = np.array([[axis.resting for axis in self.axes]] * len(configurations)).reshape(
            len(configurations), self.width
        )
        for row, params in zip(found, configurations, strict=True):
            for name, value in params.items():
                row[self._column[name]] = self.axes[self._column[name]].place(value)
        return found

    def params(self, row: Vector) -> Params:
        """Return the configuration that a row stands for."""
        params: Params = {}
        for axis, place in zip(self.axes, row, strict=True):
            if axis.parameter in self.space.active(params):
                params[axis.parameter.name] = axis.value(float(place))
        return params

    def drawn(self, rng: np.random.Generator, count: int, *, width: float = 1.0) -> Matrix:
        """Return ``count`` rows drawn uniformly from the middle ``width`` (0 to 1) of each range; a
        name is any. Where constraints leave so little that few are found, some come twice, and
        there are none where none is found.
        """
        found = self._drawn(rng, count, width)
        if not self.space.constraints:
            return found
        found = found[self.allowed(found)]
        for turn in range(_ROUNDS):
            if len(found) >= (count if turn < _FEW else 1):
                break
            more = self._drawn(rng, max(count, _AT_LEAST), width)
            found = np.concatenate([found, more[self.allowed(more)]])
        if not len(found):
            return found
        # the first ones come again where there are too few
        return found[np.arange(count) % len(found)]

    def _drawn(self, rng: np.random.Generator, count: int, width: float) -> Matrix:
        return self.settled(np.stack([axis.drawn(rng, count, width) for axis in self.axes], axis=1))

    def allowed(self, rows: Matrix) -> np.ndarray:
        """Return which rows keep the space's constraints."""
        constraints = self.space.constraints
        kept = np.ones(len(rows), dtype=bool)
        if not constraints or not len(rows):
            return kept
        active = self.active(rows)
        # the others look only at rows that kept the first
        for each in constraints:
            left = np.flatnonzero(kept)
            names = sorted(each.names)
            columns = [self._column[name] for name in names]
            says = left[active[left][:, columns].all(axis=1)]
            values = [self._values(column, rows[says, column]) for column in columns]
            for i, config in zip(says, zip(*values, strict=True), strict=True):
                kept[i] = each.holds(dict(zip(names, config, strict=True)))
        return kept

    def _values(self, column: int, places: Vector) -> list[object]:
        """Return the values at ``places`` of a column, each worked out once."""
        kinds, which = np.unique(places, return_inverse=True)
        values = [self.axes[column].value(float(place)) for place in kinds]
        return [values[i] for i in which]

    def near(
        self, rows: Matrix, rng: np.random.Generator, *, steps: Vector, changes: float
    ) -> Matrix:
        """Return a row near each of ``rows``: about ``changes`` of its parameters, at least one,
        moved by about ``steps`` (one a row). One that would break a constraint stays where it is.
        """
        count = len(rows)
        chosen = rng.random((count, self.width)) < min(changes / self.width, 1.0)
        chosen[np.arange(count), rng.integers(self.width, size=count)] = True
        moved = np.stack(
            [axis.moved(rows[:, i], steps, rng) for i, axis in enumerate(self.axes)], axis=1
        )
        found = self.settled(np.where(chosen, moved, rows))
        if not self.space.constraints:
            return found
        return np.where(self.allowed(found)[:, None], found, rows)

    def settled(self, rows: Matrix) -> Matrix:
        """Return the rows with what is pinned in its place, and the parameters that are not active
        at their resting place.
        """
        for column, place in self._held.items():
            rows[:, column] = place
        active = self.active(rows)
        for i, axis in enumerate(self.axes):
            if axis.parameter.when:
                rows[:, i] = np.where(active[:, i], rows[:, i], axis.resting)
        return rows

    def active(self, rows: Matrix) -> np.ndarray:
        """Return which of the parameters each row has."""
        active = np.ones(rows.shape, dtype=bool)
        for i, axis in enumerate(self.axes):
            for parent, allowed in axis.parameter.when:
                place = self._column[parent]
                places = [
                    self.axes[place].place(value)
                    for value in allowed
                    if self.axes[place].parameter.violation(value) is None
                ]
                holds = (
                    np.isclose(rows[:, place, None], np.array(places)[None, :], atol=1e-9).any(
                        axis=1
                    )
                    if places
                    else False
                )
                active[:, i] &= holds & active[:, place]
        return active

    def spread(self, rows: Matrix, scales: Vector) -> Matrix:
        """Return the rows as points whose squared distance is the sum of (difference / scale)^2,
        with 1 for two names that differ.
        """
        parts = []
        for i, axis in enumerate(self.axes):
            if axis.is_name:
                parts.append(
                    (rows[:, i, None] == np.arange(axis.levels)) / (math.sqrt(2) * scales[i])
                )
            else:
                parts.append(rows[:, i, None] / scales[i])
        return np.concatenate(parts, axis=1)
