"""A copy of a study whose journal is damaged, with all of it that is whole; the original stays as
it is.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path

from agenthpo.errors import StudyError
from agenthpo.experience.finding import no_study
from agenthpo.experience.journal import read_journal, write_repaired
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.storage import DRIVER_LOCK, JOURNAL, TRIALS, noted_place
from agenthpo.files import make_folder
from agenthpo.text.urls import shown_url

__all__ = ["Repaired", "repair"]

_LARGEST = 10_000_000
"""Bytes of a file beside the trials that is copied; checkpoints are not."""


@dataclass(frozen=True)
class Repaired:
    """What became of a damaged study. ``folder`` is None where nothing was damaged."""

    folder: Path | None = None
    damages: tuple[str, ...] = ()
    lost: tuple[int, ...] = ()
    """The numbers of the trials whose record is lost."""
    unfinished: tuple[int, ...] = ()
    """The numbers of the trials that have no result, and run again at a resume."""


def repair(folder: Path) -> Repaired:
    """Write a repaired copy of the study in ``folder`` beside it.

    :raises StudyError: if there is none, or nothing of it can be read.
    """
    if (place := noted_place(folder)) is not None:
        raise StudyError(
            f"the trials of {folder} are in {shown_url(place.url)}; only a journal is "
            "repaired here, restore the database"
        )
    if not (folder / JOURNAL).is_file():
        raise no_study(folder)
    journal = read_journal(folder / JOURNAL)
    if not journal.damages:
        return Repaired()
    # that there is a study in what is whole
    ExperienceLog.open(folder, space=None, read_only=True).close()
    copy = next(
        c
        for n in itertools.count(1)
        if not (c := folder.resolve().with_name(f"{folder.resolve().name}-repaired-{n}")).exists()
    )
    make_folder(copy)
    write_repaired(journal, copy / JOURNAL)
    _copy_files(folder, copy)
    with ExperienceLog.open(copy, space=None, read_only=True) as log:
        trials = log.trials()
    lost = tuple(t.number for t in trials if not t.proposal.params)
    return Repaired(
        folder=copy,
        damages=tuple(map(str, journal.damages)),
        lost=lost,
        unfinished=tuple(t.number for t in trials if t.outcome is None),
    )


def _copy_files(folder: Path, copy: Path) -> None:
    for file in [*folder.glob("*"), *(folder / TRIALS).glob("*/*")]:
        if (
            file.is_file()
            and not file.is_symlink()
            and file.stat().st_size < _LARGEST
            and file.name not in (JOURNAL, DRIVER_LOCK)
        ):
            target = copy / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
