"""Open the pool that was asked for."""

from __future__ import annotations

from pathlib import Path

from agenthpo.errors import TaskError
from agenthpo.pool_choice import PoolChoice
from agenthpo.task import Train
from agenthpo.training.pool import InlinePool, LocalPool, Pool
from agenthpo.training.slots import slots_of

__all__ = ["open_pool"]

_JOBS = "jobs"


def open_pool(train: Train, choice: PoolChoice, workers: int | None, folder: Path) -> Pool:
    """Return where trainings by ``train`` run.

    :param workers: how many at once; without it one on this machine, and on a Ray cluster as many
        as it has room for.
    :param folder: the study's.
    :raises TaskError: where what they need is not here.
    """
    _check_own_files(train, is_one=choice.name == "local" and workers in (None, 1))
    if choice.name == "local":
        count = workers or 1
        if count == 1 and not train.gpus and not train.cpus:
            return InlinePool()
        return LocalPool(slots_of(count, cpus_each=train.cpus, gpus_each=train.gpus))
    if choice.name == "ray":
        from agenthpo.training.ray_pool import RayPool

        return RayPool(
            workers,
            address=choice.address,
            cpus_each=train.cpus or 1,
            gpus_each=train.gpus,
            memory_mb=train.memory_mb,
            folder=train.cwd,
        )
    from agenthpo.training.slurm_pool import SlurmPool

    if workers is None:
        raise TaskError("say by --workers how many jobs run or wait in Slurm's queue at once")
    if train.function is not None:
        raise TaskError("a Python function cannot be a job of Slurm's; put it into a script")
    settings = dict(choice.settings)
    return SlurmPool(
        workers,
        folder=folder.absolute() / _JOBS,
        cluster=settings.pop("cluster", None),
        cpus_each=train.cpus or 1,
        gpus_each=_whole(train.gpus),
        memory_mb=train.memory_mb,
        timeout_s=train.timeout_s,
        settings=settings,
    )


def _whole(gpus: float) -> int:
    if gpus != int(gpus):
        raise TaskError(f"resources.gpus is {gpus:g}, but a job of Slurm's gets whole ones; say 1")
    return int(gpus)


def _check_own_files(train: Train, *, is_one: bool) -> None:
    """Refuse trials at once that would read each other's files."""
    is_shared = train.metrics_file is not None and "{trial_dir}" not in train.metrics_file
    if is_one or train.run_folder is not None or not (train.finds_metrics or is_shared):
        return
    key = "metrics: auto" if train.finds_metrics else "metrics_file"
    raise TaskError(
        f"trials that run at once in one folder could read each other's files by train.{key}; "
        "set train.folder: copy, or have the script write to {trial_dir}"
    )
