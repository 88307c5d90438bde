"""Where the trials of a study run, as a user asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from agenthpo.errors import TaskError

__all__ = ["PoolChoice", "PoolName"]

PoolName = Literal["local", "ray", "slurm"]


@dataclass(frozen=True)
class PoolChoice:
    """A pool and what it needs to be opened."""

    name: PoolName = "local"
    address: str | None = None
    """Of a Ray cluster; without it one is begun on this machine."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of Slurm's jobs, such as partition and account."""

    @classmethod
    def of(
        cls, name: str | None, address: str | None, settings: Mapping[str, str] | None = None
    ) -> PoolChoice | None:
        """Return what a command line or a call asks for; None where it says nothing.

        :raises TaskError: for a name that is none, or what belongs to another pool.
        """
        if name is None and address is None and not settings:
            return None
        kind = name or ("ray" if address else "slurm")
        if kind not in get_args(PoolName):
            known = ", ".join(get_args(PoolName))
            raise TaskError(f"the pool is {kind!r}, but must be one of {known}")
        if address is not None and kind != "ray":
            raise TaskError(f"an address is of a Ray cluster, but the pool is {kind}; say ray")
        if settings and kind != "slurm":
            raise TaskError(f"settings of Slurm's jobs do nothing in the pool {kind}; say slurm")
        return cls(kind, address, dict(settings or {}))  # type: ignore[arg-type]
