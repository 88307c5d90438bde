"""One seed in, one for each component out: by name and number, so that a resumed study draws what
it would have drawn.
"""

from __future__ import annotations

import zlib

__all__ = ["spawn_seed"]


def spawn_seed(seed: int, *path: int | str) -> int:
    """Return the seed (32 bits) of one use of ``seed``, the study's.

    :param path: what tells the use from all others: who draws, by name, then the trial's number
        and whatever else it repeats over, such as ``"creator", number, turn``. Optuna's samplers
        and the benchmark give numbers alone, as the stored runs of peers were drawn.

    >>> spawn_seed(0, "creator", 3, 1) == spawn_seed(0, "executor", 3, 1)
    False
    """
    return zlib.crc32("/".join(map(str, (seed, *path))).encode())
