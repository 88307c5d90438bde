"""From the task and the experience log to a prompt, within an allowance of tokens whatever the history.

Both agents share one unchanging head, so that a model's cache keeps it; the history comes next, oldest first, and the role last.
No test metric and no log file ever gets here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from agenthpo.llm.client import Mannered, Message
from agenthpo.records import Trial, incumbent, upward
from agenthpo.space import format_number, same
from agenthpo.task import Task

__all__ = ["estimate_tokens", "experience", "fenced", "head", "prompt", "render", "standing"]

_INSIGHT_WIDTH = 160
_BEST, _RECENT, _RENEWED = 3, 4, 4
_FRAME = "# Trials so far\n<data>\n{lines}\n</data>"
_ROLE_SHARE = 0.4
"""Share of the allowance that is left to the role, which comes last."""


def estimate_tokens(text: str) -> int:
    """Return about how many tokens ``text`` is; numbers take more than words, so this errs on the high side."""
    return len(text) // 3 + 1


def render(template: str, **values: str) -> str:
    """Return a template of ``templates/`` with its ``{names}`` filled in once: what a value holds is not read again."""
    text = (files("agenthpo.agents") / "templates" / f"{template}.md").read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), text).strip()


def prompt(task: Task, trials: Sequence[Trial], now: str, *, llm: Mannered) -> list[Message]:
    """Return the conversation that ends with ``now``: the head, then what is known and what is wanted."""
    known = experience(task, trials, allowance=int(llm.allowance * (1 - _ROLE_SHARE)))
    return [head(task, llm), Message("user", f"{known}\n\n{now}")]


def head(task: Task, llm: Mannered) -> Message:
    """Return what every conversation about ``task`` begins with: the task, the space, and what each agent does."""
    objective = {"direction": task.objective.direction, "metric": task.objective.metric}
    creator = render("creator_row" if llm.holds_to_grammar else "creator", **objective, names=", ".join(task.space.names))
    background = task.background.describe() or f"- Task: {task.name}"
    return Message("system", render("head", **objective, background=background, space=task.space.describe(), creator=creator))


def experience(task: Task, trials: Sequence[Trial], *, allowance: int) -> str:
    """Return the history in at most ``allowance`` tokens, oldest trial first.

    Where not all trials fit, the most telling of the earlier ones are chosen anew only every few trials, and the later ones follow: what
    was told stays told in the same words, so that a model's cache keeps it.
    """
    done = [t for t in trials if t.outcome is not None]
    lines = {t.number: _line(task, t) for t in done}
    room = allowance - estimate_tokens(_FRAME)
    kept = _fitting(done, lines, room)
    if len(kept) < len(done):
        turn = len(done) // _RENEWED * _RENEWED
        kept = _fitting(_by_importance(task, done[:turn]), lines, room // 2)
        kept |= _fitting(list(reversed(done[turn:])), lines, room - sum(estimate_tokens(lines[number]) for number in kept))
    return _FRAME.format(lines="\n".join(lines[number] for number in sorted(kept)) or "None yet.")


def _fitting(ranked: Sequence[Trial], lines: Mapping[int, str], room: int) -> set[int]:
    """Return the numbers of the trials whose lines fit into ``room`` tokens, taken in the order of ``ranked``."""
    kept: set[int] = set()
    for trial in ranked:
        cost = estimate_tokens(lines[trial.number])
        if trial.number not in kept and cost <= room:
            kept.add(trial.number)
            room -= cost
    return kept


def standing(task: Task, trials: Sequence[Trial]) -> str:
    """Return where the study stands in a line: trials, failures, the incumbent, and how many predictions held."""
    done = [t for t in trials if t.outcome is not None]
    best = incumbent(done, task.objective.direction)
    words = [f"{len(done)} trials, {sum(t.value is None for t in done)} failed."]
    if best is not None:
        words.append(f"Best so far: trial {best.number} with {task.objective.metric} {format_number(best.value)}.")
    judged = [t.analysis.expectation_met for t in done if t.analysis and t.analysis.expectation_met is not None]
    return " ".join([*words, *[f"{sum(judged)} of {len(judged)} predictions held."] * bool(judged)])


def _by_importance(task: Task, done: Sequence[Trial]) -> list[Trial]:
    """Return the trials, the most telling first: the best, the latest, then the rest from the latest on."""
    ranked = sorted((t for t in done if t.value is not None), key=lambda t: -upward(task.objective.direction) * t.value)  # type: ignore[operator]
    latest = list(reversed(done))
    return [*ranked[:1], *latest[:_RECENT], *ranked[1:_BEST], *latest]


def _line(task: Task, trial: Trial) -> str:
    insight = f" {trial.analysis.insight}"[:_INSIGHT_WIDTH] if trial.analysis and trial.analysis.author != "rules" else ""
    diagnosis = trial.analysis.diagnosis if trial.analysis else ""
    return f"trial {trial.number} ({trial.proposal.source}): {_params(task, trial)} -> {_result(task, trial)}, {diagnosis}. {fenced(insight)}".rstrip()


def _params(task: Task, trial: Trial) -> str:
    """Return a trial's parameters; only what differs from the default, where that says it in half the words."""
    params, default = trial.proposal.params, task.space.default() or {}
    changed = {name: value for name, value in params.items() if name not in default or not same(value, default[name])}
    brief = trial.proposal.source != "default" and 2 * len(changed) <= len(params) and set(default) <= set(params)
    words = [f"{name}={_short(value)}" for name, value in (changed if brief else params).items()]
    return fenced(" ".join((["default but"] if brief else []) + words))


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
