"""Work in several processes that are silent, take one thread each, and end when the call that began
them has ended.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Protocol, TypeVar

__all__ = ["in_processes"]

T = TypeVar("T")
R = TypeVar("R")
_LOOKS_S = 0.5
"""How often a process looks whether it is still wanted."""


class _Flag(Protocol):
    value: int


def in_processes(work: Callable[[T], R], items: Sequence[T], *, jobs: int) -> Iterator[tuple[T, R]]:
    """Do ``work`` on every item in ``jobs`` processes, and yield each with its result as soon as it
    is there.

    What is still at work when one fails, or when the caller wants no more, is ended.
    """
    # the new processes' own
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    context = get_context("spawn")
    # no Event: to set one waits for every process that waits for it, one that was killed too
    ended = context.Value("b", 0, lock=False)
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_begin, initargs=(ended,)
    ) as pool:
        futures = {pool.submit(work, item): item for item in items}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            if not all(future.done() for future in futures):
                ended.value = 1
            pool.shutdown(wait=False, cancel_futures=True)


def _begin(ended: _Flag) -> None:
    warnings.simplefilter("ignore")  # peers warn at each trial
    # Ctrl-C reaches every process of a terminal; these end with their parent
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(), ended), daemon=True).start()


def _end_with(parent: int, ended: _Flag) -> None:
    """End this process when ``parent`` has ended, which may be killed, or wants no more."""
    while os.getppid() == parent and not ended.value:
        time.sleep(_LOOKS_S)
    os._exit(1)
