"""Tables in text: CSV with a heading, and JSON lines."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agenthpo.scalars import whole_number
from agenthpo.training.numbers import as_float, json_numbers
from agenthpo.training.readers.document import document_rows
from agenthpo.training.readers.format import Format, Row

__all__ = ["CSV", "JSON_LINES", "table_rows"]

_POINT = re.compile(r"[0-9]\.[0-9]")


def table_rows(
    text: str, refuse: Callable[[str, str], None] = lambda name, cell: None
) -> Iterator[Row]:
    """Yield the rows of a table: CSV with a heading, JSON lines, or one JSON document.

    :param refuse: told the column and the text of each cell that is no whole number.
    """
    start = text.lstrip()[:1]
    if start in ("{", "["):
        whole = _parsed(text)
        if whole is not None:
            yield from document_rows(whole)
        else:
            yield from filter(None, map(json_numbers, text.splitlines()))
        return
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    # as programs of countries write it where a comma is decimal
    has_commas = delimiter == ";" and not _POINT.search(text)
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter, skipinitialspace=True)
    heading = [name.strip() for name in _next_row(reader) or []]
    while (row := _next_row(reader)) is not None:
        if len(row) == len(heading) + 1:  # R writes the rows' names without a heading
            row = row[1:]
        if len(row) > len(heading):
            continue
        # A column without a name (pandas writes one) counts rows, and is no metric.
        cells = {
            name: cell
            for name, cell in zip(heading, row, strict=False)
            if name and not name.startswith("Unnamed:")
        }
        numbers = {name: _number(cell, has_commas) for name, cell in cells.items()}
        for name in (name for name, value in numbers.items() if value is None):
            refuse(name, cells[name])
        if found := {name: value for name, value in numbers.items() if value is not None}:
            yield found


def _parsed(text: str) -> Any:
    """Return what a JSON document of several lines, or of a list, holds; None for JSON lines."""
    lines = text.strip().splitlines()
    if text.lstrip().startswith("{") and len(lines) > 1 and json_numbers(lines[0]):
        return None
    try:
        return json.loads(text, parse_int=_as_int)
    except (ValueError, RecursionError):
        return None


def _as_int(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:  # more digits than Python takes
        return math.inf


def _next_row(reader: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:  # a cell of more than 128 kB: no table
        return None


def _number(cell: str, has_commas: bool = False) -> float | None:
    text = cell.strip().removesuffix("%")
    if has_commas and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    number = whole_number(text)
    return None if number is None else as_float(number)


def _of_file(path: Path, since: float) -> Iterator[Row]:
    return table_rows(path.read_bytes().decode("utf-8-sig", "replace"))


CSV = Format(
    "CSV",
    (
        "lightning_logs/*/metrics.csv",
        *("metrics.csv", "history.csv", "results.csv", "progress.csv", "log.csv", "training.log"),
        *("train_log.csv", "training_log.csv", "logs.csv", "scores.csv"),
    ),
    _of_file,
    is_appended=True,
)
JSON_LINES = Format(
    "JSON lines",
    ("metrics.jsonl", "log.jsonl", "logs.jsonl", "history.jsonl", "results.jsonl", "*.log.json"),
    _of_file,
    is_appended=True,
)
