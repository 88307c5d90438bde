"""What is known of a task before anything has run: from earlier studies, and of its family of
models.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from agenthpo.command.programs import named_sources
from agenthpo.errors import StudyError, TaskError
from agenthpo.exchange import Hint
from agenthpo.experience.earlier import read_earlier
from agenthpo.experience.finding import STUDIES, read_meta
from agenthpo.experience.log import ExperienceLog
from agenthpo.knowledge.earlier import Earlier, hints_from
from agenthpo.knowledge.families import imported
from agenthpo.knowledge.hints import hints_for
from agenthpo.llm.names import NONE, parse_model
from agenthpo.parts import KNOWLEDGE, checked_parts
from agenthpo.search.hybrid import HYBRID, INFORMED
from agenthpo.studies import find_study, is_study, meta_of, study_folder
from agenthpo.task import Task
from agenthpo.text.urls import shown_url

__all__ = ["hints_of"]


def hints_of(
    task: Task,
    *,
    earlier: Sequence[str] = (),
    without: Collection[str] = (),
    model: str = NONE,
    proposer: str = HYBRID,
) -> tuple[Hint, ...]:
    """Return what is known before anything has run, the best first: of ``earlier`` studies, then of
    the task's family of models.

    A study that is replayed goes the way it went, and so begins with what it knew.

    :param earlier: studies' names or folders, CSV files, files or URLs of Optuna storages.
    :param without: parts that are switched off, of which ``knowledge`` is the one that counts here.
    :param model: the name of the model, which may be a study to replay.
    :param proposer: who proposes; only hybrid and engine begin with what is known.
    :raises TaskError: for a part that is not known, and for earlier studies that nobody would use.
    :raises StudyError: for an earlier study that cannot be read, or of which nothing fits.
    """
    without = checked_parts(without)
    named = parse_model(model)
    if named.kind == "replay":
        return meta_of(find_study(named.own)).hints
    if proposer not in INFORMED:
        if earlier:
            raise TaskError(
                f"the proposer '{proposer}' makes no use of earlier studies; leave out "
                f"--from {shown_url(earlier[0])}, or take --proposer {HYBRID}"
            )
        return ()
    own = [hint for text in earlier for hint in _own_experience(task, text)]
    if KNOWLEDGE in without:
        return tuple(own)
    said = " ".join([*vars(task.background).values(), task.name, task.objective.metric])
    return (*own, *hints_for(task.space, said, imports=_imports(task)))


def _own_experience(task: Task, text: str) -> tuple[Hint, ...]:
    studies = [_read_study(folder) for folder in _folders(text)]
    studies = studies or read_earlier(text, metric=task.objective.metric)
    found = hints_from(task.space, studies, task.objective.direction)
    if not found:
        count = sum(len(study.results) for study in studies)
        raise StudyError(
            f"--from {shown_url(text)}: none of its {count} results fits this task, since fewer "
            "than half of the parameters have a name and a value in common; leave it out"
        )
    return found


def _folders(text: str) -> list[Path]:
    """Return the folders of the studies of ours that ``text`` means: one, or all in a folder."""
    if "://" in text:
        return []
    path = Path(text)
    with suppress(OSError, ValueError):  # what is no name of a file at all
        for folder in (path, study_folder(text, beside=Path())):
            if read_meta(folder) is not None:
                return [folder]
        if path.is_dir():
            return sorted(f for f in [*path.glob("*"), *path.glob(f"{STUDIES}/*")] if is_study(f))
    return []


def _read_study(folder: Path) -> Earlier:
    with ExperienceLog.open(folder, space=None, read_only=True) as log:
        results = [(t.proposal.params, t.value) for t in log.trials() if t.value is not None]
        return Earlier(folder.name, tuple(results), log.direction)


def _imports(task: Task) -> set[str]:
    if task.train.function is not None:
        module = sys.modules.get(getattr(task.train.function, "__module__", ""))
        with suppress(OSError, TypeError):
            return imported(inspect.getsource(module)) if module else set()
        return set()
    found = set[str]()
    for file in named_sources(task.train.command, Path(task.train.cwd or ".")):
        with suppress(OSError):
            found |= imported(file.read_text("utf-8", "replace"))
    return found
