"""Where good values are before anything is known: rather inside a range than at its ends, since
people put ranges about what they expect.

A Gaussian process knows least at the borders, and goes there first, the more so the more parameters
there are; a mild prior, whose weight falls with every trial (as that of Hvarfner et al., *πBO*,
arXiv 2204.11051), keeps it inside until there is something to see at the border.
"""

from __future__ import annotations

import numpy as np

from agenthpo.search.engine.encoding import Encoding, Matrix, Vector

__all__ = ["log_inside"]

_AT_ENDS = 0.2
"""The density is a parabola above ``_AT_ENDS``: nine times as high in the middle as at an end."""


def log_inside(encoding: Encoding, rows: Matrix) -> Vector:
    """Return the logarithm of the prior density at ``rows`` over that of a uniform one. Names, and
    what is not active, say nothing.
    """
    # p(u) = (ends + 6 u (1 - u)) / (ends + 1): a mixture of the uniform density and Beta(2, 2)
    density = np.ones(rows.shape)
    for i, axis in enumerate(encoding.axes):
        if not axis.is_name:
            # Each of a few levels stands for its share of the range: of two, neither is inside.
            place = (
                (rows[:, i] * (axis.levels - 1) + 0.5) / axis.levels if axis.levels else rows[:, i]
            )
            density[:, i] = (_AT_ENDS + 6 * place * (1 - place)) / (_AT_ENDS + 1)
    logarithm: Vector = np.log(density).sum(axis=1, where=encoding.active(rows))
    return logarithm
