"""Where a study's Optuna storage is: a journal file in its folder, or any storage URL that is noted
there. Locks die with their holder.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from optuna.storages import BaseStorage, JournalStorage

from agenthpo.errors import StudyBusy, StudyError, first_line
from agenthpo.experience.journal import Journal, JournalFile, fix_end, read_journal, storage_of
from agenthpo.files import open_regular, read_regular, write_whole
from agenthpo.text.pasting import quoted
from agenthpo.text.urls import shown_url

__all__ = [
    "DRIVER_LOCK",
    "JOURNAL",
    "TRIALS",
    "Place",
    "close_storage",
    "engine_of",
    "exists",
    "forget_place",
    "has_trials",
    "latest_folder",
    "note_place",
    "noted_place",
    "open_to_read",
    "open_to_write",
    "take_lock",
    "trial_folder",
]

JOURNAL, DRIVER_LOCK, TRIALS, _PLACE = "journal.log", "driver.lock", "trials", "storage.json"


def trial_folder(folder: Path, number: int, attempt: int = 1) -> Path:
    """Return the folder of an attempt of a trial; an attempt after one that was lost, and may still
    write somewhere, has another one.
    """
    return folder / TRIALS / (f"{number:04d}" if attempt == 1 else f"{number:04d}-{attempt}")


def latest_folder(folder: Path, number: int) -> Path:
    """Return the folder of a trial's latest attempt."""
    attempt = 1
    while trial_folder(folder, number, attempt + 1).is_dir():
        attempt += 1
    return trial_folder(folder, number, attempt)


def exists(folder: Path) -> bool:
    """Return whether ``folder`` has, or names, a storage."""
    return os.path.lexists(folder / JOURNAL) or os.path.lexists(folder / _PLACE)


@dataclass(frozen=True)
class Place:
    """A study in a storage that others may share. ``id`` is the study's own identity, empty for one
    of an earlier version.
    """

    url: str
    study: str
    id: str = ""


def noted_place(folder: Path) -> Place | None:
    """Return the storage and the study's name that are noted in ``folder``, or None for the journal
    file.

    :raises StudyError: if what is noted cannot be read.
    """
    file = folder / _PLACE
    if not os.path.lexists(file):
        return None
    try:
        raw = json.loads(read_regular(file))
        place = Place(**raw)
        if (
            not all(isinstance(value, str) for value in vars(place).values())
            or "://" not in place.url
        ):
            raise ValueError("url and study must be texts")
    except (OSError, ValueError, TypeError, RecursionError) as problem:
        why = first_line(problem)[:100]
        raise StudyError(
            f"{file} does not say where the study's storage is ({why}); write "
            f"{{'url': …, 'study': …}} into it"
        ) from None
    return replace(place, url=_from(folder, place.url))


def note_place(folder: Path, place: Place) -> None:
    """Note where the study of ``folder`` is; for the owner's eyes, since the URL may hold a
    password.

    A SQLite file that was named by a relative path is noted relative to ``folder``, so that both
    may be moved or copied together.
    """
    scheme, path = _sqlite_file(place.url)
    if path is not None and not path.is_absolute():
        relative = os.path.relpath(path.absolute(), folder.resolve())
        place = replace(place, url=f"{scheme}:///{relative}{_query(place.url)}")
    write_whole(folder / _PLACE, json.dumps(vars(place)).encode())


def forget_place(folder: Path) -> None:
    """Take back what was noted."""
    (folder / _PLACE).unlink(missing_ok=True)


def _from(folder: Path, url: str) -> str:
    """Return ``url``, in which a SQLite file's path is relative to ``folder``, with an absolute
    path.
    """
    scheme, path = _sqlite_file(url)
    return (
        url
        if path is None
        else f"{scheme}:///{Path(os.path.normpath(folder.resolve() / path))}{_query(url)}"
    )


def _sqlite_file(url: str) -> tuple[str, Path | None]:
    """Return the scheme of ``url`` and the SQLite file it names, or None where it names none."""
    scheme, slashes, path = url.partition(":///")
    is_file = (
        scheme.startswith("sqlite")
        and slashes
        and path
        and not path.startswith((":memory:", "file:"))
    )
    return scheme, Path(path.partition("?")[0]) if is_file else None


