"""How several drivers of one study show each other that they are alive.

No clock of another machine is trusted: a driver whose beat has not changed for a while, by the
clock of whoever looks, is gone. One on the same machine is gone as soon as its process is.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from agenthpo.codec import adapter
from agenthpo.experience.process import born, is_there
from agenthpo.files import make_folder, read_regular, write_whole

__all__ = [
    "BEAT_S",
    "GRACE_S",
    "Beat",
    "Beats",
    "FolderBeats",
    "Heart",
    "StudyBeats",
    "Watch",
    "this_driver",
]

BEAT_S, GRACE_S = 3.0, 60.0
"""Seconds between two beats of a driver, and after how many without one it is given up."""
_DRIVERS = "drivers"
"""The folder of the drivers' beats, in the study's."""


@dataclass(frozen=True)
class Beat:
    """What a driver says of itself, again and again."""

    driver: str
    count: int
    """Another one each time."""
    host: str
    machine: str
    """What no other machine or container has; empty where the system does not tell."""
    pid: int
    born: str
    is_alone: bool = False
    """Whether it has the study to itself."""


def this_driver(*, is_alone: bool = False) -> Beat:
    """Return the first beat of a driver in this process, under a name of its own."""
    host = socket.gethostname()
    name = f"{host}-{os.getpid()}-{secrets.token_hex(3)}"
    return Beat(name, 0, host, _machine(), os.getpid(), born(os.getpid()), is_alone)


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


class Beats(Protocol):
    """Where the drivers of a study leave their beats."""

    def leave(self, beat: Beat) -> None:
        """Put ``beat`` in the place of the driver's last one."""
        ...

    def read(self) -> Mapping[str, Beat]:
        """Return the last beat of each driver, by its name."""
        ...

    def remove(self, driver: str) -> None:
        """Take the beat of a driver away that has ended."""
        ...


class FolderBeats:
    """Beats in files of the study's folder, which all its drivers see."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _DRIVERS

    def leave(self, beat: Beat) -> None:
        """Write the driver's file."""
        make_folder(self._folder)
        write_whole(self._folder / f"{beat.driver}.json", json.dumps(asdict(beat)).encode())

    def read(self) -> dict[str, Beat]:
        """Read all files; one that cannot be read says nothing."""
        found = {}
        for path in self._folder.glob("*.json"):
            with suppress(OSError, ValueError, RecursionError):
                found[path.stem] = _beat(json.loads(read_regular(path)))
        return found

    def remove(self, driver: str) -> None:
        """Remove the driver's file."""
        with suppress(OSError):
            (self._folder / f"{driver}.json").unlink()


class StudyBeats:
    """Beats in attributes of an Optuna study in a database, for drivers that share nothing else."""

    _PREFIX = "driver:"

    def __init__(self, storage: Any, study: int) -> None:
        self._storage, self._study = storage, study

    def leave(self, beat: Beat) -> None:
        """Set the driver's attribute."""
        self._storage.set_study_user_attr(self._study, f"{self._PREFIX}{beat.driver}", asdict(beat))

    def read(self) -> dict[str, Beat]:
        """Read all attributes; one that cannot be read says nothing."""
        found = {}
        for name, said in self._storage.get_study_user_attrs(self._study).items():
            if name.startswith(self._PREFIX):
                with suppress(ValueError):
                    found[name.removeprefix(self._PREFIX)] = _beat(said)
        return found

    def remove(self, driver: str) -> None:
        """Say of the driver that it has ended: an attribute cannot be removed."""
        self._storage.set_study_user_attr(self._study, f"{self._PREFIX}{driver}", None)


def _beat(said: object) -> Beat:
    beat: Beat = adapter(Beat).validate_python(said)
    return beat


class Heart:
    """Leaves a driver's beats in a thread of its own."""

    def __init__(self, beat: Beat, beats: Beats, every_s: float = BEAT_S) -> None:
        self._beat, self._beats, self._every_s = beat, beats, every_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="agenthpo-heart", daemon=True)

    def start(self) -> None:
        """Leave the first beat, and the others from now on.

        :raises OSError: where it cannot be left.
        """
        self._leave(0)
        self._thread.start()

    def stop(self) -> None:
        """Leave none any more."""
        self._end.set()
        if not self._thread.is_alive():
            return
        self._thread.join()
        with suppress(Exception):  # others will see that it does not beat
            self._beats.remove(self._beat.driver)

    def _leave(self, count: int) -> None:
        self._beats.leave(replace(self._beat, count=count))

    def _go_on(self) -> None:
        count = 0
        while not self._end.wait(self._every_s):
            count += 1
            # a full disk, a database that starts again: the next one may be left
            with suppress(Exception):
                self._leave(count)


class Watch:
    """Tells which drivers are gone, from how their beats change under the eyes of this process."""

    def __init__(
        self,
        beats: Beats,
        grace_s: float = GRACE_S,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._beats, self._grace_s, self._clock = beats, grace_s, clock
        self._machine = _machine()
        self._seen: dict[str, tuple[int, float]] = {}

    def gone(self, drivers: Collection[str]) -> set[str]:
        """Return those of the ``drivers`` that work no more. One that was never seen to beat is
        given the same while as one that has stopped.
        """
        beats = self._beats.read() if drivers else {}
        return {driver for driver in drivers if self._is_gone(driver, beats.get(driver))}

    def _is_gone(self, driver: str, beat: Beat | None) -> bool:
        if (
            beat is not None
            and beat.machine
            and beat.machine == self._machine
            and not is_there(beat.pid, beat.born)
        ):
            return True
        count = -1 if beat is None else beat.count
        now = self._clock()
        known = self._seen.get(driver)
        if known is None or known[0] != count:
            self._seen[driver] = (count, now)
            return False
        return now - known[1] > self._grace_s
