"""What ``show`` prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from agenthpo.cli.repair import opened_to_read
from agenthpo.codec import to_json, trial_to_json
from agenthpo.experience.meta import encode_meta
from agenthpo.records import Trial
from agenthpo.space import format_number
from agenthpo.text.cleaning import clean, clean_line
from agenthpo.text.phrases import (
    all_widening_words,
    gain_words,
    measured_words,
    params_words,
    shadow_words,
    source_words,
)
from agenthpo.text.printing import clean_console
from agenthpo.text.urls import shown_url
from agenthpo.trials import incumbent, ledger_json

__all__ = ["print_csv", "print_study", "trial_table"]

_FACTS = (
    "number",
    "state",
    "source",
    "value",
    "test_value",
    "step",
    "duration_s",
    "peak_mb",
    "error",
    "rationale",
    "hypothesis",
    "note",
)


def print_study(folder: Path, *, as_json: bool) -> None:
    """Print a study's trials, best configuration and gain."""
    with opened_to_read(folder) as log:
        meta = log.meta
        trials = log.trials()
        direction = log.direction
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
        study["ledger"] = ledger_json(trials, direction)
        print(to_json({"study": study, "trials": [trial_to_json(t) for t in trials]}))
        return
    console = clean_console()
    console.print(
        f"Study {folder}: {direction} {meta.metric}, {len(trials)} of {meta.trials} trials",
        soft_wrap=True,
    )
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
            f"Gain: {gain_words(trials, best)}",
            *source_words(trials, direction),
            *shadow_words(meta.shadow),
            *all_widening_words(trials),
        ]
        console.print("\n".join(lines), soft_wrap=True)


def print_csv(folder: Path) -> None:
    """Print a study's trials as CSV: one column a fact, then one a parameter."""
    import csv
    import sys

    with opened_to_read(folder) as log:
        rows = [trial_to_json(trial) for trial in log.trials()]
    names = list(dict.fromkeys(name for row in rows for name in row["params"]))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(
        [
            *_FACTS,
            "diagnosis",
            "insight",
            "expectation_met",
            "tokens",
            *(f"params.{name}" for name in names),
        ]
    )
    for row in rows:
        analysis, usage = row["analysis"] or {}, row["usage"]
        said = [analysis.get(key) for key in ("diagnosis", "insight", "expectation_met")]
        facts = [
            *(row[key] for key in _FACTS),
            *said,
            usage["input_tokens"] + usage["output_tokens"],
        ]
        facts = [clean(fact) if isinstance(fact, str) else fact for fact in facts]
        writer.writerow(
            [
                *facts,
                *(
                    "" if name not in row["params"] else json.dumps(row["params"][name]).strip('"')
                    for name in names
                ),
            ]
        )


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
        value = (
            ""
            if trial.outcome is None
            else trial.outcome.status
            if trial.value is None
            else format_number(trial.value)
        )
        diagnosis = trial.analysis.diagnosis if trial.analysis else "not finished"
        style = "bold" if best is not None and trial.number == best.number else ""
        cells = (
            str(trial.number),
            trial.proposal.source,
            value,
            diagnosis,
            params_words(trial.proposal.params),
        )
        table.add_row(*(Text(clean_line(cell)) for cell in cells), style=style)
    return table
