"""What a study was begun with, as it is kept beside its trials; a study of an earlier version lacks
some of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from agenthpo.budget import DEFAULT_BUDGET, Budget
from agenthpo.codec import adapter
from agenthpo.exchange import Hint
from agenthpo.pareto import Goal
from agenthpo.pool_choice import PoolChoice
from agenthpo.records import Direction
from agenthpo.shadow import Shadow

__all__ = ["OnFailure", "StudyMeta", "decode_meta", "encode_meta"]

OnFailure = Literal["fallback", "stop"]


@dataclass(frozen=True)
class StudyMeta:
    """What a study was begun with, and what of it was changed since. The defaults are those of
    studies that do not say it.
    """

    id: str = ""
    """The study's own identity, which no other study has; empty for one of an earlier version."""
    seal: str = ""
    """Whose it is; see ``agenthpo.experience.origin``."""
    folder: str = ""
    """Where it was when its driver was last at work; empty for one of an earlier version."""
    proposer: str = "hybrid"
    record: tuple[float, float] = (0.0, 0.0)
    """Results better and worse than the engine's that the model brought from earlier studies."""
    hints: tuple[Hint, ...] = ()
    """What was known of its family of models when it began."""
    model: str = "none"
    base_url: str | None = None
    on_llm_failure: OnFailure = "fallback"
    llm_timeout_s: float | None = None
    """Seconds that its model has to answer; None leaves it to the model's kind."""
    temperature: float | None = None
    """How freely its model draws its words; None leaves it to the model."""
    workers: int = 1
    """How many trials it runs at once."""
    pool: PoolChoice = field(default_factory=PoolChoice)
    """Where they run."""
    without: tuple[str, ...] = ()
    """The parts that it goes without."""
    version: str = ""
    """The version of AgentHPO that began it."""
    name: str = ""
    """The task's."""
    task_file: str | None = None
    """None where it was begun from Python."""
    seed: int = 0
    direction: Direction = "maximize"
    metric: str = ""
    goals: tuple[Goal, ...] = ()
    """The objectives beside the first."""
    at: str | None = None
    test_metric: str | None = None
    space: str = ""
    """The search space in words, by which a change is noticed."""
    trials: int | None = 0
    budget: Budget = DEFAULT_BUDGET
    written_budget: Budget | None = None
    """The budget as the task file had it, by which an edit is noticed."""
    shadow: Shadow | None = None
    """What the engine alone would have been expected to reach, where others took part."""
    begun_on: Mapping[str, str] = field(default_factory=dict)
    """The machine and the versions where it was begun."""
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What a later version says as well; it is kept."""


def encode_meta(meta: StudyMeta) -> dict[str, Any]:
    """Return ``meta`` as what ``json.dumps`` takes."""
    said = asdict(meta)
    beside = said.pop("beside")
    return {**said, "record": list(meta.record), **beside}


def decode_meta(raw: Mapping[str, Any]) -> StudyMeta:
    """Return what ``encode_meta`` made ``raw`` of, in this version or in another one.

    :raises ValueError: naming the field that holds something else.
    """
    from pydantic import ValidationError

    known = {each.name for each in fields(StudyMeta)} - {"beside"}
    said = {name: value for name, value in raw.items() if name in known}
    beside = {name: value for name, value in raw.items() if name not in known}
    try:
        meta: StudyMeta = adapter(StudyMeta).validate_python({**said, "beside": beside})
    except ValidationError as problem:
        place = ".".join(str(part) for part in problem.errors()[0]["loc"])
        raise ValueError(f"its {place} is {problem.errors()[0]['input']!r:.60}") from None
    return meta
