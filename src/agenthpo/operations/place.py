"""Where operations work, and for whom: nothing that is named from outside leads out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agenthpo.errors import StudyError, TaskError
from agenthpo.experience.finding import STUDIES
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta
from agenthpo.experience.requests import Asked, read_requests
from agenthpo.records import Trial
from agenthpo.search.engine.engine import Engine
from agenthpo.search.heeding import with_pins
from agenthpo.session import with_known_budget
from agenthpo.studies import find_study, is_study, refuse_foreign, task_of
from agenthpo.task import Task

__all__ = ["Place", "Standing", "agent_name", "checked_by"]

_NAME = re.compile(r"[\w.@+-](?:[\w .@+/-]{0,38}[\w.@+-])?")


@dataclass(frozen=True)
class Place:
    """The folder that operations work in, and the name of who asks for them. An agent's touch
    nothing outside of it.
    """

    root: Path
    by: str
    is_person: bool = False

    def path(self, text: str) -> Path:
        """Return the path that ``text`` names.

        :raises TaskError: if it lies outside the folder.
        """
        try:
            found = (self.root / text).resolve()
            is_within = found.is_relative_to(self.root.resolve())
            found.exists()  # whose name may be too long for a file
        except (ValueError, OSError, RuntimeError):
            raise TaskError(f"{text[:80]!r} is no path; name a file in {self.root}") from None
        if not is_within and not self.is_person:
            raise TaskError(f"{text} lies outside {self.root}, and nothing there is touched")
        return found

    def study(self, text: str) -> Path:
        """Return the folder of the study that ``text`` names: a folder, or the name of a study.

        :raises StudyError: if there is none.
        :raises TaskError: if it lies outside the folder.
        """
        # a folder of the project may have the name of a study
        named = [self.path(f"{STUDIES}/{text}")] if "/" not in text and text else []
        found = next((folder for folder in named if is_study(folder)), self.path(text))
        if not found.is_dir():
            found = next(iter(named), found)
        return self.path(str(find_study(str(found))))

    def shown(self, path: Path) -> str:
        """Return ``path`` as it is named here."""
        path, root = path.resolve(), self.root.resolve()
        return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


@dataclass(frozen=True)
class Standing:
    """A study as it stands: read, and not to be written."""

    folder: Path
    task: Task
    """With the study's budget and what is pinned."""
    meta: StudyMeta
    trials: list[Trial]
    """Those that fit the space as it is now."""
    asked: Asked

    @property
    def done(self) -> list[Trial]:
        """The trials that have ended."""
        return [t for t in self.trials if t.outcome is not None]

    @cached_property
    def engine(self) -> Engine:
        """The engine, as it searches in this study."""
        return Engine(self.meta.seed)

    def trial(self, number: int) -> Trial:
        """Return the trial of that number.

        :raises StudyError: if there is none.
        """
        for trial in self.trials:
            if trial.number == number:
                return trial
        last = self.trials[-1].number if self.trials else None
        which = "has no trials yet" if last is None else f"has the trials 0 to {last}"
        raise StudyError(f"there is no trial {number}; the study {which}")

    @classmethod
    def at(cls, folder: Path) -> Standing:
        """Return the study in ``folder``.

        :raises AgentHPOError: if it cannot be read, or was not made here.
        """
        with _read(folder) as log:
            meta, trials, damage = log.meta, log.trials(), log.damage
        if damage:
            raise StudyError(damage)
        refuse_foreign(folder, meta, has_task=False, has_model=False, proposer=None)
        asked = read_requests(folder)
        task = with_known_budget(task_of(folder, meta), meta)
        fitting = [t for t in trials if not task.space.violations(t.proposal.params)]
        return cls(folder, with_pins(task, asked.pins), meta, fitting, asked)


@contextmanager
def _read(folder: Path) -> Iterator[ExperienceLog]:
    with ExperienceLog.open(folder, space=None, read_only=True) as log:
        yield log


def checked_by(name: str) -> str:
    """Return the name of an agent or a person.

    :raises TaskError: if it is none.
    """
    if not _NAME.fullmatch(name):
        raise TaskError(
            f"{name[:60]!r} is no name; take up to 40 letters, digits and the like, such as claude"
        )
    return name


def agent_name(said: str) -> str:
    """Return a name for an agent that calls itself ``said``, whatever stands in that."""
    kept = re.sub(r"[^\w.@+-]+", "-", said).strip("-")[:40]
    return kept if _NAME.fullmatch(kept) else "agent"
