"""Metrics out of a file that a script writes by itself: CSV with a heading, or JSON lines.

The file is read anew when it changes, since some loggers write it anew when a column comes. What an
earlier run left in it does not count.
"""

from __future__ import annotations

import csv
import hashlib
import io
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from agenthpo.files import clear
from agenthpo.scalars import whole_number
from agenthpo.text.redaction import redact
from agenthpo.training.metrics import as_float, json_numbers

__all__ = ["TableFile"]

_SHARE = 20
"""How much longer than a reading took to wait until the next, so that reading takes at most a
twentieth of a core.
"""


class TableFile:
    """A metrics file of one trial."""

    def __init__(self, path: Path, *, own: bool, metric: str = "") -> None:
        """Note what ``path`` holds before the run; a file of the trial's ``own`` folder is of an
        interrupted run, and removed.

        What stands in the column ``metric`` and has digits, but is no whole number, is noted in
        ``unread``.
        """
        self._metric, self.unread = metric, ""
        self._path, self._told, self._next = path, 0, 0.0
        self._seen: tuple[int, int] | None = None
        if own:
            clear(path)
        old = path.read_bytes() if path.is_file() else b""
        self._old_size = len(old)
        self._old_digest = hashlib.sha256(old).digest()
        self._old_time = path.stat().st_mtime_ns if old else 0

    def new_rows(self, *, final: bool = False) -> Iterator[Mapping[str, float]]:
        """Yield the rows that have come since the last call, as column -> number; the unfinished
        last one only when ``final``.
        """
        if not self._has_changed(final):
            return
        began = time.monotonic()
        rows = list(_rows(self._text(final), self._refuse))
        self._next = time.monotonic() + _SHARE * (time.monotonic() - began)
        yield from rows[self._told :]
        self._told = len(rows)

    def _refuse(self, name: str, cell: str) -> None:
        if (
            name == self._metric
            and not self.unread
            and any(character.isdigit() for character in cell)
        ):
            shown = redact(cell.strip(), quick=True)[:40]
            self.unread = (
                f"the column {name} of {self._path.name} holds {shown!r}, which is not a whole "
                "number; write it as 0.853 or 1234.5"
            )

    def _has_changed(self, final: bool) -> bool:
        if not self._path.is_file():
            return False
        status = self._path.stat()
        now = (status.st_size, status.st_mtime_ns)
        if not final and (now == self._seen or time.monotonic() < self._next):
            return False
        self._seen = now
        return status.st_mtime_ns != self._old_time

    def _text(self, final: bool) -> str:
        try:
            data = self._path.read_bytes()
        except OSError:  # removed since we looked
            return ""
        begins_as_before = hashlib.sha256(data[: self._old_size]).digest() == self._old_digest
        # appended to what was there
        if self._old_size and begins_as_before and len(data) > self._old_size:
            heading = data[: data.find(b"\n") + 1] if not data.startswith(b"{") else b""
            data = heading + data[self._old_size :]
        return (data if final else data[: data.rfind(b"\n") + 1]).decode("utf-8-sig", "replace")


def _rows(
    text: str, refuse: Callable[[str, str], None] = lambda name, cell: None
) -> Iterator[Mapping[str, float]]:
    if text.lstrip().startswith("{"):
        yield from filter(None, map(json_numbers, text.splitlines()))
        return
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter, skipinitialspace=True)
    heading = [name.strip() for name in _next_row(reader) or []]
    while (row := _next_row(reader)) is not None:
        if len(row) == len(heading) + 1:  # R writes the rows' names without a heading
            row = row[1:]
        if len(row) > len(heading):
            continue
        # A column without a name (pandas writes one) counts rows, and is no metric.
        cells = {
            name: cell
            for name, cell in zip(heading, row, strict=False)
            if name and not name.startswith("Unnamed:")
        }
        numbers = {name: _number(cell) for name, cell in cells.items()}
        for name in (name for name, value in numbers.items() if value is None):
            refuse(name, cells[name])
        if found := {name: value for name, value in numbers.items() if value is not None}:
            yield found


def _next_row(reader: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:  # a cell of more than 128 kB: no table
        return None


def _number(cell: str) -> float | None:
    number = whole_number(cell.strip().removesuffix("%"))
    return None if number is None else as_float(number)
