"""One seed in, one for each component out: by name and number, so that a resumed study draws what
it would have drawn.
"""

from __future__ import annotations

import zlib

__all__ = ["spawn_seed"]


def spawn_seed(*path: int) -> int:
    """Return the seed (32 bits) for ``path``: the study's seed, then what tells one use of it from
    another.
    """
    return zlib.crc32("/".join(map(str, path)).encode())
