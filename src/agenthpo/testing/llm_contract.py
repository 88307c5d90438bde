"""What every language model promises, checked."""

from __future__ import annotations

import json
from typing import Any

from agenthpo.agents.creator import creator_messages
from agenthpo.agents.reply.forms import creator_form, executor_form
from agenthpo.agents.reply.validate import Draft, read_creator
from agenthpo.errors import LLMFailure
from agenthpo.llm.client import LLM, Form, Message, Reply
from agenthpo.task import Background, Objective, Task, Train
from agenthpo.taskfile.space import parse_space

__all__ = ["check_llm"]

_SPACE = {
    "learning_rate": {"type": "float", "low": 1e-5, "high": 0.1, "log": True, "default": 1e-3},
    "optimizer": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
}


def check_llm(llm: LLM) -> None:
    """Check that ``llm`` keeps the promises of a ``agenthpo.llm.client.LLM``.

    It is asked twice, by the prompts of a small task: once as the Creator and once as the Executor.

    - It has a name, a positive allowance, and says whether it holds to a grammar.
    - ``verify`` and ``prepare`` return, and so does ``close``, twice.
    - ``ask`` returns a ``agenthpo.llm.client.Reply``, or raises ``LLMFailure`` and nothing
      else.
    - A reply's usage counts at least one request, and no negative number.
    - A reply's data is JSON, or None. What a model that holds to a grammar answers can be read as
      a proposal, and as an insight.

    :param llm: the model; it is closed in the end.
    :raises AssertionError: naming the promise that is broken.
    """
    assert isinstance(llm.name, str) and llm.name, "its name is empty, or no text"
    assert isinstance(llm.allowance, int) and llm.allowance > 0, "its allowance is not above 0"
    assert isinstance(llm.holds_to_grammar, bool), "holds_to_grammar is neither True nor False"
    task = Task(
        name="check",
        objective=Objective("accuracy", "maximize"),
        space=parse_space(_SPACE),
        train=Train(),
        background=Background(task="Classify digits."),
    )
    messages = creator_messages(llm, task, trials=[])
    llm.verify()
    llm.prepare(messages[:1])
    data = _checked_data(llm, messages, creator_form(task, []))
    if llm.holds_to_grammar:
        read = read_creator(data, task, [])
        assert isinstance(read, Draft), (
            f"it holds to a grammar, and its proposal cannot be read: {read}"
        )
    data = _checked_data(llm, messages, executor_form(task))
    if llm.holds_to_grammar:
        assert isinstance(data, dict) and data.get("insight"), (
            "it holds to a grammar, and has no insight"
        )
    llm.close()
    llm.close()


def _checked_data(llm: LLM, messages: list[Message], form: Form) -> Any:
    """Return the data of its reply, None where it failed as it may."""
    try:
        reply = llm.ask(messages, form, seed=7)
    except LLMFailure as failure:
        assert str(failure), "its LLMFailure has no words"
        return None
    except Exception as problem:
        raise AssertionError(
            f"it raised {type(problem).__name__} ({problem}); only an LLMFailure is caught"
        ) from problem
    assert isinstance(reply, Reply), f"it returned {type(reply).__name__}, not a Reply"
    assert isinstance(reply.text, str), "the text of its reply is no text"
    usage = reply.usage
    assert usage.requests >= 1, "its usage counts no request"
    counts = (usage.input_tokens, usage.output_tokens, usage.seconds)
    assert min(counts) >= 0, f"its usage has a negative number: {usage}"
    try:
        json.dumps(reply.data)
    except (TypeError, ValueError) as problem:
        raise AssertionError(f"the data of its reply is no JSON: {problem}") from problem
    return reply.data
