"""The skill that teaches a coding agent to tune, in the open Agent Skills form."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from agenthpo.errors import TaskError

__all__ = ["HOMES", "SKILL", "how_to", "install"]

SKILL = "agenthpo"
"""Its name, which its folder must have."""
HOMES = {
    "claude": ".claude/skills",
    "codex": ".agents/skills",
    "cursor": ".cursor/skills",
    "gemini": ".gemini/skills",
    "vscode": ".github/skills",
}
"""Where agents look for the skills of a project."""


def how_to() -> str:
    """Return how to work, without the commands: what holds for every door."""
    text = resources.files("agenthpo.skills").joinpath(SKILL, "SKILL.md").read_text("utf-8")
    body = text.split("\n---\n", 1)[1]
    return body.split("\n## Commands\n", 1)[0].strip()


def install(to: Path) -> Path:
    """Copy the skill into the folder ``to``, which holds skills, and return where it is. An earlier
    copy of ours is replaced.

    :raises TaskError: where something else stands there, or it cannot be written.
    """
    target = to / SKILL
    if target.exists() and not _is_ours(target):
        raise TaskError(
            f"{target} is there and is not this skill; move it away, or name another folder by --to"
        )
    try:
        to.mkdir(parents=True, exist_ok=True)
        aside = to / f".{SKILL}.part"
        shutil.rmtree(aside, ignore_errors=True)
        with resources.as_file(resources.files("agenthpo.skills").joinpath(SKILL)) as ours:
            shutil.copytree(ours, aside)
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
    except OSError as problem:
        raise TaskError(f"{target} cannot be written ({problem.strerror}); name another") from None
    return target


def _is_ours(target: Path) -> bool:
    try:
        text = (target / "SKILL.md").read_text("utf-8")
    except (OSError, ValueError):
        return False
    return f"\nname: {SKILL}\n" in text
