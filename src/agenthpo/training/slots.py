"""What each of several trials at once gets of one machine: its share of the processors, and its
GPUs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agenthpo.errors import TaskError
from agenthpo.records import RunSpec

__all__ = ["Slot", "gpu_words", "gpus_here", "placed", "slots_of"]

_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""How libraries are told how many threads to use; each takes all processors otherwise."""
_VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Slot:
    """One of the places in which a trial runs."""

    number: int
    """Counted from 0."""
    cpus: tuple[int, ...] = ()
    """The processors it is held to; empty for all."""
    threads: int | None = None
    """How many threads libraries are told to use."""
    gpus: tuple[str, ...] | None = None
    """The GPUs it sees; None where nobody has asked for any."""

    def __str__(self) -> str:
        return f"slot {self.number}{gpu_words(','.join(self.gpus or ()))}"


def gpu_words(visible: str) -> str:
    """Return the GPUs of a list as ``CUDA_VISIBLE_DEVICES`` has it, in words that end the place
    of a trial: nothing where there are none.
    """
    names = [name.strip() for name in visible.split(",") if name.strip()]
    return f", GPU{'s' * (len(names) > 1)} {', '.join(names)}" if names else ""


def slots_of(
    workers: int,
    *,
    cpus: Sequence[int] | None = None,
    cpus_each: int | None = None,
    gpus_each: float = 0.0,
    gpus: Sequence[str] | None = None,
) -> tuple[Slot, ...]:
    """Return ``workers`` slots that share the processors evenly, and the GPUs where a trial needs
    some.

    :param cpus: the processors; those that this process may use without it.
    :param cpus_each: how many a trial gets; an even share without it.
    :param gpus_each: how many GPUs a trial needs; below 1 several share one.
    :param gpus: the GPUs' names; those that are found here without it.
    :raises TaskError: where there are fewer processors or GPUs than so many trials need.
    """
    found = list(_cpus_here() if cpus is None else cpus)
    each = cpus_each or len(found) // workers
    if cpus_each and found and workers * cpus_each > len(found):
        fits = len(found) // cpus_each
        fix = f"take --workers {fits}, or fewer each" if fits else "take fewer"
        raise TaskError(
            f"{workers} trial{'s' * (workers > 1)} at once with resources.cpus: {cpus_each} need "
            f"more processors than the {len(found)} here; {fix}"
        )
    devices = list(gpus_here() if gpus is None else gpus) if gpus_each else []
    fits = int(len(devices) / gpus_each + 1e-9) if gpus_each else workers
    if fits < workers:
        there = f"{len(devices)} {'is' if len(devices) == 1 else 'are'} found here"
        fix = f"take --workers {fits}, or name" if fits else "name"
        raise TaskError(
            f"{workers} trial{'s' * (workers > 1)} at once with resources.gpus: {gpus_each:g} need "
            f"more GPUs than there are, of which {there}; {fix} the GPUs by {_VISIBLE}=0,1 …"
        )
    is_held = workers > 1 or cpus_each is not None
    return tuple(
        Slot(
            number,
            tuple(found[number * each : (number + 1) * each]) if is_held else (),
            max(each, 1) if is_held else None,
            _devices(devices, number, gpus_each) if gpus_each else None,
        )
        for number in range(workers)
    )


def _devices(devices: Sequence[str], number: int, each: float) -> tuple[str, ...]:
    if each < 1:
        return (devices[int(number * each + 1e-9)],)
    return tuple(devices[number * int(each) : (number + 1) * int(each)])


def placed(spec: RunSpec, slot: Slot, environment: Mapping[str, str] = os.environ) -> RunSpec:
    """Return ``spec`` with what ``slot`` has; what the task or the user has set stays."""
    env = dict(spec.env)
    env.setdefault("AGENTHPO_SLOT", str(slot.number))
    if slot.threads is not None:
        for name in _THREADS:
            if name not in environment:
                env.setdefault(name, str(slot.threads))
    if slot.gpus is not None:
        env.setdefault(_VISIBLE, ",".join(slot.gpus))
    return replace(spec, env=env, cpus=slot.cpus)


def _cpus_here() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return []  # a system that holds nothing to a processor


def gpus_here(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names of the GPUs that a training may use: what ``CUDA_VISIBLE_DEVICES`` says,
    else what the driver tells, where nvidia-ml-py is installed.
    """
    if _VISIBLE in environment:
        return [name.strip() for name in environment[_VISIBLE].split(",") if name.strip()]
    try:
        import pynvml

        pynvml.nvmlInit()
        count = int(pynvml.nvmlDeviceGetCount())
        pynvml.nvmlShutdown()
    except Exception:  # no package, no driver, no GPU: there is none to give
        return []
    return [str(number) for number in range(count)]
