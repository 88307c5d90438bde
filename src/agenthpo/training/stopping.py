"""A trial that somebody asks to stop while it trains: a file in its folder says so, wherever the
training runs.
"""

from __future__ import annotations

import json
from pathlib import Path

from agenthpo.files import read_regular, write_whole
from agenthpo.text.cleaning import clean_line

__all__ = ["STOP_FILE", "ask_to_stop", "asked_to_stop"]

STOP_FILE = "stop.json"
_MOST = 300


def ask_to_stop(workdir: Path, *, by: str, why: str) -> None:
    """Ask the runner of the trial in ``workdir``, which has begun, to end its training.

    :raises OSError: if that cannot be written.
    """
    write_whole(workdir / STOP_FILE, json.dumps({"by": by, "why": why}).encode())


def asked_to_stop(workdir: Path) -> str:
    """Return who asked for a stop and why, in a line; empty while nobody has."""
    file = workdir / STOP_FILE
    if not file.exists():
        return ""
    try:
        raw = json.loads(read_regular(file))
        by, why = str(raw["by"]), str(raw["why"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""  # a file of the script's own
    return clean_line(f"stopped by {by}" + f": {why}" * bool(why))[:_MOST]
