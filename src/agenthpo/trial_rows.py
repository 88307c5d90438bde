"""Trials as rows of a table: one column a fact, then one a parameter; for CSV files and frames."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import Any, TextIO

from agenthpo.codec import trial_to_json
from agenthpo.records import Params, Trial
from agenthpo.text.cleaning import clean

__all__ = ["PARAMS", "trial_columns", "trial_rows", "write_csv"]

PARAMS = "params."
"""What the column of a parameter begins with."""
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
_SAID = ("diagnosis", "insight", "expectation_met")


def trial_columns() -> list[str]:
    """Return the columns that every table of trials has, whatever its parameters."""
    return [*_FACTS, *_SAID, "tokens"]


def trial_rows(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Return a row a trial, all with the same columns in the same order; None where a trial has
    none. Texts are cleaned. After the facts come the objectives beside the first, and how far each
    limit on results is exceeded.
    """
    told = [trial_to_json(trial) for trial in trials]
    names = list(dict.fromkeys(name for row in told for name in row["params"]))
    others = list(dict.fromkeys(name for row in told for name in row["others"]))
    limits = list(dict.fromkeys(text for row in told for text in row["margins"]))
    return [_row(row, names, others, limits) for row in told]


def write_csv(trials: Sequence[Trial], file: TextIO) -> None:
    """Write the trials as CSV: one column a fact, then one a parameter. True and null of a
    parameter are as JSON has them, and nothing stands where one is not active.
    """
    rows = trial_rows(trials)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(rows[0] if rows else trial_columns())
    for row, trial in zip(rows, trials, strict=True):
        params = trial.proposal.params
        writer.writerow([_cell(name, value, params) for name, value in row.items()])


def _cell(name: str, value: Any, params: Params) -> Any:
    if not name.startswith(PARAMS):
        return value
    return json.dumps(value).strip('"') if name.removeprefix(PARAMS) in params else ""


def _row(
    told: dict[str, Any], names: Sequence[str], others: Sequence[str], limits: Sequence[str]
) -> dict[str, Any]:
    analysis, usage = told["analysis"] or {}, told["usage"]
    row = {
        **{key: told[key] for key in _FACTS},
        **{key: analysis.get(key) for key in _SAID},
        "tokens": usage["input_tokens"] + usage["output_tokens"],
    }
    row = {key: clean(fact) if isinstance(fact, str) else fact for key, fact in row.items()}
    row |= {f"objective.{name}": told["others"].get(name) for name in others}
    row |= {f"beyond {text}": told["margins"].get(text) for text in limits}
    return {**row, **{f"{PARAMS}{name}": told["params"].get(name) for name in names}}
