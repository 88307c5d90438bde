"""Whether a process is still there, and the same one: numbers of processes are used again."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["born", "is_there"]


def is_there(pid: int, since: str) -> bool:
    """Return whether the process is there that began ``since`` (what ``born`` said), and more than
    what is left of it until its parent looks.
    """
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return pid > 0 and since == born(pid)


def born(pid: int) -> str:
    """Return when a process began, empty where the system does not tell; ``Z`` for one that has
    ended.
    """
    try:
        facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    return "Z" if facts[0] == "Z" else facts[19]
