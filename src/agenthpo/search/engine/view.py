"""The engine's belief as a view: candidates with what is expected of them, what matters, where data
are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from agenthpo.exchange import Candidate, View
from agenthpo.records import Params
from agenthpo.search.engine.belief import Belief
from agenthpo.search.engine.encoding import Encoding, Matrix
from agenthpo.space import Parameter, among, short_number

__all__ = ["apart", "gaps", "importance", "view_of"]

_SAMPLES, _LEVELS = 48, 8
_APART = 0.15
_NEAR = 0.2
_SAME = 1e-9
"""Places nearer to each other than this are one."""
_NAMED = 4
"""Values of a list that are named as never tried."""
_WIDEST = 0.34
"""A gap between tried values that is worth a word, as a share of the range."""


def view_of(belief: Belief, rows: Matrix, tried: Sequence[Params], *, candidates: int = 3) -> View:
    """Return the view; ``rows`` are what the engine would try, the best first.

    Among the candidates are both, one near the best that was tried and one far from it, where
    ``rows`` hold them: a step to refine, and a step to explore.
    """
    near = _near(belief, rows)
    chosen = apart(belief, rows, candidates)
    if len({bool(near[i]) for i in chosen}) == 1:
        other = np.flatnonzero(near != near[chosen[0]])[:1].tolist()
        chosen = [*chosen[: candidates - len(other)], *other]
    return View(
        candidates=tuple(
            Candidate(
                belief.encoding.params(rows[i]), belief.expected(rows[i]), is_near=bool(near[i])
            )
            for i in chosen
        ),
        importance=importance(belief),
        noise=belief.noise,
        gaps=gaps(belief.encoding, tried),
    )


def _near(belief: Belief, rows: Matrix) -> np.ndarray:
    """Return for each row whether it is near the best of those that were tried, as far as is
    believed: no parameter more than a fifth of its range away, or one step of its list.
    """
    best = belief.known[int(np.argmin(belief.at(belief.known)[0]))]
    away = [
        0.0 if axis.is_name else max(_NEAR, 1 / (axis.levels - 1) if axis.levels > 1 else 0.0)
        for axis in belief.encoding.axes
    ]
    return np.asarray((np.abs(rows - best) <= np.array(away) + _SAME).all(axis=1))


def importance(belief: Belief) -> dict[str, float]:
    """Return each parameter's share of the variance of what is expected, taken alone (a main
    effect), the largest first. What never varied has explained nothing, and has no share.
    """
    encoding = belief.encoding
    rng = np.random.default_rng(0)
    base = encoding.drawn(rng, _SAMPLES)
    effects = np.empty(encoding.width)
    for i, axis in enumerate(encoding.axes):
        places = np.unique(axis.drawn(np.random.default_rng(1), _LEVELS * 4))[: _LEVELS * 2]
        rows = np.repeat(base, len(places), axis=0)
        rows[:, i] = np.tile(places, len(base))
        means = belief.at(encoding.settled(rows))[0].reshape(len(base), len(places)).mean(axis=0)
        effects[i] = means.var()
    varied = np.ptp(belief.known, axis=0) > _SAME
    effects = np.where(varied, effects, 0.0)
    total = effects.sum()
    shares = effects / total if total > 0 else varied / max(varied.sum(), 1)
    order = np.argsort(-shares, kind="stable")
    return {encoding.space.names[i]: float(shares[i]) for i in order if varied[i]}


def gaps(encoding: Encoding, tried: Sequence[Params]) -> tuple[str, ...]:
    """Return, for each parameter that has one, the values or the widest range that no configuration
    has been to.
    """
    found = (
        _gap(encoding, i, parameter=axis.parameter, tried=tried)
        for i, axis in enumerate(encoding.axes)
    )
    return tuple(words for words in found if words)


def _gap(encoding: Encoding, column: int, *, parameter: Parameter, tried: Sequence[Params]) -> str:
    values = [params[parameter.name] for params in tried if parameter.name in params]
    if parameter.is_discrete:
        left = [v for v in parameter.values if not among(v, values)]
        named = " or ".join(map(short_number, left[:_NAMED]))
        return f"{parameter.name} {named}" if left else ""
    axis = encoding.axes[column]
    tried_at = {axis.place(v) for v in values}
    places = sorted({0.0, 1.0, *tried_at})
    if len(places) < 3:
        return ""
    width, low = max((b - a, a) for a, b in pairwise(places))
    if width < _WIDEST:
        return ""
    # between two integers that are neighbours there is nothing to try
    steps = round(width * (axis.levels - 1)) if axis.levels else 0
    if steps == 1 and {low, low + width} <= tried_at:
        return ""
    ends = [axis.value(float(axis.snapped(np.array([place]))[0])) for place in (low, low + width)]
    return f"{parameter.name} between {short_number(ends[0])} and {short_number(ends[1])}"


def apart(belief: Belief, rows: Matrix, most: int) -> list[int]:
    """Return the places of the first rows that are not nearly the same as one before them."""
    points = belief.encoding.spread(rows, np.ones(belief.encoding.width))
    kept: list[int] = []
    for i in range(len(rows)):
        if all(((points[i] - points[k]) ** 2).sum() > _APART**2 for k in kept):
            kept.append(i)
        if len(kept) == most:
            break
    return kept
