"""A question that costs no trial: what will the one come to that is running? A weak model may earn
a trial of its own by knowing better than the engine.
"""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.agents.prompt.build import prompt, render, standing
from agenthpo.agents.prompt.engine import params_words
from agenthpo.agents.prompt.told import unworded
from agenthpo.agents.reply.forms import expected_form
from agenthpo.agents.reply.validate import read_expected
from agenthpo.errors import LLMFailure
from agenthpo.llm.client import LLM
from agenthpo.records import Expected, Params, Trial, Usage
from agenthpo.task import Task

__all__ = ["foresee"]


def foresee(
    llm: LLM, task: Task, trials: Sequence[Trial], params: Params, *, seed: int
) -> tuple[Expected | None, Usage]:
    """Return what the model expects of ``params``, given the ``trials`` that have ended, and what
    asking cost; None where it has no valid answer.
    """
    words = {
        "metric": task.objective.metric,
        "standing": standing(task, trials, llm=llm),
        "candidate": params_words(params),
    }
    template = "foresee_row" if llm.holds_to_grammar else "foresee"
    now = render(template, task.prompts, **words)
    messages = prompt(task, unworded(trials), now, llm=llm)
    try:
        reply = llm.ask(messages, expected_form(task, trials), seed=seed)
    except LLMFailure:
        return None, Usage()
    said = reply.data.get("expected") if isinstance(reply.data, dict) else None
    expected = read_expected(said)
    return (None if isinstance(expected, str) else expected), reply.usage
