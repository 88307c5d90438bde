"""The parts of AgentHPO that a study can go without, so that what each is worth can be measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from agenthpo.errors import TaskError
from agenthpo.task import Background, Task

__all__ = [
    "ANALYSIS",
    "BACKGROUND",
    "ENGINE_PART",
    "HISTORY",
    "KNOWLEDGE",
    "PARTS",
    "TOLD",
    "checked_parts",
    "without_background",
]

BACKGROUND, ANALYSIS, HISTORY = "background", "analysis", "history"
ENGINE_PART, KNOWLEDGE = "engine", "knowledge"
PARTS = {
    BACKGROUND: "the task in words, and what each parameter is about",
    ANALYSIS: "what the Executor makes of the trials",
    HISTORY: "the trials so far",
    ENGINE_PART: "the engine beside the Creator",
    KNOWLEDGE: "what was good on other data sets",
}
"""Each part, and what it is."""
TOLD = frozenset({BACKGROUND, ANALYSIS, HISTORY})
"""Those that a language model is told."""


def checked_parts(names: Iterable[str]) -> frozenset[str]:
    """Return the parts of those ``names``.

    :raises TaskError: for a name that is none.
    """
    found = frozenset(names)
    for name in sorted(found - set(PARTS)):
        raise TaskError(f"there is no part '{name}' to go without; known are {', '.join(PARTS)}")
    return found


def without_background(task: Task) -> Task:
    """Return ``task`` with nothing in words: names, ranges, defaults and the metric are left."""
    parameters = tuple(replace(parameter, about="") for parameter in task.space)
    bare = replace(task.space, parameters=parameters)
    return replace(task, background=Background(), space=bare)
