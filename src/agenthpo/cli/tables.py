"""What ``show`` prints: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from agenthpo.cli.repair import opened_to_read
from agenthpo.codec import to_json, trial_to_json
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import encode_meta
from agenthpo.experience.requests import REQUESTS, Asked, read_requests
from agenthpo.experience.seen import seen_space
from agenthpo.failures import failure_rules
from agenthpo.pareto import front, goals_words, hypervolume
from agenthpo.records import Direction, Trial
from agenthpo.search.importance import FEWEST, importances
from agenthpo.space import format_number
from agenthpo.text.cleaning import clean_line
from agenthpo.text.phrases import (
    all_widening_words,
    front_words,
    gain_words,
    measured_words,
    nothing_kept,
    params_words,
    shadow_words,
    source_words,
    value_words,
)
from agenthpo.text.printing import clean_console
from agenthpo.text.sparkline import sparkline
from agenthpo.text.urls import shown_url
from agenthpo.thinning import thinned
from agenthpo.trial_rows import write_csv
from agenthpo.trials import course, default_trial, incumbent, ledger_json, whole_trainings

__all__ = ["print_csv", "print_study", "trial_table"]

_FEWEST, _WIDTH, _MOST = 3, 60, 5
"""Values from which on a course is drawn, its width, and parameters that are told to matter."""


def print_study(folder: Path, *, as_json: bool) -> None:
    """Print a study's trials, best configuration and gain."""
    with opened_to_read(folder) as log:
        meta = log.meta
        trials = log.trials()
        direction = log.direction
        matters = [] if as_json else _matter_words(log, trials)
    asked = read_requests(folder)
    best = incumbent(trials, direction)
    if as_json:
        told = {name: value for name, value in encode_meta(meta).items() if name != "seal"}
        told["base_url"] = meta.base_url and shown_url(meta.base_url)
        study = {
            "name": folder.name,
            **told,
            "folder": str(folder),
            "direction": direction,
            "incumbent": best and best.number,
        }
        study["front"] = [t.number for t in front(trials, direction, meta.goals)]
        study["hypervolume"] = hypervolume(trials, direction, meta.goals) if meta.goals else None
        study["failures"] = [str(rule) for rule in failure_rules(trials)]
        study["ledger"] = ledger_json(trials, direction)
        study["pins"] = asked.pins
        study["requests"] = [asdict(request) for request in asked.requests]
        print(to_json({"study": study, "trials": [trial_to_json(t) for t in trials]}))
        return
    console = clean_console()
    many = f"{len(trials)} of {meta.trials} trials"
    if not all(t.is_whole for t in trials):
        spent = whole_trainings(trials)
        many = f"{len(trials)} trials, as much as {spent:.3g} of {meta.trials} whole ones"
    what = goals_words(meta.metric, direction, meta.goals)
    console.print(f"Study {folder}: {what}, {many}", soft_wrap=True)
    console.print(trial_table(trials, meta.metric, best))
    for line in [*_course_words(trials, direction), *matters]:
        console.print(line, soft_wrap=True)
    if best is not None:
        said = best.analysis.insight if best.analysis else ""
        lines = [
            f"Best: trial {best.number}, {params_words(best.proposal.params)}",
            f"    {best.proposal.rationale}",
            f"    {said}",
        ]
        lines += [
            *measured_words(trials, direction),
            *front_words(trials, meta.metric, direction, meta.goals),
            f"Gain: {gain_words(trials, best)}",
            *source_words(trials, direction),
            *shadow_words(meta.shadow),
            *all_widening_words(trials),
        ]
        console.print("\n".join(lines), soft_wrap=True)
    elif nothing := nothing_kept(trials):
        console.print(nothing, soft_wrap=True)
    for rule in failure_rules(trials):
        console.print(f"Failures: {rule}", soft_wrap=True)
    for line in _asked_words(asked, trials):
        console.print(line, soft_wrap=True)


def _asked_words(asked: Asked, trials: Sequence[Trial]) -> list[str]:
    """Return what people and agents have asked for, and what is still to come of it."""
    lines = [f"Pinned: {params_words(asked.pins)}"] if asked.pins else []
    lines += [f"Widened: {name}, {params_words(to)}" for name, to in asked.ranges.items()]
    lines += [f"{r.id} of {r.by} waits: {params_words(r.params)}" for r in asked.waiting(trials)]
    lines += [f"Note ({r.by}): {r.text}" for r in asked.notes()]
    if asked.unread:
        lines.append(f"Warning: {asked.unread} lines of {REQUESTS} cannot be read.")
    return lines


def print_csv(folder: Path) -> None:
    """Print a study's trials as CSV: one column a fact, then one a parameter."""
    with opened_to_read(folder) as log:
        write_csv(log.trials(), sys.stdout)


def _differing_words(trial: Trial, default: Trial | None) -> str:
    params = trial.proposal.params
    if default is None or trial.number == default.number:
        return params_words(params)
    told = params_words(default.proposal.params).split(" ")
    changed = {n: v for n, v in params.items() if params_words({n: v}) not in told}
    return params_words(changed) or "as the default"


def _course_words(trials: Sequence[Trial], direction: Direction) -> list[str]:
    """Return the values of the trials and the best so far as lines of bars."""
    values = [t.value for t in trials if t.value is not None]
    best = course(trials, direction)[1]
    if len(values) < _FEWEST or not best:
        return []
    drawn = [sparkline(list(thinned(each, _WIDTH)), _WIDTH) for each in (values, best)]
    ends = f"{format_number(best[0])} to {format_number(best[-1])}"
    return [f"Course:  {drawn[0]}", f"    best {drawn[1]} {ends}"]


def _matter_words(log: ExperienceLog, trials: Sequence[Trial]) -> list[str]:
    """Return which parameters matter and how sure that is, in a line; nothing while it cannot be
    told.
    """
    if sum(t.score is not None for t in trials) < FEWEST:
        return []
    space = seen_space(log)
    found = [] if space is None else importances(space, trials, log.direction, seed=log.meta.seed)
    words = ", ".join(
        f"{m.name} {m.share:.0%} ({m.low:.0%} to {m.high:.0%})" for m in found[:_MOST]
    )
    return [f"What matters: {words}"] if found else []


def trial_table(
    trials: Sequence[Trial], metric: str, best: Trial | None, *, one_line: bool = False
) -> Table:
    """Return the trials as a table, the best one in bold, each with what it has otherwise than the
    default; with ``one_line``, parameters that do not fit are cut.
    """
    table = Table(box=SIMPLE, pad_edge=False, expand=True)
    for heading, width in (
        ("trial", 5),
        ("source", 9),
        (metric, min(12, max(8, len(metric)))),
        ("diagnosis", 16),
    ):
        table.add_column(Text(clean_line(heading)), no_wrap=True, width=width)
    table.add_column(
        "parameters", no_wrap=one_line, overflow="ellipsis" if one_line else "fold", ratio=1
    )
    default = default_trial(trials)
    for trial in trials:
        said = trial.analysis.diagnosis if trial.analysis else "not finished"
        diagnosis = said if trial.is_kept else "breaks a limit"
        style = "bold" if best is not None and trial.number == best.number else ""
        cells = (
            str(trial.number),
            trial.proposal.by or trial.proposal.source,  # there is little room
            value_words(trial),
            diagnosis,
            _differing_words(trial, default),
        )
        table.add_row(*(Text(clean_line(cell)) for cell in cells), style=style)
    return table
