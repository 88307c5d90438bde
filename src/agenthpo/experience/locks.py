"""Locks among the drivers of one study: on files they share, or of the database's server."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from agenthpo.errors import StudyError
from agenthpo.files import open_regular

__all__ = ["DatabaseLocks", "FileLocks", "Locks", "holding"]

_TRY_S = 0.05


class Locks(Protocol):
    """What one driver of a study has at a time. A lock is let go when its holder's process ends."""

    def take(self, name: str) -> bool:
        """Take the lock ``name`` if nobody has it, and return whether it is ours."""
        ...

    def leave(self, name: str) -> None:
        """Let others have it."""
        ...

    def holds(self, name: str) -> bool:
        """Return whether the lock is ours yet."""
        ...

    def close(self) -> None:
        """Let all of them go."""
        ...


class FileLocks:
    """Locks on files, for drivers that share them."""

    def __init__(self, beside: Path) -> None:
        self._beside = beside
        self._held: dict[str, int] = {}

    def take(self, name: str) -> bool:
        """Lock the file of that name."""
        file = open_regular(
            self._beside.with_name(f"{self._beside.name}.{name}"), os.O_CREAT | os.O_RDWR
        )
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        except BaseException:
            os.close(file)
            raise
        self._held[name] = file
        return True

    def leave(self, name: str) -> None:
        """Close the file."""
        os.close(self._held.pop(name))

    def holds(self, name: str) -> bool:
        """Return whether the file is open."""
        return name in self._held

    def close(self) -> None:
        """Close all files."""
        for name in tuple(self._held):
            self.leave(name)


class DatabaseLocks:
    """Advisory locks of a PostgreSQL server, in a connection of their own: they end with it, and a
    machine that has gone is noticed within a minute.
    """

    _ALIVE = ("tcp_keepalives_idle=20", "tcp_keepalives_interval=10", "tcp_keepalives_count=3")

    def __init__(self, engine: Any, study: str) -> None:
        """:param engine: SQLAlchemy's, of the server.
        :param study: what no other study of that server has.
        """
        if engine.dialect.name != "postgresql":
            raise StudyError(
                f"several drivers cannot share a study in {engine.dialect.name}; use a journal "
                "file, SQLite or PostgreSQL"
            )
        self._engine, self._study = engine, study
        self._connection: Any = None

    def take(self, name: str) -> bool:
        """Take the advisory lock of that name."""
        return bool(self._ask("SELECT pg_try_advisory_lock(:key)", name))

    def leave(self, name: str) -> None:
        """Let the lock go; where the server has ended the connection, it is gone already."""
        with suppress(Exception):
            self._ask("SELECT pg_advisory_unlock(:key)", name)

    def holds(self, name: str) -> bool:
        """Return whether the connection that took it is there."""
        connection = self._connection
        if connection is None:
            return False
        with suppress(Exception):
            self._ask("SELECT 1", name)
        return self._connection is connection

    def close(self) -> None:
        """End the connection, and every lock with it."""
        self._connection, connection = None, self._connection
        if connection is not None:
            with suppress(Exception):
                connection.close()

    def _ask(self, statement: str, name: str) -> object:
        from sqlalchemy import text

        digest = hashlib.sha256(f"{self._study}/{name}".encode()).digest()
        try:
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(
                    isolation_level="AUTOCOMMIT"
                )
                # back in the engine's pool it would keep the locks
                self._connection.detach()
                for setting in self._ALIVE:
                    self._connection.execute(text(f"SET {setting}"))
            key = int.from_bytes(digest[:8], signed=True)
            return self._connection.execute(text(statement), {"key": key}).scalar()
        except Exception:
            self.close()
            raise


@contextmanager
def holding(
    take: Callable[[], bool],
    leave: Callable[[], None],
    *,
    on_wait: Callable[[float], None] = lambda seconds: None,
) -> Iterator[None]:
    """Wait until ``take`` has taken a lock, and ``leave`` it at the end; ``on_wait`` is told for
    how long it has been waited for.
    """
    began = time.monotonic()
    while not take():
        on_wait(time.monotonic() - began)
        time.sleep(_TRY_S)
    try:
        yield
    finally:
        leave()
