"""From recorded trainings to portfolios: the few configurations of a family that were better than
the library's default on most data sets.

There are two sorts of candidates: whole configurations from a Sobol sequence, and the default with
one parameter changed. A family takes the sort that gains more on data that it was not chosen on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agenthpo.bench.trainings.datasets import DATASETS
from agenthpo.bench.trainings.families import FAMILIES
from agenthpo.bench.trainings.library import FOLDER, VARIED, Recording, read_recording
from agenthpo.bench.trainings.training import pair_names
from agenthpo.knowledge.names import usual_names
from agenthpo.knowledge.portfolios import Kind, Portfolio, Tip
from agenthpo.records import Params

__all__ = ["earned_gain", "known_without", "portfolio", "recorded_portfolios", "written"]

_FEWEST, _MOST = 4, 3
"""Data sets that a portfolio must rest on, and tips that it has at most."""
_SHARE = 0.6
"""Of the data sets, on how many a tip must be better than the default."""
_LEAST = 0.02
"""By how much a tip must be better on average: a trial costs more than less is worth."""
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
    names = [
        name
        for name in pair_names()
        if name.partition("-on-")[0] == family and _is_of(name, kind, without)
    ]
    tried = [_sampled(names, folder), _varied(names, folder)]
    enough = [each for each in tried if len(each.regrets) >= _FEWEST]
    gain, best = max(
        ((earned_gain(each.regrets), each) for each in enough),
        key=lambda pair: pair[0],
        default=(0.0, None),
    )
    if best is None or not gain:
        return None
    return Portfolio(family, kind, tuple(map(best.tip, _chosen(best.regrets))))


def earned_gain(regrets: np.ndarray) -> float:
    """Return by how much the first tip of all data sets but one helps on that one, on average; 0
    unless it does on most of them, and by more than chance.

    :param regrets: data sets in rows, candidates in columns, of which the first is the default.
    """
    # What was chosen on a data set is better there by being chosen: only the others count.
    gains = []
    for place in range(len(regrets)):
        chosen = _chosen(np.delete(regrets, place, axis=0))
        gains.append(regrets[place, 0] - regrets[place, chosen[0]] if chosen else 0.0)
    mean, error = np.mean(gains), np.std(gains, ddof=1) / np.sqrt(len(gains))
    is_earned = mean > max(error, _LEAST) and np.mean(np.array(gains) > 0) >= _SHARE
    return float(mean) if is_earned else 0.0


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


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Candidates that were tried on all data sets of a kind, the default first."""

    configurations: tuple[Params, ...]
    regrets: np.ndarray
    """Normalised, data sets in rows."""
    changed: tuple[tuple[str, ...], ...]
    """Which parameters differ from the default, where it is one; empty where it is all."""

    def tip(self, place: int) -> Tip:
        """Return candidate ``place`` by its parameters' usual names."""
        # all names together: some mean something else beside others
        usual = usual_names({name for params in self.configurations for name in params})
        return Tip(
            {usual[n]: _short(v) for n, v in self.configurations[place].items()},
            better=int((self.regrets[:, place] < self.regrets[:, 0]).sum()),
            of=len(self.regrets),
            changed=tuple(usual[name] for name in self.changed[place]),
        )


def _sampled(names: Sequence[str], folder: Path) -> _Candidates:
    """Return the Sobol sequence, which is the same on all data sets of a kind, as candidates."""
    recordings = [_recording(name, folder) for name in _there(names, folder)]
    kept = [[o != "evolved" for o in each.origins] for each in recordings]
    regrets = [_regrets(each, each.means[own]) for each, own in zip(recordings, kept, strict=True)]
    configurations = recordings[0].configurations[: len(regrets[0])] if recordings else ()
    return _Candidates(configurations, np.array(regrets), changed=((),) * len(configurations))


def _varied(names: Sequence[str], folder: Path) -> _Candidates:
    """Return the changes of one parameter that were tried on all data sets as candidates."""
    there = _there(_there(names, folder), folder / VARIED)
    varied = [_recording(name, folder / VARIED) for name in there]
    # values may differ a little with the size of the data
    keys = [
        [_changed(params, each.configurations[0]) for params in each.configurations]
        for each in varied
    ]
    common = [key for key in keys[0] if all(key in other for other in keys[1:])] if keys else []
    regrets = [
        _regrets(_recording(name, folder), each.means[[own.index(key) for key in common]])
        for name, each, own in zip(there, varied, keys, strict=True)
    ]
    return _Candidates(
        tuple(varied[0].configurations[keys[0].index(key)] for key in common),
        np.array(regrets),
        changed=tuple((name,) if name else () for name, _ in common),
    )


def _recording(name: str, folder: Path) -> Recording:
    return _read(name, folder.resolve())


# what is left out differs from game to game, the recordings do not
_read = cache(read_recording)


def _changed(params: Params, default: Params) -> tuple[str, Any]:
    """Return the parameter that differs from the default's, and its value."""
    return next(((n, v) for n, v in params.items() if n in default and v != default[n]), ("", None))


def _there(names: Sequence[str], folder: Path) -> list[str]:
    return [name for name in names if (folder / f"{name}.parquet").exists()]


def _is_of(name: str, kind: Kind, without: Collection[str]) -> bool:
    data = name.partition("-on-")[2]
    return data not in without and (DATASETS[data] == "numbers") == (kind == "numbers")


def _regrets(recording: Recording, means: np.ndarray) -> np.ndarray:
    """Return ``means`` as normalised regrets: 0 is the best that is known, 1 the sequence's
    median.
    """
    sampled = recording.means[[origin != "evolved" for origin in recording.origins]]
    median = np.median(sampled[np.isfinite(sampled)])
    best = min(recording.means.min(), means.min())
    regrets: np.ndarray = np.clip((means - best) / (median - best), 0.0, _WORST)
    return regrets


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
