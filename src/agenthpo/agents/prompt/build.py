"""From the task and the experience log to a prompt, within an allowance of tokens whatever the
history.

Both agents share one unchanging head, so that a model's cache keeps it; the history comes next,
oldest first, and the role last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from agenthpo.agents.prompt.allowance import allowed
from agenthpo.agents.prompt.findings import hypotheses, leaning, parameter_lines, steps
from agenthpo.agents.prompt.trials import (
    brief,
    by_importance,
    estimate_tokens,
    fenced,
    fitting,
    full,
    lasting_tokens,
)
from agenthpo.budget import Spent
from agenthpo.failures import failure_rules
from agenthpo.limit import limits_words
from agenthpo.llm.client import Mannered, Message
from agenthpo.llm.model_class import is_weak
from agenthpo.pareto import front, goals_words
from agenthpo.records import CREATORS, Trial
from agenthpo.space import format_number
from agenthpo.task import Task
from agenthpo.trials import incumbent

__all__ = ["detailed", "experience", "findings", "head", "prompt", "render", "standing"]

_RENEWED = 4
_SHORT, _LEAST = 10, 500
"""Trials whose full telling a longer history is held to, and the tokens that it has at any rate."""
_AGAIN = ', "again" (the number of a trial to measure once more instead of "params")'
_SEVERAL = (
    ". There is more than one objective: {both}. What counts is what no other trial beats in one "
    "without losing in another; look along the whole front, and predict the first"
)
_KEPT = "; a result counts only where {limits}"
_FRAME = "# Trials so far\n<data>\n{lines}\n</data>"
_EMBEDDED_SHARE, _HISTORY_SHARE, _FINDINGS_SHARE = 0.6, 0.4, 0.15
"""Shares of the allowance: what an embedded model is told of the history; what others are, and of
the findings. The rest is the head's.
"""


def render(template: str, folder: Path | None = None, **values: str) -> str:
    """Return a template with its ``{names}`` filled in once: what a value holds is not read again.
    One in ``folder`` goes before ours.
    """
    own = folder and folder / f"{template}.md"
    ours = files("agenthpo.agents") / "templates" / f"{template}.md"
    text = (own if own and own.is_file() else ours).read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), text).strip()


def prompt(task: Task, trials: Sequence[Trial], now: str, *, llm: Mannered) -> list[Message]:
    """Return the conversation that ends with ``now``: the head, then what is known and what is
    wanted.
    """
    # every new token costs: one line a trial, in words that the model's cache keeps
    if llm.holds_to_grammar:
        parts = [experience(task, trials, allowance=int(llm.allowance * _EMBEDDED_SHARE))]
    else:
        allowance = allowed(task, trials, llm)
        parts = [detailed(task, trials, allowance=int(allowance * _HISTORY_SHARE))]
        parts.append(findings(task, trials, allowance=int(allowance * _FINDINGS_SHARE)))
    return [head(task, llm), Message("user", "\n\n".join([*filter(None, parts), now]))]


def head(task: Task, llm: Mannered) -> Message:
    """Return what every conversation about ``task`` begins with: the task, the space, and what each
    agent does.
    """
    objective = {"direction": task.objective.direction, "metric": task.objective.metric}
    also = ""
    if task.goals:
        both = goals_words(task.objective.metric, task.objective.direction, task.goals)
        also = _SEVERAL.format(both=both)
    # what is said here is what the reply is held to
    which = (
        "a new configuration, or one again whose value may have been luck"
        if task.objective.noisy
        else "a configuration that differs from all trials"
    )
    folder = task.prompts
    creator = render(
        "creator_row" if llm.holds_to_grammar else "creator",
        folder,
        **objective,
        which=which,
        again=_AGAIN if task.objective.noisy else "",
        names=", ".join(task.space.names),
    )
    background = task.background.describe() or f"- Task: {task.name}"
    return Message(
        "system",
        render(
            "head",
            folder,
            **objective,
            background=background,
            limits=also + (_KEPT.format(limits=limits_words(task.limits)) if task.limits else ""),
            space=task.space.describe(),
            creator=creator,
            executor=render("executor_role" if is_weak(llm) else "analyse_role", folder),
        ),
    )


def experience(task: Task, trials: Sequence[Trial], *, allowance: int) -> str:
    """Return the history in at most ``allowance`` tokens, oldest trial first.

    Where not all trials fit, the most telling of the earlier ones are chosen anew only every few
    trials, and the later ones follow: what was told stays told in the same words, so that a model's
    cache keeps it.
    """
    done = [t for t in trials if t.outcome is not None]
    lines = {t.number: brief(task, t) for t in done}
    room = allowance - estimate_tokens(_FRAME)
    kept = fitting(done, lines, room)
    if len(kept) < len(done):
        turn = len(done) // _RENEWED * _RENEWED
        kept = fitting(by_importance(task, done[:turn]), lines, room // 2)
        kept |= fitting(
            list(reversed(done[turn:])),
            lines,
            room - sum(estimate_tokens(lines[number]) for number in kept),
        )
    return _framed([lines[number] for number in sorted(kept)])


def detailed(task: Task, trials: Sequence[Trial], *, allowance: int) -> str:
    """Return the history in at most ``allowance`` tokens, oldest first: the most telling trials in
    full, as many others as fit in a line.
    """
    done = [t for t in trials if t.outcome is not None]
    ranked = by_importance(task, done)
    room = allowance - estimate_tokens(_FRAME)
    texts = {t.number: full(task, t) for t in ranked}
    # a long study's prompt is no longer than a short one's: as much as its first trials take
    first = sum(lasting_tokens(texts[t.number]) for t in done[:_SHORT])
    room = min(room, max(first, _LEAST))
    kept = fitting(ranked, texts, room * 4 // 5 if len(ranked) > _SHORT else room)
    told = {number: texts[number] for number in kept}
    lines = {t.number: brief(task, t) for t in ranked if t.number not in kept}
    left = room - sum(map(lasting_tokens, told.values()))
    others = [t for t in ranked if t.number in lines]
    told |= {number: lines[number] for number in fitting(others, lines, left)}
    return _framed([told[number] for number in sorted(told)])


def findings(task: Task, trials: Sequence[Trial], *, allowance: int) -> str:
    """Return what the trials say taken together, in at most about ``allowance`` tokens; empty where
    that is nothing yet.
    """
    done = [t for t in trials if t.outcome is not None]
    lines = [
        *(fenced(str(rule)) for rule in failure_rules(done)),
        *map(fenced, steps(done, task.objective.direction)),
        *map(fenced, hypotheses(done, task.objective.direction)),
        *map(fenced, parameter_lines(task, done)),
    ]
    text = ""
    for line in lines:
        if estimate_tokens(text) + estimate_tokens(line) < allowance:
            text += f"- {line}\n"
    return f"# What they say together\n<data>\n{text}</data>" if text else ""


def _framed(lines: Sequence[str]) -> str:
    return _FRAME.format(lines="\n".join(lines) or "None yet.")


def standing(task: Task, trials: Sequence[Trial], *, llm: Mannered) -> str:
    """Return where the study stands in a line: trials, failures, the incumbent, how many
    predictions held, what is left of the budget; and to whom ``findings`` do not tell it, where
    the best third lies.
    """
    done = [t for t in trials if t.outcome is not None]
    best = incumbent(done, task.objective.direction)
    words = [f"{len(done)} trials, {sum(t.value is None for t in done)} failed."]
    if best is not None:
        words.append(
            f"Best so far: trial {best.number} with {task.objective.metric} "
            f"{format_number(best.value)}."
        )
    judged = [
        t.analysis.expectation_met
        for t in done
        if t.proposal.source in CREATORS and t.analysis and t.analysis.expectation_met is not None
    ]
    if task.goals:
        best_ones = front(done, task.objective.direction, task.goals)
        words.append(f"On the front: trials {', '.join(str(t.number) for t in best_ones)}.")
    if broken := sum(not t.is_kept for t in done):
        words.append(f"{broken} break{'s' * (broken == 1)} {limits_words(task.limits)}.")
    if judged:
        words.append(f"{sum(judged)} of {len(judged)} predictions held.")
    if llm.holds_to_grammar:
        if leans := leaning(task, done):
            words.append(leans)
        return " ".join(words)
    return "\n".join(filter(None, [" ".join(words), _left(task, trials)]))


def _left(task: Task, trials: Sequence[Trial]) -> str:
    """Return what is left of the budget, on a line that a replay leaves out: no two runs take the
    same time, and a replay may have another budget.
    """
    words = task.budget.left_words(Spent.of(trials, task.objective.direction))
    return f"    left: {words}" if words else ""
