"""A new file, which never replaces another one."""

from __future__ import annotations

from pathlib import Path

from agenthpo.errors import TaskError

__all__ = ["write_new"]


def write_new(out: Path, text: str) -> None:
    """Write ``text`` to ``out``.

    :raises TaskError: where ``out`` is there already, or cannot be written.
    """
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise TaskError(
            f"{out} exists and is not overwritten; name another file by --out"
        ) from None
    except OSError as problem:
        raise TaskError(f"{out} cannot be written: {problem.strerror}") from None
