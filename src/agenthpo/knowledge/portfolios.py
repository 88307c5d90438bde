"""Configurations that were good on other data sets, a few for each family of models.

The data are in ``portfolios.json``, which ``agenthpo bench portfolios`` makes from the recorded
trainings. Parameters have their usual names (``names.toml``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

__all__ = ["Kind", "Portfolio", "Tip", "portfolios", "read_portfolios"]

Kind = Literal["classes", "numbers"]
"""What is predicted: the class of a row, or a number."""


@dataclass(frozen=True)
class Tip:
    """A configuration, and on how many data sets it was better than the library's default."""

    params: Mapping[str, Any]
    """Usual name -> value."""
    better: int
    of: int
    """Data sets it was tried on."""
    changed: tuple[str, ...] = ()
    """The parameters that make it good, where the others are the library's default."""


@dataclass(frozen=True)
class Portfolio:
    """What is known of one family on one kind of data, the best tip first."""

    family: str
    kind: Kind
    tips: tuple[Tip, ...]


@cache
def portfolios() -> tuple[Portfolio, ...]:
    """Return every portfolio of the data."""
    file = resources.files("agenthpo.knowledge").joinpath("portfolios.json")
    return read_portfolios(file.read_text("utf-8"))


def read_portfolios(text: str) -> tuple[Portfolio, ...]:
    """Return the portfolios that the JSON ``text`` holds."""
    return tuple(
        Portfolio(
            each["family"],
            each["kind"],
            tuple(
                Tip(t["params"], better=t["better"], of=t["of"], changed=tuple(t["changed"]))
                for t in each["tips"]
            ),
        )
        for each in json.loads(text)
    )
