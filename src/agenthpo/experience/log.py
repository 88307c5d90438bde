"""The experience log L as an Optuna study, in a journal file or any of Optuna's storages.

A trial is written before it runs, its outcome as soon as it has ended, and it is told to Optuna
when it is analysed. What a crash leaves running is in ``ExperienceLog.trials`` without an outcome,
and is run again under its own number, so that the budget stays exact by construction.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from agenthpo.budget import Spent
from agenthpo.codec import decode_analysis, decode_outcome, decode_proposal, encode
from agenthpo.errors import StudyError, first_line
from agenthpo.experience.journal import DAMAGED, META
from agenthpo.experience.meta import StudyMeta, decode_meta, encode_meta
from agenthpo.experience.progress import PROGRESS
from agenthpo.experience.requests import REQUESTS
from agenthpo.experience.storage import (
    DRIVER_LOCK,
    JOURNAL,
    TRIALS,
    Place,
    exists,
    forget_place,
    has_trials,
    note_place,
    noted_place,
    open_to_read,
    open_to_write,
    take_lock,
)
from agenthpo.optuna_space import stored_distribution
from agenthpo.records import Analysis, Direction, Outcome, Params, Proposal, Trial
from agenthpo.space import Space
from agenthpo.text.pasting import quoted
from agenthpo.text.urls import shown_url
from agenthpo.trials import incumbent

__all__ = [
    "STUDIES",
    "ExperienceLog",
    "check_storable",
    "no_study",
    "read_meta",
    "refuse_existing",
    "storage_words",
    "study_folder",
    "study_signs",
]

STUDIES = ".agenthpo"
_EARLIER = "earlier-"
_META_AGAIN = f"{META}_again"
_MOST_CHANGES = 20
_OUTCOME = "outcome"
optuna.logging.set_verbosity(optuna.logging.WARNING)


def study_folder(name: str, *, beside: Path) -> Path:
    """Return where the study ``name`` of a task in folder ``beside`` lives."""
    return beside / STUDIES / name


def check_storable(space: Space, params: Params) -> None:
    """Raise what the storage would raise at a trial of ``params``."""
    create_trial(
        state=TrialState.RUNNING,
        params=params,
        distributions={name: stored_distribution(space[name]) for name in params},
    )


def read_meta(folder: Path) -> StudyMeta | None:
    """Return what ``ExperienceLog.create`` was told about the study in ``folder``; None where
    there is no study.
    """
    found = _read(folder)
    return None if found is None else _meta_of(found[0])


def study_signs(folder: Path) -> tuple[tuple[int, int], ...]:
    """Return what is another one as soon as something was added to the study in ``folder``, at the
    cost of a look at its files; a database elsewhere shows nothing of it.
    """
    signs = []
    for name in (JOURNAL, REQUESTS, PROGRESS):
        try:
            status = os.stat(folder / name)
        except OSError:
            signs.append((0, 0))
        else:
            signs.append((status.st_size, status.st_mtime_ns))
    return tuple(signs)


def refuse_existing(folder: Path) -> None:
    """Raise ``StudyError`` if there is a study in ``folder``."""
    if _read(folder) is not None:
        raise StudyError(
            f"the study {folder} exists; resume it by {quoted('resume', folder)}, or name "
            "another one by --study"
        )


def no_study(folder: Path) -> StudyError:
    """Return the error for a ``folder`` without a study."""
    return StudyError(f"there is no study in {folder}; begin one with 'agenthpo run TASK.yaml'")


class ExperienceLog:
    """The trials of one study. Use ``create`` or ``open``, and close it (or use it as a
    context).
    """

    def __init__(
        self,
        folder: Path,
        study: optuna.Study,
        *,
        space: Space | None,
        lock: int | None,
        damage: str = "",
    ) -> None:
        self.folder = folder
        self.damage = damage
        """What of the study cannot be read, in a sentence; empty where all can."""
        self.set_aside: Path | None = None
        """Where the trials were put that a new study found in its folder: they are of another one.
        """
        self._study, self._space, self._lock = study, space, lock
        self._meta: StudyMeta | None = None
        # Read once: nobody else writes while the lock is ours, and reading at each look would cost
        # the square of the trials.
        frozen_trials = _frozen_trials(study, folder)
        self._trials = [_trial(frozen) for frozen in frozen_trials]
        self._left = [frozen.number for frozen in frozen_trials if _is_left(frozen)]
        self._fitting: dict[int, bool] = {}

    @classmethod
    def create(
        cls, folder: Path, *, space: Space, meta: StudyMeta, storage: str | None = None
    ) -> ExperienceLog:
        """Begin a study in ``folder``, its trials in the Optuna storage at the URL ``storage``;
        ``meta`` is kept with it.

        :raises StudyError: if there is one already, the folder cannot be written, or another
            process is at work in it.
        """
        refuse_existing(folder)
        try:
            # what a training prints is nobody else's to read
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = take_lock(folder)
            try:
                # again: another process may have begun and ended one before the lock was ours
                refuse_existing(folder)
                left = _set_aside(folder)
                study = _begun(folder, storage, direction=meta.direction, identity=meta.id)
            except BaseException:
                os.close(lock)
                raise
        except OSError as problem:
            raise StudyError(
                f"the study {folder} cannot be written ({problem.strerror}); make its "
                "folder writable"
            ) from None
        log = cls(folder, study, space=space, lock=lock)
        log.keep_meta(meta)
        log.set_aside = left
        return log

    @classmethod
    def open(cls, folder: Path, *, space: Space | None, read_only: bool = False) -> ExperienceLog:
        """Open the study in ``folder``; unless ``read_only``, no other process may be at work in it
        and ``space`` is needed.

        :raises StudyError: if there is none, or another process is at work in it.
        """
        found = _read(folder)
        if found is None:
            raise no_study(folder)
        if read_only:
            return cls(folder, found[0], space=space, lock=None, damage=found[1])
        if found[1]:
            raise StudyError(found[1])
        lock = take_lock(folder)
        try:
            _check_not_shared(folder, _meta_of(found[0]))
            log = cls(folder, _to_write(folder), space=space, lock=lock)
            here = str(folder.resolve())
            if log.meta.folder not in ("", here):  # it was moved
                log.keep_meta(replace(log.meta, folder=here))
            log._settle_left()
            return log
        except BaseException:
            os.close(lock)
            raise

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
    def meta(self) -> StudyMeta:
        """What is kept with the study; read once, as the trials are."""
        if self._meta is None:
            self._meta = _meta_of(self._study)
        return self._meta

    @property
    def identity(self) -> str:
        """What tells this study from every other one; empty for one of an earlier version."""
        return self.meta.id

    def keep_meta(self, meta: StudyMeta) -> None:
        """Keep ``meta`` with the study, instead of what was kept before; twice, so that one
        damaged line loses nothing.
        """
        said = encode_meta(meta)
        self._study.set_user_attr(META, said)
        self._study.set_user_attr(_META_AGAIN, said)
        self._meta = meta

    @property
    def direction(self) -> Direction:
        """Which way the objective is optimised."""
        return (
            "minimize"
            if self._study.direction == optuna.study.StudyDirection.MINIMIZE
            else "maximize"
        )

    def workdir(self, number: int) -> Path:
        """Return the folder of trial ``number``, absolute: the training runs in another one."""
        return self.folder.absolute() / TRIALS / f"{number:04d}"

    def trials(self) -> list[Trial]:
        """Return every trial in the order of their numbers, unfinished ones included."""
        return list(self._trials)

    def fitting_trials(self) -> list[Trial]:
        """Return the trials that are points of the space as it is now: all, unless it was changed
        since the study began.
        """
        return [t for t in self._trials if self._fits(t)]

    def _fits(self, trial: Trial) -> bool:
        assert self._space is not None, "opened to be read only"
        if trial.number not in self._fitting:
            self._fitting[trial.number] = not self._space.violations(trial.proposal.params)
        return self._fitting[trial.number]

    def incumbent(self) -> Trial | None:
        """Return the best trial so far, of those that fit where the log was opened with a space."""
        return incumbent(
            self._trials if self._space is None else self.fitting_trials(), self.direction
        )

    def spent(self) -> Spent:
        """Return what the finished trials took."""
        return Spent.of(self._trials, self.direction)

    def start(self, proposal: Proposal) -> Trial:
        """Record a trial before it runs.

        :raises InvalidParams: if the proposal lies outside the space; nothing is recorded then.
        """
        assert self._space is not None, "opened to be read only"
        space = self._space
        space.check(proposal.params)
        now = time.time()
        attributes = {
            "proposal": encode(proposal),
            "source": proposal.source,
            "started_at": now,
            "number": len(self._trials),
        }
        self._add(proposal.params, attributes)
        self._trials.append(Trial(len(self._trials), proposal, started_at=now))
        return self._trials[-1]

    def _add(self, params: dict[str, Any], attributes: dict[str, Any]) -> None:
        """Add a running trial. Databases refuse a name with another kind of distribution than
        before: after a change it gets another.
        """
        assert self._space is not None
        distributions = {name: stored_distribution(self._space[name]) for name in params}
        for turn in range(_MOST_CHANGES):
            names = {name: f"{name} (changed {turn})" if turn else name for name in params}
            try:
                self._study.add_trial(
                    create_trial(
                        state=TrialState.RUNNING,
                        params={names[name]: value for name, value in params.items()},
                        distributions={
                            names[name]: distribution
                            for name, distribution in distributions.items()
                        },
                        user_attrs=attributes,
                    )
                )
                return
            except ValueError:
                if turn == _MOST_CHANGES - 1:
                    raise

    def finish(self, trial: Trial, outcome: Outcome, analysis: Analysis) -> Trial:
        """Record what came out of ``trial`` and what it means."""
        self.record(trial, outcome, analysis)
        return self.settle(trial.number)

    def record(self, trial: Trial, outcome: Outcome, analysis: Analysis) -> Trial:
        """Record what came out of ``trial``, which from then on has ended, and what the rules say
        of it; ``settle`` closes it, with other words where a model finds some.
        """
        finished = replace(trial, outcome=outcome, analysis=analysis, finished_at=time.time())
        self._note(
            trial.number,
            {
                **_analysis_attributes(analysis),
                "finished_at": finished.finished_at,
                # last: a trial that has it has the others
                _OUTCOME: encode(outcome),
            },
        )
        self._trials[trial.number] = finished
        return finished

    def settle(self, number: int, analysis: Analysis | None = None) -> Trial:
        """Close trial ``number``, whose outcome is recorded, with ``analysis`` where it has become
        another one.
        """
        trial = self._trials[number]
        assert trial.outcome is not None, "its outcome is not recorded"
        if analysis is not None and analysis != trial.analysis:
            self._note(number, _analysis_attributes(analysis))
            trial = replace(trial, analysis=analysis)
            self._trials[number] = trial
        if trial.value is None:
            assert trial.outcome is not None
            was_pruned = trial.outcome.status == "pruned"
            self._study.tell(number, state=TrialState.PRUNED if was_pruned else TrialState.FAIL)
        else:
            self._study.tell(number, trial.value)
        return trial

    def _note(self, number: int, attributes: dict[str, Any]) -> None:
        storage = self._study._storage  # a running trial of an earlier process has no public way in
        stored = storage.get_trial_id_from_study_id_trial_number(self._study._study_id, number)
        for key, value in attributes.items():
            storage.set_trial_user_attr(stored, key, value)

    def _settle_left(self) -> None:
        """Close the trials that ended when their process was killed before it had closed them."""
        while self._left:
            self.settle(self._left.pop())


def _analysis_attributes(analysis: Analysis) -> dict[str, Any]:
    return {"analysis": encode(analysis), "diagnosis": analysis.diagnosis}


def _begun(
    folder: Path, storage: str | None, *, direction: Direction, identity: str
) -> optuna.Study:
    """Return a new Optuna study for ``folder``; what a driver left that was killed before its study
    had begun is replaced.
    """
    if os.path.lexists(folder / JOURNAL):
        if has_trials(folder):
            raise StudyError(
                f"{folder / JOURNAL} holds a study of another program; name another study "
                "by --study, or move that file"
            )
        (folder / JOURNAL).unlink()
    forget_place(folder)
    if storage is not None:
        note_place(folder, Place(storage, folder.name, identity))
    try:
        opened = open_to_write(folder)
    except StudyError:
        forget_place(folder)
        raise
    try:
        return optuna.create_study(storage=opened, study_name=folder.name, direction=direction)
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(storage=opened, study_name=folder.name)
        if study.trials or META in study.user_attrs:
            forget_place(folder)
            raise StudyError(
                f"the storage {shown_url(storage or '')} has a study '{folder.name}' "
                "already; name another one by --study"
            ) from None
        optuna.delete_study(storage=opened, study_name=folder.name)
        return optuna.create_study(storage=opened, study_name=folder.name, direction=direction)


def _set_aside(folder: Path) -> Path | None:
    """Put what an earlier study left in ``folder`` out of the way of a new one, and return where it
    is now; None where there is nothing.
    """
    if not (folder / TRIALS).is_dir() or not any((folder / TRIALS).iterdir()):
        return None
    found = [
        path
        for path in folder.iterdir()
        if path.name != DRIVER_LOCK and not path.name.startswith(_EARLIER)
    ]
    number = next(n for n in itertools.count(1) if not (folder / f"{_EARLIER}{n}").exists())
    aside = folder / f"{_EARLIER}{number}"
    aside.mkdir()
    for path in found:
        path.rename(aside / path.name)
    return aside


def _frozen_trials(study: optuna.Study, folder: Path) -> list[FrozenTrial]:
    try:
        return study.get_trials(deepcopy=False)
    except Exception as problem:  # what a damaged database makes Optuna or its driver raise
        raise StudyError(
            f"the storage of the study {folder} cannot be read "
            f"({first_line(problem)[:200]}); fix or restore it"
        ) from None


def _is_left(frozen: FrozenTrial) -> bool:
    """Return whether the trial has ended and its process was killed before it had closed it."""
    return frozen.state == TrialState.RUNNING and _OUTCOME in frozen.user_attrs


def _trial(frozen: FrozenTrial) -> Trial:
    attributes = frozen.user_attrs
    if DAMAGED in attributes:
        return _damaged(frozen.number, f"its line {attributes[DAMAGED]} of the journal is damaged")
    if "proposal" not in attributes:
        return _foreign(frozen)
    try:
        trial = Trial(
            frozen.number,
            decode_proposal(attributes["proposal"]),
            started_at=float(attributes["started_at"]),
        )
        if not frozen.state.is_finished() and not _is_left(frozen):
            return trial
        outcome = decode_outcome(attributes[_OUTCOME])
        analysis = decode_analysis(attributes["analysis"])
        return replace(
            trial, outcome=outcome, analysis=analysis, finished_at=float(attributes["finished_at"])
        )
    except (KeyError, TypeError, ValueError) as problem:
        return _damaged(frozen.number, f"its record cannot be read ({type(problem).__name__})")


def _damaged(number: int, error: str) -> Trial:
    """Return what stands for a trial whose record cannot be read."""
    outcome = Outcome("failed", error=error)
    return Trial(
        number=number,
        proposal=Proposal({}, "engine", note=error),
        outcome=outcome,
        analysis=Analysis("crashed", (error,), f"It is lost: {error}."),
    )


def _foreign(frozen: FrozenTrial) -> Trial:
    """Return a trial that another program put into the study: its value counts, and what it left
    unfinished is not run.
    """
    proposal = Proposal(
        dict(frozen.params), "engine", rationale="Another program put it into the study."
    )
    value = frozen.value if frozen.state == TrialState.COMPLETE else None
    error = "" if value is not None else f"another program left it {frozen.state.name.lower()}"
    outcome = Outcome("failed" if value is None else "complete", value, error=error)
    return Trial(
        number=frozen.number,
        proposal=proposal,
        outcome=outcome,
        analysis=Analysis("crashed" if value is None else "completed", insight=error),
    )


def _read(folder: Path) -> tuple[optuna.Study, str] | None:
    """Return the study in ``folder`` and what of it cannot be read; None where there is none, or
    one that was killed before it had begun.

    :raises StudyError: if there is something that cannot be read at all.
    """
    if not exists(folder):
        return None
    storage, damage = open_to_read(folder)
    study = _study_in(storage, folder) if storage is not None else None
    if study is None and damage:
        raise StudyError(damage)
    return None if study is None else (study, damage)


def _to_write(folder: Path) -> optuna.Study:
    study = _study_in(open_to_write(folder), folder)
    if study is None:
        raise no_study(folder)
    return study


def _check_not_shared(folder: Path, meta: StudyMeta) -> None:
    """Refuse a folder that is a copy of another one whose database it shares: what it adds would be
    the other's.
    """
    other = Path(meta.folder or folder)
    place = noted_place(folder)
    if place is None or other.resolve() == folder.resolve():
        return
    try:
        is_shared = noted_place(other) == place
    except StudyError:
        is_shared = False
    if is_shared:
        raise StudyError(
            f"{folder} is a copy of {other}, and both have their trials in "
            f"{shown_url(place.url)}; resume {other}, "
            "or begin a new study by --study NAME"
        )


def _study_in(storage: optuna.storages.BaseStorage, folder: Path) -> optuna.Study | None:
    place = noted_place(folder)
    try:
        study = optuna.load_study(
            study_name=None if place is None else place.study, storage=storage
        )
        known = META in study.user_attrs or _META_AGAIN in study.user_attrs
    except (KeyError, ValueError):  # by name, and where the journal holds no study at all
        return None
    except (
        Exception
    ) as problem:  # a database of another program, a file that is none: whatever its driver raises
        raise StudyError(
            f"the storage of the study {folder} cannot be read "
            f"({first_line(problem)[:200]}); fix or restore it"
        ) from None
    if known and place is not None and place.id and (other := _meta_of(study).id) != place.id:
        raise StudyError(
            f"the storage {shown_url(place.url)} holds another study '{place.study}' "
            f"(identity {str(other)[:8]}, not {place.id[:8]}); "
            f"put back the one of {folder}"
        )
    return study if known else None


def storage_words(problem: Exception) -> str:
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


def _meta_of(study: optuna.Study) -> StudyMeta:
    attributes = study.user_attrs
    said = attributes.get(META, attributes.get(_META_AGAIN))
    if not isinstance(said, dict):
        raise StudyError(
            f"the study '{study.study_name}' does not say what it was begun with; restore "
            "its storage"
        )
    try:
        return decode_meta(said)
    except ValueError as problem:
        raise StudyError(
            f"the study '{study.study_name}' does not say what it was begun with: "
            f"{problem}; restore its storage"
        ) from None
