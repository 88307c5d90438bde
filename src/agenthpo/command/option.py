"""What a script's own text says of one of its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agenthpo.scalars import NO_VALUE

__all__ = ["Option"]


@dataclass(frozen=True)
class Option:
    """One option. ``default`` is :data:`NO_VALUE` where that is not plain."""

    name: str = ""
    default: Any = NO_VALUE
    style: str = ""
    """How it takes true and false; empty where that is not known."""
    null: str = ""
    """How it takes null, where it has a word for it."""
    problem: str = ""
    """Why it cannot take both true and false."""
    kind: str = ""
    """int, float, str or bool; none where it takes no value; empty where the text does not say."""
    choices: tuple[Any, ...] = ()
    about: str = ""
    """What its help says, on one line."""
    spelling: str = ""
    """As it stands on the command line: ``--lr``, ``-lr``, or a bare name for a positional one."""
    place: tuple[int, int] = (0, 0)
    """Line and column at which it is declared; two names of one option share it."""
    is_required: bool = False
    is_list: bool = False
    """Whether it takes several values."""
    list_style: str = ""
    """How it takes a list; empty where that is not known."""
