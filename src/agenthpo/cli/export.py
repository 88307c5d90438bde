"""``agenthpo export STUDY --to TOOL``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agenthpo.cli.options import StudyName
from agenthpo.text.printing import say

__all__ = ["export"]


def export(
    study: StudyName,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="csv|parquet|tensorboard|mlflow|wandb|trackio", help="For which tool."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PLACE",
            help="The file or folder; here, under the tool's own name, without it.",
        ),
    ] = None,
) -> None:
    """Write a study for another tool, by that tool's own library and without a network."""
    from agenthpo.reporting.exporting import export
    from agenthpo.studies import find_study

    say(str(export(find_study(study), to, output)))
