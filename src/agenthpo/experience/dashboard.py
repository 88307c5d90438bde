"""What optuna-dashboard shows of a trial beside its numbers: why it was tried and what it taught,
as its note, and the training's log, as its artifact.

The forms are the dashboard's own (``optuna_dashboard.save_note``) and Optuna's
(``optuna.artifacts.upload_artifact``, which no trial of an earlier process can be given to).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ARTIFACTS", "keep_file", "note_attributes"]

ARTIFACTS = "artifacts"
"""The folder in a study's for ``optuna-dashboard --artifact-dir``."""
_LONGEST = 2045
"""Characters of a part of a note; some databases take no longer text."""
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|<>~&$-])")
"""What Markdown reads as more than text."""


def note_attributes(trial_id: int, lines: list[str]) -> Iterator[tuple[str, object]]:
    """Yield the attributes of a study that make ``lines`` the note of one of its trials.

    What is in them comes from models and logs: it is shown as text, and no picture or link of it is
    followed.
    """
    text = "  \n".join(_MARKS.sub(r"\\\1", line.strip()) for line in lines)
    parts = [text[at : at + _LONGEST] for at in range(0, len(text), _LONGEST)]
    for number, part in enumerate(parts):
        yield f"dashboard:{trial_id}:note_str:{number}", part
    # last: without it the dashboard shows none
    yield f"dashboard:{trial_id}:note_ver", 1


def keep_file(folder: Path, file: Path, *, of: str) -> tuple[str, str] | None:
    """Make ``file`` an artifact of the study with the identity ``of`` in ``folder``, without a
    second copy where the file system can; return the attribute of its trial that says so, None
    where there is none to keep.
    """
    # the same each time, so that a driver which was killed leaves no second one
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{of}/{file.relative_to(folder)}"))
    kept = folder / ARTIFACTS / identity
    try:
        if file.is_symlink() or not file.is_file():
            return None
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        if not kept.exists():
            try:
                os.link(file, kept)
            except OSError:  # a file system without links
                shutil.copyfile(file, kept)
    except OSError:  # a full disk: the log is in the trial's folder all the same
        return None
    said = {
        "artifact_id": identity,
        "filename": file.name,
        "mimetype": "text/plain",
        "encoding": None,
    }
    return f"artifacts:{identity}", json.dumps(said)
