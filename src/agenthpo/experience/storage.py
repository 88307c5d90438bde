"""Where a study's Optuna storage is: a journal file in its folder, or any storage URL that is noted there. Locks die with their holder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend

from agenthpo.errors import StudyError

__all__ = [
    "DRIVER_LOCK",
    "JOURNAL",
    "Place",
    "cut_torn_line",
    "exists",
    "forget_place",
    "note_place",
    "noted_place",
    "open_storage",
    "take_lock",
    "without_password",
]

JOURNAL, DRIVER_LOCK, _URL = "journal.log", "driver.lock", "storage.json"


def exists(folder: Path) -> bool:
    """Tell whether ``folder`` has, or names, a storage."""
    return (folder / JOURNAL).is_file() or (folder / _URL).is_file()


@dataclass(frozen=True)
class Place:
    """A study in a storage that others may share."""

    url: str
    study: str


def noted_place(folder: Path) -> Place | None:
    """Return the storage URL and the study's name that are noted in ``folder``, or None for the journal file."""
    file = folder / _URL
    return Place(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def note_place(folder: Path, place: Place) -> None:
    """Note where the study of ``folder`` is; for the owner's eyes, since the URL may hold a password."""
    file = os.open(folder / _URL, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with open(file, "w", encoding="utf-8") as text:
        json.dump({"url": _absolute(place.url), "study": place.study}, text)


def forget_place(folder: Path) -> None:
    """Take back what was noted."""
    (folder / _URL).unlink(missing_ok=True)


def _absolute(url: str) -> str:
    """Return ``url`` with a SQLite file's path made absolute, so that it is found from another folder."""
    scheme, slashes, path = url.partition(":///")
    is_file = scheme.startswith("sqlite") and slashes and path and not path.startswith(("/", ":memory:", "file:"))
    return f"{scheme}:////{Path(path).absolute().as_posix().lstrip('/')}" if is_file else url


def open_storage(folder: Path) -> BaseStorage:
    """Return the storage of ``folder``'s study.

    :raises StudyError: if it cannot be reached.
    """
    place = noted_place(folder)
    if place is None:
        if (folder / JOURNAL).is_file():
            with _journal_lock(folder):
                cut_torn_line(folder / JOURNAL)
        return JournalStorage(JournalFileBackend(str(folder / JOURNAL), lock_obj=_FileLock(folder)))
    return _by_url(place.url)


def _by_url(url: str) -> BaseStorage:
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return RDBStorage(url)
    except (SQLAlchemyError, ImportError, ValueError) as problem:
        why = str(problem).splitlines()[0][:200]
        raise StudyError(
            f"the storage {without_password(url)} cannot be opened ({why}); mend --storage, such as sqlite:///study.db"
        ) from None


def without_password(url: str) -> str:
    """Return ``url`` as it may be shown."""
    scheme, separator, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{user.partition(':')[0]}{at}{place}"


def take_lock(folder: Path) -> int:
    """Lock the study for this process; the lock dies with it.

    :raises StudyError: if another process has it.
    """
    file = os.open(folder / DRIVER_LOCK, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(file, 20).decode().strip()
        os.close(file)
        raise StudyError(f"another process ({holder}) is at work in the study {folder}; wait for it or stop it") from None
    os.ftruncate(file, 0)
    os.write(file, f"pid {os.getpid()}".encode())
    return file


class _FileLock:
    """A lock that dies with its holder; Optuna's own stays for 30 seconds after a kill."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{JOURNAL}.lock"
        self._file: int | None = None

    def acquire(self) -> bool:
        try:
            self._file = os.open(self._path, os.O_CREAT | os.O_RDWR)
        except OSError as problem:
            if problem.errno not in (errno.EROFS, errno.EACCES):
                raise
            return True  # who cannot write the lock cannot write the journal either, and may still read it
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextmanager
def _journal_lock(folder: Path) -> Iterator[None]:
    lock = _FileLock(folder)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def cut_torn_line(file: Path) -> None:
    """Cut a last line that a crash left unfinished: the next write would be glued to it and ruin the file."""
    with file.open("rb") as reading:
        size = reading.seek(0, os.SEEK_END)
        end = size
        while end and not _ends_line(reading, end):
            end -= 1
    if end != size and os.access(file, os.W_OK):
        os.truncate(file, end)


def _ends_line(file: Any, position: int) -> bool:
    file.seek(position - 1)
    return bool(file.read(1) == b"\n")
