"""Metrics out of what a training run writes: its report file, JSON lines and patterned lines of its
output.

Text is data: nothing is executed, a line that is not understood is passed over.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from agenthpo.records import Curve
from agenthpo.script import ATTEMPT_KEY
from agenthpo.training.numbers import json_object, numbers_of, printed_numbers
from agenthpo.training.patterns import Pattern, PatternError
from agenthpo.training.plain_forms import Columns, plain_pattern

__all__ = ["MetricReader", "Point"]

_STEP_KEYS = ("step", "epoch", "iteration")
_SHOWN = 200
_MOST_POINTS, _MOST_METRICS = 100_000, 1000
"""Beyond these, every second point of a metric is let go, and further metrics are: memory stays
constant whatever a script writes.
"""


@dataclass(frozen=True)
class Point:
    """Values of some metrics at one step; or, without any, how many bytes of a long log are read,
    of how many, or the place where the trial runs.
    """

    step: float
    values: Mapping[str, float]
    read: tuple[int, int] | None = None
    place: str = ""

    @staticmethod
    def at(place: str) -> Point:
        """Return what says that the trial runs at ``place``."""
        return Point(0, {}, place=place)


@dataclass
class MetricReader:
    """Collect the points of a run. ``wanted`` are the metrics a JSON line must hold one of, to be
    taken for a report.
    """

    wanted: frozenset[str]
    patterns: Mapping[str, str] = field(default_factory=dict)
    on_point: Callable[[Point], None] = lambda point: None
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    """The metrics that were ever reported without a step, so that their points are only counted."""
    attempt: str = ""
    """The token of the attempt that is read; a report that carries another one is of another
    attempt, and is passed over.
    """
    places: dict[str, list[int]] = field(default_factory=dict)
    """For each wanted metric, the report that each of its points came in, counted from 0 on."""
    taken: dict[str, str] = field(default_factory=dict)
    """The line of output that the latest value of a pattern was taken from."""
    sources: dict[str, str] = field(default_factory=dict)
    """Where the latest value of a wanted metric came from, other than a line's text."""
    several: dict[str, str] = field(default_factory=dict)
    """The first line in which a pattern matched more than once."""
    unread: dict[str, str] = field(default_factory=dict)
    """Why a pattern's first match that was no whole number could not be read."""

    def __post_init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._reports = 0
        self._compiled = {name: Pattern(name, pattern) for name, pattern in self.patterns.items()}
        self._plain = {
            name: Pattern(name, pattern, is_plain=True)
            for name in self.wanted - set(self.patterns)
            if (pattern := plain_pattern(name))
        }
        self._columns = {name: Columns(name) for name in self._plain}
        self._seen_plainly = set[str]()

    @property
    def plain_needles(self) -> tuple[bytes, ...] | None:
        """Texts one of which a line holds that may print a metric by its name, for those that
        nothing else has given yet; None where a row of a table may, which has no text.
        """
        if any(columns.is_open for columns in self._columns.values()):
            return None
        longest = [
            max(re.findall(r"[^\W_]+", name.lower()), key=len).encode() for name in self._plain
        ]
        return tuple(longest) if all(map(bytes.isascii, longest)) else None

    def is_reported(self, name: str) -> bool:
        """Return whether ``name`` has come by a report, a pattern or a file: otherwise than by its
        name alone.
        """
        return name in self.curves and name not in self._plain

    def read_report(self, line: str) -> None:
        """Take in a line of the report file."""
        read = json_object(line)
        if read.get(ATTEMPT_KEY, self.attempt) == self.attempt and (values := numbers_of(read)):
            self._add(values)
            self._note("agenthpo.report()", values)

    def read_row(self, values: Mapping[str, float], source: str = "") -> None:
        """Take in a row of a metrics file, which ``source`` names."""
        self._add(values)
        self._note(source, values)

    def _note(self, source: str, names: Iterable[str]) -> None:
        self.sources |= {name: source for name in self.wanted & set(names)}

    def read_output(self, line: str) -> None:
        """Take in a line of output.

        :raises PatternError: if a pattern's group holds part of a number, or none.
        """
        told = set[str]()
        if (
            line.lstrip().startswith("{")
            and (values := printed_numbers(line.strip()))
            and self.wanted & set(values)
        ):
            self._add(values)
            self._note("an object in a line of its output", values)
            told = set(values)
        problem: PatternError | None = None
        found: dict[str, float] = {}
        plain = [name for name in self._plain if name not in told]
        for name in plain:
            if (text := self._columns[name].value(line)) is not None:
                found[name] = float(text)
                self.taken[name] = _beginning(line)
        for name, pattern in (*self._compiled.items(), *((n, self._plain[n]) for n in plain)):
            if name in told or name in found:
                continue
            try:
                read = pattern.value(line)
            except PatternError as cut:
                problem = problem or cut
                self.unread.setdefault(name, str(cut))
                continue
            if read is not None:
                found[name], more = read
                self.taken[name] = _beginning(line)
                if more and name not in self._plain:
                    self.several.setdefault(name, _beginning(line))
        self._reports += 1
        # each is counted by itself: only what says its step has the same one
        for name, value in found.items():
            self._seen_plainly |= {name} & set(self._plain)
            self._add({name: value}, self._reports, plainly=name in self._plain)
        if problem:
            raise problem

    def curve(self, name: str) -> Curve:
        """Return the points of metric ``name`` in the order of reporting."""
        return tuple(self.curves.get(name, ()))

    def _add(
        self, values: Mapping[str, float], report: int | None = None, *, plainly: bool = False
    ) -> None:
        if not plainly:
            self._prefer(values)
        if report is None:
            self._reports += 1
            report = self._reports
        metrics = {
            name: value
            for name, value in values.items()
            if name not in _STEP_KEYS or name in self.wanted
        }
        given = next(
            (
                values[key]
                for key in _STEP_KEYS
                if key in values and key not in self.wanted and math.isfinite(values[key])
            ),
            None,
        )
        step = (
            float(max((self._counts[name] for name in metrics), default=0))
            if given is None
            else given
        )
        self.counted |= set(metrics) if given is None else set()
        for name, value in metrics.items():
            if (
                name not in self.curves
                and len(self.curves) >= _MOST_METRICS
                and name not in self.wanted
            ):
                continue
            self._counts[name] += 1
            curve = self.curves.setdefault(name, [])
            curve.append((step, value))
            if name in self.wanted:
                self.places.setdefault(name, []).append(report)
            if len(curve) > _MOST_POINTS:
                kept = _half(curve)
                self.curves[name] = [curve[i] for i in kept]
                if name in self.wanted:
                    self.places[name] = [self.places[name][i] for i in kept]
        if metrics:
            self.on_point(Point(step, metrics))

    def _prefer(self, names: Iterable[str]) -> None:
        """Forget what was printed by the names of metrics that are reported otherwise, too."""
        for name in names:
            if self._plain.pop(name, None) is not None:
                self._columns.pop(name)
                self.unread.pop(name, None)
                if name in self._seen_plainly:
                    for kept in (self.curves, self.places, self.taken, self._counts):
                        kept.pop(name, None)
                    self.counted.discard(name)


def _beginning(line: str) -> str:
    """Return a line's first words, none of them cut where there are several: half of a secret is
    not known as one.
    """
    return line if len(line) <= _SHOWN else (line[:_SHOWN].rsplit(None, 1) or [""])[0]


def _half(curve: list[tuple[float, float]]) -> list[int]:
    """Return every second place, with the last, the lowest and the highest among them, of which one
    may be the objective value.
    """
    finite = [i for i, (_, value) in enumerate(curve) if math.isfinite(value)] or [0]
    ends = {
        len(curve) - 1,
        min(finite, key=lambda i: curve[i][1]),
        max(finite, key=lambda i: curve[i][1]),
    }
    return sorted({*range(0, len(curve), 2), *ends})
