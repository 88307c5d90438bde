"""Results as JSON objects, one a line, in files that only grow."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agenthpo.surroundings import versions_of

__all__ = ["about", "append", "stored"]


def stored(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects in ``path``, none where there is no such file; the last line of a run that
    was killed is left out.
    """
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            yield json.loads(text)
        except ValueError:
            continue


def append(path: Path, *objects: Mapping[str, Any]) -> None:
    """Write ``objects`` at the end of ``path``, on lines of their own even where the last one was
    torn.
    """
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":
                file.write(b"\n")
        file.write("".join(json.dumps(one) + "\n" for one in objects).encode())


def about(packages: Iterable[str]) -> dict[str, Any]:
    """Return what results were made by: the versions of those ``packages`` that are installed,
    Python's, and the machine.
    """
    return {
        "versions": versions_of(packages),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
