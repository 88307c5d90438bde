"""The Executor: reads what came out of a trial and writes what it means into the experience log.

Diagnosis, evidence, advice and the verdict on the prediction are code's. A language model, where
there is one, only finds the words, and every number and quotation in them is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agenthpo.agents.claims import checked, names_one
from agenthpo.agents.diagnosis import diagnose
from agenthpo.agents.prompt.build import prompt, render
from agenthpo.agents.prompt.trials import cut, fenced
from agenthpo.agents.reply.forms import INSIGHT, executor_form
from agenthpo.agents.reply.validate import whole_sentences
from agenthpo.errors import LLMFailure
from agenthpo.llm.client import LLM
from agenthpo.llm.model_class import WEAK, class_of
from agenthpo.records import Analysis, Outcome, Trial
from agenthpo.seeds import spawn_seed
from agenthpo.space import same
from agenthpo.task import Task
from agenthpo.trials import incumbent

__all__ = ["Executor"]

_LONGEST, _EVIDENCE = 400, 300
_FEWEST = 6
"""Sentences from which on it is judged whether a model is worth asking."""


class Executor:
    """Analyse trials, in the words of a language model or, without one, of the rules."""

    def __init__(self, llm: LLM | None = None, seed: int = 0) -> None:
        self.llm = llm
        self.seed = seed
        self._is_weak = (
            llm is not None and class_of(llm.name, embedded=llm.holds_to_grammar) in WEAK
        )

    def analyse(
        self, task: Task, trial: Trial, *, outcome: Outcome, trials: Sequence[Trial]
    ) -> Analysis:
        """Return what ``outcome`` means, given all ``trials``. A model that fails costs its words
        only, and the analysis says so.
        """
        analysis = diagnose(task, trial, outcome=outcome, trials=trials)
        # no words are bought for what no configuration can fix
        if self.llm is None or analysis.diagnosis == "task_error":
            return analysis
        others = [t for t in trials if t.number != trial.number]
        changed = _changed(task, trial, others)
        if self._is_weak and not changed:  # there is nothing it could say that the rules do not
            return analysis
        if why := _unreliable(self.llm.name, others):
            return replace(analysis, note=f"in the rules' words: {why}")
        ended = replace(trial, outcome=outcome, analysis=analysis)
        now = render(
            "executor",
            task.prompts,
            number=str(trial.number),
            diagnosis=analysis.diagnosis,
            evidence=fenced(cut("; ".join(analysis.evidence), _EVIDENCE)),
            advice=analysis.advice or "none",
        )
        messages = prompt(task, [*others, ended], now, llm=self.llm)
        try:
            reply = self.llm.ask(
                messages, executor_form(task), seed=spawn_seed(self.seed, "executor", trial.number)
            )
        except LLMFailure as failure:
            return replace(analysis, note=f"in the rules' words: {failure}")
        said = reply.data.get("insight") if isinstance(reply.data, dict) else None
        most = INSIGHT if self.llm.holds_to_grammar else _LONGEST
        # what came out is evidence too, beside all that the model was shown
        shown = " ".join([*(m.text for m in messages), analysis.insight])
        found = checked(
            whole_sentences(said, most) if isinstance(said, str) else "",
            shown,
            trials=[t.number for t in [*others, ended]],
        )
        analysis = replace(analysis, said=found.said, struck=len(found.struck), usage=reply.usage)
        why = "; ".join(found.struck) or f"the model {self.llm.name} gave no insight"
        if found.text and self._is_weak and not names_one(found.text, changed):
            why = f"the model {self.llm.name} named nothing that this trial changed"
        elif found.text:
            struck = f"struck from the insight: {'; '.join(found.struck)}" if found.struck else ""
            return replace(analysis, insight=found.text, author=self.llm.name, note=struck)
        return replace(analysis, note=f"in the rules' words: {why}")


def _changed(task: Task, trial: Trial, others: Sequence[Trial]) -> list[str]:
    """Return the parameters in which a trial differs from the best of the ``others``, or from the
    default where none has a value.
    """
    best = incumbent(others, task.objective.direction)
    before = best.proposal.params if best else task.space.default()
    if before is None:
        return list(trial.proposal.params)
    return [
        name
        for name, value in trial.proposal.params.items()
        if name not in before or not same(value, before[name])
    ]


def _unreliable(model: str, trials: Sequence[Trial]) -> str:
    """Return why ``model`` is not asked for words any more, empty while it is."""
    said = sum(t.analysis.said for t in trials if t.analysis)
    struck = sum(t.analysis.struck for t in trials if t.analysis)
    if said < _FEWEST or 2 * struck <= said:
        return ""
    return (
        f"{struck} of {said} sentences of {model} named what it was not shown, so that it is "
        "no longer asked for words"
    )
