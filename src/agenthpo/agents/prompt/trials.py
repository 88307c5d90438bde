"""Trials as text, in one line or in several: what a model is told of each, and which of them where
not all have room.

No test metric and no log file ever gets here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agenthpo.agents.reply.validate import whole_sentences
from agenthpo.limit import broken_words
from agenthpo.llm.replay import VARYING
from agenthpo.pareto import others_words
from agenthpo.records import CREATORS, Curve, Trial
from agenthpo.space import differing, format_number, short_number
from agenthpo.task import Task
from agenthpo.text.cutting import cut, safe_start
from agenthpo.thinning import thinned
from agenthpo.trials import Verdict, improvements, ranked, verdict

__all__ = [
    "CHARACTERS",
    "brief",
    "by_importance",
    "estimate_tokens",
    "fenced",
    "fitting",
    "full",
    "lasting_tokens",
    "took",
]

CHARACTERS = 3
"""Characters a token, on the safe side."""
_INSIGHT_WIDTH = 160
_REASONED = CREATORS | {"human"}
"""Whose reasons are told; the engine's are always of a kind."""
_BEST, _RECENT = 3, 4
_POINTS, _FEW_POINTS = 8, 4
_TOOK = "    took: 1234 s, 12345 MB at most"
"""A line of about the length of those that vary."""
_FENCE = re.compile(r"<\s{0,9}/?\s{0,9}data\b[^<>]{0,99}>?", re.IGNORECASE)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens ``text`` is; numbers take more than words, so this errs on the
    high side.
    """
    return len(text) // CHARACTERS + 1


def lasting_tokens(text: str) -> int:
    """Return the same of ``text``, whatever its seconds and megabytes are: what fits into a prompt
    must not hang on them, or no replay would ask the same question.
    """
    return estimate_tokens(VARYING.sub(_TOOK, text))


def brief(task: Task, trial: Trial) -> str:
    """Return a trial in one line: its parameters, its result, the diagnosis, and the insight where
    a model found one.
    """
    insight = (
        f" {_sentences(trial.analysis.insight, _INSIGHT_WIDTH)}"
        if trial.analysis and trial.analysis.author != "rules"
        else ""
    )
    diagnosis = f", {trial.analysis.diagnosis}" if trial.analysis else ""
    return (
        f"trial {trial.number} ({trial.proposal.source}): {_params(task, trial)} -> "
        f"{_result(task, trial)}{diagnosis}. {fenced(insight)}"
    ).rstrip()


def full(task: Task, trial: Trial) -> str:
    """Return a trial in several lines: with why it was proposed, what was expected, its curve, the
    evidence and the advice.
    """
    proposal, analysis = trial.proposal, trial.analysis
    expected = proposal.expected
    curve = trial.outcome.curves.get(task.objective.metric, ()) if trial.outcome else ()
    words: dict[Verdict | None, str] = {
        "held": "which held",
        "better": "and it came out better",
        "failed": "which failed",
        None: "",
    }
    came = words[verdict(trial, task.objective.direction)]
    parts = {
        "why": proposal.rationale if proposal.source in _REASONED else "",
        "expected": f"{format_number(expected.low)} to {format_number(expected.high)}, {came}"
        if expected and came
        else "",
        "curve": _curve(curve),
        **_other_curves(task, trial),
        "took": took(trial),
        "evidence": cut("; ".join(_beyond(task, trial, analysis.evidence)), 240)
        if analysis
        else "",
        "advice": analysis.advice if analysis else "",
    }
    return "\n".join(
        [
            brief(task, trial),
            *(f"    {name}: {cut(fenced(text), 240)}" for name, text in parts.items() if text),
        ]
    )


def _beyond(task: Task, trial: Trial, evidence: Sequence[str]) -> list[str]:
    """Return what of the ``evidence`` says more than the result, which stands in the line above."""
    return [said for said in evidence if said != _result(task, trial)]


def by_importance(task: Task, done: Sequence[Trial]) -> list[Trial]:
    """Return the trials, the most telling first: the best, the latest, the next best, those that
    taught something, then the latest on.
    """
    best = ranked(done, task.objective.direction)
    latest = list(reversed(done))
    ordered = [*best[:1], *latest[:_RECENT], *best[1:_BEST], *_informative(task, latest), *latest]
    return list({t.number: t for t in ordered}.values())


def _informative(task: Task, latest: Sequence[Trial]) -> list[Trial]:
    """Return the trials that were the first to become the best, that refuted a prediction, or that
    failed in a way of their own.
    """
    ways = set[str]()
    told = list[Trial]()
    improved = {t.number for t in improvements(list(reversed(latest)), task.objective.direction)}
    for trial in latest:
        surprised = trial.analysis is not None and trial.analysis.expectation_met is False
        failed = (
            trial.outcome is not None and trial.value is None and trial.outcome.error not in ways
        )
        if failed and trial.outcome is not None:
            ways.add(trial.outcome.error)
        if surprised or failed or trial.number in improved:
            told.append(trial)
    return told


def fitting(order: Sequence[Trial], texts: Mapping[int, str], room: int) -> set[int]:
    """Return the numbers of the trials whose texts fit into ``room`` tokens, taken in that
    ``order``.
    """
    kept: set[int] = set()
    for trial in order:
        cost = lasting_tokens(texts[trial.number])
        if trial.number not in kept and cost <= room:
            kept.add(trial.number)
            room -= cost
    return kept


def _sentences(text: str, most: int) -> str:
    """Return ``text`` in at most ``most`` characters, cut as ``cut`` does, but in whole
    sentences.
    """
    return text if len(text) <= most else whole_sentences(safe_start(text, most), most)


def fenced(text: str) -> str:
    """Return ``text`` on one line, unable to close the fence around it."""
    while (inner := _FENCE.sub("", text)) != text:  # what one tag leaves may be another
        text = inner
    return " ".join(text.split())


def _params(task: Task, trial: Trial) -> str:
    """Return a trial's parameters; only what differs from the default, where that says it in half
    the words.
    """
    params = trial.proposal.params
    default = task.space.default() or {}
    changed = {name: params[name] for name in differing(default, params) if name in params}
    is_near = (
        trial.proposal.source != "default"
        and 2 * len(changed) <= len(params)
        and set(default) <= set(params)
    )
    words = [
        f"{name}={short_number(value)}" for name, value in (changed if is_near else params).items()
    ]
    return fenced(" ".join((["default but"] if is_near else []) + words))


def _result(task: Task, trial: Trial) -> str:
    assert trial.outcome is not None
    if trial.value is None:
        return f"{trial.outcome.status} ({fenced(cut(trial.outcome.error, 120))})"
    more = [broken_words(trial.outcome.margins)]
    if trial.outcome.repeats:
        low, high = min(trial.outcome.repeats), max(trial.outcome.repeats)
        runs = f"{len(trial.outcome.repeats)} run{'s' * (len(trial.outcome.repeats) > 1)}"
        more.append(f"{runs}, {short_number(low)} to {short_number(high)}")
    said = "; ".join(filter(None, more))
    others = others_words(trial.outcome)
    return f"{task.objective.metric} {format_number(trial.value)}{others}{said and f' ({said})'}"


def _curve(curve: Curve, points: int = _POINTS) -> str:
    if len(curve) < 3:
        return ""
    return ", ".join(f"{value:.3g} at step {step:g}" for step, value in thinned(curve, points))


def _other_curves(task: Task, trial: Trial) -> dict[str, str]:
    """Return what else the trial reported in steps, by names that say so."""
    curves = trial.outcome.curves if trial.outcome else {}
    others = {n: c for n, c in curves.items() if n != task.objective.metric}
    return {f"curve of {fenced(cut(n, 40))}": _curve(c, _FEW_POINTS) for n, c in others.items()}


def took(trial: Trial) -> str:
    """Return seconds and memory; a replay knows the line by its name and leaves it out."""
    if trial.outcome is None:
        return ""
    memory = "" if trial.outcome.peak_mb is None else f", {trial.outcome.peak_mb:.0f} MB at most"
    return f"{trial.outcome.duration_s:.3g} s{memory}"
