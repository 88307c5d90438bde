"""What other programs write metrics into: one module a format, each behind the contract ``Format``.

``FORMATS`` are tried in their order; whoever adds one adds it there.
"""

from __future__ import annotations

from pathlib import PurePath

from agenthpo.training.readers.document import JSON, TRAINER_STATE, YAML
from agenthpo.training.readers.format import Format, Row
from agenthpo.training.readers.mlflow import MLFLOW_DATABASE, MLFLOW_FILES
from agenthpo.training.readers.table import CSV, JSON_LINES, table_rows
from agenthpo.training.readers.tensorboard import TENSORBOARD
from agenthpo.training.readers.wandb import WANDB

__all__ = ["FORMATS", "Format", "Row", "format_of", "is_usual", "table_rows"]

FORMATS = (
    TRAINER_STATE,
    CSV,
    JSON_LINES,
    TENSORBOARD,
    WANDB,
    MLFLOW_FILES,
    MLFLOW_DATABASE,
    JSON,
    YAML,
)


_ENDINGS = {".csv": CSV, ".jsonl": JSON_LINES, ".json": JSON, ".yaml": YAML, ".yml": YAML}
"""What a file of any other name may be."""


def is_usual(path: PurePath) -> bool:
    """Return whether a file's name is usual for metrics."""
    return any(path.match(name) for kind in FORMATS for name in kind.names)


def format_of(path: PurePath) -> Format | None:
    """Return the format that a file's name is usual for, or that its ending tells; None where
    neither says one.

    >>> from pathlib import PurePath
    >>> format_of(PurePath("lightning_logs/version_3/metrics.csv")).name
    'CSV'
    """
    usual = next((f for f in FORMATS if any(path.match(name) for name in f.names)), None)
    return usual or _ENDINGS.get(path.suffix.lower())
