"""How far a study's driver has come, in a file that anybody may look at while it is at work."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from agenthpo.codec import adapter
from agenthpo.events import Event, Finished, OnEvent, Opened, Reported, Started, Stopped
from agenthpo.experience.process import born, is_there
from agenthpo.files import read_regular, write_whole
from agenthpo.thinning import thinned

__all__ = ["PROGRESS", "Progress", "Progressing", "note_error", "read_progress"]

PROGRESS = "progress.json"
_EVERY_S = 0.5
"""How often it is written at most."""
_MOST_POINTS, _MOST_KEPT = 60, 4000


@dataclass(frozen=True)
class Progress:
    """What the driver wrote last."""

    pid: int
    born: str
    """When that process began, as the system counts: its number may be another one's later."""
    at_work: bool
    """Whether it was at work then; it is no more where its process is gone."""
    running: tuple[int, ...] = ()
    """The trials that train."""
    points: Mapping[int, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    """Their curves of the metric so far, thinned: step and value."""
    reason: str = ""
    """Why it ended."""
    fault: str = ""
    """Why it is the task that fails, where that ended it."""
    error: str = ""
    """Why it could not work at all."""
    ended_at: float = 0.0
    """When it ended, in seconds since the epoch."""


class Progressing:
    """Keep a study's progress as its events come, and pass them on. What cannot be written is left
    out: the trials do not hang on it.
    """

    def __init__(self, folder: Path, metric: str, on_event: OnEvent) -> None:
        self._file, self._metric, self._on_event = folder / PROGRESS, metric, on_event
        self._now = Progress(os.getpid(), born(os.getpid()), at_work=True)
        self._curves: dict[int, list[tuple[float, float]]] = {}
        self._written = -math.inf

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, Opened):
            self._keep(at_once=True)
        elif isinstance(event, Started):
            self._curves[event.trial.number] = []
            self._keep()
        elif isinstance(event, Finished):
            self._curves.pop(event.trial.number, None)
        elif isinstance(event, Reported) and event.trial in self._curves:
            value = event.values.get(self._metric)
            if value is not None and math.isfinite(value):
                curve = self._curves[event.trial]
                curve.append((event.step, value))
                if len(curve) > _MOST_KEPT:  # however long it trains
                    curve[:] = thinned(curve, _MOST_KEPT // 2)
                self._keep()
        elif isinstance(event, Stopped):
            self._now = replace(
                self._now,
                at_work=False,
                reason=event.reason,
                fault=event.fault,
                ended_at=time.time(),
            )
            self._keep(at_once=True)
        self._on_event(event)

    def _keep(self, *, at_once: bool = False) -> None:
        if not at_once and time.monotonic() - self._written < _EVERY_S:
            return
        self._written = time.monotonic()
        points = {n: tuple(thinned(c, _MOST_POINTS)) for n, c in self._curves.items() if c}
        now = replace(self._now, running=tuple(self._curves), points=points)
        _write(self._file, now)


def note_error(folder: Path, error: str) -> None:
    """Keep why the study in ``folder`` could not be worked in."""
    now = Progress(os.getpid(), born(os.getpid()), at_work=False, error=error, ended_at=time.time())
    _write(folder / PROGRESS, now)


def _write(file: Path, progress: Progress) -> None:
    with suppress(OSError):
        write_whole(file, json.dumps(asdict(progress)).encode())


def read_progress(folder: Path) -> Progress | None:
    """Return how far the driver of the study in ``folder`` has come; None where none has written
    that, or it cannot be read.
    """
    try:
        found: Progress = adapter(Progress).validate_python(
            json.loads(read_regular(folder / PROGRESS))
        )
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return (
        found
        if not found.at_work or is_there(found.pid, found.born)
        else replace(found, at_work=False)
    )
