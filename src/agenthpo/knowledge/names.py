"""What the names of hyperparameters say: scale, usual region, and what more of it does.

The data are in ``names.toml``, each entry with its public source.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

__all__ = ["Known", "Role", "known_names", "recognised", "usual_names"]

Role = Literal["step", "length", "regularise", "capacity", "memory", "other"]
"""What more of a hyperparameter does: a larger step of the optimiser, a longer training, more
against overfitting, a larger model, more in memory at once.
"""
_SHORTEST = 3
"""Letters from which on an alias is looked for at the end of a longer name."""


@dataclass(frozen=True)
class Known:
    """A hyperparameter that is known by name."""

    name: str
    """The usual one."""
    aliases: tuple[str, ...]
    scale: Literal["linear", "log"]
    role: Role
    helps: str
    """Which direction usually helps, in words."""
    goes_with: str
    """What it is to be changed together with, in words."""
    source: str
    """Where this is said, a public address."""
    usual: tuple[float, float] | None = None
    """The region in which values that people end with usually lie; None for names."""
    inverse: bool = False
    """Whether a larger value means less of the role."""
    is_second: bool = False
    """Whether others of the same role are worth trying first."""
    also: tuple[str, ...] = ()
    """Names that mean this one ``beside`` others."""
    beside: tuple[str, ...] = ()
    """Usual names, one of which must be in the same space for ``also`` to hold."""

    def way(self, role: Role) -> int:
        """Return 1 where a larger value means more of ``role``, -1 for less, 0 for neither."""
        return 0 if role != self.role else -1 if self.inverse else 1


def recognised(names: Iterable[str]) -> dict[str, Known]:
    """Return what is known of those of ``names``, all of one space, that are known.

    >>> recognised(["optimizer.lr", "hiddenUnits_2", "flavour"])["hiddenUnits_2"].role
    'capacity'
    >>> {name: known.name for name, known in recognised(["max_depth", "gamma"]).items()}
    {'max_depth': 'max_depth', 'gamma': 'min_split_gain'}
    """
    plain = {name: known for name in names if (known := _by_name(name, _aliases()))}
    present = {known.name for known in plain.values()}
    found = dict[str, Known]()
    for name, known in plain.items():
        others = {alias: k for alias, k in _also() if present & set(k.beside)}
        found[name] = _by_name(name, others) or known
    return found


def usual_names(names: Iterable[str]) -> dict[str, str]:
    """Return for each of ``names``, all of one space, the usual one; its own where it is not known.

    >>> usual_names(["eta", "max_depth", "flavour"])
    {'eta': 'shrinkage', 'max_depth': 'max_depth', 'flavour': 'flavour'}
    """
    names = list(names)
    known = recognised(names)
    return {name: known[name].name if name in known else name for name in names}


@cache
def known_names() -> Mapping[str, Known]:
    """Return every entry of the data by its usual name."""
    text = resources.files("agenthpo.knowledge").joinpath("names.toml").read_text("utf-8")
    return {name: _known(name, fields) for name, fields in tomllib.loads(text).items()}


def _known(name: str, fields: Mapping[str, Any]) -> Known:
    low_high = fields.get("usual")
    return Known(
        name=name,
        aliases=tuple(fields["aliases"]),
        scale=fields["scale"],
        role=fields["role"],
        helps=fields["helps"],
        goes_with=fields["with"],
        source=fields["source"],
        usual=(float(low_high[0]), float(low_high[1])) if low_high else None,
        inverse=fields.get("inverse", False),
        is_second=fields.get("second", False),
        also=tuple(fields.get("also", ())),
        beside=tuple(fields.get("beside", ())),
    )


@cache
def _aliases() -> Mapping[str, Known]:
    return {
        "".join(_words(alias)): known
        for known in known_names().values()
        for alias in (known.name, *known.aliases)
    }


@cache
def _also() -> tuple[tuple[str, Known], ...]:
    return tuple(
        ("".join(_words(alias)), known) for known in known_names().values() for alias in known.also
    )


def _by_name(name: str, aliases: Mapping[str, Known]) -> Known | None:
    return next((aliases[form] for form in _forms(name) if form in aliases), None)


def _forms(name: str) -> Iterator[str]:
    """Yield what ``name`` may be called in the data, the most telling first: whole, without a
    framework's prefix, without a number at its end, and its last words.
    """
    for part in dict.fromkeys([name, re.split(r"__|[./:]", name)[-1]]):
        words = _words(part)
        bare = [word for word in words if not word.isdigit()]
        bare = [*bare[:-1], bare[-1].rstrip("0123456789") or bare[-1]] if bare else words
        yield "".join(words)
        for start in range(len(bare)):
            form = "".join(bare[start:])
            if start == 0 or len(form) >= _SHORTEST:
                yield form


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_]+", apart.lower()) if word]
