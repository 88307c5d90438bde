"""How losses are put before a model: standardised as they are, or as logarithms of their distance
to the best.

Trainings that go wrong are often worse by far more than good ones differ among each other, and then
a model of plain losses sees only which go wrong. Which of the two is right differs from problem to
problem, and the data say: each warp knows the density of the losses given that of the standardised
ones, so that two models of the same data, each behind its own warp, can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agenthpo.search.engine.encoding import Vector

__all__ = ["Warp", "warps"]

_BEND = 2.0
"""Where the logarithm begins, in distances from the best to the median below the best: at 0 the
best would stand alone.
"""


@dataclass(frozen=True)
class Warp:
    """A monotone map of losses to standardised ones (mean 0, standard deviation 1), and back."""

    location: float
    deviation: float
    lowest: float = 0.0
    width: float | None = None
    """Distance from the lowest loss to the median, the unit of the logarithm; None for no
    logarithm.
    """

    @classmethod
    def of(cls, losses: Vector, *, width: float | None = None) -> Warp:
        """Return the warp that standardises ``losses``, at least one, by a logarithm where there is
        a ``width``.
        """
        lowest = float(losses.min())
        bent = _bent(losses, lowest, width)
        deviation = float(bent.std())
        # all the same, but for the rounding of their mean
        if deviation <= 1e-12 * np.abs(bent).max():
            deviation = 1.0
        location = float(bent.mean())
        return cls(location=location, deviation=deviation, lowest=lowest, width=width)

    def standardised(self, losses: Vector) -> Vector:
        """Return what the model works on."""
        return (_bent(losses, self.lowest, self.width) - self.location) / self.deviation

    def loss(self, standardised: float) -> float:
        """Return the loss that a standardised one stands for."""
        bent = self.location + self.deviation * standardised
        return float(
            bent
            if self.width is None
            else self.lowest + self.width * (np.exp(min(bent, 700.0)) - _BEND)
        )

    def slope(self, loss: float) -> float:
        """Return by how much a loss changes, about ``loss``, where its standardised one changes by
        1.
        """
        return (
            self.deviation
            if self.width is None
            else self.deviation * self.width * (_BEND + (loss - self.lowest) / self.width)
        )

    def log_density(self, losses: Vector) -> float:
        """Return what to add to a log density of standardised losses for one of the ``losses``
        themselves.
        """
        return -sum(float(np.log(self.slope(loss))) for loss in losses)


# The logarithmic warp: b = log(c + (y - lowest) / width), with c = _BEND, and z = (b - location) /
# deviation. So y = lowest + width (exp(b) - c), and dy/dz = deviation * width * (c + (y - lowest) /
# width). A density of z becomes one of y by the factor |dz/dy|.
def _bent(losses: Vector, lowest: float, width: float | None) -> Vector:
    return losses if width is None else np.log(_BEND + (losses - lowest) / width)


def warps(losses: Vector) -> tuple[Warp, ...]:
    """Return the warps worth trying: the plain one, and the logarithmic one where losses differ."""
    width = float(np.median(losses) - losses.min())
    return (Warp.of(losses), Warp.of(losses, width=width)) if width > 0 else (Warp.of(losses),)
