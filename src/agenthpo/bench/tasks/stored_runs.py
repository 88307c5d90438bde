"""A run on one of the twelve tasks as it is stored: one line of JSON, read once into a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from agenthpo.bench.store import stored
from agenthpo.codec import adapter, current_source, trial_to_json
from agenthpo.errors import StudyError
from agenthpo.records import Params, Source, Trial

__all__ = ["Run", "StoredRun", "StoredTrial", "read_runs"]

Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class Run:
    """One proposer on one task with one seed. Every run but the paper's begins with the default
    configuration.
    """

    task: str
    proposer: str
    """See ``arms``: it may go without some parts."""
    model: str
    """``none`` for a proposer that asks none."""
    seed: int
    trials: int

    @property
    def key(self) -> Key:
        """What tells it from other runs."""
        return self.task, self.proposer, self.model, self.seed


@dataclass(frozen=True)
class StoredTrial:
    """What is kept of a trial. ``value`` is None if it failed."""

    number: int
    state: str = ""
    source: Annotated[Source, BeforeValidator(current_source)] = "default"
    mode: str = ""
    params: Params = field(default_factory=dict)
    value: float | None = None
    test_value: float | None = None
    error: str = ""
    rationale: str = ""
    expected: Mapping[str, Any] | None = None
    note: str = ""
    duration_s: float | None = None
    tokens: int = 0

    @classmethod
    def of(cls, trial: Trial) -> StoredTrial:
        """Return what is kept of ``trial``."""
        said = {**trial_to_json(trial), "tokens": trial.usage.tokens}
        return cls(**{name: said[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class StoredRun:
    """A run, its trials, whose data it was trained on, and what it was made by."""

    run: Run
    """What was asked for; ``run.trials`` may be more than there are."""
    source: Mapping[str, str]
    """``source``: where the data came from; ``data``: its name. Empty where nothing trained."""
    about: Mapping[str, Any]
    """Versions and machine, for people; see ``agenthpo.bench.store.about``."""
    trials: tuple[StoredTrial, ...] = field(default_factory=tuple)

    @property
    def task(self) -> str:
        """The task's name."""
        return self.run.task

    @property
    def proposer(self) -> str:
        """The proposer's name."""
        return self.run.proposer

    @property
    def model(self) -> str:
        """The model's name, ``none`` without one."""
        return self.run.model

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.run.seed

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> StoredRun:
        """Return the run that ``line`` holds, in the form of ``to_json``.

        :raises ValueError: if it holds none.
        """
        run: StoredRun = adapter(StoredRun).validate_python(line)
        return run

    def to_json(self) -> dict[str, Any]:
        """Return what is written of it."""
        return asdict(self)


def read_runs(results: Path, tasks: Iterable[str]) -> list[StoredRun]:
    """Return the stored runs of ``tasks``, of each the longest.

    :raises StudyError: naming the file, for a line that is no run.
    """
    longest: dict[Key, StoredRun] = {}
    for task in tasks:
        path = results / f"{task}.jsonl"
        for line in stored(path):
            one = _read(line, path)
            known = longest.get(one.run.key)
            if known is None or len(known.trials) <= len(one.trials):
                longest[one.run.key] = one
    return list(longest.values())


def _read(line: Mapping[str, Any], path: Path) -> StoredRun:
    try:
        return StoredRun.of(line)
    except ValidationError as problem:
        said = " ".join(str(problem).split())
        raise StudyError(f"{path} has a line that is no stored run ({said:.120})") from None
