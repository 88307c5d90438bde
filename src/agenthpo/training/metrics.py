"""Metrics out of what a training run writes: its report file, JSON lines and patterned lines of its
output.

Text is data: nothing is executed, a line that is not understood is passed over.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agenthpo.records import Curve
from agenthpo.scalars import whole_number
from agenthpo.script import ATTEMPT_KEY
from agenthpo.text.redaction import redact
from agenthpo.training.plain_forms import Columns, plain_pattern

__all__ = [
    "Lines",
    "MetricReader",
    "PatternError",
    "Point",
    "as_float",
    "compile_pattern",
    "json_numbers",
    "needles_of",
]

NUMBER = r"(?>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?(?:nan|inf(?:inity)?)\b)"
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_BEFORE = re.compile(r"(?:\d|\d[.,:_'’٫٬]|[.,][-+]?|\d[eE][-+]?)$")
"""What a number is only the rest of."""
_BEFORE_FIRST = re.compile(r"(?:\w|\d[.,:_'’٫٬-]|−)$")
"""The same where a pattern begins with the number, so that nothing says where it begins."""
_AFTER = re.compile(r"[\u00a0\u2009\u202f.,:_'’٫٬]*\d|[+-]\d|[eEdD][-+]?\d|[^\W\dA-Za-z]|#")
"""What makes a number a part of another one: ``1,234``, ``1_000``, ``12:30``, ``3.2d-05``, digits
of another alphabet.
"""
_LETTERS_AFTER = re.compile(r"[A-Za-z]+\w*")
_UNITS = frozenset({"s", "sec", "secs", "seconds", "x", "db", "px", "pct", "nats", "bits"})
"""What may follow a number without being named in its pattern; other letters may multiply it, as in
``1.5M``.
"""
_STEP_KEYS = ("step", "epoch", "iteration")
_LONGEST_LINE = 65536
_SHOWN = 200
_MOST_POINTS, _MOST_METRICS = 100_000, 1000
"""Beyond these, every second point of a metric is let go, and further metrics are: memory stays
constant whatever a script writes.
"""


class PatternError(ValueError):
    """A pattern's group stopped in the middle of a number, so that its value would be wrong."""


@dataclass(frozen=True)
class Point:
    """Values of some metrics at one step; or, without any, how many bytes of a long log are read,
    of how many.
    """

    step: float
    values: Mapping[str, float]
    read: tuple[int, int] | None = None


class Lines:
    """Cut a stream of bytes into lines of text, at ``\\n`` and at the ``\\r`` of progress bars, in
    bounded memory.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(
        self, chunk: bytes, *, final: bool = False, needles: Sequence[bytes] | None = None
    ) -> list[str]:
        """Return the lines that ``chunk`` completes, as a terminal shows them; with ``final``, the
        unfinished last one as well.

        With ``needles`` (in lower case), only lines that hold one of them, in any case: what no
        reader can need is not looked at.
        """
        data = self._rest + chunk
        end = len(data) if final else max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        body, self._rest = data[:end], data[end:]
        if len(self._rest) > _LONGEST_LINE:
            self._rest = self._rest[-_LONGEST_LINE:]
        whole = (
            re.split(rb"[\r\n]+", body)
            if needles is None
            else _lines_with(body, (*needles, b"\x1b", b"\b"))
        )
        return [_shown(line.decode("utf-8", "replace")) for line in whole if line]


def _lines_with(body: bytes, needles: Sequence[bytes]) -> list[bytes]:
    """Return the lines of ``body`` that hold one of ``needles``, in their order; the others cost a
    search and nothing else.
    """
    lowered = body.lower()
    spans = dict[int, int]()
    breaks = [mark for mark in (b"\n", b"\r") if mark in body]
    for needle in needles:
        end = 0
        place = lowered.find(needle)
        while place >= 0:
            start = max([end, *(body.rfind(mark, end, place) + 1 for mark in breaks)])
            end = min(
                [len(body), *(found for mark in breaks if (found := body.find(mark, place)) >= 0)]
            )
            spans[start] = end
            place = lowered.find(needle, end)
    return [body[start : spans[start]] for start in sorted(spans)]


def needles_of(patterns: Mapping[str, str], wanted: Collection[str]) -> tuple[bytes, ...] | None:
    """Return texts one of which every line holds that can give a value; None where that cannot be
    said.
    """
    needles = [json.dumps(name).lower() for name in wanted]
    for pattern in patterns.values():
        words = (
            re.findall(r"[a-z0-9_]{2,}", pattern.replace("{number}", " ").lower())
            if "{number}" in pattern
            else []
        )
        if not words:
            return None
        needles.append(max(words, key=len))
    return (
        tuple(needle.encode() for needle in needles)
        if all(needle.isascii() and "\\" not in needle for needle in needles)
        else None
    )


def _shown(line: str) -> str:
    """Return ``line`` without ANSI codes, its backspaces carried out: what comes after one is
    written over what was there.
    """
    line = _ANSI.sub("", line)
    if "\b" not in line:
        return line
    cells = list[str]()
    cursor = 0
    for character in line:
        if character == "\b":
            cursor = max(0, cursor - 1)
        else:
            cells[cursor : cursor + 1] = [character]
            cursor += 1
    return "".join(cells)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression, whose first group is the value, that ``pattern`` stands for.

    With ``{number}``, the rest is plain text (any amount of space where it has some), the first
    ``{number}`` is the value and further ones are passed over. Without, ``pattern`` is a regular
    expression with one group.
    """
    if "{number}" not in pattern:
        return re.compile(pattern)
    first, *others = [_plain(part) for part in pattern.split("{number}")]
    edge = r"(?<!\w)" if pattern[:1].isalnum() else ""
    return re.compile(f"{edge}{first}({NUMBER}){NUMBER.join(others)}", re.IGNORECASE)


