"""Work in a thread that keeps no process from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

__all__ = ["in_thread"]

_T = TypeVar("_T")


def in_thread(work: Callable[[], _T], name: str, future: Future[_T]) -> threading.Thread:
    """Begin ``work`` in a thread of that name, and give what it returns or raises to ``future``:
    whoever takes it raises it.
    """

    def go() -> None:
        try:
            future.set_result(work())
        except BaseException as problem:
            future.set_exception(problem)

    thread = threading.Thread(target=go, name=name, daemon=True)
    thread.start()
    return thread
