"""The file of a Weights & Biases run (``wandb/run-*/run-*.wandb``), offline or not: records in
LevelDB's log format, whose history items hold JSON.

https://github.com/wandb/wandb/blob/main/wandb/proto/wandb_internal.proto
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

from agenthpo.training.numbers import as_float, is_number
from agenthpo.training.readers.format import Format, Row
from agenthpo.training.readers.wire import fields

__all__ = ["WANDB"]

_BLOCK, _HEAD = 32768, 7
"""A block's length, and that of a record's head: check sum, length, kind."""
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_MAGIC = b":W&B"


def _rows(path: Path, since: float) -> Iterator[Row]:
    """Yield a row for each ``log`` call."""
    for record in _records(path.read_bytes()):
        for number, history in fields(record):
            if number == 2 and isinstance(history, bytes) and (row := _history(history)):
                yield row


def _history(data: bytes) -> dict[str, float]:
    row = dict[str, float]()
    for number, content in fields(data):
        if not isinstance(content, bytes):
            continue
        if number == 1:
            row |= _item(content)
        elif number == 2:
            step = next((v for n, v in fields(content) if n == 1 and isinstance(v, int)), 0)
            row["step"] = float(step)
    if "_step" in row:
        row["step"] = row.pop("_step")
    return {name: value for name, value in row.items() if not name.startswith("_")}


def _item(data: bytes) -> dict[str, float]:
    key, nested, text = "", list[str](), ""
    for number, content in fields(data):
        if isinstance(content, bytes):
            said = content.decode("utf-8", "replace")
            if number == 1:
                key = said
            elif number == 2:
                nested.append(said)
            elif number == 16:
                text = said
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    name = key or "/".join(nested)
    return {name: as_float(value)} if name and is_number(value) else {}


def _records(data: bytes) -> Iterator[bytes]:
    if not data.startswith(_MAGIC):
        return
    place, whole = len(_MAGIC) + 3, b""
    while place + _HEAD <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _HEAD:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        part = data[place + _HEAD : place + _HEAD + length]
        if len(part) < length or not _WHOLE <= kind <= _LAST:
            return
        whole = part if kind in (_WHOLE, _FIRST) else whole + part
        if kind in (_WHOLE, _LAST):
            yield whole
        place += _HEAD + length


WANDB = Format("a Weights & Biases run", ("wandb/*run-*/run-*.wandb",), _rows)
