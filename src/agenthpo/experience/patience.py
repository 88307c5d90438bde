"""A database that does not answer is asked again: it may be locked for a while, or starting."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import optuna

from agenthpo.errors import first_line

__all__ = ["PATIENCE_S", "OnWait", "Patience", "storage_words"]

PATIENCE_S = 600.0
"""For how long a database is asked again before the study ends, which can be resumed."""
_FIRST_S, _LONGEST_S = 0.2, 5.0
_FOR_A_WHILE = (
    "locked",
    "busy",
    "connect",
    "connection",
    "server closed",
    "starting up",
    "shutting down",
    "terminating",
    "recovery mode",
    "timeout expired",
    "deadlock",
    "serialize access",
    "too many clients",
)
"""What a database says of itself that passes: a full disk does not."""

OnWait = Callable[[str], None]
_T = TypeVar("_T")


def storage_words(problem: BaseException) -> str:
    """Return what a database said of a failure of its own, full or locked, in one line; empty for
    every other exception.
    """
    of_database = type(problem).__module__.startswith("sqlalchemy")
    if not of_database and not isinstance(problem, optuna.exceptions.StorageInternalError):
        return ""
    while (
        not of_database
        and problem.__cause__ is not None
        and isinstance(problem.__cause__, Exception)
    ):
        problem = problem.__cause__
        of_database = type(problem).__module__.startswith("sqlalchemy")
    return first_line(problem)[:200]


class Patience:
    """Does what is asked of a database, again where that does not answer."""

    def __init__(self, on_wait: OnWait = lambda words: None, seconds: float = PATIENCE_S) -> None:
        """:param on_wait: told once each time that it has to wait.
        :param seconds: for how long it asks again.
        """
        self._on_wait, self._seconds = on_wait, seconds

    def __call__(
        self, action: Callable[[], _T], is_done: Callable[[], bool] | None = None
    ) -> _T | None:
        """Return what ``action`` returns; None where ``is_done`` finds, after a failure, that it
        was done all the same.

        :raises Exception: what ``action`` raises, where that will not pass.
        """
        began, pause = time.monotonic(), _FIRST_S
        while True:
            try:
                if pause > _FIRST_S and is_done is not None and is_done():
                    return None
                return action()
            except Exception as problem:
                said = storage_words(problem)
                passes = any(word in said.lower() for word in _FOR_A_WHILE)
                if not passes or time.monotonic() - began > self._seconds:
                    raise
                if pause == _FIRST_S:
                    self._on_wait(
                        f"the study's storage does not answer ({said}), and is asked again"
                    )
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_S)
