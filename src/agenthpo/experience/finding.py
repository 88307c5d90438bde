"""Find a study, begin one or join one: what stands in its folder and its Optuna storage before any
trial is read.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import optuna

from agenthpo.errors import StudyError, first_line
from agenthpo.experience.journal import META
from agenthpo.experience.meta import StudyMeta, decode_meta
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
)
from agenthpo.records import Direction
from agenthpo.text.pasting import quoted
from agenthpo.text.urls import shown_url

__all__ = [
    "META_AGAIN",
    "STUDIES",
    "begun",
    "check_not_shared",
    "found_study",
    "join",
    "no_study",
    "read_meta",
    "refuse_existing",
    "set_aside",
    "stored_meta",
    "study_folder",
    "study_signs",
    "to_write",
]

STUDIES = ".agenthpo"
META_AGAIN = f"{META}_again"
"""The attribute that holds what ``META`` does: one damaged line loses nothing."""
_EARLIER = "earlier-"


def study_folder(name: str, *, beside: Path) -> Path:
    """Return where the study ``name`` of a task in folder ``beside`` lives."""
    return beside / STUDIES / name


def read_meta(folder: Path) -> StudyMeta | None:
    """Return what ``ExperienceLog.create`` was told about the study in ``folder``; None where
    there is no study.
    """
    found = found_study(folder)
    return None if found is None else stored_meta(found[0])


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
    if found_study(folder) is not None:
        raise StudyError(
            f"the study {folder} exists; resume it by {quoted('resume', folder)}, or name "
            "another one by --study"
        )


def no_study(folder: Path) -> StudyError:
    """Return the error for a ``folder`` without a study."""
    return StudyError(f"there is no study in {folder}; begin one with 'agenthpo run TASK.yaml'")


def join(folder: Path, url: str) -> None:
    """Make ``folder`` this machine's part of the study of its name that is in the database at
    ``url``.

    :raises StudyError: if there is no such study, or another one is in ``folder``.
    """
    if url.startswith("sqlite"):
        raise StudyError(
            f"{shown_url(url)} is a file, whose drivers share the study's folder; name that folder "
            "without --storage"
        )
    place = noted_place(folder)
    if place is not None and place.url == url:
        return
    if place is not None or exists(folder):
        raise StudyError(f"{folder} holds another study; name a new folder")
    name = folder.resolve().name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    note_place(folder, Place(url, name))
    try:
        found = found_study(folder)
        if found is None:
            raise StudyError(
                f"the storage {shown_url(url)} has no study '{name}'; name the folder as the study "
                "is named, and begin it by 'agenthpo run TASK.yaml --storage URL'"
            )
        note_place(folder, Place(url, name, stored_meta(found[0]).id))
    except BaseException:
        forget_place(folder)
        with suppress(OSError):
            folder.rmdir()
        raise


def found_study(folder: Path) -> tuple[optuna.Study, str] | None:
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


def begun(
    folder: Path, storage: str | None, *, directions: Sequence[Direction], identity: str
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
        return optuna.create_study(
            storage=opened, study_name=folder.name, directions=list(directions)
        )
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(storage=opened, study_name=folder.name)
        if study.trials or META in study.user_attrs:
            forget_place(folder)
            raise StudyError(
                f"the storage {shown_url(storage or '')} has a study '{folder.name}' "
                "already; name another one by --study"
            ) from None
        optuna.delete_study(storage=opened, study_name=folder.name)
        return optuna.create_study(
            storage=opened, study_name=folder.name, directions=list(directions)
        )


def set_aside(folder: Path) -> Path | None:
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


def to_write(folder: Path) -> optuna.Study:
    """Return the study in ``folder`` for its driver.

    :raises StudyError: if there is none, or its storage cannot be written.
    """
    study = _study_in(open_to_write(folder), folder)
    if study is None:
        raise no_study(folder)
    return study


def check_not_shared(folder: Path, meta: StudyMeta) -> None:
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
        known = META in study.user_attrs or META_AGAIN in study.user_attrs
    except (KeyError, ValueError):  # by name, and where the journal holds no study at all
        return None
    except (
        Exception
    ) as problem:  # a database of another program, a file that is none: whatever its driver raises
        raise StudyError(
            f"the storage of the study {folder} cannot be read "
            f"({first_line(problem)[:200]}); fix or restore it"
        ) from None
    if known and place is not None and place.id and (other := stored_meta(study).id) != place.id:
        raise StudyError(
            f"the storage {shown_url(place.url)} holds another study '{place.study}' "
            f"(identity {str(other)[:8]}, not {place.id[:8]}); "
            f"put back the one of {folder}"
        )
    return study if known else None


def stored_meta(study: optuna.Study) -> StudyMeta:
    """Return what is kept with ``study``.

    :raises StudyError: if that cannot be read.
    """
    attributes = study.user_attrs
    said = attributes.get(META, attributes.get(META_AGAIN))
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
