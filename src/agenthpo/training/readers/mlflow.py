"""What MLflow keeps on this machine: a file a metric below ``mlruns``, or an SQLite database.

https://mlflow.org/docs/latest/self-hosting/architecture/backend-store
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from agenthpo.scalars import whole_number
from agenthpo.training.numbers import as_float
from agenthpo.training.readers.format import Format, Row

__all__ = ["MLFLOW_DATABASE", "MLFLOW_FILES"]

_NEWEST = (
    "SELECT run_uuid FROM metrics WHERE timestamp >= ? GROUP BY run_uuid "
    "ORDER BY MAX(timestamp) DESC LIMIT 1"
)
_ROWS = (
    'SELECT "key", value, is_nan, step FROM metrics WHERE run_uuid = ? AND timestamp >= ? '
    "ORDER BY step, timestamp LIMIT 200000"
)


def _of_files(path: Path, since: float) -> Iterator[Row]:
    """Yield the rows of one metric's file: time, value and step on a line."""
    name = path.as_posix().rpartition("/metrics/")[2]
    for line in path.read_text("utf-8", "replace").splitlines():
        words = line.split()
        if len(words) in (2, 3):
            numbers = [whole_number(word) for word in words]
            if None not in numbers:
                value, step = numbers[1], numbers[2] if len(numbers) > 2 else 0
                yield {name: as_float(value or 0), "step": as_float(step or 0)}


def _of_database(path: Path, since: float) -> list[Row]:
    """Return the metrics of the newest run, in the order of its steps."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            newest = base.execute(_NEWEST, (1000 * since,)).fetchone()
            if newest is None:
                return []
            found = base.execute(_ROWS, (newest[0], 1000 * since)).fetchall()
    except sqlite3.Error:  # no database of MLflow's, or one that is locked
        return []
    return [
        {key: math.nan if is_nan else float(value), "step": float(step)}
        for key, value, is_nan, step in found
    ]


MLFLOW_FILES = Format(
    "MLflow's files",
    tuple(f"mlruns/*/*/metrics/{'*/' * deep}*" for deep in range(3)),
    _of_files,
)
MLFLOW_DATABASE = Format("MLflow's database", ("mlflow.db", "mlruns.db"), _of_database)
