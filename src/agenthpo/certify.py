"""Certify a study's winner: its best configurations and the default on fresh seeds."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from agenthpo.certificate import Certificate
from agenthpo.experience.log import ExperienceLog
from agenthpo.rounds import OnRound, run_rounds
from agenthpo.session import writing
from agenthpo.studies import meta_of, refuse_foreign, task_of
from agenthpo.task import Task
from agenthpo.training.pools import open_pool

__all__ = ["certify"]


def certify(
    folder: Path,
    *,
    task: Task | None = None,
    runs: int = 40,
    most: int | None = None,
    workers: int | None = None,
    trusted: bool = False,
    on_round: OnRound = lambda number, values, certificate: None,
) -> Certificate:
    """Run the best configurations of the study in ``folder`` and its default on fresh seeds until
    it is sure which is better, or ``runs`` trainings are spent. What was run before counts.

    :param task: the task where the study does not know its file.
    :param most: how many configurations are compared with the default; without it up to three, as
        many as leave eight rounds.
    :param workers: how many trainings run at once; as many as in the study without it.
    :raises StudyError: where another process is at work in it, there is no default, nothing better
        than it, or the study was not made here and is not ``trusted``.
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
        return run_rounds(task, log, pool, runs=runs, most=most, seed=meta.seed, on_round=on_round)
