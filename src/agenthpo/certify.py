"""Certify a study's winner: its best configurations and the default on fresh seeds."""

from __future__ import annotations

from pathlib import Path

from agenthpo.certificate import Certificate
from agenthpo.operations.again import again
from agenthpo.rounds import OnRound, run_rounds
from agenthpo.task import Task

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
    with again(folder, task=task, workers=workers, trusted=trusted) as at:
        return run_rounds(
            at.task, at.log, at.pool, runs=runs, most=most, seed=at.seed, on_round=on_round
        )
