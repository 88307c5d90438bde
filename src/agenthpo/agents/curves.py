"""What a learning curve says: pure functions on points, with thresholds that are relative to the
curve's own range.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from agenthpo.records import Curve, Direction
from agenthpo.trials import upward

__all__ = ["FEWEST", "Shape", "read_shape", "train_partner"]

FEWEST = 5
"""Points below which a curve has no shape."""
_SMALL = 0.02
"""Share of the curve's range that counts as no change."""
_ROUGH = 0.25
"""Mean jump, as a share of the range, from which the second half of a curve is unstable."""


@dataclass(frozen=True)
class Shape:
    """A curve in numbers. ``gain`` and ``loss`` are shares of its range (0 to 1), signed so that
    larger is better.
    """

    first: float
    last: float
    best: float
    best_step: float
    last_step: float
    late_gain: float
    """How much the best of the last quarter is above the best before."""
    final_drop: float
    """How far the last value is below the best."""
    roughness: float
    """The mean jump between neighbours in the second half, where they go up and down; 0 where they
    go one way.
    """

    @property
    def is_still_improving(self) -> bool:
        """Whether the best value came late and was above all before."""
        return self.late_gain > 2 * _SMALL

    @property
    def is_flat(self) -> bool:
        """Whether the last quarter brought nothing and lost nothing."""
        return self.late_gain <= _SMALL and self.final_drop <= 2 * _SMALL

    @property
    def is_falling(self) -> bool:
        """Whether it ended well below a best value that lies before the last quarter."""
        return self.late_gain <= 0 and self.final_drop > 5 * _SMALL

    @property
    def is_unstable(self) -> bool:
        """Whether it jumped up and down to its end."""
        return self.roughness > _ROUGH


def read_shape(curve: Curve, direction: Direction) -> Shape | None:
    """Return the shape of ``curve``, or None with fewer than five finite points."""
    points = [(s, v) for s, v in curve if math.isfinite(v)]
    if len(points) < FEWEST:
        return None
    ups = [upward(direction) * v for _, v in points]
    width = max(ups) - min(ups) or 1.0
    quarter = max(1, len(ups) // 4)
    best = max(range(len(ups)), key=lambda i: ups[i])
    return Shape(
        first=points[0][1],
        last=points[-1][1],
        best=points[best][1],
        best_step=points[best][0],
        last_step=points[-1][0],
        late_gain=(max(ups[-quarter:]) - max(ups[:-quarter])) / width,
        final_drop=(max(ups) - ups[-1]) / width,
        roughness=_roughness(ups[len(ups) // 2 :]) / width,
    )


def _roughness(values: list[float]) -> float:
    jumps = [b - a for a, b in pairwise(values)]
    turns = sum(a * b < 0 for a, b in pairwise(jumps))
    if len(jumps) < 3 or turns < len(jumps) / 3:
        return 0.0
    return sum(map(abs, jumps)) / len(jumps)


def train_partner(metric: str, curves: Mapping[str, Curve]) -> str | None:
    """Return the training metric that goes with a validation metric: ``train_loss`` for
    ``val_loss``, where it was reported.
    """
    stem = re.sub(r"^(val|valid|validation|dev|eval)[_/.-]", "", metric)
    names = [f"{prefix}{joint}{stem}" for prefix in ("train", "training") for joint in "_/.-"]
    return next((name for name in names if name in curves and name != metric), None)
