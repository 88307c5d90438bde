"""Own experience: the best configurations of earlier studies, put into a task's own space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from agenthpo.exchange import Hint
from agenthpo.knowledge.hints import fitting_hint
from agenthpo.knowledge.names import usual_names
from agenthpo.records import Direction, Params
from agenthpo.space import Space
from agenthpo.trials import upward

__all__ = ["Earlier", "hints_from"]

_MOST = 3
"""Configurations that one study gives at most."""


@dataclass(frozen=True)
class Earlier:
    """A study that has ended, of whatever program."""

    name: str
    results: tuple[tuple[Params, float], ...]
    """Configurations and their values."""
    direction: Direction | None = None
    """None where it does not say."""


def hints_from(space: Space, studies: Sequence[Earlier], direction: Direction) -> tuple[Hint, ...]:
    """Return the best configurations of ``studies`` in ``space``, the best of each first; none of a
    study with too few parameters in common.

    :param direction: that of a study that does not say its own.
    """
    each = [_hints(space, study, study.direction or direction) for study in studies]
    found = chain.from_iterable(zip_longest(*each))
    hints = {space.key(hint.params): hint for hint in reversed([h for h in found if h])}
    return tuple(reversed(hints.values()))


def _hints(space: Space, study: Earlier, direction: Direction) -> list[Hint]:
    sign = upward(direction)
    ranked = sorted(study.results, key=lambda result: -sign * result[1])
    found: list[Hint] = []
    better_half = ranked[: (len(ranked) + 1) // 2]
    for place, (params, _) in enumerate(better_half, start=1):
        who = "The best" if place == 1 else f"Number {place}"
        reason = f"{who} of {len(ranked)} trials of the earlier study {study.name}"
        usual = usual_names(params)
        named = {usual[name]: value for name, value in params.items()}
        hint = fitting_hint(space, named, reason)
        if hint is not None and all(hint.params != other.params for other in found):
            found.append(hint)
        if len(found) == _MOST:
            break
    return found
