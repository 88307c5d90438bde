"""The Executor: reads what came out of a trial and writes what it means into the experience log.

Without a model all of it is code's. A weak model only finds words. Any other reads curves and log
too, and gives diagnosis, evidence, insight and advice, beside which the rules' diagnosis stands
where it differs. Every number and quotation is looked up, the verdict on the prediction is code's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agenthpo.agents.claims import Checked, Shown, names_one
from agenthpo.agents.diagnosis import diagnose
from agenthpo.agents.foresight import foresee
from agenthpo.agents.prompt.build import prompt, render
from agenthpo.agents.prompt.seen import seen_words
from agenthpo.agents.prompt.told import told, unworded
from agenthpo.agents.prompt.trials import fenced
from agenthpo.agents.reply.forms import INSIGHT, executor_form
from agenthpo.agents.reply.opinion import opinion_form, read_opinion
from agenthpo.agents.reply.validate import was_cut, words_of
from agenthpo.errors import LLMFailure
from agenthpo.llm.client import LLM, Form, Message, Reply
from agenthpo.llm.model_class import is_weak
from agenthpo.parts import ANALYSIS
from agenthpo.records import Analysis, Expected, Outcome, Struck, Trial, Usage
from agenthpo.seeds import spawn_seed
from agenthpo.space import differing
from agenthpo.task import Task
from agenthpo.text.cutting import cut
from agenthpo.trials import incumbent, upward

__all__ = ["Executor"]

_LONGEST, _EVIDENCE = 400, 300
_SEEN_SHARE = 0.3
"""Share of the allowance for what came out of one trial."""
_FEWEST = 6
"""Sentences from which on it is judged whether a model is worth asking."""
_DISMISSED = "it is no longer asked for words"


class Executor:
    """Analyse trials, in the words of a language model or, without one, of the rules."""

    def __init__(
        self, llm: LLM | None = None, seed: int = 0, without: frozenset[str] = frozenset()
    ) -> None:
        """:param without: parts of ``agenthpo.parts``: without ``analysis`` no model is asked, and
        it is not told the others.
        """
        self.llm = None if ANALYSIS in without else llm
        self.seed = seed
        self.without = without

    def analyse(
        self, task: Task, trial: Trial, *, outcome: Outcome, trials: Sequence[Trial]
    ) -> Analysis:
        """Return what ``outcome`` means, given all ``trials``. A model that fails costs its words
        only, and the analysis says so.
        """
        analysis = diagnose(task, trial, outcome=outcome, trials=trials)
        return self.worded(task, replace(trial, outcome=outcome, analysis=analysis), trials)

    def worded(self, task: Task, trial: Trial, trials: Sequence[Trial]) -> Analysis:
        """Return the analysis of ``trial``, which the rules have diagnosed, in the model's words
        where it has one and they stand; this may take as long as the model takes.
        """
        analysis = trial.analysis
        assert analysis is not None, "it is not diagnosed"
        # no words are bought for what no configuration can fix
        if self.llm is None or analysis.diagnosis == "task_error":
            return analysis
        others = [t for t in trials if t.number != trial.number]
        if why := _unreliable(self.llm.name, others):
            is_known = any(_DISMISSED in t.analysis.note for t in others if t.analysis)
            return replace(analysis, note="" if is_known else f"in the rules' words: {why}")
        task, others = told(task, others, self.without)
        judge = self._in_words if is_weak(self.llm) else self._with_opinion
        try:
            return judge(self.llm, task, trial, analysis=analysis, others=others)
        except LLMFailure as failure:
            return replace(analysis, note=f"in the rules' words: {failure}")

    def foreseen(
        self, task: Task, trial: Trial, trials: Sequence[Trial]
    ) -> tuple[Expected | None, Usage]:
        """Return what the model expects of ``trial``, which runs, given those that have ended."""
        if self.llm is None:
            return None, Usage()
        task, trials = told(task, trials, self.without)
        seed = spawn_seed(self.seed, "forecast", trial.number)
        return foresee(self.llm, task, trials, trial.proposal.params, seed=seed)

    def _in_words(
        self, llm: LLM, task: Task, trial: Trial, *, analysis: Analysis, others: Sequence[Trial]
    ) -> Analysis:
        """Return ``analysis`` with a weak model's sentence, where that names what was changed."""
        changed = _changed(task, trial, others)
        if not changed:  # there is nothing it could say that the rules do not
            return analysis
        # what it said of others is not told it: invented once, it would be said again
        plain = unworded(others)
        messages = _messages("executor", llm, task, trial=trial, analysis=analysis, others=plain)
        reply = self._asked(llm, messages, executor_form(task), trial)
        said = reply.data.get("insight") if isinstance(reply.data, dict) else None
        most = INSIGHT if llm.holds_to_grammar else _LONGEST
        if isinstance(said, str) and was_cut(said, most):
            why = f"the model {llm.name} came to no end of its sentence"
            found = Checked("", 0, (Struck(words_of(said, most), why),))
        else:
            found = _shown(messages, task, trial, others).checked(words_of(said, most))
        is_about = names_one(found.text, changed)
        is_vague = bool(found.text) and not is_about
        why = f"the model {llm.name} named nothing that this trial changed"
        vague = [Struck(found.text, why)] if is_vague else []
        return _told(
            analysis,
            llm,
            insight=found.text if is_about else "",
            said=found.said,
            struck=[*found.struck, *vague],
            usage=reply.usage,
            counted=found.said if is_vague else len(found.struck),
        )

    def _with_opinion(
        self, llm: LLM, task: Task, trial: Trial, *, analysis: Analysis, others: Sequence[Trial]
    ) -> Analysis:
        """Return ``analysis`` with what a model makes of curves, log, time and memory; the rules'
        diagnosis stands beside one that differs, and their advice, which follows from it, falls.
        """
        seen = seen_words(task, trial, allowance=int(llm.allowance * _SEEN_SHARE))
        messages = _messages(
            "analyse", llm, task, trial=trial, analysis=analysis, others=others, seen=seen
        )
        reply = self._asked(llm, messages, opinion_form(task), trial)
        opinion = read_opinion(
            reply.data,
            task.space,
            trial.proposal.params,
            _shown(messages, task, trial, others),
        )
        # how a trial failed is not a matter of opinion
        if trial.value is not None and opinion.diagnosis is not None:
            differs = opinion.diagnosis != analysis.diagnosis
            analysis = replace(
                analysis,
                diagnosis=opinion.diagnosis,
                second=analysis.diagnosis if differs else None,
                evidence=opinion.evidence,
                advice="" if differs else analysis.advice,
            )
        return _told(
            replace(analysis, advice=opinion.advice or analysis.advice),
            llm,
            insight=opinion.insight,
            said=opinion.said,
            struck=opinion.struck,
            usage=reply.usage,
            counted=len(opinion.struck),
        )

    def _asked(self, llm: LLM, messages: Sequence[Message], form: Form, trial: Trial) -> Reply:
        return llm.ask(messages, form, seed=spawn_seed(self.seed, "executor", trial.number))


