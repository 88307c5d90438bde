"""A folder of the trial's own in which its command runs, so that trials do not overwrite each
other's checkpoints and pictures.

It holds what the task's folder holds, cheaply: small files are copied, large ones and folders of
many files are symbolic links.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from agenthpo.files import is_of_tools, make_folder
from agenthpo.records import RunFolder

__all__ = ["prepare"]

_SMALL = 1_000_000
"""Bytes up to which a file is copied, so that a script that writes into it writes into its own."""
_MANY, _DEEPEST = 200, 6
"""Entries from which on a folder is a link as a whole, and how deep folders are made anew."""


def prepare(run_folder: RunFolder, target: Path) -> None:
    """Make ``target`` and put into it what the trial's command needs.

    :raises OSError: if it cannot be written.
    """
    source = Path(run_folder.source)
    make_folder(target)
    if run_folder.names is None:
        _fill(source, target, 0)
        return
    for name in run_folder.names:
        make_folder((target / name).parent)
        with contextlib.suppress(FileExistsError):  # below a folder that is a link already
            (target / name).symlink_to((source / name).resolve())


def _fill(source: Path, target: Path, depth: int) -> None:
    with os.scandir(source) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        place = target / entry.name
        if entry.is_symlink():
            place.symlink_to(os.path.realpath(entry.path))
        elif entry.is_dir():
            if entry.name.startswith(".") or is_of_tools(entry.path):
                continue
            if depth < _DEEPEST and len(os.listdir(entry.path)) <= _MANY:
                place.mkdir()
                _fill(Path(entry.path), place, depth + 1)
            else:
                place.symlink_to(entry.path)
        elif entry.is_file():
            if entry.stat().st_size <= _SMALL:
                shutil.copy2(entry.path, place)
            else:
                place.symlink_to(entry.path)
