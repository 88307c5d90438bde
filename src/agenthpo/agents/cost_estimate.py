"""What a study will ask of its model, estimated before anything is asked."""

from __future__ import annotations

from agenthpo.agents.creator import creator_messages
from agenthpo.agents.prompt.build import head
from agenthpo.agents.prompt.trials import estimate_tokens
from agenthpo.budget import DEFAULT_TRIALS
from agenthpo.llm.client import Mannered, Message
from agenthpo.llm.model_class import is_weak
from agenthpo.records import Usage
from agenthpo.task import Task

__all__ = ["first_prompt", "forecast"]

_LINE, _ROLE = 55, 80
"""Tokens of a trial's line in the history, and of what an agent is told to do."""
_PROPOSAL, _INSIGHT, _OPINION = 230, 60, 220
"""Tokens of a reply."""


def first_prompt(task: Task, manner: Mannered) -> list[Message]:
    """Return what the Creator is sent before any trial has ended, word by word."""
    return creator_messages(manner, task, trials=[])


def forecast(task: Task, manner: Mannered) -> Usage:
    """Return the requests and tokens of the whole budget, for the Creator at about every second
    trial (what it earns decides) and the Executor at each.
    """
    trials = task.budget.trials or DEFAULT_TRIALS
    proposals = trials // 2
    fixed = estimate_tokens(head(task, manner).text) + _ROLE
    history = [min(manner.allowance * 0.6, _LINE * number) for number in range(trials)]
    asked = sum(fixed + known for known in history) + sum(fixed + known for known in history[1::2])
    said = _INSIGHT if is_weak(manner) else _OPINION
    return Usage(trials + proposals, round(asked), trials * said + proposals * _PROPOSAL)
