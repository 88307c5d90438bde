"""Find a study, what it was begun with, and its task; and say what a study that was not made here
would do.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from agenthpo.errors import StudyError
from agenthpo.experience.finding import STUDIES, no_study, read_meta, study_folder
from agenthpo.experience.meta import StudyMeta
from agenthpo.experience.origin import is_made_here
from agenthpo.experience.requests import read_requests
from agenthpo.ranges import with_ranges
from agenthpo.search.stateful_samplers import is_stateful
from agenthpo.task import Task
from agenthpo.taskfile.reading import load_task
from agenthpo.text.urls import shown_url

__all__ = [
    "find_study",
    "foreign_study",
    "foreign_words",
    "is_study",
    "meta_of",
    "refuse_foreign",
    "study_folder",
    "task_of",
]


def meta_of(folder: Path) -> StudyMeta:
    """Return what the study in ``folder`` was begun with.

    :raises StudyError: if there is no study in it.
    """
    meta = read_meta(folder)
    if meta is None:
        raise no_study(folder)
    return meta


def find_study(text: str) -> Path:
    """Return the folder of the study that ``text`` means: its folder, its name, or the folder of a
    task with one study.

    :raises StudyError: if there is none, or more than one.
    """
    path = Path(text)
    for folder in (path, study_folder(text, beside=Path())):
        if read_meta(folder) is not None:
            return folder
    studies = sorted(f for f in (path / STUDIES).glob("*") if is_study(f))
    if len(studies) == 1:
        return studies[0]
    if studies:
        raise StudyError(
            f"{path} has the studies {', '.join(f.name for f in studies)}; name one of "
            f"them: {studies[0]}"
        )
    known = sorted(f.name for f in Path(STUDIES).glob("*") if is_study(f))
    hint = (
        f"there are {', '.join(known)}"
        if known
        else f"give its folder, such as {STUDIES}/NAME beside the task file"
    )
    raise StudyError(f"there is no study '{text}'; {hint}")


def is_study(folder: Path) -> bool:
    """Return whether there is a study in ``folder``, be it one that cannot be read."""
    try:
        return read_meta(folder) is not None
    except StudyError:
        return True


def task_of(folder: Path, meta: StudyMeta) -> Task:
    """Return the task that the study in ``folder`` was begun with, from its file as it is now,
    and the ranges that people have widened.

    :raises StudyError: if it was begun from Python.
    """
    if meta.task_file is None:
        raise StudyError(
            f"the study {folder} was begun from Python; resume it by agenthpo.tune(…, "
            f"study={folder.resolve().name!r}, resume=True)"
        )
    file = Path(meta.task_file)
    # where the whole project was moved or copied
    moved = folder.resolve().parent.parent / file.name
    task = load_task(moved if moved.is_file() else file)
    return with_ranges(task, read_requests(folder).ranges)


def foreign_words(
    folder: Path, meta: StudyMeta, *, has_task: bool, has_model: bool, proposer: str | None
) -> str:
    """Return what resuming a study that was not made here would run by that study's word; empty
    where nothing.
    """
    if is_made_here(meta.id, meta.seal):
        return ""
    named = list[str]()
    base_url = meta.base_url
    if not has_task and meta.task_file:
        task = task_of(folder, meta)
        named.append(f"runs the command {shlex.join(task.train.command)!r} of {task.file}")
    if proposer is None and is_stateful(meta.proposer) and ":" in meta.proposer:
        named.append(f"imports the proposer '{meta.proposer}'")
    if meta.pool.address:
        named.append(f"sends trainings to the Ray cluster {shown_url(meta.pool.address)}")
    if not has_model and base_url:
        named.append(f"sends prompts to {shown_url(base_url)}")
    return " and ".join(named)


def refuse_foreign(
    folder: Path, meta: StudyMeta, *, has_task: bool, has_model: bool, proposer: str | None
) -> None:
    """Raise ``StudyError`` where a study that was not made here would have its own task, model or
    proposer run; see ``foreign_words``.
    """
    if named := foreign_words(
        folder, meta, has_task=has_task, has_model=has_model, proposer=proposer
    ):
        raise foreign_study(folder, named)


def foreign_study(folder: Path, named: str) -> StudyError:
    """Return the error for a study that was not made here and that nobody trusts; ``named`` is what
    it would do.
    """
    return StudyError(
        f"the study {folder} was not made here, and {named}; look at that, and say --trust "
        "if you mean it"
    )
