"""The Executor: reads what came out of a trial and writes what it means into the experience log.

Diagnosis, evidence, advice and the verdict on the prediction are code's. A language model, where
there is one, only finds the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agenthpo.agents.diagnosis import diagnose
from agenthpo.agents.prompt.build import prompt, render
from agenthpo.agents.prompt.trials import cut, fenced
from agenthpo.agents.reply.forms import INSIGHT, executor_form
from agenthpo.agents.reply.validate import whole_sentences
from agenthpo.errors import LLMFailure
from agenthpo.llm.client import LLM
from agenthpo.records import Analysis, Outcome, Trial
from agenthpo.seeds import spawn_seed
from agenthpo.task import Task

__all__ = ["Executor"]

_LONGEST, _EVIDENCE = 400, 300


class Executor:
    """Analyse trials, in the words of a language model or, without one, of the rules."""

    def __init__(self, llm: LLM | None = None, seed: int = 0) -> None:
        self.llm = llm
        self.seed = seed

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
        ended = replace(trial, outcome=outcome, analysis=analysis)
        now = render(
            "executor",
            task.prompts,
            number=str(trial.number),
            diagnosis=analysis.diagnosis,
            evidence=fenced(cut("; ".join(analysis.evidence), _EVIDENCE)),
            advice=analysis.advice or "none",
        )
        messages = prompt(
            task, [*(t for t in trials if t.number != trial.number), ended], now, llm=self.llm
        )
        try:
            reply = self.llm.ask(
                messages, executor_form(task), seed=spawn_seed(self.seed, "executor", trial.number)
            )
        except LLMFailure as failure:
            return replace(analysis, note=f"in the rules' words: {failure}")
        said = reply.data.get("insight") if isinstance(reply.data, dict) else None
        most = INSIGHT if self.llm.holds_to_grammar else _LONGEST
        insight = whole_sentences(said, most) if isinstance(said, str) else ""
        if not insight:
            return replace(
                analysis,
                note=f"in the rules' words: the model {self.llm.name} gave no insight",
                usage=reply.usage,
            )
        return replace(analysis, insight=insight, author=self.llm.name, usage=reply.usage)
