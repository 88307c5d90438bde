"""The drivers of one study that work in it at the same time, seen from one of them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna

from agenthpo.errors import StudyBusy
from agenthpo.experience.beats import (
    BEAT_S,
    GRACE_S,
    Beats,
    FolderBeats,
    Heart,
    StudyBeats,
    Watch,
    this_driver,
)
from agenthpo.experience.locks import DatabaseLocks, FileLocks, Locks, holding
from agenthpo.experience.patience import OnWait, Patience
from agenthpo.experience.storage import JOURNAL, engine_of, noted_place

__all__ = ["Company", "LostTurn", "is_of_network"]

_DECIDES, _WRITES = "decides", "writes"
_TOLD_S = 10.0
"""For how long the others are waited for before that is told."""


class LostTurn(Exception):
    """Another driver may decide by now: what was decided here is to be decided again."""


class Company:
    """This driver among those of the study."""

    def __init__(
        self,
        folder: Path,
        study: optuna.Study,
        *,
        is_alone: bool = False,
        grace_s: float = GRACE_S,
        on_wait: OnWait = lambda words: None,
        patience: Patience | None = None,
    ) -> None:
        """:param is_alone: whether this driver has the study to itself.
        :param grace_s: seconds without a beat after which a driver is given up.
        :param on_wait: told what is waited for, where that takes long.
        """
        self._me = this_driver(is_alone=is_alone)
        self.driver = self._me.driver
        """The name by which the others know this driver."""
        self.is_alone = is_alone
        self._on_wait = on_wait
        self._patiently = patience or Patience(on_wait)
        self._beats: Beats
        self._locks: Locks
        if is_of_network(folder):
            # nothing but the database is common to all of them
            self._beats = StudyBeats(study._storage, study._study_id)
            self._locks = DatabaseLocks(engine_of(study._storage), study.study_name)
        else:
            self._beats = FolderBeats(folder)
            self._locks = FileLocks(folder / JOURNAL)
        self._watch = Watch(self._beats, grace_s)
        self._heart = Heart(self._me, self._beats)

    def enter(self) -> None:
        """Begin to beat.

        :raises StudyBusy: where another driver has the study to itself, or this one wants to and
            there are others.
        """
        try:
            self._refuse_others()
            self._heart.start()
        except BaseException:
            self._locks.close()
            raise

    def leave(self) -> None:
        """Beat no more, and let every lock go."""
        self._heart.stop()
        self._locks.close()

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Let no other driver decide what is tried next."""
        with self._holding(_DECIDES, "choose their next configuration"):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let no other driver take over or end a trial."""
        with self._holding(_WRITES, "write down a result"):
            yield

    def gone(self, drivers: Collection[str]) -> set[str]:
        """Return those of the ``drivers`` that work no more."""
        return self._patiently(lambda: self._watch.gone(drivers)) or set()

    def check_turn(self) -> None:
        """Raise ``LostTurn`` where another driver may decide by now: the server that kept the lock
        has ended it.
        """
        if not self._locks.holds(_DECIDES):
            raise LostTurn

    @contextmanager
    def _holding(self, name: str, doing: str) -> Iterator[None]:
        told = False

        def wait(seconds: float) -> None:
            nonlocal told
            if seconds > _TOLD_S and not told:
                told = True
                self._on_wait(f"waits for another driver of the study to {doing}")

        with holding(
            lambda: bool(self._patiently(lambda: self._locks.take(name))),
            lambda: self._locks.leave(name),
            on_wait=wait,
        ):
            yield

    def _refuse_others(self) -> None:
        """Look at who beats, for two beats where a driver of another machine has left one."""
        found = self._beats.read()
        wrong = {n for n, beat in found.items() if self.is_alone or beat.is_alone}
        wrong -= self._watch.gone(wrong)
        elsewhere = {n for n in wrong if found[n].machine != self._me.machine}
        if wrong and wrong == elsewhere:
            time.sleep(2 * BEAT_S)
            now = self._beats.read()
            wrong = {n for n in wrong if n in now and now[n].count != found[n].count}
        if wrong:
            beat = found[min(wrong)]
            raise StudyBusy(
                f"another driver is at work in the study (process {beat.pid} on {beat.host}); wait "
                "for it or stop it, or begin all of them by 'agenthpo worker'"
            )


def is_of_network(folder: Path) -> bool:
    """Return whether the study of ``folder`` is in a database that other machines reach."""
    place = noted_place(folder)
    return place is not None and not place.url.startswith("sqlite")
