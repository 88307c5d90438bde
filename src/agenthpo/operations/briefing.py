"""All that a Creator needs to know of a study, in so many characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from agenthpo.agents.prompt.build import findings, standing
from agenthpo.agents.prompt.engine import view_words
from agenthpo.agents.prompt.trials import (
    CHARACTERS,
    brief,
    by_importance,
    estimate_tokens,
    fenced,
    fitting,
    full,
)
from agenthpo.budget import Budget
from agenthpo.errors import TaskError
from agenthpo.experience.requests import Asked
from agenthpo.limit import limits_words
from agenthpo.llm.client import Manner
from agenthpo.operations.answers import Briefing
from agenthpo.operations.hiding import without_test
from agenthpo.operations.opening import is_over, left_words
from agenthpo.operations.place import Place, Standing
from agenthpo.pareto import goals_words
from agenthpo.records import Trial
from agenthpo.search.heard import heard, remarks
from agenthpo.search.heeding import hindrance, turn_of
from agenthpo.search.informed import Informed
from agenthpo.task import Task
from agenthpo.text.cutting import cut
from agenthpo.text.phrases import budget_words, params_words

__all__ = ["briefing"]

_LEAST, _MOST = 2000, 40_000
_SHORT, _LONG = 5800, 7800
"""Characters at ten trials and at a hundred."""
_SHARES = {"head": 0.25, "now": 0.13, "engine": 0.18, "findings": 0.1, "history": 0.34}
"""Shares of the characters. What one leaves is the next one's."""
_ONE_LINE = 0.7
"""Share of the history's for as many trials as fit, a line each; the rest tells some in full."""
_WORDS, _FEWEST = 0.5, 80
"""Share of the head for the task in words, and the characters that each of them has at least."""
_READER = Manner("agent", 3000, holds_to_grammar=False)
_NOTES = 3
_TAGS = 12
"""Tokens of what stands around a section."""


def briefing(at: Place, study: str, most: int | None = None) -> Briefing:
    """Tell all that a Creator needs: task, space, results and curves, what the engine expects and
    would try, the noise, what is left of the budget, and what others have said.

    :param study: as ``open_study`` calls it.
    :param most: characters that it may have, 2,000 to 40,000; 5,800 to 7,800 without it.
    :raises StudyError: where there is no such study.
    """
    if most is not None and not _LEAST <= most <= _MOST:
        raise TaskError(f"most is {most}, but must be from {_LEAST:,} to {_MOST:,}")
    opened = Standing.at(at.study(study))
    is_agents, why = turn_of(opened.task, opened.trials)
    waiting = opened.asked.waiting(opened.trials)
    over = is_over(opened)
    left = left_words(opened)
    return Briefing(
        text=_text(
            opened,
            most or _allowed(len(opened.done)),
            over=over,
            left=left,
            is_agents=is_agents,
            why=why,
        ),
        left=left,
        turn="agent" if is_agents else "engine",
        why=over or why,
        waiting=[request.id for request in waiting],
    )


def _allowed(trials: int) -> int:
    share = min(max(trials - 10, 0) / 90, 1.0)
    return int(_SHORT + share * (_LONG - _SHORT))


def _text(opened: Standing, most: int, *, over: str, left: str, is_agents: bool, why: str) -> str:
    task, trials = opened.task, opened.trials
    room = most - 100  # what joins the parts
    sections, spare = list[str](), 0
    made: dict[str, Callable[[int], str]] = {
        "head": lambda allowed: _head(task, allowed),
        "now": lambda allowed: _now(opened, over=over, left=left, is_agents=is_agents, why=why),
        "engine": lambda allowed: _engine(opened),
        "findings": lambda allowed: _findings(task, trials, allowed),
        "history": lambda allowed: _history(task, trials, allowed),
    }
    for name, make in made.items():
        allowed = int(room * _SHARES[name]) + spare
        if text := _within(make(allowed), allowed):
            sections.append(text)
        spare = allowed - len(text)
    return "\n\n".join(sections)


