"""How a run ended, as its supervisor or the call of a function reports it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

__all__ = ["Reason", "RunEnd", "read_end"]

Reason = Literal[
    "exit",
    "stop",
    "pruned",
    "diverged",
    "timeout",
    "silence",
    "memory",
    "pattern",
    "unstartable",
    "unsupervised",
]
"""``exit``: by itself; ``stop``: the driver asked for it; ``pruned``: somebody else did, since
it was hopeless; ``diverged``: we did, since its metric was lost; ``pattern``: a metric was read in
part.
"""


@dataclass(frozen=True)
class RunEnd:
    """How a run ended, before anybody judges what it is worth."""

    reason: Reason
    exit_code: int | None = None
    """Negative for a signal."""
    duration_s: float = 0.0
    peak_mb: float | None = None
    """10^6 bytes of resident memory that the training and its children held together."""
    quiet_s: float = 0.0
    """How long it had written nothing."""
    error: str = ""


def read_end(said: bytes) -> RunEnd:
    """Return what a supervisor said in its last line; one that was killed says nothing, or half."""
    try:
        return RunEnd(**json.loads(said))
    except (ValueError, TypeError):
        return RunEnd("unsupervised", error="its supervisor was killed")
