"""The half of the Executor that is code: from an outcome to a closed diagnosis, its evidence, and
one piece of advice, or none: an empty one would only be followed.

Nothing here asks a model. Every number in the evidence was computed from the curves, every quoted
line found in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from agenthpo.agents.curves import FEWEST, Shape, read_shape, train_partner
from agenthpo.agents.faults import is_of_task
from agenthpo.agents.levers import Levers
from agenthpo.agents.plain_facts import longer_words, plain_facts, reached_words
from agenthpo.knowledge.names import recognised
from agenthpo.limit import broken_words
from agenthpo.pareto import others_words
from agenthpo.records import Analysis, Diagnosis, Direction, Outcome, Params, Trial
from agenthpo.space import Space, format_number
from agenthpo.task import Task
from agenthpo.trials import alike, incumbent, upward

__all__ = ["diagnose"]

_GAP = 0.1
"""Distance between training and validation, relative to the larger, that counts as a gap."""
_MEMORISING = {"n_neighbors", "bootstrap", "max_features"}
"""Hyperparameters, by their usual names, of models that remember what they saw."""
_STEPPING = {"learning_rate", "shrinkage"}
"""And of those that come to it in steps, which may have some of the former too."""
_WORDS: dict[Diagnosis, str] = {
    "completed": "it ran to its end without a sign of trouble",
    "overfitting": "it overfitted",
    "underfitting": "it underfitted, since training itself did no better",
    "still_improving": "it was still improving when it ended",
    "plateau": "it had stopped improving well before its end",
    "unstable": "its curve jumped up and down to the end",
    "diverged": "it diverged",
    "out_of_memory": "it ran out of memory",
    "timed_out": "it hit its time limit",
    "crashed": "it crashed",
    "pruned": "it was taken for hopeless",
    "task_error": "the task is at fault, not the configuration",
}


@dataclass(frozen=True)
class _Finding:
    diagnosis: Diagnosis
    evidence: tuple[str, ...]
    advice: str


def diagnose(task: Task, trial: Trial, *, outcome: Outcome, trials: Sequence[Trial]) -> Analysis:
    """Return diagnosis, evidence and advice for ``outcome``, compared with the other ``trials``, in
    the rules' own words.
    """
    others = [t for t in alike(trials, trial.proposal.share) if t.number != trial.number]
    best = incumbent(others, task.objective.direction)
    finding = _find(task, trial.proposal.params, outcome=outcome, others=others, best=best)
    expected = trial.proposal.expected
    met = None if expected is None else outcome.value is not None and expected.holds(outcome.value)
    return Analysis(
        diagnosis=finding.diagnosis,
        evidence=finding.evidence,
        insight=_sentence(
            task,
            outcome,
            finding=finding,
            best=best,
            params=trial.proposal.params,
            facts=plain_facts(task, outcome, trial.proposal.params, others),
        ),
        advice=finding.advice,
        expectation_met=met,
    )


def _find(
    task: Task, params: Params, *, outcome: Outcome, others: Sequence[Trial], best: Trial | None
) -> _Finding:
    lever = Levers(
        task.space,
        params,
        value=outcome.value,
        others=others,
        direction=task.objective.direction,
    )
    failures: dict[str, tuple[Diagnosis, str]] = {
        "failed": ("crashed", "avoid this combination unless the error has another cause"),
        "oom": (
            "out_of_memory",
            lever.first(("memory", -1), ("capacity", -1)),
        ),
        "timeout": (
            "timed_out",
            lever.first(("length", -1), ("capacity", -1)),
        ),
        "diverged": ("diverged", lever.first(("step", -1))),
        "interrupted": ("crashed", "run it again"),
        "pruned": ("pruned", ""),
    }
    if outcome.status in failures:
        diagnosis, advice = failures[outcome.status]
        if is_of_task(outcome):
            diagnosis, advice = (
                "task_error",
                "fix the task before any other configuration is tried",
            )
        return _Finding(diagnosis, (outcome.error,), advice)
    return _find_in_curves(task, outcome, lever=lever, best=best)


def _find_in_curves(task: Task, outcome: Outcome, *, lever: Levers, best: Trial | None) -> _Finding:
    metric, direction = task.objective.metric, task.objective.direction
    shape = read_shape(outcome.curves.get(metric, ()), direction)
    fit = _train_fit(task, outcome, best)
    seen = (_curve_words(metric, shape),) if shape else ()
    is_gap = fit.gap > _GAP and not _memorises(task.space)
    if not fit.is_poor and (is_gap or (shape and shape.is_falling and not shape.is_unstable)):
        advice = lever.first(("regularise", 1), ("length", -1), ("capacity", -1))
        return _Finding("overfitting", (*seen, *fit.evidence), advice)
    if shape and shape.is_unstable:
        return _Finding(
            "unstable",
            (*seen, f"mean jump {shape.roughness:.0%} of its range in the second half"),
            lever.first(("step", -1)),
        )
    if shape and shape.is_still_improving:
        evidence = (*seen, f"the last quarter brought {shape.late_gain:.0%} of its range")
        return _Finding("still_improving", evidence, lever.first(("length", 1), ("step", 1)))
    if fit.is_poor or fit.gap < -_GAP / 2:
        return _Finding(
            "underfitting",
            (*seen, *fit.evidence),
            lever.first(("capacity", 1), ("regularise", -1), ("step", 1)),
        )
    if shape is None and (words := _rising(metric, outcome, direction)):
        return _Finding("still_improving", (words,), lever.first(("length", 1), ("step", 1)))
    if shape and shape.is_flat:
        return _Finding("plateau", seen, lever.first(("capacity", 1), ("step", 1)))
    return _Finding("completed", seen or (f"{metric} {format_number(outcome.value)}",), "")


def _rising(metric: str, outcome: Outcome, direction: Direction) -> str:
    """Return in words that the few points of a curve were each better than the one before; empty
    where they were not.
    """
    values = [value for _, value in outcome.curves.get(metric, ())]
    steps = [(b - a) * upward(direction) for a, b in pairwise(values)]
    if not steps or min(steps) <= 0:
        return ""
    first, last = format_number(values[0]), format_number(values[-1])
    return f"{metric} from {first} to {last}, better at each of its {len(values)} reports"


def _memorises(space: Space) -> bool:
    """Return whether the model is of a kind that fits its training data all but perfectly when it
    is good: forests and nearest neighbours, of which a gap says nothing.
    """
    known = {each.name for each in recognised(space.names).values()}
    return bool(known & _MEMORISING) and not known & _STEPPING


@dataclass(frozen=True)
class _Fit:
    """What the training metric says beside the validation metric. ``gap`` is how far it is ahead,
    relative to the larger of them.
    """

    gap: float = 0.0
    is_poor: bool = False
    """Whether training itself did worse than the best validation value so far: nothing was learnt
    that could be overfitted.
    """
    evidence: tuple[str, ...] = ()


def _train_fit(task: Task, outcome: Outcome, best: Trial | None) -> _Fit:
    metric = task.objective.metric
    sign = upward(task.objective.direction)
    partner = train_partner(metric, outcome.curves)
    if partner is None or outcome.value is None:
        return _Fit()
    trained = outcome.curves[partner][-1][1]
    ahead = (trained - outcome.value) * sign
    words = (
        f"{partner} ended at {trained:.4g}, {abs(ahead):.4g} "
        f"{'ahead of' if ahead >= 0 else 'behind'} {metric}"
    )
    poor = best is not None and best.value is not None and (trained - best.value) * sign < 0
    beside = (
        f"and worse than trial {best.number}'s {metric} of {best.value:.4g}"
        if poor and best is not None
        else ""
    )
    return _Fit(
        ahead / (max(abs(trained), abs(outcome.value)) or 1.0), poor, (f"{words} {beside}".strip(),)
    )


def _curve_words(metric: str, shape: Shape) -> str:
    first, last, best = (f"{value:.4g}" for value in (shape.first, shape.last, shape.best))
    return (
        f"{metric} from {first} to {last} at step {format_number(shape.last_step)}, best "
        f"{best} at step {format_number(shape.best_step)}"
    )


def _sentence(
    task: Task,
    outcome: Outcome,
    *,
    finding: _Finding,
    best: Trial | None,
    params: Params,
    facts: Sequence[str],
) -> str:
    metric, direction = task.objective.metric, task.objective.direction
    words = _WORDS[finding.diagnosis]
    is_beginning = task.fidelity is not None and task.fidelity.share(params) < 1
    if finding.diagnosis == "still_improving" and not is_beginning:
        words += f": {longer_words(task, params)}"
    if finding.diagnosis == "completed" and len(outcome.curves.get(metric, ())) < FEWEST:
        words = "it ran to its end"  # so few points say no more
    if outcome.value is None:
        reached = (
            reached_words(metric, outcome.curves.get(metric, ()), direction)
            if finding.diagnosis in ("timed_out", "pruned")
            else ""
        )
        return " ".join(filter(None, (f"{words[0].upper()}{words[1:]}: {outcome.error}.", reached)))
    result = f"{metric} {format_number(outcome.value)}{others_words(outcome)}"
    if broken := broken_words(outcome.margins):
        return " ".join((f"{result}, but it {broken}; {words}.", *facts))
    if best is not None and best.value is not None:
        better = (outcome.value - best.value) * upward(direction)
        relation = "better than" if better > 0 else "worse than" if better < 0 else "the same as"
        distance = f"{format_number(abs(better))} " if better else ""
        result += f", {distance}{relation} trial {best.number}"
    return " ".join((f"{result}; {words}.", *facts))
