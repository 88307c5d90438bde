"""A question that costs no trial: which of these configurations? Asked twice, in two orders; what
goes by position is found out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from agenthpo.agents.prompt.build import prompt, render, standing
from agenthpo.agents.prompt.engine import params_words
from agenthpo.errors import LLMFailure
from agenthpo.exchange import Choice
from agenthpo.llm.client import LLM, Form
from agenthpo.records import Params, Trial, Usage
from agenthpo.seeds import spawn_seed
from agenthpo.task import Task

__all__ = ["choose"]

_LETTERS = "ABCDE"


def choose(
    llm: LLM, task: Task, trials: Sequence[Trial], candidates: Sequence[Params], *, seed: int
) -> Choice:
    """Ask which of the ``candidates`` (two to five) is likely to be best, in one order and in the
    other.
    """
    usage = Usage()
    places = list[int]()
    first = list(range(len(candidates)))
    # no candidate keeps its place: reversed, the middle one of three would
    orders = [first, [*first[1:], first[0]]]
    for turn, order in enumerate(orders):
        try:
            letter, spent = _asked(
                llm,
                task,
                trials=trials,
                candidates=[candidates[i] for i in order],
                seed=spawn_seed(seed, turn),
            )
        except LLMFailure as failure:
            return Choice(None, str(failure), usage)
        usage += spent
        if letter is None:
            return Choice(None, "the model named none of the candidates", usage)
        places.append(letter)
    chosen = [order[place] for order, place in zip(orders, places, strict=True)]
    if chosen[0] == chosen[1]:
        return Choice(chosen[0], "", usage)
    by_position = places[0] == places[1]
    where = (
        f"it took place {_LETTERS[places[0]]} in either order"
        if by_position
        else "asked in another order it chose another one"
    )
    return Choice(
        index=None,
        reason=f"the model's choice did not stand: {where}",
        usage=usage,
        by_position=by_position,
    )


def _asked(
    llm: LLM, task: Task, *, trials: Sequence[Trial], candidates: Sequence[Params], seed: int
) -> tuple[int | None, Usage]:
    letters = _LETTERS[: len(candidates)]
    lines = "\n".join(
        f"- {letter}: {params_words(params)}"
        for letter, params in zip(letters, candidates, strict=True)
    )
    words = {
        "direction": task.objective.direction,
        "metric": task.objective.metric,
        "standing": standing(task, trials, llm=llm),
        "candidates": lines,
    }
    form = Form(
        "choice",
        {
            "type": "object",
            "properties": {
                "choice": {
                    "enum": list(letters),
                    "description": "The letter of the candidate you would try.",
                }
            },
            "required": ["choice"],
            "additionalProperties": False,
        },
        "%llguidance {}\nstart: "
        + json.dumps('{"choice": "')
        + " letter "
        + json.dumps('"}')
        + f"\nletter: {' | '.join(json.dumps(x) for x in letters)}",
    )
    reply = llm.ask(
        prompt(task, trials, render("choose", task.prompts, **words), llm=llm), form, seed=seed
    )
    said = reply.data.get("choice") if isinstance(reply.data, dict) else None
    said = said.strip().upper() if isinstance(said, str) else ""
    return (letters.index(said) if said in letters and said else None), reply.usage
