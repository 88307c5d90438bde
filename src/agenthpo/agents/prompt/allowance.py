"""How long a prompt may be: what the model takes, and what is left of the tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence

from agenthpo.budget import Spent
from agenthpo.llm.client import Mannered
from agenthpo.records import Trial
from agenthpo.task import Task

__all__ = ["allowed"]

_REQUESTS = 2
"""A trial: one to propose, one to analyse."""
_BESIDE = 1200
"""Tokens of a request that are no history: the head and the reply."""
_LEAST = 400


def allowed(task: Task, trials: Sequence[Trial], llm: Mannered) -> int:
    """Return how many tokens a prompt may hold beside its head.

    It is the model's allowance, or less where tokens are limited: each trial that is left gets its
    share of those that are left, so that the budget's last trials have a model too.
    """
    budget = task.budget
    if budget.tokens is None or budget.trials is None:
        return llm.allowance
    spent = Spent.of(trials, task.objective.direction)
    requests = _REQUESTS * max(math.ceil(budget.trials - spent.trials), 1)
    share = (budget.tokens - spent.tokens) // requests - _BESIDE
    return min(llm.allowance, max(share, _LEAST))
