"""What the trials say taken together: each parameter in a line, and the hypotheses that held and
that failed. Pure, and all numbers are code's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from agenthpo.records import Direction, Trial
from agenthpo.space import Parameter, differing, format_number, same, short_number
from agenthpo.task import Task
from agenthpo.trials import Verdict, claim_verdict, improvements, ranked, verdict

__all__ = ["hypotheses", "leaning", "parameter_lines", "steps"]

_FEWEST, _BEST_SHARE = 4, 3
"""Results below which nothing is said; the best third is what a parameter is judged by."""


def parameter_lines(task: Task, trials: Sequence[Trial]) -> list[str]:
    """Return a line for each parameter that took more than one value: where the best third of the
    results lies, and what was tried.
    """
    scored = ranked(trials, task.objective.direction)
    if len(scored) < _FEWEST:
        return []
    lines = (_line(parameter, scored) for parameter in task.space)
    return [line for line in lines if line]


def leaning(task: Task, trials: Sequence[Trial]) -> str:
    """Return the same in one short sentence, for a model that pays for every word; empty where
    there is too little to say.
    """
    scored = ranked(trials, task.objective.direction)
    if len(scored) < _FEWEST:
        return ""
    words = [
        f"{p.name} {_extent(p, values)}"
        for p in task.space
        if (values := _values(p, _best(scored)))
    ]
    return f"The best third has {', '.join(words)}."


def hypotheses(trials: Sequence[Trial], direction: Direction, *, most: int = 3) -> list[str]:
    """Return the latest hypotheses whose prediction the result confirmed, and those it refuted or
    exceeded, with what came instead.
    """
    judged = [
        t
        for t in trials
        if t.analysis and t.analysis.expectation_met is not None and t.proposal.hypothesis
    ]
    held = [t for t in judged if t.analysis and t.analysis.expectation_met]
    failed = [t for t in judged if t.analysis and not t.analysis.expectation_met]
    kept = [*held[-most:], *failed[-most:]]
    return [_verdict(t, trials, direction) for t in sorted(kept, key=lambda t: t.number)]


def steps(trials: Sequence[Trial], direction: Direction, *, most: int = 4) -> list[str]:
    """Return the latest trials that became the best, each with what it changed of the one before it
    and by how much it was better.
    """
    won = improvements(trials, direction)
    return [
        f"trial {now.number} beat trial {before.number} by "
        f"{format_number(abs(now.value - before.value))}: {_changes(before, now)}"
        for before, now in list(pairwise(won))[-most:]
        if now.value is not None and before.value is not None
    ]


def _changes(before: Trial, now: Trial) -> str:
    old, new = before.proposal.params, now.proposal.params
    words = [
        f"{name} {short_number(old[name]) if name in old else 'unset'} -> "
        f"{short_number(new[name]) if name in new else 'unset'}"
        for name in differing(old, new)
    ]
    return ", ".join(words) or "measured again"


def _verdict(trial: Trial, trials: Sequence[Trial], direction: Direction) -> str:
    expected = trial.proposal.expected
    came = "no value" if trial.value is None else format_number(trial.value)
    interval = (
        f", expected {format_number(expected.low)} to {format_number(expected.high)}"
        if expected
        else ""
    )
    words: dict[Verdict | None, str] = {
        "held": "confirmed",
        "better": "came out better than expected",
        "failed": "refuted",
    }
    claimed = claim_verdict(trial, trials, direction)
    # where code has tested the hypothesis itself, its interval says nothing of whether it was right
    word = words[verdict(trial, direction)]
    if claimed is not None:
        word = "confirmed" if claimed else "refuted"
    return f"trial {trial.number} {word}: {trial.proposal.hypothesis[:160]} (came {came}{interval})"


def _best(scored: list[Trial]) -> list[Trial]:
    return scored[: max(2, len(scored) // _BEST_SHARE)]


def _values(parameter: Parameter, trials: Sequence[Trial]) -> list[object]:
    return [
        t.proposal.params[parameter.name] for t in trials if parameter.name in t.proposal.params
    ]


def _line(parameter: Parameter, scored: list[Trial]) -> str:
    tried, best = _values(parameter, scored), _values(parameter, _best(scored))
    if not best or all(same(value, tried[0]) for value in tried):
        return ""
    if parameter.is_ordered:
        return (
            f"{parameter.name}: the best third has {_extent(parameter, best)}, tried were "
            f"{_extent(parameter, tried)}"
        )
    groups = []
    for value in dict.fromkeys(map(format_number, tried)):
        results = [
            t.value
            for t in scored
            if parameter.name in t.proposal.params
            and format_number(t.proposal.params[parameter.name]) == value
        ]
        groups.append(f"{value} {format_number(results[0])} at best of {len(results)}")
    return f"{parameter.name}: {', '.join(groups)}"


def _extent(parameter: Parameter, values: list[object]) -> str:
    if not parameter.is_ordered:
        return " or ".join(dict.fromkeys(map(format_number, values)))
    lowest = short_number(min(values))  # type: ignore[type-var]
    highest = short_number(max(values))  # type: ignore[type-var]
    return lowest if lowest == highest else f"{lowest} to {highest}"
