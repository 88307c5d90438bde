"""From the task and the experience log to a prompt, within an allowance of tokens whatever the history.

Both agents share one unchanging head, so that a model's cache keeps it; the history comes next, oldest first, and the role last.
No test metric and no log file ever gets here.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from agenthpo.llm.client import Message
from agenthpo.records import Trial, incumbent
from agenthpo.space import format_number
from agenthpo.task import Task

__all__ = ["estimate_tokens", "experience", "fenced", "head", "prompt", "render"]

_INSIGHT_WIDTH = 160
_BEST, _RECENT = 3, 4
_ROLE_SHARE = 0.4
"""Share of the allowance that is left to the role, which comes last."""


def estimate_tokens(text: str) -> int:
    """Return about how many tokens ``text`` is; numbers take more than words, so this errs on the high side."""
    return len(text) // 3 + 1


def render(template: str, **values: str) -> str:
    """Return a template of ``templates/`` with its ``{names}`` filled in once."""
    text = (files("agenthpo.agents") / "templates" / f"{template}.md").read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text.strip()


def prompt(task: Task, trials: Sequence[Trial], role: str, *, allowance: int) -> list[Message]:
    """Return the conversation that asks for ``role``: the head, then what is known and what is wanted."""
    known = experience(task, trials, allowance=int(allowance * (1 - _ROLE_SHARE)))
    return [head(task), Message("user", f"{known}\n\n{role}")]


def head(task: Task) -> Message:
    """Return what every conversation about ``task`` begins with."""
    text = render(
        "head",
        background=task.background.describe() or f"- Task: {task.name}",
        direction=task.objective.direction,
        metric=task.objective.metric,
        space=task.space.describe(),
    )
    return Message("system", text)


def experience(task: Task, trials: Sequence[Trial], *, allowance: int) -> str:
    """Return the history in at most ``allowance`` tokens: a summary, then the best and the latest trials, as many as there is room for."""
    done = [t for t in trials if t.outcome is not None]
    summary = _summary(task, done)
    left = allowance - estimate_tokens(summary)
    chosen: dict[int, str] = {}
    for trial in _by_importance(task, done):
        line = _line(task, trial)
        if trial.number not in chosen and estimate_tokens(line) <= left:
            chosen[trial.number] = line
            left -= estimate_tokens(line)
    lines = [chosen[number] for number in sorted(chosen)]
    return "\n".join(["# Trials so far", "<data>", *lines, summary, "</data>"])


def _by_importance(task: Task, done: Sequence[Trial]) -> list[Trial]:
    """Return the trials, the most telling first: the best, the latest, then the rest from the latest on."""
    sign = 1 if task.objective.direction == "minimize" else -1
    ranked = sorted((t for t in done if t.value is not None), key=lambda t: sign * t.value)  # type: ignore[operator]
    latest = list(reversed(done))
    return [*ranked[:1], *latest[:_RECENT], *ranked[1:_BEST], *latest]


def _line(task: Task, trial: Trial) -> str:
    insight = f" {trial.analysis.insight}"[:_INSIGHT_WIDTH] if trial.analysis and trial.analysis.author != "rules" else ""
    diagnosis = trial.analysis.diagnosis if trial.analysis else ""
    return f"trial {trial.number} ({trial.proposal.source}): {_params(trial)} -> {_result(task, trial)}, {diagnosis}. {fenced(insight)}".rstrip()


def _summary(task: Task, done: Sequence[Trial]) -> str:
    if not done:
        return "None yet."
    best = incumbent(list(done), task.objective.direction)
    failed = sum(t.value is None for t in done)
    words = [f"{len(done)} trials, {failed} failed."]
    if best is not None:
        words.append(f"Best so far: trial {best.number} with {task.objective.metric} {format_number(best.value)}.")
    judged = [t.analysis.expectation_met for t in done if t.analysis and t.analysis.expectation_met is not None]
    if judged:
        words.append(f"{sum(judged)} of {len(judged)} predictions held.")
    return " ".join(words)


def _params(trial: Trial) -> str:
    return fenced(" ".join(f"{name}={_short(value)}" for name, value in trial.proposal.params.items()))


def _short(value: Any) -> str:
    """Return a value in three significant digits: a small model pays for each of them."""
    return f"{value:.3g}" if isinstance(value, float) else format_number(value)


def _result(task: Task, trial: Trial) -> str:
    assert trial.outcome is not None
    if trial.value is None:
        return f"{trial.outcome.status} ({fenced(trial.outcome.error[:120])})"
    return f"{task.objective.metric} {format_number(trial.value)}"


def fenced(text: str) -> str:
    """Return ``text`` on one line, unable to close the fence around it."""
    return " ".join(text.replace("<data>", "").replace("</data>", "").split())
