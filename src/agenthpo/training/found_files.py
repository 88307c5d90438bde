"""Files with metrics that a training writes by itself: looked for where it runs, or where the task
says.

What stood there before the training counts only as far as the training adds to it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from agenthpo.files import is_of_tools
from agenthpo.training.new_rows import NewRows
from agenthpo.training.readers import Format, Row, format_of, is_usual

__all__ = ["FoundFiles", "plain_name"]

_DEEPEST, _MOST_ENTRIES, _MOST_FILES = 6, 20_000, 200
"""Folders below each other, entries that are looked at, and files of one training."""
_LOOK_S, _SHARE = 2.0, 20
"""Seconds between two looks, and how much longer than a look took to wait at least: looking takes a
twentieth of a core at most.
"""
_ARTIFACTS = "artifacts"
"""The folder in which MLflow keeps what is no metric."""
_LARGEST, _SMALL = 200_000_000, 1_000_000
"""Bytes of a file that is read at all, and of one of another name that was there before."""
_VALIDATION = re.compile(r"val|eval|dev", re.IGNORECASE)


_State = tuple[int, int, int] | None
"""Size and time of a file, and the size of what SQLite keeps beside it; None for no file."""


def plain_name(name: str) -> str:
    """Return what names of one metric share in the spellings of different loggers.

    >>> plain_name("val/Accuracy") == plain_name("val_accuracy") == plain_name("val.accuracy")
    True
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


class FoundFiles:
    """The files of known formats below some folders; the first that has the metric is the one that
    is read.
    """

    def __init__(
        self,
        roots: Collection[Path],
        wanted: Collection[str],
        *,
        pattern: str = "",
        began: float | None = None,
        skipped: Collection[str] = (),
    ) -> None:
        """Note what is there before the training begins; where that ``began`` before (seconds since
        1970), leave out what has not changed since.

        :param wanted: the metrics that are looked for, the objective's first.
        :param pattern: what the path of a file, relative to a root, must match; any without it.
        :param skipped: names of files that are not looked at.
        """
        self._roots, self._wanted, self._pattern = list(roots), tuple(wanted), pattern
        self._skipped, self._began = set(skipped), time.time() if began is None else began
        self._is_late = began is not None
        self._next = 0.0
        self._files = dict[Path, _File]()
        self._formats = dict[Path, Format | None]()
        """What each path that was seen is read as; None for what is nobody's metrics."""
        self._before = dict[Path, tuple[_State, list[Row]]]()
        """What was there before: its state, and the rows of what may be appended to."""
        self._source: _File | None = None
        self._look(before=not self._is_late)

    @property
    def source(self) -> str:
        """The file that the metric is read from, in words; empty while there is none."""
        return self._source.words if self._source else ""

    @property
    def seen(self) -> dict[str, list[str]]:
        """The files that the training wrote, each with the names of the numbers in it."""
        return {str(file.path): sorted(file.names) for file in self._files.values() if file.names}

    def new_rows(self, *, final: bool = False) -> Iterator[Row]:
        """Yield what the training has written since the last call, of the file that has the
        metric.
        """
        if not final and time.monotonic() < self._next:
            return
        began = time.monotonic()
        self._look()
        for file in self._files.values():
            file.read(self._began)
        self._next = time.monotonic() + max(_LOOK_S, _SHARE * (time.monotonic() - began))
        if self._source is None:
            having = [f for f in self._files.values() if self._column(f, self._wanted[0])]
            self._source = min(having, key=self._rank, default=None)
        if self._source is not None:
            names = {w: c for w in self._wanted if (c := self._column(self._source, w))}
            for row in self._source.new():
                yield {**row, **{w: row[c] for w, c in names.items() if c in row}}

    def _rank(self, file: _File) -> tuple[bool, bool, float]:
        """Return what makes one of several files with the metric the better one: the metric by its
        own name, a validation's folder, the newest.
        """
        is_own = self._wanted[0] in file.names
        return not is_own, not _VALIDATION.search(file.path.parent.name), -_changed(file.path)

    def _column(self, file: _File, metric: str) -> str:
        """Return the name by which ``file`` has ``metric``; empty where it has it not."""
        if metric in file.names:
            return metric
        alike = [name for name in file.names if plain_name(name) == plain_name(metric)]
        return alike[0] if len(alike) == 1 else ""

    def _look(self, *, before: bool = False) -> None:
        """Follow what the training has written; ``before`` it, note what is there."""
        left = [_MOST_ENTRIES]
        for root in self._roots:
            for path in _below(root, _DEEPEST, left):
                if path not in self._formats:
                    self._formats[path] = self._format(path, root, before=before)
                kind = self._formats[path]
                if kind is None or path in self._files:
                    continue
                state, old = self._before.get(path, (None, []))
                if before:
                    rows = list(_rows(kind, path, 0.0)) if kind.is_appended else []
                    self._before[path] = _state(path), rows
                elif _state(path) != state and len(self._files) < _MOST_FILES:
                    self._files[path] = _File(path, kind, old)

    def _format(self, path: Path, root: Path, *, before: bool) -> Format | None:
        """Return what a file that is seen for the first time is read as; None where it is not to
        be looked at.
        """
        name = path.relative_to(root)
        if path.name in self._skipped or (self._pattern and not name.match(self._pattern)):
            return None
        if before and not is_usual(path) and _size(path) > _SMALL:
            return None  # a data set, most likely
        if self._is_late and _changed(path) < self._began:
            return None
        return format_of(path)


class _File:
    """One file that the training writes."""

    def __init__(self, path: Path, kind: Format, old: list[Row]) -> None:
        """:param old: the rows that were there before."""
        self.path, self._kind, self._old = path, kind, old
        self._state: _State = None
        self._rows: list[Row] = []
        self._new = NewRows()
        self.names = set[str]()
        """The numbers in what the training wrote."""

    @property
    def words(self) -> str:
        """What it is, for a person."""
        return f"{self._kind.name}: {self.path}"

    def read(self, since: float) -> None:
        """Read it anew where it has changed."""
        state = _state(self.path)
        if state is None or state == self._state:
            return
        self._state = state
        rows = list(_rows(self._kind, self.path, since))
        was = len(self._old)
        if was < len(rows) and rows[:was] == self._old:  # appended to what was there
            rows = rows[was:]
        self._rows = rows
        self.names |= {name for row in rows for name in row} - {"step", "epoch"}

    def new(self) -> Sequence[Row]:
        """Return the rows that were not returned yet."""
        return self._new.of(self._rows)


def _rows(kind: Format, path: Path, since: float) -> Iterator[Row]:
    with suppress(OSError):
        if path.stat().st_size <= _LARGEST:
            yield from kind.rows(path, since)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _changed(path: Path) -> float:
    """Return when a file last changed; 0 where that cannot be said."""
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _state(path: Path) -> _State:
    with suppress(OSError):
        status = path.stat()
        beside = path.with_name(f"{path.name}-wal")  # where SQLite writes first
        more = beside.stat().st_size if beside.exists() else 0
        return status.st_size, status.st_mtime_ns, more
    return None


def _below(folder: Path, deep: int, left: list[int]) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            left[0] -= 1
            if left[0] < 0:
                return
            if entry.is_symlink() or entry.name.startswith("."):
                continue
            if entry.is_file():
                yield Path(entry.path)
            elif deep and entry.name != _ARTIFACTS and not is_of_tools(entry.path):
                yield from _below(Path(entry.path), deep - 1, left)  # nothing, if it is no folder
