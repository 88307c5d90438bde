"""The exceptions a caller may see.

A user's mistake is an ``AgentHPOError``: one sentence that names what, the value, where, and
what to do next. The command line prints it without a traceback and exits with 2. A training run
that fails is *not* an exception but data (``agenthpo.records.Outcome``), and a bug of ours
crashes.

    AgentHPOError
    ├── TaskError            the task file (or the arguments of tune()) is wrong
    │   └── SpaceError       its search space is wrong
    ├── InvalidParams        a configuration lies outside the search space
    ├── StudyError           a study cannot be found, opened or resumed
    │   ├── StudyBusy        another process is at work in it
    │   └── TakenOver        another driver has taken a trial over
    ├── ModelError           a model cannot be used at all: unknown name, no weights, wrong key
    └── LLMFailure           one request to a working model failed
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AgentHPOError",
    "InvalidParams",
    "LLMFailure",
    "ModelError",
    "SpaceError",
    "StudyBusy",
    "StudyError",
    "TakenOver",
    "TaskError",
    "first_line",
]


class AgentHPOError(Exception):
    """A mistake the user can fix; the message is one sentence with the fix in it."""


class TaskError(AgentHPOError):
    """The task is wrong: an unknown key, a missing file, a placeholder without a parameter."""


class SpaceError(TaskError):
    """The search space is wrong: low above high, a log scale that includes 0, a default outside."""


class InvalidParams(AgentHPOError):
    """A configuration is not a point of the search space; ``violations`` lists every reason."""

    def __init__(self, violations: Sequence[str]) -> None:
        super().__init__("; ".join(violations))
        self.violations = tuple(violations)


class StudyError(AgentHPOError):
    """A study cannot be found, opened or resumed."""


class StudyBusy(StudyError):
    """Another process is at work in the study."""


class TakenOver(StudyError):
    """Another driver of the study has taken a trial over, since this one showed no sign of life."""


class ModelError(AgentHPOError):
    """A model cannot be used at all, so that nothing should start: unknown name, no weights, wrong
    key.
    """


class LLMFailure(AgentHPOError):
    """One request to a working model failed: an outage, a time-out, a refusal."""


def first_line(problem: BaseException) -> str:
    """Return the first line of what any exception says, or its type where it says nothing."""
    return (str(problem).splitlines() or [type(problem).__name__])[0]
