"""The Creator: asks a language model for the next configuration, validates the reply, and sends it
back with the errors at most twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agenthpo.agents.batch import next_of_batch
from agenthpo.agents.choice import choose
from agenthpo.agents.prompt.build import prompt, render, standing
from agenthpo.agents.prompt.engine import view_words
from agenthpo.agents.prompt.told import told, unworded
from agenthpo.agents.reply.extras import Extras, read_extras
from agenthpo.agents.reply.forms import MOST_FURTHER, creator_form
from agenthpo.agents.reply.validate import Draft, read_creator, wants_to_stop
from agenthpo.errors import LLMFailure
from agenthpo.exchange import Attempt, Choice, View
from agenthpo.llm.client import LLM, Mannered, Message
from agenthpo.records import Params, Proposal, Stop, Trial, Usage
from agenthpo.seeds import spawn_seed
from agenthpo.task import Task
from agenthpo.trials import next_number

__all__ = ["Creator", "creator_messages"]

_TOGETHER = (
    ' {at_once} trials train at once: give {more} more in "more", each unlike the others, so that '
    "none of them waits."
)
_SENT_BACK = 2
"""How often a reply that is not valid goes back to the model."""


class Creator:
    """A language model that proposes configurations."""

    def __init__(
        self,
        llm: LLM,
        seed: int = 0,
        without: frozenset[str] = frozenset(),
        *,
        at_once: int = 1,
    ) -> None:
        """:param without: parts of ``agenthpo.parts`` that the model is not told.
        :param at_once: how many trials run at once, for each of which it may give a configuration.
        """
        self.llm = llm
        self.seed = seed
        self.without = without
        self.at_once = at_once

    def has_next(self, task: Task, trials: Sequence[Trial]) -> bool:
        """Return whether an earlier reply holds the next proposal, so that nothing is asked."""
        return next_of_batch(task, trials) is not None

    def attempt(self, task: Task, trials: Sequence[Trial], view: View | None = None) -> Attempt:
        """Ask for a proposal, given what the engine thinks; what it holds is a point of the space
        that was not tried before. Nothing is asked while an earlier reply still holds one, and
        results are as it expected.
        """
        if (next_one := next_of_batch(task, trials)) is not None:
            return Attempt(next_one)
        shown = told(task, trials, self.without)
        number = next_number(trials)
        messages = creator_messages(
            self.llm, *shown, view=view, number=number, at_once=self.at_once
        )
        form = creator_form(shown[0], trials)
        usage = Usage()
        refused = list[str]()
        for turn in range(1 + _SENT_BACK):
            seed = spawn_seed(self.seed, "creator", number, turn)
            try:
                reply = self.llm.ask(messages, form, seed=seed)
            except LLMFailure as failure:
                return Attempt(None, str(failure), usage)
            usage += reply.usage
            if task.budget.creator_may_stop and (why := wants_to_stop(reply.data)):
                return Attempt(Stop(f"the Creator proposed to stop: {why}"), "", usage)
            read = [reply.problem] if reply.problem else read_creator(reply.data, task, trials)
            if isinstance(read, Draft):
                repairs = (*reply.repairs, *read.repairs)
                proposal = self._proposal(read, refused=refused, repairs=repairs, usage=usage)
                extras = read_extras(reply.data, task, trials, read.params)
                return Attempt(_with_extras(proposal, extras), "", usage)
            refused.append("; ".join(read)[:500])
            correction = (
                f"That was refused: {refused[-1]}. Reply again, the whole of it, corrected."
            )
            messages = [
                *messages,
                Message("assistant", reply.text[:2000] or "(nothing)"),
                Message("user", correction),
            ]
        return Attempt(
            None, f"{len(refused)} replies were refused, the last because {refused[-1]}", usage
        )

    def choose(self, task: Task, trials: Sequence[Trial], candidates: Sequence[Params]) -> Choice:
        """Ask which of the candidates it would try, twice, in two orders.

        It is not told what a model said of the trials, which may not be said yet: the same trials
        bring the same choice.
        """
        shown, others = told(task, trials, self.without)
        seed = spawn_seed(self.seed, "choice", next_number(trials))
        return choose(self.llm, shown, unworded(others), candidates, seed=seed)

    def _proposal(
        self, draft: Draft, *, refused: list[str], repairs: Sequence[str], usage: Usage
    ) -> Proposal:
        notes = (
            [
                f"{len(refused)} {'reply was' if len(refused) == 1 else 'replies were'} "
                f"sent back: {refused[-1]}"
            ]
            if refused
            else []
        )
        notes += [f"the reply was repaired: {'; '.join(repairs)[:300]}"] if repairs else []
        return Proposal(
            draft.params,
            "creator",
            rationale=draft.rationale,
            hypothesis=draft.hypothesis,
            expected=draft.expected,
            note=". ".join(notes),
            model=self.llm.name,
            usage=usage,
        )


def _with_extras(proposal: Proposal, extras: Extras) -> Proposal:
    return replace(
        proposal,
        claim=extras.claim,
        further=extras.further,
        widening=extras.widening,
        note=". ".join(filter(None, [proposal.note, *extras.notes])),
    )


def creator_messages(
    llm: Mannered,
    task: Task,
    trials: Sequence[Trial],
    *,
    view: View | None = None,
    number: int | None = None,
    at_once: int = 1,
) -> list[Message]:
    """Return the conversation that asks for the next configuration.

    :param number: that of its trial; the one after ``trials`` without it.
    :param at_once: how many trials run at once.
    """
    together = min(at_once, 1 + MOST_FURTHER)
    engine = "" if view is None else view_words(view, short=llm.holds_to_grammar)
    values = {
        "number": str(next_number(trials) if number is None else number),
        "standing": standing(task, trials, llm=llm),
        "engine": engine,
        "together": "" if together < 2 else _TOGETHER.format(at_once=at_once, more=together - 1),
    }
    return prompt(task, trials, render("propose", task.prompts, **values), llm=llm)
