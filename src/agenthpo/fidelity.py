"""How much of a whole training a trial is: a parameter, such as the epochs, that begins low and is
raised for those that are worth it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["CHECKPOINTS", "CHECKPOINT_VARIABLE", "Fidelity"]

CHECKPOINTS, CHECKPOINT_VARIABLE = "checkpoints", "AGENTHPO_CHECKPOINT_DIR"
"""The folder in a study's where scripts may keep what a longer training goes on from, and the
variable that names a configuration's own.
"""


@dataclass(frozen=True)
class Fidelity:
    """A parameter whose values are rungs, each ``eta`` times as much as the one below."""

    parameter: str
    low: float
    """The least that says anything of the end."""
    high: float
    """A whole training."""
    eta: int = 3
    """Of so many trials of a rung one goes on to the next."""
    is_whole: bool = True
    """Whether its values are whole numbers."""

    @cached_property
    def rungs(self) -> tuple[float, ...]:
        """Its values, ascending; the last is ``high``, and none is below ``low``.

        >>> Fidelity("epochs", 3, 81).rungs, Fidelity("share", 0.1, 1.0, 2, False).rungs
        ((3, 9, 27, 81), (0.125, 0.25, 0.5, 1.0))
        """
        steps = int(math.log(self.high / self.low) / math.log(self.eta) + 1e-9)
        values = [self.high / self.eta**step for step in range(steps, -1, -1)]
        return tuple(round(value) if self.is_whole else value for value in values)

    def rest(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a configuration is at each rung: all but the fidelity."""
        return {name: value for name, value in params.items() if name != self.parameter}

    def share(self, params: Mapping[str, Any]) -> float:
        """Return how much of a whole training a configuration is, above 0 and at most 1."""
        value = params.get(self.parameter, self.high)
        return min(float(value) / self.high, 1.0)
