"""Optimisation by prompting (Yang et al. 2023, Large Language Models as Optimizers, arXiv
2309.03409), as the paper compares with it.

The model sees the best configurations so far in ascending order of their scores, and is asked for
one that scores better: no background, no curves, no analysis, nothing that says what the parameters
mean.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agenthpo.agents.reply.forms import params_form
from agenthpo.agents.reply.validate import applicable
from agenthpo.errors import LLMFailure
from agenthpo.llm.client import LLM, Message
from agenthpo.records import Params, Proposal, Stop, Trial, Usage
from agenthpo.search.optuna_samplers import OptunaSampler, default_proposal
from agenthpo.seeds import spawn_seed
from agenthpo.space import Space
from agenthpo.task import Task
from agenthpo.trials import next_number, ranked

__all__ = ["OPRO", "Opro", "opro_messages"]

OPRO = "opro"
_SHOWN = 20
"""Configurations in the prompt, the best ones; as many as that paper shows."""
_ASKED = 3
"""How often it is asked for one trial, where what it says is not in the space or was tried already.
"""


class Opro:
    """A language model that sees configurations and scores, and nothing else. Where it has nothing
    valid to offer, a random one is tried.
    """

    def __init__(self, llm: LLM, seed: int = 0) -> None:
        self.llm = llm
        self.seed = seed
        self._random = OptunaSampler(seed, "random")

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the default, then what the model says."""
        if proposal := default_proposal(task, trials):
            return proposal
        messages = opro_messages(task, trials)
        form = params_form(task.space)
        usage = Usage()
        why = ""
        tried = {task.space.key(t.proposal.params) for t in trials}
        for turn in range(_ASKED):
            try:
                reply = self.llm.ask(
                    messages, form, seed=spawn_seed(self.seed, next_number(trials), turn)
                )
            except LLMFailure as failure:
                why = str(failure)
                break
            usage += reply.usage
            params = _read(reply.data, task.space)
            if isinstance(params, str):
                why = params
            elif task.space.key(params) in tried:
                why = "that configuration was tried already"
            else:
                return Proposal(params, "creator", model=self.llm.name, usage=usage, mode="free")
        stand_in = self._random.propose(task, trials)
        if isinstance(stand_in, Stop):
            return stand_in
        return replace(
            stand_in,
            source="fallback",
            note=f"instead of the model: {why}",
            model=self.llm.name,
            usage=usage,
        )


def opro_messages(task: Task, trials: Sequence[Trial]) -> list[Message]:
    """Return the meta-prompt: the space, the best configurations in ascending order of their
    scores, and what is asked for.
    """
    best = list(reversed(ranked(trials, task.objective.direction)[:_SHOWN]))
    shown = "\n".join(
        f"params: {json.dumps(trial.proposal.params)}\nscore: {trial.value:.5g}" for trial in best
    )
    better = "higher" if task.objective.direction == "maximize" else "lower"
    text = (
        "Below are some parameter settings with their scores, the best "
        f"last.\n\n{shown}\n\nThe parameters:\n{task.space.describe()}\n\n"
        f"Give new parameters that are different from all of the above and have a {better} "
        "score than any of them."
    )
    return [
        Message("system", "You optimise by trying. Reply with the parameters alone, as JSON."),
        Message("user", text),
    ]


def _read(data: Any, space: Space) -> Params | str:
    """Return the configuration in a reply, or what is wrong with it."""
    if isinstance(data, list) and len(data) == len(space):
        data = dict(zip(space.names, data, strict=True))
    if not isinstance(data, dict):
        return "the reply is not a JSON object of parameters"
    params = applicable(space, data)
    problems = space.violations(params)
    return "; ".join(problems)[:300] if problems else params
