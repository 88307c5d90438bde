"""Trials as jobs of Slurm, by submitit (https://github.com/facebookincubator/submitit). Those that
begin together are one array; a job that Slurm preempts or that comes to its time's end is queued
again. The study's folder must be one that all nodes see.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from agenthpo.background import in_thread
from agenthpo.errors import TaskError, first_line
from agenthpo.files import open_regular, read_regular, write_whole
from agenthpo.records import Outcome, RunSpec
from agenthpo.training.elsewhere import Lost, Order, Returned, announce, keep, run_order
from agenthpo.training.metrics import Point
from agenthpo.training.outcome import load_outcome
from agenthpo.training.runner import OnPoint, Stopped

__all__ = ["SlurmPool", "Training"]

_JOB, _POINTS = "job.json", "points.jsonl"
_TOGETHER_S = 0.3
"""Trials that are submitted within this time become one array."""
_LOOK_S = 0.2
_EXTRA_MIN = 10
"""What a job may take beyond its training's own limit."""
_DAY_MIN = 24 * 60


class Training:
    """What a job runs."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._stopped = False

    def __call__(self) -> Returned:
        """Run the trial. Where Slurm ends the job, nothing is recorded."""
        with suppress(ValueError):  # not in the main thread, where only tests run it
            signal.signal(signal.SIGTERM, self._stop)
        points = Path(self.order.spec.workdir, _POINTS)
        with suppress(OSError):
            points.unlink()

        def told(point: Point) -> None:
            with suppress(OSError), open(points, "a") as file:
                file.write(json.dumps({"step": point.step, "values": point.values}) + "\n")

        return run_order(self.order, told, lambda: self._stopped)

    def checkpoint(self) -> Any:
        """Return what is queued again when the job has to make room: the same."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(Training(self.order))

    def _stop(self, *_: object) -> None:
        self._stopped = True


