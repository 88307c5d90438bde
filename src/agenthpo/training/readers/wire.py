"""Protocol buffers' wire format, as far as metrics need it.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["doubles", "fields", "floats"]

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and content of each field of a message: an int for a varint, else its bytes.
    It ends where the message is not whole.
    """
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind, number = key & 7, key >> 3
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == _BYTES:
            length, place = _varint(data, place)
        elif kind in (_EIGHT, _FOUR):
            length = 8 if kind == _EIGHT else 4
        else:
            return
        if place + length > len(data):
            return
        yield number, data[place : place + length]
        place += length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
        shift += 7
    return value, place


def floats(data: bytes) -> list[float]:
    """Return 32-bit numbers, one after the other."""
    count = len(data) // 4
    return list(struct.unpack(f"<{count}f", data[: 4 * count]))


def doubles(data: bytes) -> list[float]:
    """Return 64-bit numbers, one after the other."""
    count = len(data) // 8
    return list(struct.unpack(f"<{count}d", data[: 8 * count]))
