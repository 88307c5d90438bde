"""The experience log L as an Optuna study in a journal file: the only module that opens an Optuna storage.

A trial is written before it runs and told when it is analysed. What a crash leaves running is in :meth:`ExperienceLog.trials` without an outcome,
and goes on under its own number, so that the budget stays exact by construction.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from agenthpo.budget import Spent
from agenthpo.codec import decode_analysis, decode_outcome, decode_proposal, encode
from agenthpo.distributions import stored_distribution
from agenthpo.errors import StudyError
from agenthpo.records import Analysis, Direction, Outcome, Proposal, Trial, incumbent
from agenthpo.space import Space

__all__ = ["STUDIES", "ExperienceLog", "no_study", "read_meta", "refuse_existing", "study_folder"]

STUDIES = ".agenthpo"
_JOURNAL, _LOCK, _META = "journal.log", "driver.lock", "agenthpo"
optuna.logging.set_verbosity(optuna.logging.WARNING)


def study_folder(name: str, *, beside: Path) -> Path:
    """Return where the study ``name`` of a task in folder ``beside`` lives."""
    return beside / STUDIES / name


def read_meta(folder: Path) -> dict[str, Any] | None:
    """Return what :meth:`ExperienceLog.create` was told about the study in ``folder``; None where there is no study."""
    study = _load(folder)
    return None if study is None else study.user_attrs[_META]


def refuse_existing(folder: Path) -> None:
    """Raise :class:`StudyError` if there is a study in ``folder``."""
    if _load(folder) is not None:
        raise StudyError(f"the study {folder} exists; go on with it by 'agenthpo resume {folder}', or name another one by --study")


def no_study(folder: Path) -> StudyError:
    """Return the error for a ``folder`` without a study."""
    return StudyError(f"there is no study in {folder}; begin one with 'agenthpo run TASK.yaml'")


class ExperienceLog:
    """The trials of one study. Use :meth:`create` or :meth:`open`, and close it (or use it as a context)."""

    def __init__(self, folder: Path, study: optuna.Study, space: Space | None, lock: int | None) -> None:
        self.folder = folder
        self._study, self._space, self._lock = study, space, lock
        # What is finished never changes; decoding it at each look would cost the square of the trials.
        self._finished: dict[int, Trial] = {}

    @classmethod
    def create(cls, folder: Path, *, space: Space, direction: Direction, meta: dict[str, Any]) -> ExperienceLog:
        """Begin a study in ``folder``; ``meta`` is kept with it.

        :raises StudyError: if there is one already, the folder cannot be written, or another process is at work in it.
        """
        refuse_existing(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = _take(folder)
            try:
                refuse_existing(folder)  # again: another process may have begun and ended one before the lock was ours
            except StudyError:
                os.close(lock)
                raise
            (folder / _JOURNAL).unlink(missing_ok=True)  # of a driver that was killed before its study had begun
            study = optuna.create_study(storage=_storage(folder), study_name=folder.name, direction=direction)
        except OSError as problem:
            raise StudyError(f"the study {folder} cannot be written ({problem.strerror}); make its folder writable") from None
        log = cls(folder, study, space, lock)
        log.keep_meta(meta)
        return log

    @classmethod
    def open(cls, folder: Path, *, space: Space | None, read_only: bool = False) -> ExperienceLog:
        """Open the study in ``folder``; unless ``read_only``, no other process may be at work in it and ``space`` is needed.

        :raises StudyError: if there is none, or another process is at work in it.
        """
        study = _load(folder)
        if study is None:
            raise no_study(folder)
        return cls(folder, study, space, None if read_only else _take(folder))

    def __enter__(self) -> ExperienceLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other processes work in the study."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def meta(self) -> dict[str, Any]:
        """What is kept with the study."""
        return dict(self._study.user_attrs[_META])

    def keep_meta(self, meta: dict[str, Any]) -> None:
        """Keep ``meta`` with the study, in place of what was kept before."""
        self._study.set_user_attr(_META, meta)

    @property
    def direction(self) -> Direction:
        """Which way the objective is optimised."""
        return "minimize" if self._study.direction == optuna.study.StudyDirection.MINIMIZE else "maximize"

    def workdir(self, number: int) -> Path:
        """Return the folder of trial ``number``, absolute: the training runs in another one."""
        return self.folder.absolute() / "trials" / f"{number:04d}"

    def trials(self) -> list[Trial]:
        """Return every trial in the order of their numbers, unfinished ones included."""
        return [self._finished.get(frozen.number) or self._read(frozen) for frozen in self._study.get_trials(deepcopy=False)]

    def _read(self, frozen: FrozenTrial) -> Trial:
        trial = _trial(frozen)
        if trial.outcome is not None:
            self._finished[trial.number] = trial
        return trial

    def incumbent(self) -> Trial | None:
        """Return the best trial so far."""
        return incumbent(self.trials(), self.direction)

    def spent(self) -> Spent:
        """Return what the finished trials took."""
        return Spent.of(self.trials(), self.direction)

    def start(self, proposal: Proposal) -> Trial:
        """Record a trial before it runs.

        :raises InvalidParams: if the proposal lies outside the space; nothing is recorded then.
        """
        assert self._space is not None, "opened to be read only"
        space = self._space
        space.check(proposal.params)
        now = time.time()
        self._study.add_trial(
            create_trial(
                state=TrialState.RUNNING,
                params=proposal.params,
                distributions={name: stored_distribution(space[name]) for name in proposal.params},
                user_attrs={"proposal": encode(proposal), "source": proposal.source, "started_at": now},
            )
        )
        return self.trials()[-1]

    def finish(self, trial: Trial, outcome: Outcome, analysis: Analysis) -> Trial:
        """Record what came out of ``trial`` and what it means."""
        finished = replace(trial, outcome=outcome, analysis=analysis, finished_at=time.time())
        attributes = {
            "outcome": encode(outcome),
            "analysis": encode(analysis),
            "diagnosis": analysis.diagnosis,
            "finished_at": finished.finished_at,
        }
        stored = self._study.get_trials(deepcopy=False)[trial.number]
        for key, value in attributes.items():
            self._study._storage.set_trial_user_attr(
                stored._trial_id, key, value
            )  # a running trial of an earlier process has no public way in
        if outcome.value is None:
            self._study.tell(trial.number, state=TrialState.FAIL)
        else:
            self._study.tell(trial.number, outcome.value)
        return finished


def _trial(frozen: FrozenTrial) -> Trial:
    attributes = frozen.user_attrs
    trial = Trial(frozen.number, decode_proposal(attributes["proposal"]), started_at=attributes["started_at"])
    if not frozen.state.is_finished():
        return trial
    outcome, analysis = decode_outcome(attributes["outcome"]), decode_analysis(attributes["analysis"])
    return replace(trial, outcome=outcome, analysis=analysis, finished_at=attributes["finished_at"])


def _load(folder: Path) -> optuna.Study | None:
    """Return the study in ``folder``, or None where there is none, or one whose driver was killed before it had begun."""
    if not (folder / _JOURNAL).is_file():
        return None
    with _journal_lock(folder):
        _cut_torn_line(folder / _JOURNAL)
    try:
        study = optuna.load_study(study_name=None, storage=_storage(folder))
    except KeyError:
        return None
    return study if _META in study.user_attrs else None


def _storage(folder: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(folder / _JOURNAL), lock_obj=_FileLock(folder)))


class _FileLock:
    """A lock that dies with its holder; Optuna's own stays for 30 seconds after a kill."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{_JOURNAL}.lock"
        self._file: int | None = None

    def acquire(self) -> bool:
        self._file = os.open(self._path, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextmanager
def _journal_lock(folder: Path) -> Iterator[None]:
    lock = _FileLock(folder)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _cut_torn_line(journal: Path) -> None:
    """Cut a last line that a crash left unfinished: the next write would be glued to it and ruin the file."""
    with journal.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        end = size
        while end and not _ends_line(file, end):
            end -= 1
        if end != size:
            file.truncate(end)


def _ends_line(file: Any, position: int) -> bool:
    file.seek(position - 1)
    return bool(file.read(1) == b"\n")


def _take(folder: Path) -> int:
    """Lock the study for this process; the lock dies with it."""
    file = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(file, 20).decode().strip()
        os.close(file)
        raise StudyError(f"another process ({holder}) is at work in the study {folder}; wait for it or stop it") from None
    os.ftruncate(file, 0)
    os.write(file, f"pid {os.getpid()}".encode())
    return file
