"""TensorBoard's event files, read without TensorBoard and TensorFlow: TFRecords of ``Event``
messages.

https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from agenthpo.training.readers.format import Format, Row
from agenthpo.training.readers.wire import doubles, fields, floats

__all__ = ["TENSORBOARD"]

_FLOAT, _DOUBLE = 1, 2
"""Kinds of a tensor's elements."""


def _rows(path: Path, since: float) -> Iterator[Row]:
    """Yield a row for each step: the scalars that were written at it."""
    row = dict[str, float]()
    for event in _records(path.read_bytes()):
        step, values = _event(event)
        if values and row and (row["step"] != step or set(values) & set(row)):
            yield row
            row = {}
        if values:
            row = {"step": float(step), **row, **values}
    if row:
        yield row


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the whole records: length, its check sum, data, its check sum."""
    place = 0
    while place + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        start = place + 12
        if start + length + 4 > len(data):
            return
        yield data[start : start + length]
        place = start + length + 4


def _event(data: bytes) -> tuple[int, dict[str, float]]:
    step, values = 0, dict[str, float]()
    for number, content in fields(data):
        if number == 2 and isinstance(content, int):
            step = content
        elif number == 5 and isinstance(content, bytes):
            for inner, value in fields(content):
                if inner == 1 and isinstance(value, bytes):
                    values |= _scalar(value)
    return step, values


def _scalar(data: bytes) -> dict[str, float]:
    tag, found = "", None
    for number, content in fields(data):
        if not isinstance(content, bytes):
            continue
        if number == 1:
            tag = content.decode("utf-8", "replace")
        elif number == 2 and len(content) == 4:
            found = _as_written(floats(content)[0])
        elif number == 8:
            found = _tensor(content)
    return {tag: found} if tag and found is not None else {}


def _tensor(data: bytes) -> float | None:
    """Return the number of a tensor of one element."""
    kind, found = _FLOAT, list[float]()
    for number, content in fields(data):
        if number == 1 and isinstance(content, int):
            kind = content
        elif number in (4, 5, 6) and isinstance(content, bytes):
            is_double = number == 6 or (number == 4 and kind == _DOUBLE)
            if is_double or kind == _FLOAT:
                found += (doubles if is_double else floats)(content)
    if len(found) != 1:
        return None
    return _as_written(found[0]) if kind == _FLOAT else found[0]


def _as_written(number: float) -> float:
    """Return the shortest decimal that is the same 32-bit number: 0.6 rather than
    0.6000000238418579.
    """
    packed = struct.pack("<f", number)
    for digits in range(6, 9):
        short = float(f"{number:.{digits}g}")
        if struct.pack("<f", short) == packed:
            return short
    return number


TENSORBOARD = Format("TensorBoard events", ("*tfevents*",), _rows)
