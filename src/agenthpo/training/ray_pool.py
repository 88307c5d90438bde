"""Trials on a Ray cluster (Ray core, https://docs.ray.io): each is a task that holds the processors
and GPUs of its trial, and streams what its training reports.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from agenthpo.background import in_thread
from agenthpo.errors import TaskError, first_line
from agenthpo.records import Outcome, RunSpec
from agenthpo.training.elsewhere import Lost, Order, Returned, announce, keep, run_order
from agenthpo.training.metrics import Point
from agenthpo.training.outcome import load_outcome
from agenthpo.training.runner import OnPoint, Stopped
from agenthpo.training.slots import gpu_words

__all__ = ["RayPool"]

_LEFT_BEHIND = [".agenthpo", ".git", ".venv", "__pycache__", "node_modules"]
"""What is not shipped to other machines with the folder in which the command runs."""
_SHUT_S = 10.0
_ANSWER_S = 10.0


class RayPool:
    """Trials on the Ray cluster at ``address``, or on one of this machine's own without it.
    ``on_point`` is called from threads.
    """

    def __init__(
        self,
        workers: int | None,
        *,
        address: str | None = None,
        cpus_each: float = 1.0,
        gpus_each: float = 0.0,
        memory_mb: float | None = None,
        folder: str | None = None,
    ) -> None:
        """:param workers: how many trials run at once; as many as the cluster has room for without.
        :param memory_mb: what a trial may hold, in 10^6 bytes; a machine has room for it.
        :param folder: what is shipped to machines that do not see it.
        :raises TaskError: where Ray is not installed or cannot be reached, or has no room for one.
        """
        self._ray = _begun(address, folder)
        room = _room(self._ray.cluster_resources(), cpus_each, gpus_each)
        if room < 1:
            self._ray.shutdown()
            needs = f"{cpus_each:g} processors and {gpus_each:g} GPUs"
            raise TaskError(
                f"the Ray cluster has no machine for a trial that needs {needs}; lower resources "
                "in the task file, or add a machine"
            )
        self.slots = workers or room
        self._task = self._ray.remote(
            num_cpus=cpus_each,
            num_gpus=gpus_each,
            memory=None if memory_mb is None else int(memory_mb * 1e6),
            max_retries=0,
            num_returns="streaming",
        )(_stream)
        self._closed = False
        self._streams: dict[threading.Thread, Any] = {}

    def submit(self, spec: RunSpec, on_point: OnPoint) -> Future[Outcome]:
        """Begin the trial where the cluster has room, or as soon as it has.

        The future raises ``Lost`` where its worker or machine is gone.
        """
        future: Future[Outcome] = Future()
        if (saved := load_outcome(Path(spec.workdir), spec.owner)) is not None:
            future.set_result(saved)
            return future
        order = announce(spec)
        stream = self._task.remote(order)
        thread = in_thread(
            lambda: self._followed(order, stream, on_point), f"agenthpo-trial-{spec.trial}", future
        )
        self._streams = {t: s for t, s in self._streams.items() if t.is_alive()} | {thread: stream}
        return future

    def _followed(self, order: Order, stream: Any, on_point: OnPoint) -> Outcome:
        try:
            for reference in stream:
                said = self._ray.get(reference)
                if isinstance(said, Returned):
                    return keep(order, said)
                on_point(said)
        except self._ray.exceptions.RayTaskError as problem:
            # a fault of ours, which another machine would have too
            raise problem.as_instanceof_cause() from None
        except self._ray.exceptions.RayError as problem:
            if self._closed:
                raise Stopped from None
            raise Lost(first_line(problem)) from None
        raise Lost("its stream ended without an outcome")

    def has_room(self, needs_mb: float) -> bool:
        """Return True: a trial waits on the cluster until there is room."""
        return True

    def close(self) -> None:
        """End the trainings that still run, wherever they are, and leave the cluster."""
        if self._closed:
            return
        self._closed = True
        for thread, stream in self._streams.items():
            if thread.is_alive():
                with suppress(Exception):
                    # the worker ends, and the supervisor of its training ends that
                    self._ray.cancel(stream, force=True)
        for thread in self._streams:
            thread.join(_SHUT_S)
        self._ray.shutdown()


def _stream(order: Order) -> Iterator[Point | Returned]:
    """Run on the cluster: yield what the training reports, and the outcome at the end."""
    said: queue.SimpleQueue[Point | Returned | BaseException] = queue.SimpleQueue()

    def go() -> None:
        try:
            gpus = gpu_words(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
            said.put(Point.at(socket.gethostname() + gpus))
            said.put(run_order(order, said.put))
        except BaseException as problem:
            said.put(problem)

    threading.Thread(target=go, daemon=True).start()
    while True:
        item = said.get()
        if isinstance(item, BaseException):
            raise item
        yield item
        if isinstance(item, Returned):
            return


def _begun(address: str | None, folder: str | None) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise TaskError("trials on a Ray cluster need Ray: pip install 'agenthpo[ray]'") from None
    shipped: dict[str, Any] = {}
    if folder is not None and address is not None:
        shipped = {"working_dir": folder, "excludes": _LEFT_BEHIND}
    is_main = threading.current_thread() is threading.main_thread()
    handlers = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)} if is_main else {}
    try:
        _check_answers(address)
        ray.init(
            address=address,
            runtime_env=shipped or None,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=None if address else False,
        )
    except Exception as problem:  # whatever a wrong address or a folder that is too large gives
        raise TaskError(
            f"Ray cannot be begun ({first_line(problem)[:200]}); see to --address"
        ) from None
    finally:
        for number, handler in handlers.items():  # Ray ends the process by its own
            signal.signal(number, handler)
    return ray


def _check_answers(address: str | None) -> None:
    """Raise ``OSError`` where nobody listens: Ray tries for minutes."""
    host, _, port = (address or "").rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()


def _room(resources: dict[str, float], cpus_each: float, gpus_each: float) -> int:
    """Return how many trials a cluster has room for."""
    found = [
        resources.get(name, 0.0) / each
        for name, each in (("CPU", cpus_each), ("GPU", gpus_each))
        if each
    ]
    return int(min(found) + 1e-9)