def _within(text: str, most: int) -> str:
    """Return as many whole lines of ``text`` as fit."""
    if len(text) <= most:
        return text
    kept, room = [], most - 40
    lines = text.split("\n")
    for line in lines:
        if len(line) + 1 > room:
            break
        kept.append(line)
        room -= len(line) + 1
    return "\n".join([*kept, f"… and {len(lines) - len(kept)} more lines"]) if kept else ""


def _head(task: Task, allowed: int) -> str:
    """Return the task in words and the whole space, for which the words give way."""
    objective = task.objective
    words = {name: fenced(text) for name, text in vars(task.background).items() if text}
    space = task.space.describe()
    kept = f", where {limits_words(task.limits)}" if task.limits else ""
    what = goals_words(objective.metric, objective.direction, task.goals)
    title = f"# {task.name}: {what}{kept}"
    room = max(int(allowed * _WORDS), allowed - len(space) - len(title) - 40)
    each = max(room // max(len(words), 1) - 12, _FEWEST)
    lines = [title, *(f"- {name}: {cut(text, each)}" for name, text in words.items())]
    return "\n".join([*lines, "## Search space", space])


def _findings(task: Task, trials: Sequence[Trial], allowed: int) -> str:
    return findings(task, trials, allowance=allowed // CHARACTERS - _TAGS)


def _history(task: Task, trials: Sequence[Trial], allowed: int) -> str:
    """Return as many trials as fit, a line each, the most telling first to be told; the best and
    the latest in full where that fits too.
    """
    done = [t for t in trials if t.outcome is not None]
    ranked = by_importance(task, done)
    room = allowed // CHARACTERS - _TAGS
    lines = {t.number: brief(task, t) for t in done}
    kept = fitting(ranked, lines, int(room * _ONE_LINE))
    told = {number: lines[number] for number in kept}
    left = room - sum(estimate_tokens(text) for text in told.values())
    for trial in (t for t in ranked if t.number in kept):
        text = full(task, trial)
        more = estimate_tokens(text) - estimate_tokens(told[trial.number])
        if more <= left:
            told[trial.number] = text
            left -= more
    words = "\n".join(told[number] for number in sorted(told)) or "None yet."
    hidden = len(done) - len(told)
    return f"# Trials{f', the most telling {len(told)} of {len(done)}' * bool(hidden)}\n{words}"


def _now(opened: Standing, *, over: str, left: str, is_agents: bool, why: str) -> str:
    """Return where the study stands, and what others want of it."""
    task, trials = opened.task, opened.trials
    lines = ["## Now", standing(_unlimited(task), trials, llm=_READER).strip()]
    lines.append(f"- budget: {budget_words(task.budget)}; left: {left}")
    whose = "an agent's" if is_agents else "the engine's"
    lines.append(f"- the search is over: {over}" if over else f"- the next trial is {whose}: {why}")
    lines += [f"- {fenced(said)}" for said in heard(opened.asked)]
    for trial in trials:
        if trial.outcome is None:
            lines.append(
                f"- trial {trial.number} trains ({trial.proposal.who}): "
                f"{params_words(trial.proposal.params)}"
            )
    for request in opened.asked.waiting(trials)[:_NOTES]:
        hindered = hindrance(task, trials, request)
        state = f"cannot be tried: {hindered}" if hindered else "waits"
        lines.append(f"- {request.id} of {request.by} {state}: {params_words(request.params)}")
    if task.pins:
        lines.append(f"- pinned by a person: {params_words(task.pins)}")
    lines += [f"- {fenced(said)}" for said in _agents_notes(opened.asked)]
    return "\n".join(without_test(lines, task.objective.test_metric))


def _agents_notes(asked: Asked) -> tuple[str, ...]:
    """Return the latest notes of agents; what people say comes before them."""
    notes = [r for r in asked.requests if r.kind == "note" and not r.is_person]
    return remarks(notes[-_NOTES:], asked)


def _unlimited(task: Task) -> Task:
    """Return ``task`` without limits, which are told in a line of their own."""
    return replace(task, budget=Budget())


def _engine(opened: Standing) -> str:
    view = Informed(opened.engine, opened.meta.hints).view(opened.task, opened.trials)
    words = "" if view is None else view_words(view, short=False)
    return f"## The engine\n{words}" if words else ""