def _plain(text: str) -> str:
    """Return what matches ``text`` with any amount of space where it has some."""
    return r"\s+".join(re.escape(word) for word in re.split(r"\s+", text))


class _Pattern:
    """How one metric is read from a line."""

    def __init__(self, name: str, pattern: str, *, is_plain: bool = False) -> None:
        """:param is_plain: whether it is one of ours, for a metric that has none of its own."""
        self._name = name
        self._is_plain = is_plain
        self._compiled = compile_pattern(pattern)
        before, is_template, after = pattern.partition("{number}")
        self._is_first = bool(is_template) and not before
        self._is_joined = bool(is_template) and after[:1] not in ("", " ", "{")
        """Whether the pattern itself says what follows the number."""
        self._fix = (
            "let the script print it as 0.853 or 1234.5, or write what follows {number} "
            "into the pattern"
            if is_template
            else "write {number} there"
        )

    def value(self, line: str) -> tuple[float, bool] | None:
        """Return the value in ``line``, by the first place that matches, and whether there are
        more; None where there is none.

        :raises PatternError: if what stands there is no whole number.
        """
        matches = self._compiled.finditer(line)
        match = next(matches, None)
        if match is None:
            return None
        text = match[1] or ""
        start = match.start(1)
        end = match.end(1)
        before = line[max(0, start - 4) : start]
        after = line[end : end + 24]
        letters = _LETTERS_AFTER.match(after) if match.end() == end else None
        cut = (_BEFORE_FIRST if self._is_first else _BEFORE).search(before)
        goes_on = not self._is_joined and (
            _AFTER.match(after) or (letters and letters[0].lower() not in _UNITS)
        )
        number = whole_number(text)
        if cut or goes_on or number is None:
            around = _around(redact(line[max(0, start - 2000) : end + 2000], quick=True), text)
            if self._is_plain:
                raise PatternError(
                    f"{self._name} is printed as {text!r} in {around!r}, which is not a whole "
                    "number; let the script print it as 0.853 or 1234.5, or set train.metrics"
                )
            raise PatternError(
                f"the pattern of {self._name} takes {text!r} out of {around!r}, which is "
                f"not a whole number; {self._fix}"
            )
        return as_float(number), next(matches, None) is not None


def _around(line: str, text: str) -> str:
    """Return what stands about ``text`` in a line that holds no secret any more."""
    place = max(line.find(text), 0)
    return line[max(0, place - 40) : place + len(text) + 40].strip()


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
    several: dict[str, str] = field(default_factory=dict)
    """The first line in which a pattern matched more than once."""
    unread: dict[str, str] = field(default_factory=dict)
    """Why a pattern's first match that was no whole number could not be read."""

    def __post_init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._reports = 0
        self._compiled = {name: _Pattern(name, pattern) for name, pattern in self.patterns.items()}
        self._plain = {
            name: _Pattern(name, pattern, is_plain=True)
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
        told = set[str]()
        if (
            line.lstrip().startswith("{")
            and (values := json_numbers(line.strip()))
            and self.wanted & set(values)
        ):
            self._add(values)
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
    return {name: as_float(value) for name, value in read.items() if _is_number(value)}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_float(value: int | float) -> float:
    """Return ``value`` as a float, infinite where it is beyond what one holds."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
