"""What the engine's model of a study says: the two parameters that matter most, and what random
search would have reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agenthpo.records import Trial
from agenthpo.reporting.evidence import Contour
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.engine.engine import Engine
from agenthpo.search.engine.shadow import random_shadow
from agenthpo.search.engine.threads import one_thread
from agenthpo.shadow import Shadow
from agenthpo.task import Task

__all__ = ["contour_of", "random_search"]

_FEWEST, _LATEST, _GRID = 8, 300, 24
"""Results below which no picture is drawn, trials that are looked at, and steps of a range."""


def _usable(task: Task, trials: Sequence[Trial]) -> list[Trial]:
    done = [t for t in trials if t.outcome is not None and t.is_whole]
    return [t for t in done if not task.space.violations(t.proposal.params)][-_LATEST:]


def contour_of(
    task: Task, trials: Sequence[Trial], names: Sequence[str], best: Trial | None, engine: Engine
) -> Contour | None:
    """Return what the engine expects over the two parameters ``names``, the others as in ``best``;
    None while too little is known, or where ``best`` has not both of them.
    """
    usable = _usable(task, trials)
    if (
        len(names) < 2
        or best is None
        or any(name not in best.proposal.params for name in names)
        or task.space.violations(best.proposal.params)
        or sum(t.value is not None for t in usable) < _FEWEST
    ):
        return None
    x, y = names
    with one_thread():
        belief = engine.belief(task, usable)
        xs, ys = (_steps(belief.encoding, task, name) for name in names)
        grid = [{**best.proposal.params, x: a, y: b} for b in ys for a in xs]
        rows = belief.encoding.rows([task.space.restrict(params) for params in grid])
        mean, _ = belief.at(rows)
        values = [belief.sign * belief.warp.loss(float(loss)) for loss in mean]
    width = len(xs)
    return Contour(
        x,
        y,
        tuple(xs),
        tuple(ys),
        tuple(tuple(values[i : i + width]) for i in range(0, len(values), width)),
    )


def _steps(encoding: Encoding, task: Task, name: str) -> list[Any]:
    """Return values of a parameter from end to end."""
    parameter = task.space[name]
    if parameter.is_discrete:
        return list(parameter.values)
    axis = encoding.axes[task.space.names.index(name)]
    return list(dict.fromkeys(axis.value(i / (_GRID - 1)) for i in range(_GRID)))


def random_search(task: Task, trials: Sequence[Trial], engine: Engine) -> Shadow | None:
    """Return what random search would be expected to have reached in as many trials; None while
    too little is known.
    """
    usable = _usable(task, trials)
    return random_shadow(task, usable, engine) if len(usable) < _LATEST else None
