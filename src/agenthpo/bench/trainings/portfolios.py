"""From recorded trainings to portfolios: the few configurations of a family that were better than
the library's default on most data sets.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agenthpo.bench.trainings.datasets import DATASETS
from agenthpo.bench.trainings.families import FAMILIES
from agenthpo.bench.trainings.library import FOLDER, Recording, read_recording
from agenthpo.bench.trainings.training import pair_names
from agenthpo.knowledge.names import usual_names
from agenthpo.knowledge.portfolios import Kind, Portfolio, Tip

__all__ = ["is_earned", "known_without", "portfolio", "recorded_portfolios", "written"]

_FEWEST, _MOST = 4, 3
"""Data sets that a portfolio must rest on, and tips that it has at most."""
_SHARE = 0.6
"""Of the data sets, on how many a tip must be better than the default."""
_WORST = 2.0
"""Normalised regret beyond which a failure is as bad as any other."""


def recorded_portfolios(
    *, without: Collection[str] = (), folder: Path = FOLDER
) -> tuple[Portfolio, ...]:
    """Return the portfolios of all families that are recorded, data sets ``without`` left out."""
    kinds: tuple[Kind, ...] = ("classes", "numbers")
    each = (
        portfolio(family, kind, without=without, folder=folder)
        for family in FAMILIES
        for kind in kinds
    )
    return tuple(found for found in each if found is not None)


@cache
def known_without(data: str) -> tuple[Portfolio, ...]:
    """Return what the other data sets teach: for a game, which must not know its own."""
    return recorded_portfolios(without=[data])


def portfolio(
    family: str, kind: Kind, *, without: Collection[str] = (), folder: Path = FOLDER
) -> Portfolio | None:
    """Return the portfolio of ``family`` on data of one kind; None where too little is recorded, or
    no tip earns its trial on data sets that it was not chosen on.
    """
    recordings = list(_recordings(family, kind, without=without, folder=folder))
    if len(recordings) < _FEWEST:
        return None
    regrets = np.array([_regrets(each) for each in recordings])
    if not is_earned(regrets):
        return None
    tips = [
        Tip(
            _usual(recordings[0], place),
            better=int((regrets[:, place] < regrets[:, 0]).sum()),
            of=len(recordings),
        )
        for place in _chosen(regrets)
    ]
    return Portfolio(family, kind, tuple(tips)) if tips else None


def is_earned(regrets: np.ndarray) -> bool:
    """Return whether the first tip of all data sets but one helps on that one: on most of them, and
    by more than chance.
    """
    # What was chosen on a data set is better there by being chosen: only the others count.
    gains = []
    for place in range(len(regrets)):
        chosen = _chosen(np.delete(regrets, place, axis=0))
        gains.append(regrets[place, 0] - regrets[place, chosen[0]] if chosen else 0.0)
    error = np.std(gains, ddof=1) / np.sqrt(len(gains))
    return bool(np.mean(gains) > error and np.mean(np.array(gains) > 0) >= _SHARE)


def _chosen(regrets: np.ndarray) -> list[int]:
    """Return the columns that, one after the other, lower the mean of the best by the most, the
    default (the first) included.
    """
    chosen = list[int]()
    reached = regrets[:, 0]
    is_better = (regrets < regrets[:, :1]).mean(axis=0) >= _SHARE
    for _ in range(_MOST):
        # the first one for itself: a trial is spent on it, whatever the default comes to
        after = regrets if not chosen else np.minimum(regrets, reached[:, None])
        means = np.where(is_better, after.mean(axis=0), np.inf)
        best = int(means.argmin())
        if not means[best] < reached.mean() - 1e-9:
            break
        chosen.append(best)
        reached = np.minimum(reached, regrets[:, best])
        is_better[best] = False
    return chosen


def _recordings(
    family: str, kind: Kind, *, without: Collection[str], folder: Path
) -> Iterator[Recording]:
    for name in pair_names():
        own, _, data = name.partition("-on-")
        if own != family or data in without or not (folder / f"{name}.parquet").exists():
            continue
        if (DATASETS[data] == "numbers") == (kind == "numbers"):
            yield read_recording(name, folder)


def _regrets(recording: Recording) -> np.ndarray:
    """Return the normalised regrets of the default and of the Sobol sequence, which is the same on
    all data sets of a kind.
    """
    kept = np.array([origin != "evolved" for origin in recording.origins])
    means = recording.means
    median = np.median(means[kept][np.isfinite(means[kept])])
    best = means.min()
    regrets: np.ndarray = np.clip((means[kept] - best) / (median - best), 0.0, _WORST)
    return regrets


def _usual(recording: Recording, place: int) -> dict[str, Any]:
    # all names together: some mean something else beside others
    usual = usual_names({name for params in recording.configurations for name in params})
    return {usual[n]: _short(v) for n, v in recording.configurations[place].items()}


def _short(value: Any) -> Any:
    return float(f"{value:.3g}") if isinstance(value, float) else value


def written(portfolios: Sequence[Portfolio]) -> str:
    """Return the portfolios as the package keeps them, a tip a line."""
    parts = []
    for each in portfolios:
        tips = ",\n".join(f"   {json.dumps(asdict(tip))}" for tip in each.tips)
        head = json.dumps({"family": each.family, "kind": each.kind})[:-1]
        parts.append(f' {head}, "tips": [\n{tips}]}}')
    return "[\n" + ",\n".join(parts) + "\n]\n"
