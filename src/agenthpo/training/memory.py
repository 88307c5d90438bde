"""Whether the memory of this machine is enough for one more training."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

__all__ = ["free_mb", "has_room"]

_GROUP = Path("/sys/fs/cgroup")


def has_room(needs_mb: float, running: int) -> bool:
    """Return whether another training fits that needs ``needs_mb`` (10^6 bytes), beside those that
    are ``running`` here, each of which may still grow as large.
    """
    to_come = max(0.0, running * needs_mb - _held_mb())
    return free_mb() - to_come >= needs_mb


def free_mb() -> float:
    """Return what processes may still take of this machine, or of the container's share of it, in
    10^6 bytes.
    """
    free = float(psutil.virtual_memory().available)
    with suppress(OSError, ValueError):  # "max" where there is no limit
        limit = int((_GROUP / "memory.max").read_text())
        held = int((_GROUP / "memory.current").read_text())
        # what it holds of files is given back
        stat = dict(line.split() for line in (_GROUP / "memory.stat").read_text().splitlines())
        free = min(free, limit - held + int(stat.get("inactive_file", 0)))
    return free / 1e6


def _held_mb() -> float:
    """Return what the children of this process hold."""
    held = 0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            held += child.memory_info().rss
    return held / 1e6
