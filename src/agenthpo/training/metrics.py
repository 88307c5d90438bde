"""Metrics out of what a training run writes: its report file, JSON lines and patterned lines of its output.

Text is data: nothing is executed, a line that is not understood is passed over.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agenthpo.records import Curve
from agenthpo.script import ATTEMPT_KEY

__all__ = ["Lines", "MetricReader", "PatternError", "Point", "compile_pattern", "json_numbers"]

NUMBER = r"(?>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)\b)"
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_MIDDLE_BEFORE, _MIDDLE_AFTER = re.compile(r"[0-9.]$|[0-9][eE][-+]?$"), re.compile(r"[0-9]|\.[0-9]|[eE][-+]?[0-9]")
_STEP_KEYS = ("step", "epoch", "iteration")
_LONGEST_LINE = 65536
_MOST_POINTS, _MOST_METRICS = 100_000, 1000
"""Beyond these, every second point of a metric is let go, and further metrics are: memory stays constant whatever a script writes."""


class PatternError(ValueError):
    """A pattern's group stopped in the middle of a number, so that its value would be wrong."""


@dataclass(frozen=True)
class Point:
    """Values of some metrics at one step."""

    step: float
    values: Mapping[str, float]


class Lines:
    """Cut a stream of bytes into lines of text, at ``\\n`` and at the ``\\r`` of progress bars, in bounded memory."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes, *, final: bool = False) -> list[str]:
        """Return the lines that ``chunk`` completes, without ANSI codes; with ``final``, the unfinished last one as well."""
        *whole, self._rest = re.split(rb"[\r\n]+", self._rest + chunk)
        if len(self._rest) > _LONGEST_LINE:
            self._rest = self._rest[-_LONGEST_LINE:]
        if final and self._rest:
            whole.append(self._rest)
            self._rest = b""
        return [_ANSI.sub("", line.decode("utf-8", "replace")) for line in whole if line]


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression, whose first group is the value, that ``pattern`` stands for.

    With ``{number}``, the rest is plain text (any amount of space where it has some), the first ``{number}`` is the value and further
    ones are passed over. Without, ``pattern`` is a regular expression with one group.
    """
    if "{number}" not in pattern:
        return re.compile(pattern)
    first, *others = [r"\s+".join(re.escape(word) for word in re.split(r"\s+", part)) for part in pattern.split("{number}")]
    edge = r"(?<!\w)" if pattern[:1].isalnum() else ""
    return re.compile(f"{edge}{first}({NUMBER}){NUMBER.join(others)}", re.IGNORECASE)


@dataclass
class MetricReader:
    """Collect the points of a run. ``wanted`` are the metrics a JSON line must hold one of, to be taken for a report."""

    wanted: frozenset[str]
    patterns: Mapping[str, str] = field(default_factory=dict)
    on_point: Callable[[Point], None] = lambda point: None
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    """The metrics that were ever reported without a step, so that their points are only counted."""
    attempt: str = ""
    """The token of the attempt that is read; a report that carries another one is of another attempt, and is passed over."""

    def __post_init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._compiled = {name: compile_pattern(pattern) for name, pattern in self.patterns.items()}

    def read_report(self, line: str) -> None:
        """Take in a line of the report file."""
        read = _json_object(line)
        if read.get(ATTEMPT_KEY, self.attempt) == self.attempt and (values := _numbers(read)):
            self._add(values)

    def read_row(self, values: Mapping[str, float]) -> None:
        """Take in a row of a metrics file."""
        self._add(values)

    def read_output(self, line: str) -> None:
        """Take in a line of output.

        :raises PatternError: if a pattern's group holds part of a number, or none.
        """
        if line.lstrip().startswith("{") and (values := json_numbers(line.strip())) and self.wanted & set(values):
            self._add(values)
        for name, pattern in self._compiled.items():
            for match in pattern.finditer(line):
                self._add({name: _number(match, name)})

    def curve(self, name: str) -> Curve:
        """Return the points of metric ``name`` in the order of reporting."""
        return tuple(self.curves.get(name, ()))

    def _add(self, values: Mapping[str, float]) -> None:
        metrics = {name: value for name, value in values.items() if name not in _STEP_KEYS or name in self.wanted}
        given = next((values[key] for key in _STEP_KEYS if key in values and key not in self.wanted and math.isfinite(values[key])), None)
        step = float(max((self._counts[name] for name in metrics), default=0)) if given is None else given
        self.counted |= set(metrics) if given is None else set()
        for name, value in metrics.items():
            if name not in self.curves and len(self.curves) >= _MOST_METRICS and name not in self.wanted:
                continue
            self._counts[name] += 1
            curve = self.curves.setdefault(name, [])
            curve.append((step, value))
            if len(curve) > _MOST_POINTS:
                self.curves[name] = _halved(curve)
        if metrics:
            self.on_point(Point(step, metrics))


def _halved(curve: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return every second point, with the last, the lowest and the highest among them, of which one may be the objective value."""
    finite = [i for i, (_, value) in enumerate(curve) if math.isfinite(value)] or [0]
    ends = {len(curve) - 1, min(finite, key=lambda i: curve[i][1]), max(finite, key=lambda i: curve[i][1])}
    return [curve[i] for i in sorted({*range(0, len(curve), 2), *ends})]


def json_numbers(line: str) -> dict[str, float]:
    """Return the numbers of a JSON object; empty when ``line`` is none."""
    return _numbers(_json_object(line))


def _json_object(line: str) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _numbers(read: Mapping[str, Any]) -> dict[str, float]:
    return {name: _float(value) for name, value in read.items() if _is_number(value)}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _number(match: re.Match[str], name: str) -> float:
    text, line = match[1] or "", match.string
    cut = _MIDDLE_BEFORE.search(line[: match.start(1)]) or _MIDDLE_AFTER.match(line[match.end(1) :])
    if cut or not re.fullmatch(NUMBER, text, re.IGNORECASE):
        raise PatternError(
            f"the pattern of {name} takes {text!r} out of {line.strip()[:80]!r}, which is not a whole number; write {{number}} there"
        )
    return float(text)
