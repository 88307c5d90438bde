"""One training: a family on a data set with given parameters, and its loss on held-out rows."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from agenthpo.bench.trainings.datasets import DATASETS, DataSet, load_dataset
from agenthpo.bench.trainings.families import FAMILIES, Family, family_named
from agenthpo.errors import TaskError, first_line
from agenthpo.records import Params
from agenthpo.space import Space
from agenthpo.taskfile.space import parse_space

__all__ = ["SPLITS", "Pair", "Trained", "pair_named", "pair_names"]

SPLITS = 3
"""Splits into rows to train on and rows to validate on; which one a trial gets is its noise."""
_HELD_OUT = 0.3
_WORST = 10.0
"""A loss from which on a training counts as diverged: standardised targets, or shares of errors."""


@dataclass(frozen=True)
class Trained:
    """The result of one training. ``loss`` is None where it failed."""

    loss: float | None
    """The share of wrong classes, or the root mean squared error in deviations of the target."""
    seconds: float
    error: str = ""
    """One line: why there is no loss."""


@dataclass(frozen=True)
class Pair:
    """A model family on a data set."""

    family: Family
    data: DataSet

    @property
    def name(self) -> str:
        """Such as ``forest-on-credit``."""
        return f"{self.family.name}-on-{self.data.name}"

    @cached_property
    def raw(self) -> dict[str, dict[str, Any]]:
        """The search space as in a task file."""
        return self.family.space(self.data)

    @cached_property
    def space(self) -> Space:
        """The search space."""
        return parse_space(self.raw)

    @property
    def background(self) -> str:
        """The task in plain words."""
        rows, columns = len(self.data.y), self.data.columns
        size = f"{rows} rows" if columns == 1 else f"{rows} rows of {columns} columns"
        kind = "regression" if self.data.kind == "numbers" else "classification"
        return f"{self.family.about}, to predict {self.data.about} ({kind}, {size})."

    def train(self, params: Params, split: int) -> Trained:
        """Train once on the ``split``-th split, 0 to 2; everything random is seeded by it."""
        began = time.perf_counter()
        known, held = self._rows(split)
        try:
            # one thread: several trainings run side by side
            with threadpool_limits(1), warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                model = self.family.build(params, self.data, split)
                model.fit(self.data.x[known], self.data.y[known])
                said = model.predict(self.data.x[held])
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as problem:
            return Trained(None, time.perf_counter() - began, first_line(problem))
        seconds = time.perf_counter() - began
        loss = self._loss(said, self.data.y[held])
        if not np.isfinite(loss) or loss > _WORST:
            return Trained(None, seconds, f"diverged: the loss is {loss:.3g}")
        return Trained(loss, seconds)

    def _rows(self, split: int) -> tuple[np.ndarray, np.ndarray]:
        order = np.random.default_rng(1000 + split).permutation(len(self.data.y))
        held = round(_HELD_OUT * len(order))
        return order[held : held + self.family.rows], order[:held]

    def _loss(self, said: np.ndarray, true: np.ndarray) -> float:
        if self.data.kind == "numbers":
            return float(np.sqrt(np.mean((said.astype(float) - true) ** 2)))
        return float(np.mean(said != true))


def pair_names() -> list[str]:
    """Return the names of all pairs, family by family."""
    return [
        f"{family.name}-on-{data}"
        for family in FAMILIES.values()
        for data, kind in DATASETS.items()
        if kind in family.kinds
    ]


@lru_cache(maxsize=8)
def pair_named(name: str) -> Pair:
    """Return the pair ``name``, such as ``forest-on-credit``.

    :raises TaskError: if there is none, or its data are not there.
    """
    family, found, data = name.partition("-on-")
    if not found or data not in DATASETS or DATASETS[data] not in family_named(family).kinds:
        raise TaskError(
            f"there is no pair '{name}'; one is called FAMILY-on-DATA, such as forest-on-credit"
        )
    return Pair(family_named(family), load_dataset(data))
