"""Results as one document, JSON or YAML: the final numbers, a history, a trainer's state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agenthpo.training.numbers import as_float, is_number
from agenthpo.training.readers.format import Format, Row

__all__ = ["JSON", "TRAINER_STATE", "YAML", "document_rows"]

_LARGEST = 20_000_000
_DEEPEST = 6


def document_rows(content: Any) -> Iterator[Row]:
    """Yield the rows of a document: of each list of mappings in it, of columns of equal length (as
    Keras keeps a history), and then what is left, nested names joined by dots.

    >>> list(document_rows({"loss": [0.5, 0.25], "acc": [0.75, 0.875]}))
    [{'loss': 0.5, 'acc': 0.75}, {'loss': 0.25, 'acc': 0.875}]
    >>> list(document_rows({"eval": {"acc": 0.5}, "name": "x"}))
    [{'eval.acc': 0.5}]
    """
    if isinstance(content, list):
        for each in content:
            if isinstance(each, Mapping) and (row := _flat(each)):
                yield row
        return
    if not isinstance(content, Mapping):
        return
    for value in content.values():
        if isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
            yield from document_rows(value)
    columns = {
        str(name): value
        for name, value in content.items()
        if isinstance(value, list) and value and all(is_number(v) for v in value)
    }
    if columns and len({len(column) for column in columns.values()}) == 1:
        for values in zip(*columns.values(), strict=True):
            yield {name: as_float(value) for name, value in zip(columns, values, strict=True)}
    if row := _flat(content):
        yield row


def _flat(content: Mapping[Any, Any], start: str = "", deep: int = 0) -> dict[str, float]:
    found = dict[str, float]()
    for name, value in content.items():
        if is_number(value):
            found[f"{start}{name}"] = as_float(value)
        elif isinstance(value, Mapping) and deep < _DEEPEST:
            found |= _flat(value, f"{start}{name}.", deep + 1)
    return found


def _of_json(path: Path, since: float) -> list[Row]:
    try:
        return list(document_rows(json.loads(_bytes(path))))
    except (ValueError, RecursionError):  # it is being written
        return []


def _of_yaml(path: Path, since: float) -> list[Row]:
    from ruamel.yaml import YAML as Reader
    from ruamel.yaml.error import YAMLError

    try:
        text = _bytes(path).decode("utf-8-sig", "replace")
        return list(document_rows(Reader(typ="safe", pure=True).load(text)))
    except (YAMLError, ValueError, RecursionError):
        return []


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST)


_RESULTS = ("results", "result", "metrics", "scores", "history", "summary", "eval_results")
TRAINER_STATE = Format("the trainer's state", ("trainer_state.json",), _of_json)
JSON = Format(
    "JSON",
    ("all_results.json", "final_metrics.json", *(f"{name}.json" for name in _RESULTS)),
    _of_json,
)
YAML = Format(
    "YAML",
    tuple(f"{name}{end}" for name in _RESULTS for end in (".yaml", ".yml")),
    _of_yaml,
)
