"""What came out of one trial, for a model that can judge it: every curve, time, memory, and the
log's informative lines.
"""

from __future__ import annotations

from agenthpo.agents.prompt.log_lines import informative
from agenthpo.agents.prompt.trials import CHARACTERS, fenced, took
from agenthpo.records import Trial
from agenthpo.space import format_number
from agenthpo.task import Task
from agenthpo.text.cutting import cut
from agenthpo.thinning import thinned

__all__ = ["seen_words"]

_POINTS, _CURVES = 12, 8
_ERROR = 200


def seen_words(task: Task, trial: Trial, *, allowance: int) -> str:
    """Return it in lines, in about ``allowance`` tokens; the log gets what the curves leave.

    What no two runs share begins with four spaces and ``took:`` or ``|``, by which a replay knows
    it.
    """
    outcome = trial.outcome
    if outcome is None:
        return ""
    metric, hidden = task.objective.metric, task.objective.test_metric
    came = (
        f"{metric} {format_number(trial.value)}"
        if trial.value is not None
        else f"{outcome.status} ({cut(outcome.error, _ERROR)})"
    )
    lines = [fenced(came), f"    took: {took(trial)}"]
    for name, curve in list(outcome.curves.items())[:_CURVES]:
        if len(curve) > 1:
            points = ", ".join(f"{y:.4g} at {x:g}" for x, y in thinned(curve, _POINTS))
            lines.append(fenced(f"{name} by step: {points}"))
    room = allowance * CHARACTERS - sum(map(len, lines))
    output = "\n".join(filter(None, [outcome.log_head, outcome.log_tail]))
    log = informative(output, most=room, hidden=hidden)
    return "\n".join([*lines, *(f"    | {fenced(line)}" for line in log)])
