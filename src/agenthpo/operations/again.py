"""A study that has ended, opened to run configurations of it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agenthpo.experience.log import ExperienceLog
from agenthpo.session import writing
from agenthpo.studies import meta_of, refuse_foreign, task_of
from agenthpo.task import Task
from agenthpo.training.pool import Pool
from agenthpo.training.pools import open_pool

__all__ = ["Again", "again"]


@dataclass(frozen=True)
class Again:
    """What a configuration is run again with."""

    task: Task
    log: ExperienceLog
    pool: Pool
    seed: int
    """The study's."""


@contextmanager
def again(
    folder: Path, *, task: Task | None = None, workers: int | None = None, trusted: bool = False
) -> Iterator[Again]:
    """Open the study in ``folder``, in which no other process may be at work.

    :param task: the task where the study does not know its file.
    :param workers: how many trainings run at once; as many as in the study without it.
    :raises StudyError: where another process is at work in it, or the study was not made here and
        is not ``trusted``.
    """
    meta = meta_of(folder)
    if not trusted:
        refuse_foreign(
            folder, meta, has_task=task is not None, has_model=True, proposer=meta.proposer
        )
    task = task or task_of(folder, meta)
    with (
        writing(folder),
        ExperienceLog.open(folder, space=task.space) as log,
        closing(open_pool(task.train, meta.pool, workers or meta.workers, folder)) as pool,
    ):
        yield Again(task, log, pool, meta.seed)