def _messages(
    template: str,
    llm: LLM,
    task: Task,
    *,
    trial: Trial,
    analysis: Analysis,
    others: Sequence[Trial],
    seen: str = "",
) -> list[Message]:
    """Return the conversation that asks about ``trial``, given what the rules say of it."""
    now = render(
        template,
        task.prompts,
        number=str(trial.number),
        seen=seen,
        diagnosis=analysis.diagnosis,
        evidence=fenced(cut("; ".join(analysis.evidence), _EVIDENCE)),
        advice=analysis.advice or "none",
    )
    return prompt(task, [*others, trial], now, llm=llm)


def _shown(messages: Sequence[Message], task: Task, trial: Trial, others: Sequence[Trial]) -> Shown:
    """Return what may be said of ``trial``: what is in the ``messages``, or in the rules' words,
    which say what came out.
    """
    rules = trial.analysis.insight if trial.analysis else ""
    text = " ".join([*(m.text for m in messages), rules])
    direction = task.objective.direction
    best = incumbent([t for t in others if t.number < trial.number], direction)
    ahead = None
    if best is not None and best.value is not None and trial.value is not None:
        ahead = upward(direction) * (trial.value - best.value)
    return Shown(text, [t.number for t in (*others, trial)], ahead)


def _told(
    analysis: Analysis,
    llm: LLM,
    *,
    insight: str,
    said: int,
    struck: Sequence[Struck],
    usage: Usage,
    counted: int,
) -> Analysis:
    """Return ``analysis`` in the model's words, or in the rules' where none is left, with what was
    struck and what it cost.
    """
    analysis = replace(analysis, said=said, struck=counted, crossed_out=tuple(struck), usage=usage)
    why = "; ".join(each.why for each in struck)
    if insight:
        note = f"struck: {why}" if why else ""
        return replace(analysis, insight=insight, author=llm.name, note=note)
    why = why or f"the model {llm.name} gave no insight"
    return replace(analysis, note=f"in the rules' words: {why}")


def _changed(task: Task, trial: Trial, others: Sequence[Trial]) -> list[str]:
    """Return the parameters in which a trial differs from the best of the ``others``, or from the
    default where none has a value.
    """
    best = incumbent(others, task.objective.direction)
    before = best.proposal.params if best else task.space.default()
    if before is None:
        return list(trial.proposal.params)
    params = trial.proposal.params
    return [name for name in differing(before, params) if name in params]


def _unreliable(model: str, trials: Sequence[Trial]) -> str:
    """Return why ``model`` is not asked for words any more, empty while it is."""
    said = sum(t.analysis.said for t in trials if t.analysis)
    struck = sum(t.analysis.struck for t in trials if t.analysis)
    if said < _FEWEST or 2 * struck <= said:
        return ""
    return (
        f"{struck} of {said} sentences of {model} named what it was not shown, or nothing that "
        f"the trial changed, so that {_DISMISSED}"
    )