def _query(url: str) -> str:
    """Return the driver's settings at the end of ``url``, such as ``?timeout=30``, with
    their mark.
    """
    return "".join(url.partition("?")[1:])


def open_to_write(folder: Path) -> BaseStorage:
    """Return the storage of ``folder``'s study, for its driver; a database or journal that is not
    there yet is made.

    :raises StudyError: if it cannot be reached, or holds what cannot be read.
    """
    place = noted_place(folder)
    if place is not None:
        return _database(place.url)
    file = folder / JOURNAL
    if file.exists():
        with _journal_lock(folder):
            journal = read_journal(file)
            if journal.damages:
                raise StudyError(damage_words(folder, journal))
            fix_end(file, journal)
    return JournalStorage(JournalFile(file, _FileLock(folder)))


def open_to_read(folder: Path) -> tuple[BaseStorage | None, str]:
    """Return the storage of ``folder``'s study, which is not written to, and a sentence about what
    of it cannot be read.

    The storage is None where a driver was killed before it had made one.

    :raises StudyError: if it cannot be reached, or nothing in it can be read.
    """
    place = noted_place(folder)
    if place is not None:
        return database_to_read(place.url, has_begun=(folder / TRIALS).is_dir()), ""
    try:
        journal = read_journal(folder / JOURNAL)
    except OSError as problem:
        raise StudyError(
            f"{folder / JOURNAL} cannot be read ({problem.strerror}); make it a file "
            "that you may read"
        ) from None
    return storage_of(journal), damage_words(folder, journal) if journal.damages else ""


def has_trials(folder: Path) -> bool:
    """Return whether the journal in ``folder`` holds a trial of anybody's, or something that cannot
    be read.
    """
    try:
        journal = read_journal(folder / JOURNAL)
    except OSError:
        return True
    storage = storage_of(journal)
    return bool(journal.damages) or any(
        storage.get_n_trials(study._study_id) for study in storage.get_all_studies()
    )


def damage_words(folder: Path, journal: Journal) -> str:
    """Return where a journal is damaged and what to do."""
    first = journal.damages[0]
    more = len(journal.damages) - 1
    others = f", and {more} more" if more else ""
    return (
        f"{folder / JOURNAL} is damaged in {first}{others}; nothing was changed. See "
        f"what is whole by {quoted('show', folder)}, "
        f"and write a repaired copy by {quoted('repair', folder)}"
    )


def database_to_read(url: str, *, has_begun: bool) -> BaseStorage | None:
    """Return the database at ``url``, which reading never changes; None where it is not there, or
    holds no studies, and none was begun in it.

    :raises StudyError: if it cannot be read.
    """
    scheme, path = _sqlite_file(url)
    if path is None:
        return _database(url, is_new=False)
    if not path.is_file():
        if not has_begun:
            return None
        raise StudyError(
            f"the study's database {path} is not there; put it back, or write where it "
            f"is now into {_PLACE}"
        )
    wait = _patience(url)
    try:
        try:
            made = _has_studies(path, wait)
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise StudyError(
                    f"the study's {path} cannot be read (database is locked); wait for "
                    "the program that has it"
                ) from None
            path = _settled(path)
            made = _has_studies(path, wait)
    except (sqlite3.Error, ValueError) as problem:
        raise StudyError(
            f"the study's database {path} cannot be read ({problem}); restore it, or "
            f"write where it is into {_PLACE}"
        ) from None
    if not made and has_begun:
        raise StudyError(
            f"the study's database {path} holds no studies; restore it, or write where "
            f"it is into {_PLACE}"
        )
    return (
        _database(
            f"{scheme}:///file:{quote(str(path))}?mode=ro&uri=true&timeout={wait:g}", is_new=False
        )
        if made
        else None
    )


def _patience(url: str) -> float:
    """Return for how many seconds a locked database is waited for: what the URL says, else what
    sqlite3 waits unless told.
    """
    try:
        seconds = float(parse_qs(_query(url)[1:])["timeout"][-1])
    except (KeyError, ValueError):
        return 5.0
    return seconds if 0 <= seconds <= 3600 else 5.0


