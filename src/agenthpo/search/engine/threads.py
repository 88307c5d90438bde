"""One thread for the engine's algebra: its matrices are small, and more threads wait for each other
where trainings keep the cores busy.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which numpy and scipy use one thread; the number of threads is what it
    was afterwards.
    """
    limited: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limited


@cache
def _controller() -> ThreadpoolController:
    # looks through all loaded libraries, which takes some milliseconds
    return ThreadpoolController()
