"""``agenthpo models``: list the embedded models, pull one."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table

from agenthpo.codec import to_json
from agenthpo.llm.catalogue import CATALOGUE, Entry, find, pull
from agenthpo.text.printing import clean_console, say

__all__ = ["print_models", "print_verified", "pull_with_progress"]


def print_models(*, as_json: bool) -> None:
    """Print the catalogue, and which models are downloaded."""
    if as_json:
        print(to_json([_facts(entry) for entry in CATALOGUE]))
        return
    table = Table(
        Column("model", no_wrap=True),
        "size",
        "downloaded",
        "licence",
        "what it is",
        box=SIMPLE,
        pad_edge=False,
    )
    for entry in CATALOGUE:
        table.add_row(
            entry.name,
            f"{entry.size / 1e6:.0f} MB",
            "yes" if entry.is_downloaded else "no",
            entry.licence,
            entry.about,
        )
    console = clean_console()
    console.print(table)
    console.print(
        "Get one by: agenthpo models pull NAME. A file of your own is local:/path/to/file.gguf.",
        soft_wrap=True,
    )


def print_verified(*, as_json: bool) -> bool:
    """Check every downloaded file, print the results, and return whether all are as they
    should be.
    """
    found = {entry.name: entry.verify() for entry in CATALOGUE if entry.path.is_file()}
    if as_json:
        print(to_json(found))
    else:
        again = "not the file of the catalogue; get it anew by: agenthpo models pull"
        say(
            *[
                f"{name}: whole" if good else f"{name}: {again} {name}"
                for name, good in found.items()
            ]
            or ["No model is downloaded."]
        )
    return all(found.values())


def pull_with_progress(name: str) -> Path:
    """Fetch a model, showing how far it is on stderr."""
    entry = find(name)
    if entry.is_downloaded:
        return entry.path
    console = Console(file=sys.stderr)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    if not console.is_terminal:
        return pull(entry, _Lines(entry))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(entry.name, total=entry.size)
        return pull(entry, lambda done, total: progress.update(task, completed=done, total=total))


class _Lines:
    """Say how far it is in plain lines, a tenth at a time."""

    def __init__(self, entry: Entry) -> None:
        self._name, self._said = entry.name, -1

    def __call__(self, done: int, total: int) -> None:
        tenth = done * 10 // total
        if tenth != self._said:
            self._said = tenth
            print(
                f"{self._name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB",
                file=sys.stderr,
                flush=True,
            )


def _facts(entry: Entry) -> dict[str, object]:
    path = str(entry.path) if entry.is_downloaded else None
    return {
        "name": entry.name,
        "about": entry.about,
        "bytes": entry.size,
        "sha256": entry.sha256,
        "licence": entry.licence,
        "path": path,
    }
