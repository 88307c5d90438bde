"""What a value says by itself: that nothing can beat it, that guessing would give it, that it never
moved. Each is a sentence of what was seen, and none where little was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from agenthpo.knowledge.names import recognised
from agenthpo.records import Curve, Direction, Outcome, Params, Trial
from agenthpo.space import format_number
from agenthpo.task import Task
from agenthpo.trials import upward

__all__ = ["longer_words", "plain_facts", "reached_words"]

_UNMOVED = 5
"""Configurations with one and the same value from which on that is told."""
_NAMED = 3
"""Parameters that are named then."""
_CONSTANT = 3
"""Reports of one and the same value from which on that is told."""
_COUNTS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_CLASSES = re.compile(
    rf"\b(\d{{1,5}}|{'|'.join(_COUNTS)})[ -](?:\w+ )?"
    r"(?:class(?:es)?|categories|kinds|labels|species|digits)\b|\b(binary)\b",
    re.IGNORECASE,
)
_LOG_LOSS = re.compile(r"cross.?entropy|\bnll\b|log.?loss|\bce\b", re.IGNORECASE)
_LOSS = re.compile(r"loss|entropy|nll|(?:^|_)ce$", re.IGNORECASE)
_ACCURACY = re.compile(r"(?:^|[_/. -])acc(?:uracy)?\d*$", re.IGNORECASE)
_NEAR = 0.01
"""How far from chance, relative to it, still is chance."""


def plain_facts(
    task: Task, outcome: Outcome, params: Params, others: Sequence[Trial]
) -> tuple[str, ...]:
    """Return what can be said of a trial's value without looking at the shape of its curve."""
    if outcome.value is None:
        return ()
    return tuple(_facts(task, outcome, outcome.value, params=params, others=others))


def _facts(
    task: Task, outcome: Outcome, value: float, *, params: Params, others: Sequence[Trial]
) -> Iterator[str]:
    goal = task.objective
    best = goal.best_possible(value)
    is_best = best is not None and (value - best) * upward(goal.direction) >= 0
    if is_best:
        yield f"Nothing can beat {format_number(value)}."
    curve = outcome.curves.get(goal.metric, ())
    unmoved = _unmoved(task, value, params, others)
    if unmoved:
        yield unmoved
    elif len(curve) >= _CONSTANT and not is_best and len({v for _, v in curve}) == 1:
        yield f"All {len(curve)} reports were {format_number(value)}: nothing was learnt."
    if (chance := _chance(task)) is not None and not is_best:
        count, level = chance
        if goal.direction == "maximize" and value > 1:
            level *= 100  # percents
        if (value - level) * upward(goal.direction) <= _NEAR * abs(level):
            yield (
                f"Guessing among {count} classes gives {format_number(level)}: "
                "nothing was learnt that helps."
            )


def _unmoved(task: Task, value: float, params: Params, others: Sequence[Trial]) -> str:
    """Return a sentence where every one of several configurations gave exactly the same value: what
    is tuned may never reach the script.
    """
    done = [t for t in others if t.value is not None]
    if any(t.value != value for t in done):
        return ""
    tried = {repr(sorted(t.proposal.params.items())) for t in done}
    tried |= {repr(sorted(params.items()))}
    if len(tried) < _UNMOVED:
        return ""
    names = ", ".join(task.space.names[:_NAMED])
    return (
        f"All {len(done) + 1} trials gave {format_number(value)}, whatever their "
        f"configuration: does the script use {names}?"
    )


def _chance(task: Task) -> tuple[int, float] | None:
    """Return the number of classes, as the background tells it, and what guessing gives then; None
    where that is not known of the metric.
    """
    goal = task.objective
    said = " ".join(vars(task.background).values())
    found = {2 if binary else _count(text) for text, binary in _CLASSES.findall(said)}
    counts = {count for count in found if count >= 2}
    if len(counts) != 1:
        return None
    (count,) = counts
    if goal.direction == "maximize" and _ACCURACY.search(goal.metric):
        return count, 1 / count
    is_said = _LOG_LOSS.search(f"{goal.metric.replace('_', ' ')} {said}") is not None
    if goal.direction == "minimize" and is_said and _LOSS.search(goal.metric):
        return count, math.log(count)
    return None


def _count(text: str) -> int:
    word = text.lower()
    return _COUNTS.index(word) + 2 if word in _COUNTS else int(word)


def longer_words(task: Task, params: Params) -> str:
    """Return the advice to train longer, as the end of a sentence, with the parameter that says
    how long where one does.
    """
    known = recognised(task.space.names)
    for name, each in known.items():
        if each.role == "length" and name in params:
            parameter = task.space[name]
            ends = parameter.values or (parameter.low, parameter.high)
            if parameter.is_ordered and params[name] == max(ends):
                return (
                    f"train longer ({name} is at {format_number(params[name])}, the end of its "
                    "range)"
                )
            return f"train longer (raise {name})"
    return "train longer"


def reached_words(metric: str, curve: Curve, direction: Direction) -> str:
    """Return in a sentence what a training that was stopped had reached; empty without a report."""
    finite = [(step, value) for step, value in curve if math.isfinite(value)]
    if not finite:
        return ""
    step, last = finite[-1]
    sign = upward(direction)
    rising = len(finite) > 1 and sign * last > max(sign * value for _, value in finite[:-1])
    still = ", its best so far" if rising else ""
    return f"It had reached {metric} {format_number(last)} at step {format_number(step)}{still}."