def _has_studies(path: Path, wait: float) -> bool:
    with closing(
        sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=wait)
    ) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if not {"version_info", "alembic_version", "studies"} <= tables:
            return False
        return bool(
            database.execute("SELECT count(*) FROM version_info, alembic_version").fetchone()[0]
        )


def _settled(path: Path) -> Path:
    """Return a copy of a database that a killed writer left in the middle: to be read, it has to be
    written to first.
    """
    left = [path.with_name(path.name + ending) for ending in ("-journal", "-wal")]
    folder = Path(tempfile.mkdtemp(prefix="agenthpo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for file in [path, *left]:
        if file.is_file():
            shutil.copy(file, folder / file.name)
    with closing(sqlite3.connect(folder / path.name)) as database, suppress(sqlite3.Error):
        database.execute("SELECT count(*) FROM sqlite_master")  # takes back what was not finished
    return folder / path.name


def engine_of(storage: BaseStorage) -> Any:
    """Return SQLAlchemy's engine of a database, None for every other storage."""
    # Optuna keeps a database behind what it has read of it
    return getattr(getattr(storage, "_backend", storage), "engine", None)


def close_storage(storage: BaseStorage) -> None:
    """Let the connections go that a storage keeps."""
    engine = engine_of(storage)
    if engine is not None:
        engine.dispose()


def _database(url: str, *, is_new: bool = True) -> BaseStorage:
    from optuna.storages import RDBStorage
    from sqlalchemy.pool import NullPool

    settings: dict[str, Any] = {}
    if not url.startswith("sqlite"):
        # who only reads keeps no connection, and one that a server has ended meanwhile is not used
        settings = {"pool_pre_ping": True} if is_new else {"poolclass": NullPool}
    try:
        return RDBStorage(url, engine_kwargs=settings, skip_table_creation=not is_new)
    except Exception as problem:  # whatever a driver makes of a URL, a server or a damaged file
        why = redacted_words(str(problem), url)
        raise StudyError(
            f"the storage {shown_url(url)} cannot be opened ({why}); fix --storage, "
            "such as sqlite:///study.db"
        ) from None


def redacted_words(text: str, url: str) -> str:
    """Return the first line of an error's ``text``, without the password that ``url`` may hold."""
    line = text.splitlines()[0][:200] if text else "no reason given"
    return line.replace(url, shown_url(url))


def take_lock(folder: Path, *, shared: bool = False) -> int:
    """Lock the study for this process; the lock dies with it.

    :param shared: whether others may have it that share it too.
    :raises StudyError: if another process has it.
    """
    file = open_regular(folder / DRIVER_LOCK, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as problem:
        holder = os.read(file, 20).decode("utf-8", "replace").strip()
        os.close(file)
        if problem.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            # nobody is at work: it cannot be locked
            raise OSError(problem.errno, problem.strerror, str(folder / DRIVER_LOCK)) from None
        raise StudyBusy(
            f"another process ({holder}) is at work in the study {folder}; wait for it or stop it"
        ) from None
    os.ftruncate(file, 0)
    os.write(file, f"pid {os.getpid()}".encode())
    return file


class _FileLock:
    """A lock that dies with its holder; Optuna's own stays for 30 seconds after a kill. Who has it
    may take it again.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{JOURNAL}.lock"
        self._file: int | None = None
        self._times = 0

    def acquire(self) -> bool:
        """Wait for the lock and take it."""
        if self._times == 0:
            self._take()
        self._times += 1
        return True

    def _take(self) -> None:
        try:
            self._file = open_regular(self._path, os.O_CREAT | os.O_RDWR)
        except OSError as problem:
            if problem.errno not in (errno.EROFS, errno.EACCES):
                raise
            # who cannot write the lock cannot write the journal either, and may still read it
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            os.close(self._file)
            self._file = None
            raise

    def release(self) -> None:
        """Let others have it, once it is released as often as it was taken."""
        self._times -= 1
        if self._times == 0 and self._file is not None:
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
