"""What a piece of advice can name: parameters whose names say what more of them does, as long as
the study's own results do not speak against it.
"""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.knowledge.names import Role, recognised
from agenthpo.records import Direction, Params, Trial
from agenthpo.space import Parameter, Space, format_number, same
from agenthpo.trials import upward

__all__ = ["Levers", "moved"]


class Levers:
    """The parameters of a trial that can be moved, in words.

    One that was moved already is advised again only where it paid: a trial further along came out
    better, or this one came out better than those it moved away from.
    """

    def __init__(
        self,
        space: Space,
        params: Params,
        *,
        value: float | None,
        others: Sequence[Trial],
        direction: Direction,
    ) -> None:
        """:param value: what the trial came to, None where it failed."""
        self._space, self._params, self._value = space, params, value
        self._others = [t for t in others if t.value is not None]
        self._sign = upward(direction)
        self._known = recognised(space.names)

    def first(self, *wishes: tuple[Role, int]) -> str:
        """Return the first wish (role, +1 or -1) that the space can grant, in words; empty where
        none can. What paid in other trials comes first, then what usually does most.
        """
        found = [
            (not paid, known.is_second, i, k, words)
            for i, (role, way) in enumerate(wishes)
            for k, (name, known) in enumerate(self._known.items())
            if (words := moved(self._space, self._params, name, up := way * known.way(role)))
            and (paid := self._has_paid(name, up)) is not False
        ]
        return min(found)[-1] if found else ""

    def _has_paid(self, name: str, up: int) -> bool | None:
        """Return whether trials further along in the direction ``up`` of ``name`` came out better:
        False where results speak against moving it, None where none speaks of it.
        """
        if self._value is None:  # what failed says where to go back to, whatever others reached
            return None
        here = self._params[name]
        ahead = self._best([t for t in self._others if self._is_along(t, name, here, up)])
        mine = self._sign * self._value
        if ahead is not None:
            return ahead > mine
        behind = self._best([t for t in self._others if self._is_along(t, name, here, -up)])
        return False if behind is not None and behind >= mine else None

    @staticmethod
    def _is_along(trial: Trial, name: str, here: float, up: int) -> bool:
        there = trial.proposal.params.get(name)
        return there is not None and not same(there, here) and (there > here) == (up > 0)

    def _best(self, trials: Sequence[Trial]) -> float | None:
        values = [self._sign * t.value for t in trials if t.value is not None]
        return max(values, default=None)


def moved(space: Space, params: Params, name: str, up: int) -> str:
    """Return in words that the parameter ``name`` is to be raised (``up`` above 0) or lowered
    (below); empty where that cannot be.
    """
    if not up or name not in params or name not in space.names or not space[name].is_ordered:
        return ""
    value = params[name]
    if same(value, _edge(space[name], up)):
        return ""
    verb, where = ("raise", "above") if up > 0 else ("lower", "below")
    return f"{verb} {name} {where} {format_number(value)}"


def _edge(parameter: Parameter, up: int) -> float:
    """Return the end of the parameter's range in the direction ``up``."""
    ends = parameter.values or (parameter.low, parameter.high)
    end: float = max(ends) if up > 0 else min(ends)
    return end
