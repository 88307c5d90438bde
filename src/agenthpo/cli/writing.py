"""Write what a command makes to where the user says."""

from __future__ import annotations

from pathlib import Path

from agenthpo.errors import AgentHPOError

__all__ = ["write_text"]


def write_text(file: Path, text: str) -> None:
    """Write ``text`` to ``file``.

    :raises AgentHPOError: if it cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise AgentHPOError(
            f"{file} cannot be written ({problem.strerror}); give another file by -o"
        ) from None
