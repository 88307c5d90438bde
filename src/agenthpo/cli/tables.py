"""What ``show`` prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from agenthpo.cli.repair import opened_to_read
from agenthpo.codec import to_json, trial_to_json
from agenthpo.experience.meta import encode_meta
from agenthpo.experience.requests import REQUESTS, Asked, read_requests
from agenthpo.failures import failure_rules
from agenthpo.pareto import front, goals_words, hypervolume
from agenthpo.records import Params, Trial
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
from agenthpo.text.urls import shown_url
from agenthpo.trial_rows import PARAMS, trial_columns, trial_rows
from agenthpo.trials import incumbent, ledger_json, whole_trainings

__all__ = ["print_csv", "print_study", "trial_table"]


def print_study(folder: Path, *, as_json: bool) -> None:
    """Print a study's trials, best configuration and gain."""
    with opened_to_read(folder) as log:
        meta = log.meta
        trials = log.trials()
        direction = log.direction
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
    lines += [f"{r.id} of {r.by} waits: {params_words(r.params)}" for r in asked.waiting(trials)]
    lines += [f"Note ({r.by}): {r.text}" for r in asked.notes()]
    if asked.unread:
        lines.append(f"Warning: {asked.unread} lines of {REQUESTS} cannot be read.")
    return lines


def print_csv(folder: Path) -> None:
    """Print a study's trials as CSV: one column a fact, then one a parameter."""
    import csv
    import sys

    with opened_to_read(folder) as log:
        trials = log.trials()
    rows = trial_rows(trials)
    active = [trial.proposal.params for trial in trials]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows[0] if rows else trial_columns())
    for row, params in zip(rows, active, strict=True):
        writer.writerow([_cell(name, value, params) for name, value in row.items()])


def _cell(name: str, value: Any, params: Params) -> Any:
    """Return what a cell holds: true and null of a parameter as JSON has them, nothing where it is
    not active.
    """
    if not name.startswith(PARAMS):
        return value
    return json.dumps(value).strip('"') if name.removeprefix(PARAMS) in params else ""


def trial_table(
    trials: Sequence[Trial], metric: str, best: Trial | None, *, one_line: bool = False
) -> Table:
    """Return the trials as a table, the best one in bold; with ``one_line``, parameters that do not
    fit are cut.
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
    for trial in trials:
        said = trial.analysis.diagnosis if trial.analysis else "not finished"
        diagnosis = said if trial.is_kept else "breaks a limit"
        style = "bold" if best is not None and trial.number == best.number else ""
        cells = (
            str(trial.number),
            trial.proposal.by or trial.proposal.source,  # there is little room
            value_words(trial),
            diagnosis,
            params_words(trial.proposal.params),
        )
        table.add_row(*(Text(clean_line(cell)) for cell in cells), style=style)
    return table