class SlurmPool:
    """Trials as jobs of the cluster whose login node this is. ``on_point`` is called from
    threads.
    """

    def __init__(
        self,
        workers: int,
        *,
        folder: Path,
        cluster: str | None = None,
        cpus_each: int = 1,
        gpus_each: int = 0,
        memory_mb: float | None = None,
        timeout_s: float | None = None,
        settings: Mapping[str, str | int] | None = None,
    ) -> None:
        """:param workers: how many trials run or wait in the queue at once.
        :param folder: where submitit keeps its files, seen by all nodes.
        :param cluster: ``slurm``, or ``local`` and ``debug`` of submitit's; what is found here
            without it.
        :param settings: settings of the jobs, such as partition and account.
        :raises TaskError: where submitit is not installed, or a setting is none.
        """
        self.slots = workers
        self._folder = folder
        minutes = _DAY_MIN if timeout_s is None else int(timeout_s / 60) + 1 + _EXTRA_MIN
        self._executor = _executor(folder, cluster)
        # a machine without Slurm would be taken for one that has it
        self._is_slurm = self._executor.cluster == "slurm"
        given: dict[str, Any] = {
            "name": "agenthpo",
            "timeout_min": minutes,
            "cpus_per_task": cpus_each,
            "gpus_per_node": gpus_each or None,
            "mem_gb": None if memory_mb is None else memory_mb / 1000 + 1,
            "slurm_array_parallelism": workers,
            **{f"slurm_{name}": value for name, value in (settings or {}).items()},
        }
        try:
            self._executor.update_parameters(**{k: v for k, v in given.items() if v is not None})
        except (NameError, AssertionError, ValueError) as problem:
            raise TaskError(f"--slurm: {first_line(problem)[:300]}") from None
        self._closed = threading.Event()
        self._waiting = list[tuple[RunSpec, OnPoint, Future[Outcome]]]()
        self._changing = threading.Lock()
        self._jobs = dict[threading.Thread, Any]()
        self._sender: threading.Thread | None = None

    def submit(self, spec: RunSpec, on_point: OnPoint) -> Future[Outcome]:
        """Queue the trial, or go on with the job that an earlier driver queued for it.

        The future raises ``Lost`` where the job ended without a result.
        """
        future: Future[Outcome] = Future()
        if (saved := load_outcome(Path(spec.workdir), spec.owner)) is not None:
            future.set_result(saved)
        elif (job := self._earlier_job(spec)) is not None:
            self._follow(announce(spec), job, on_point, future)
        else:
            with self._changing:
                self._waiting.append((spec, on_point, future))
                if self._sender is None:
                    self._sender = threading.Thread(target=self._send, daemon=True)
                    self._sender.start()
        return future

    def has_room(self, needs_mb: float) -> bool:
        """Return True: a job waits in the queue until there is room."""
        return True

    def close(self) -> None:
        """Cancel the jobs that still run or wait."""
        self._closed.set()
        if self._sender is not None:
            self._sender.join()
        for thread, job in self._jobs.items():
            if thread.is_alive():
                with suppress(Exception):  # it may have ended meanwhile
                    job.cancel(check=False)
        for thread in self._jobs:
            thread.join(10)

    def _earlier_job(self, spec: RunSpec) -> Any:
        """Return the job of the trial that runs or waits although its driver is gone, else None."""
        try:
            known = json.loads(read_regular(Path(spec.workdir, _JOB)))
            # the executor of this cluster is behind the one that chooses it
            job = self._executor._executor.job_class(self._folder, str(known["id"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return None if job.done(force_check=True) else job

    def _send(self) -> None:
        """Submit what has come, as one array."""
        time.sleep(_TOGETHER_S)
        with self._changing:
            waiting, self._waiting, self._sender = self._waiting, [], None
        try:
            orders = [announce(spec) for spec, _, _ in waiting]
            with self._executor.batch():
                jobs = [self._executor.submit(Training(order)) for order in orders]
            for order, job in zip(orders, jobs, strict=True):
                said = json.dumps({"id": job.job_id}).encode()
                write_whole(Path(order.spec.workdir, _JOB), said)
        except Exception as problem:
            why = f"the job cannot be queued ({first_line(problem)[:200]})"
            for _, _, future in waiting:
                future.set_exception(Lost(why))
            return
        for order, job, (_, on_point, future) in zip(orders, jobs, waiting, strict=True):
            self._follow(order, job, on_point, future)

    def _follow(self, order: Order, job: Any, on_point: OnPoint, future: Future[Outcome]) -> None:
        name = f"agenthpo-trial-{order.spec.trial}"
        thread = in_thread(lambda: self._followed(order, job, on_point), name, future)
        self._jobs = {t: j for t, j in self._jobs.items() if t.is_alive()} | {thread: job}

    def _followed(self, order: Order, job: Any, on_point: OnPoint) -> Outcome:
        on_point(Point.at(f"job {job.job_id}"))
        points = _Points(Path(order.spec.workdir, _POINTS))
        while not job.done():
            if self._closed.is_set():
                raise Stopped
            for point in points.new():
                on_point(point)
            time.sleep(_LOOK_S)
        for point in points.new():
            on_point(point)
        try:
            returned = job.result()
        except Exception as problem:
            if (saved := load_outcome(Path(order.spec.workdir), order.spec.owner)) is not None:
                return saved  # it ended, and what came after went wrong
            raise Lost(f"job {job.job_id}: {first_line(problem)[:200]}") from None
        assert isinstance(returned, Returned)
        return keep(order, returned)


class _Points:
    """What a job has written of its training so far."""

    def __init__(self, path: Path) -> None:
        self._path, self._position = path, 0

    def new(self) -> list[Point]:
        """Return what has come since the last call."""
        try:
            with open(open_regular(self._path), "rb") as file:
                file.seek(self._position)
                lines = file.read().splitlines(keepends=True)
        except OSError:
            return []
        found = []
        for line in lines:
            if not line.endswith(b"\n"):
                break
            self._position += len(line)
            with suppress(ValueError, KeyError, TypeError):
                said = json.loads(line)
                found.append(Point(float(said["step"]), dict(said["values"])))
        return found


def _executor(folder: Path, cluster: str | None) -> Any:
    try:
        import submitit
    except ImportError:
        raise TaskError("trials on Slurm need submitit: pip install 'agenthpo[slurm]'") from None
    found = cluster or submitit.AutoExecutor.which()
    if cluster is None and found != "slurm":
        raise TaskError(
            "there is no Slurm here (srun is not found); run this on a login node of the cluster"
        )
    return submitit.AutoExecutor(folder, cluster=found)
