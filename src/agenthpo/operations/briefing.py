"""All that a Creator needs to know of a study, in so many characters."""

from __future__ import annotations

from dataclasses import replace

from agenthpo.agents.prompt.build import detailed, findings, standing
from agenthpo.agents.prompt.engine import view_words
from agenthpo.agents.prompt.trials import cut, fenced
from agenthpo.assembly import proposer_named
from agenthpo.budget import Budget
from agenthpo.errors import TaskError
from agenthpo.llm.client import Manner
from agenthpo.operations.answers import Briefing
from agenthpo.operations.hiding import without_test
from agenthpo.operations.opening import is_over, left_words
from agenthpo.operations.place import Opened, Place
from agenthpo.search.engine.engine import ENGINE
from agenthpo.search.heeding import hindrance, turn_of
from agenthpo.search.informed import Sees
from agenthpo.task import Task
from agenthpo.text.phrases import budget_words, params_words

__all__ = ["briefing"]

_LEAST, _MOST = 2000, 40_000
_SHORT, _LONG = 5800, 7800
"""Characters at ten trials and at a hundred."""
_CHARACTERS = 3
"""Characters that count as a token, on the safe side."""
_HEAD, _HISTORY, _FINDINGS, _ENGINE, _ASKED = 0.33, 0.37, 0.1, 0.13, 0.07
"""Shares of the characters. What one leaves is the next one's."""
_ABOUT = 400
_READER = Manner("agent", 3000, holds_to_grammar=False)
_NOTES = 4


def briefing(at: Place, study: str, most: int | None = None) -> Briefing:
    """Tell all that a Creator needs: task, space, results and curves, what the engine expects and
    would try, the noise, what is left of the budget, and what others have said.

    :param study: as ``open_study`` calls it.
    :param most: characters that it may have, 2,000 to 40,000; 5,800 to 7,800 without it.
    :raises StudyError: where there is no such study.
    """
    if most is not None and not _LEAST <= most <= _MOST:
        raise TaskError(f"most is {most}, but must be from {_LEAST:,} to {_MOST:,}")
    opened = Opened.at(at.study(study))
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


def _text(opened: Opened, most: int, *, over: str, left: str, is_agents: bool, why: str) -> str:
    task, trials = opened.task, opened.trials
    room = most - 100  # what joins the parts
    sections = list[str]()

    def add(text: str, share: float, spare: int) -> int:
        """Add a section in its share of the characters and what was spared before; return what it
        spares.
        """
        allowance = int(room * share) + spare
        kept = _within(text, allowance)
        if kept:
            sections.append(kept)
        return allowance - len(kept)

    spare = add(_head(task), _HEAD, 0)
    asked = _asked(opened, over=over, left=left, is_agents=is_agents, why=why)
    spare = add(asked, _ASKED, spare)
    spare = add(_engine(opened), _ENGINE, spare)
    allowance = (int(room * _FINDINGS) + spare) // _CHARACTERS
    spare = add(findings(task, trials, allowance=allowance), _FINDINGS, spare)
    allowance = (int(room * _HISTORY) + spare) // _CHARACTERS
    add(detailed(task, trials, allowance=allowance), _HISTORY, spare)
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


def _head(task: Task) -> str:
    objective, words = task.objective, vars(task.background)
    lines = [f"# {task.name}: {objective.direction} {objective.metric}"]
    lines += [f"- {name}: {cut(fenced(text), _ABOUT)}" for name, text in words.items() if text]
    return "\n".join([*lines, "## Search space", task.space.describe()])


def _asked(opened: Opened, *, over: str, left: str, is_agents: bool, why: str) -> str:
    """Return where the study stands, and what others want of it."""
    task, trials = opened.task, opened.trials
    lines = ["## Now", standing(_unlimited(task), trials, llm=_READER).strip()]
    lines.append(f"- budget: {budget_words(task.budget)}; left: {left}")
    whose = "an agent's" if is_agents else "the engine's"
    lines.append(f"- the search is over: {over}" if over else f"- the next trial is {whose}: {why}")
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
    notes = [r for r in opened.asked.requests if r.kind == "note"][-_NOTES:]
    lines += [
        f"- note of {r.by}{'' if r.trial is None else f' on trial {r.trial}'}: "
        f"{cut(fenced(r.text), 200)}"
        for r in notes
    ]
    return "\n".join(without_test(lines, task.objective.test_metric))


def _unlimited(task: Task) -> Task:
    """Return ``task`` without limits, which are told in a line of their own."""
    return replace(task, budget=Budget())


def _engine(opened: Opened) -> str:
    proposer = proposer_named(ENGINE, None, seed=opened.meta.seed, hints=opened.meta.hints)
    view = proposer.view(opened.task, opened.trials) if isinstance(proposer, Sees) else None
    words = "" if view is None else view_words(view, short=False)
    return f"## The engine\n{words}" if words else ""
