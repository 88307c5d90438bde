"""``agenthpo check --try``: one short run of the default configuration, and what arrived."""

from __future__ import annotations

from typing import Any

from agenthpo.codec import to_json
from agenthpo.errors import TaskError
from agenthpo.task import Task
from agenthpo.text import printing
from agenthpo.text.phrases import params_words
from agenthpo.trying import TRY_S, Tried, example, limit_s, tried, tried_words
from agenthpo.units import format_duration

__all__ = ["try_once"]

_FACTS = (
    "status",
    "value",
    "test_value",
    "duration_s",
    "peak_mb",
    "exit_code",
    "error",
    "log_tail",
    "taken",
    "read_from",
    "warnings",
)


def try_once(task: Task, *, seconds: float = TRY_S, as_json: bool = False) -> bool:
    """Run the default configuration once for at most so many ``seconds``, report what arrived, and
    return whether that was as it should be.

    :raises TaskError: if it failed.
    """
    limit = format_duration(limit_s(task, seconds))
    printing.say(f"Trying {params_words(example(task))} for at most {limit} …", error=True)
    found = tried(task, seconds)
    outcome = found.outcome
    if as_json:
        print(to_json({"try": _facts(found)}))
        return found.is_good
    printing.say(*tried_words(task, found))
    if not found.is_good and not found.was_cut:
        raise TaskError(
            f"{task.file}: the default configuration {outcome.status}: {outcome.error}; "
            "see the last lines above"
        )
    return True


def _facts(found: Tried) -> dict[str, Any]:
    return {
        "ok": found.is_good,
        "values": list(found.values),
        **{key: getattr(found.outcome, key) for key in _FACTS},
        "written": list(found.written),
        "budget_s": found.budget_s,
    }
