"""Metrics out of the file that ``metrics_file`` names: CSV with a heading, JSON lines, or any known
format.

The file is read anew when it changes, since some loggers write it anew when a column comes. What an
earlier run left in it does not count.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from agenthpo.files import clear
from agenthpo.text.redaction import redact
from agenthpo.training.new_rows import NewRows
from agenthpo.training.readers import format_of, table_rows

__all__ = ["TableFile"]

_TEXTS = {"CSV", "JSON lines", "JSON"}
"""Formats whose rows are read as they are written."""
_SHOWN = 12
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
        self._path, self._rows, self._next = path, NewRows(), 0.0
        self._seen: tuple[int, int] | None = None
        self._began = time.time()
        self.names = set[str]()
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
        rows = self._read(final)
        self._next = time.monotonic() + _SHARE * (time.monotonic() - began)
        self.names |= {name for row in rows for name in row}
        yield from self._rows.of(rows)

    def _read(self, final: bool) -> list[Mapping[str, float]]:
        kind = format_of(self._path)
        if kind is not None and kind.name not in _TEXTS:
            return list(kind.rows(self._path, self._began))
        return list(table_rows(self._text(final), self._refuse))

    @property
    def source(self) -> str:
        """The file, in words."""
        return f"metrics_file {self._path}"

    @property
    def problem(self) -> str:
        """Why it gave no value of the metric, in words that name the file and what it holds."""
        if not self._path.is_file():
            return f"metrics_file {self._path} was not written"
        if self._rows.told == 0 and not self._has_changed(final=True):
            return f"metrics_file {self._path} holds only what was there before the run"
        if not self.names:
            return (
                f"metrics_file {self._path} holds no row of numbers; it must be CSV with a "
                "heading, JSON lines, JSON, YAML or a tracker's file"
            )
        names = ", ".join(sorted(self.names)[:_SHOWN])
        return (
            f"metrics_file {self._path} has {names}, but no {self._metric}; name one of them as "
            "objective.metric, or let the script write it"
        )

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
