"""Files of ours in folders that scripts and other people may write to.

Nothing that stands in a file's place is followed or waited for (a symbolic link, a FIFO, a device),
and nobody else may read what we write.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import uuid
from pathlib import Path

__all__ = [
    "OF_TOOLS",
    "RUN_LOG",
    "clear",
    "is_of_tools",
    "make_folder",
    "open_regular",
    "read_regular",
    "write_whole",
]

OF_TOOLS = frozenset({"__pycache__", "node_modules", "site-packages"})
"""Names of folders that hold nothing of the user's."""

RUN_LOG = "run.log"
"""What a training prints, in the folder of its trial."""


def is_of_tools(folder: str) -> bool:
    """Return whether a folder holds caches or installed packages, as a virtual environment does."""
    is_named = os.path.basename(folder) in OF_TOOLS
    return is_named or os.path.exists(os.path.join(folder, "pyvenv.cfg"))


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """Return a descriptor of the regular file ``path``, made for its owner alone where ``flags``
    make it.

    :raises OSError: if it cannot be opened, or is anything but a regular file.
    """
    file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return file


def read_regular(path: Path) -> bytes:
    """Return what the regular file ``path`` holds.

    :raises OSError: if it cannot be read, or is anything but a regular file.
    """
    with open(open_regular(path), "rb") as file:
        return file.read()


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` into ``path``, whole or not at all, instead of whatever stands there.

    :raises OSError: if it cannot be written.
    """
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with open(open_regular(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.is_dir() and not path.is_symlink():
            clear(path)
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


def clear(path: Path) -> None:
    """Remove ``path``, whatever it is; a link itself, never what it leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make the folder ``path``, for its owner alone; what is no folder of its own there gets
    another name.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        path.rename(path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.replaced"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
