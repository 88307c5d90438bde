"""``agenthpo compare STUDY STUDY…``: studies over one another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from agenthpo.cli.options import Json
from agenthpo.cli.writing import write_text
from agenthpo.text.cleaning import clean_line
from agenthpo.text.printing import clean_console, say

__all__ = ["compare"]


def compare(
    studies: Annotated[
        list[str], typer.Argument(metavar="STUDY STUDY...", help="Folders or names of studies.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a page with the picture too."),
    ] = None,
    each: Annotated[
        bool,
        typer.Option(
            "--each",
            help="Every study for itself; without it those of one proposer and model "
            "are a group, with an interval over them.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Compare studies of the same objective: the best value so far, with its uncertainty over
    seeds.
    """
    from agenthpo.codec import to_json
    from agenthpo.reporting.comparing import compared
    from agenthpo.reporting.page import comparison_page
    from agenthpo.studies import find_study

    found = compared([find_study(study) for study in studies], each=each)
    if output is not None:
        write_text(output, comparison_page(found))
    if json:
        print(to_json(found.to_json()))
        return
    console = clean_console()
    table = Table(box=SIMPLE, pad_edge=False, title=f"Best {clean_line(found.metric)} so far")
    for heading in ("who", "studies", *(f"after {n}" for n in found.points)):
        table.add_column(Text(heading), overflow="fold")
    for group in found.groups:
        values = []
        for n in found.points:
            mean, low, high = (v[n - 1] for v in (group.mean, group.low, group.high))
            spread = f" ({low:.4g} to {high:.4g})" if len(group.studies) > 1 else ""
            values.append(f"{mean:.4g}{spread}")
        cells = (clean_line(group.name), str(len(group.studies)), *values)
        table.add_row(*map(Text, cells))
    console.print(table)
    for pair in found.pairs:
        better = "better" if pair.ahead >= 0 else "worse"
        between = (
            f" ({pair.low:.3g} to {pair.high:.3g})"
            if pair.low is not None and pair.high is not None
            else "; how sure that is, one study does not say"
        )
        say(
            f"{pair.one} is {abs(pair.ahead):.4g} {better} than {pair.another} after {pair.trials} "
            f"trials: {pair.ahead:+.4g}{between}"
        )
    if output is not None:
        say(str(output))
