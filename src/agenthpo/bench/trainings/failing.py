"""Live games in which many configurations fail: memory caps, divergence, a solver that refuses, and
time limits.

A rule on the parameters says what fails, before anything is trained. Where it is a limit, the limit
is a quantile over the recorded Sobol sequence, so that the share of configurations that run is
known. The default always runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from agenthpo.bench.tables.problems import Problem, Used
from agenthpo.bench.trainings.library import FOLDER, read_recording
from agenthpo.bench.trainings.live import CACHE, live_problem
from agenthpo.errors import TaskError
from agenthpo.records import Params, Status

__all__ = ["FAILING", "load_failing"]


@dataclass(frozen=True)
class _Limit:
    """A pair on which the configurations with the largest ``load`` fail."""

    pair: str
    status: Status
    load: Callable[[Params], float]
    share: float
    """Of the configurations, how many run."""
    default: Mapping[str, Any] = field(default_factory=dict)
    """What of the library's default is replaced, so that it runs."""

    def used(self, params: Params, most: float) -> Used:
        """Return what a trial's outcome would say: memory and time up to the limit ``most``, above
        what any process takes.
        """
        if self.status not in ("oom", "timeout"):
            return Used()
        share = min(self.load(params) / most, 1.0)
        if self.status == "oom":
            return Used(peak_mb=_PROCESS_MB + share * (_LIMIT_MB - _PROCESS_MB))
        return Used(seconds=_START_S + share * _LIMIT_S)


def _memory(params: Params) -> float:
    return float(params["hidden"] * params["layers"] * params["batch_size"])


def _step(params: Params) -> float:
    """A step that is large for its batch; momentum makes it larger."""
    return float(
        params["learning_rate_init"] / params["batch_size"] / (1.01 - params.get("momentum", 0.0))
    )


def _refused(params: Params) -> float:
    """1 for half of the combinations of three choices, 0 for the default's half."""
    kernels, scalings = ("rbf", "linear", "poly", "sigmoid"), ("standard", "minmax", "none")
    place = kernels.index(params["kernel"]) + scalings.index(params["scaling"])
    return float((place + (not params["shrinking"])) % 2)


def _seconds(params: Params) -> float:
    return float(params["n_estimators"] * params["max_features"] * params["max_depth"])


_PROCESS_MB, _LIMIT_MB, _START_S, _LIMIT_S = 300.0, 2000.0, 2.0, 60.0
_SMALL = {"hidden": 4, "layers": 1, "batch_size": 16}
"""The corner of the space that fits into the least memory."""
_ALL = {
    "memory-30": _Limit("network-on-digits", "oom", _memory, share=0.3, default=_SMALL),
    "memory-10": _Limit("network-on-digits", "oom", _memory, share=0.1, default=_SMALL),
    "memory-4": _Limit("network-on-digits", "oom", _memory, share=0.04, default=_SMALL),
    "divergence": _Limit("network-on-credit", "diverged", _step, share=0.5),
    "solver": _Limit("svm-on-water", "failed", _refused, share=0.5),
    "time-limit": _Limit(
        "forest-on-wages",
        "timeout",
        _seconds,
        share=0.3,
        default={"n_estimators": 5, "max_depth": 8},
    ),
}
FAILING = tuple(_ALL)
"""The names of the failing problems."""


def load_failing(name: str, *, folder: Path = FOLDER, cache: Path = CACHE) -> Problem:
    """Return the failing problem ``name``.

    :raises TaskError: if it is not known, or its pair is not recorded.
    """
    if name not in _ALL:
        raise TaskError(f"there is no failing problem '{name}'; known are {', '.join(FAILING)}")
    limit = _ALL[name]
    recording = read_recording(limit.pair, folder)
    live = live_problem(recording, cache)
    loads = np.array([limit.load(params) for params in recording.configurations])
    sampled = np.array([origin == "sobol" for origin in recording.origins])
    most = _most(loads[sampled], limit.share)
    raw = {
        parameter: {**fields, "default": limit.default.get(parameter, fields["default"])}
        for parameter, fields in live.raw.items()
    }

    def runs(params: Params) -> bool:
        return limit.load(params) <= most

    is_kept = (loads <= most) & np.isfinite(recording.means)
    pool = recording.pool(is_kept)
    problem = replace(
        live,
        name=name,
        group="failing",
        raw=raw,
        observe=lambda params, rng: live.observe(params, rng) if runs(params) else None,
        mean=lambda params: live.mean(params) if runs(params) else None,
        ranked=pool,
        best=float(recording.means[is_kept].min()),
        median=pool.median,
        status_of=lambda params: "failed" if runs(params) else limit.status,
        used_by=lambda params: limit.used(params, most),
    )
    default = problem.space.default()
    assert default is not None and runs(default), name
    return problem


def _most(loads: np.ndarray, share: float) -> float:
    """Return the load below which ``share`` of ``loads`` lie; below the largest in any case."""
    most = float(np.quantile(loads, share, method="lower"))
    return most if most < loads.max() else float(loads[loads < loads.max()].max())
