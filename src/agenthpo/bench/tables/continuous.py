"""Fourteen made-up problems with a known optimum that resemble tuning: mixed, conditional, noisy,
with failing regions or a bad default.

Each is a loss of at least 0 that is 0 at its optimum. A parameter's part is a valley on its own
scale: steeper on the side of divergence than on the side of slowness, and flat far from the
optimum, as losses are that cannot be worse than chance. A draw decides where in the ranges the
optimum lies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import numpy as np

from agenthpo.bench.tables.fields import one_of, real, whole
from agenthpo.bench.tables.problems import Pool, Problem
from agenthpo.errors import TaskError
from agenthpo.records import Params
from agenthpo.seeds import spawn_seed
from agenthpo.taskfile.space import parse_space

__all__ = ["CONTINUOUS", "load_continuous", "optimum"]

Fields = dict[str, dict[str, Any]]


def _valley(position: float, optimum: float, width: float, steep: float = 1.0) -> float:
    """Return how bad it is to stand at ``position``: 0 at the optimum, half of what it can be at
    ``width`` from it, 1 far away.
    """
    away = (position - optimum) / width * (steep if position > optimum else 1.0)
    return away * away / (1 + away * away)


def _log(value: float) -> float:
    return math.log10(value)


def _net(p: Params) -> float:
    """A network: the step size counts most, on a log scale; more regularisation wants less
    dropout.
    """
    return (
        _valley(_log(p["lr"]), -2.6, 0.8, 1.7)
        + 0.3 * _valley(_log(p["weight_decay"]) + 2 * p["dropout"], -3.2, 1.5)
        + 0.3 * _valley(p["dropout"], 0.25, 0.3)
        + 0.4 * _valley(p["momentum"], 0.93, 0.12, 2.0)
    )


_NET: Fields = {
    "lr": real(1e-5, 1.0, 1e-3, log=True),
    "weight_decay": real(1e-6, 1e-1, 1e-4, log=True),
    "dropout": real(0.0, 0.8, 0.5),
    "momentum": real(0.5, 0.99, 0.9),
}


def _ridge(p: Params) -> float:
    """A narrow valley across the axes: the best step size goes with the batch size, and the decay
    with both.
    """
    lr = _log(p["lr"])
    batch = math.log2(p["batch_size"])
    return (
        1.2 * _valley(lr - 0.3 * batch, -4.4, 0.5, 1.5)
        + 0.4 * _valley(batch, 6, 3)
        + 0.4 * _valley(_log(p["weight_decay"]) + lr, -6.8, 1.2)
        + 0.2 * _valley(p["warmup"], 0.1, 0.3)
    )


_RIDGE: Fields = {
    "lr": real(1e-5, 1.0, 1e-3, log=True),
    "batch_size": one_of(32, *(2**i for i in range(3, 11)), kind="int"),
    "weight_decay": real(1e-7, 1e-1, 1e-4, log=True),
    "warmup": real(0.0, 0.5, 0.0),
}

_MIXED: Fields = {
    "lr": real(1e-5, 1.0, 1e-3, log=True),
    "optimizer": one_of("adam", "adam", "sgd", "rmsprop", "adagrad"),
    "activation": one_of("relu", "relu", "tanh", "gelu"),
    "layers": whole(1, 8, 2),
    "width": one_of(64, *(2**i for i in range(4, 11)), kind="int"),
    "normalise": {"type": "bool", "default": False},
}


def _mixed(p: Params) -> float:
    """Names and numbers: each optimiser has a step size of its own, depth needs normalisation."""
    optimum, floor = {
        "adam": (-2.9, 0.05),
        "sgd": (-1.0, 0.0),
        "rmsprop": (-3.3, 0.1),
        "adagrad": (-1.6, 0.25),
    }[p["optimizer"]]
    return (
        _valley(_log(p["lr"]), optimum, 0.7, 1.5)
        + floor
        + {"relu": 0.04, "tanh": 0.2, "gelu": 0.0}[p["activation"]]
        + 0.4 * _valley(p["layers"], 5 if p["normalise"] else 2, 2.0)
        + (0.0 if p["normalise"] else 0.1)
        + 0.3 * _valley(math.log2(p["width"]), 9, 2.5)
    )


_CONDITIONAL: Fields = {
    "optimizer": one_of("adam", "adam", "sgd"),
    "lr": real(1e-5, 1.0, 1e-3, log=True),
    "momentum": real(0.0, 0.99, 0.5, when={"optimizer": "sgd"}),
    "nesterov": {"type": "bool", "default": False, "when": {"optimizer": "sgd"}},
    "beta2": real(0.9, 0.9999, 0.999, when={"optimizer": "adam"}),
    "schedule": one_of("none", "none", "cosine", "step"),
    "gamma": real(0.05, 0.9, 0.1, when={"schedule": "step"}),
    "dropout": real(0.0, 0.8, 0.2),
}


def _conditional(p: Params) -> float:
    """Parameters that exist only beside others."""
    if p["optimizer"] == "sgd":
        loss = _valley(
            _log(p["lr"]) - 1.2 * _log(1 - p["momentum"]), 0.4, 0.7, 1.5
        ) + 0.3 * _valley(p["momentum"], 0.9, 0.2)
        loss += 0.0 if p["nesterov"] else 0.03
    else:
        loss = 0.08 + _valley(_log(p["lr"]), -2.8, 0.8, 1.5) + 0.2 * _valley(p["beta2"], 0.98, 0.05)
    loss += {"none": 0.15, "cosine": 0.0}.get(p["schedule"], 0.02)
    loss += 0.2 * _valley(p["gamma"], 0.3, 0.25) if p["schedule"] == "step" else 0.0
    return loss + 0.3 * _valley(p["dropout"], 0.35, 0.3)


_BOOSTING: Fields = {
    "max_depth": whole(1, 15, 6),
    "learning_rate": real(1e-3, 1.0, 0.3, log=True),
    "n_estimators": whole(10, 2000, 100, log=True),
    "subsample": real(0.3, 1.0, 1.0),
    "colsample": real(0.3, 1.0, 1.0),
    "reg_lambda": real(1e-3, 100.0, 1.0, log=True),
    "reg_alpha": real(1e-4, 10.0, 1e-3, log=True),
    "min_child_weight": whole(1, 30, 1),
}


_BEST_BOOSTING = {
    "max_depth": 6,
    "learning_rate": 10**-1.7,
    "n_estimators": 794,
    "subsample": 0.75,
    "colsample": 0.6,
    "reg_lambda": 10**0.5,
    "reg_alpha": 1e-2,
    "min_child_weight": 6,
}


def _boosting(p: Params) -> float:
    """Boosted trees: a few parameters matter, and step size and number of trees trade off."""
    return (
        0.7 * _valley(_log(p["learning_rate"]) + _log(p["n_estimators"]), 1.2, 0.5)
        + 0.3 * _valley(_log(p["learning_rate"]), -1.7, 0.9)
        + 0.5 * _valley(p["max_depth"] - 2 * _log(p["reg_lambda"]), 5, 3)
        + 0.15 * _valley(p["subsample"], 0.75, 0.25)
        + 0.1 * _valley(p["colsample"], 0.6, 0.3)
        + 0.05 * _valley(_log(p["reg_lambda"]), 0.5, 1.5)
        + 0.02 * _valley(_log(p["reg_alpha"]), -2, 2)
        + 0.1 * _valley(p["min_child_weight"], 6, 8)
    )


_KERNEL: Fields = {"C": real(1e-3, 1e4, 1.0, log=True), "gamma": real(1e-6, 10.0, 0.1, log=True)}


# where both of its valleys have their floor: 0.15 (c - 1)^2 = c - 2 for c = log10 C
_BEST_KERNEL = {"C": 10**2.225148, "gamma": 10**-2.725148}


def _kernel(p: Params) -> float:
    """A support vector machine: a bent valley in two parameters."""
    c, gamma = _log(p["C"]), _log(p["gamma"])
    return _valley(gamma + 0.15 * (c - 1) ** 2, -2.5, 0.9, 1.5) + 0.4 * _valley(
        c + gamma, -0.5, 1.2
    )


_WIDE: Fields = {
    f"x{i}": real(0.0, 1.0, 0.5) if i % 3 else real(1e-4, 1.0, 1e-2, log=True) for i in range(12)
}


_WIDE_WEIGHTS = dict(zip((3, 1, 8, 6), (1.0, 0.6, 0.4, 0.3), strict=True))
_WIDE_OPTIMA = (0.5, 0.2, 0.1, 0.7, 0.9, 0.6, 0.35, 0.3, 0.85, 0.45, 0.75, 0.25)
_BEST_WIDE = {f"x{i}": o if i % 3 else 10 ** (4 * (o - 1)) for i, o in enumerate(_WIDE_OPTIMA)}


def _wide(p: Params) -> float:
    """Twelve parameters, four of which matter much."""
    places = [p[f"x{i}"] if i % 3 else 1 + _log(p[f"x{i}"]) / 4 for i in range(12)]
    return sum(
        _WIDE_WEIGHTS.get(i, 0.02) * _valley(places[i], _WIDE_OPTIMA[i], 0.25) for i in range(12)
    )


_BUMPS: Fields = {
    "lr": real(1e-4, 1.0, 1e-3, log=True),
    "alpha": real(0.0, 1.0, 0.5),
    "layers": whole(1, 40, 3),
}


def _bumps(p: Params) -> float:
    """Several local optima of nearly the same depth."""
    x = 4 + _log(p["lr"])
    y = 4 * p["alpha"]
    z = p["layers"] / 10
    away = (x - 2.4) ** 2 + (y - 1.1) ** 2 + (z - 2.2) ** 2
    ripple = sum(
        1 - math.cos(2 * math.pi * (a - b) / 1.5) for a, b in ((x, 2.4), (y, 1.1), (z, 2.2))
    )
    return float(0.12 * away + 0.15 * ripple)


def _failing(p: Params) -> float | None:
    """A network that runs out of memory where it is large and diverges where the step is large; the
    optimum lies near both.
    """
    size = math.log2(p["width"]) + math.log2(p["batch_size"])
    lr = _log(p["lr"])
    if size > 16.5 or lr + 0.12 * p["layers"] > -0.9:
        return None
    return (
        _valley(lr, -1.9, 0.7)
        + 0.4 * _valley(p["layers"], 7, 3)
        + 0.5 * _valley(math.log2(p["width"]), 10, 2.5)
        + 0.2 * _valley(math.log2(p["batch_size"]), 6, 3)
    )


_FAILING: Fields = {
    "lr": real(1e-5, 1.0, 1e-3, log=True),
    "layers": whole(1, 12, 2),
    "width": one_of(64, *(2**i for i in range(4, 13)), kind="int"),
    "batch_size": one_of(32, *(2**i for i in range(2, 11)), kind="int"),
}
_Function = Callable[[Params], float | None]


@dataclass(frozen=True)
class _Made:
    """One made-up problem. ``best`` is its optimum, ``bad`` what its default has otherwise."""

    loss: _Function
    fields: Fields
    best: Params
    noise: float = 0.0
    """Standard deviation of a trial's value."""
    bad: Mapping[str, Any] = field(default_factory=dict)


_BEST_NET = {"lr": 10**-2.6, "weight_decay": 10**-3.7, "dropout": 0.25, "momentum": 0.93}
_BEST_MIXED = {
    "lr": 0.1,
    "optimizer": "sgd",
    "activation": "gelu",
    "layers": 5,
    "width": 512,
    "normalise": True,
}
_BEST_CONDITIONAL = {
    "optimizer": "sgd",
    "lr": 10**-0.8,
    "momentum": 0.9,
    "nesterov": True,
    "schedule": "cosine",
    "dropout": 0.35,
}
_BEST_FAILING = {"lr": 10**-1.9, "layers": 7, "width": 1024, "batch_size": 64}
_BEST_RIDGE = {"lr": 10**-2.6, "batch_size": 64, "weight_decay": 10**-4.2, "warmup": 0.1}
_BEST_BUMPS = {"lr": 10**-1.6, "alpha": 0.275, "layers": 22}
_BAD_NET = {"lr": 0.5, "momentum": 0.55, "weight_decay": 0.05}
_BAD_CONDITIONAL = {"optimizer": "sgd", "lr": 1e-5, "dropout": 0.8}
_MADE: dict[str, _Made] = {
    "net": _Made(_net, _NET, _BEST_NET),
    "net_noisy": _Made(_net, _NET, _BEST_NET, noise=0.06),
    "net_bad_default": _Made(_net, _NET, _BEST_NET, bad=_BAD_NET),
    "ridge": _Made(_ridge, _RIDGE, _BEST_RIDGE),
    "mixed": _Made(_mixed, _MIXED, _BEST_MIXED),
    "mixed_noisy": _Made(_mixed, _MIXED, _BEST_MIXED, noise=0.08),
    "conditional": _Made(_conditional, _CONDITIONAL, _BEST_CONDITIONAL),
    "conditional_bad_default": _Made(
        _conditional, _CONDITIONAL, _BEST_CONDITIONAL, noise=0.02, bad=_BAD_CONDITIONAL
    ),
    "boosting": _Made(_boosting, _BOOSTING, _BEST_BOOSTING, noise=0.01),
    "kernel": _Made(_kernel, _KERNEL, _BEST_KERNEL, noise=0.01),
    "wide": _Made(_wide, _WIDE, _BEST_WIDE, noise=0.02),
    "bumps": _Made(_bumps, _BUMPS, _BEST_BUMPS),
    "failing": _Made(_failing, _FAILING, _BEST_FAILING, noise=0.01),
    "failing_noisy": _Made(
        _failing, _FAILING, _BEST_FAILING, noise=0.08, bad={"lr": 1e-4, "layers": 6}
    ),
}
CONTINUOUS: tuple[str, ...] = tuple(_MADE)
"""The problems' names; every second one, by this order, is for tuning, the others are held out."""
_WHERE = ("near", "anywhere", "end")
"""Where the optimum lies in its ranges: near the default, anywhere, or within a tenth of an end; of
each half a third.
"""
_NEAR, _NARROWEST = 0.1, 0.25
"""How near, as a share of the range; the least share of its range that a number keeps."""


@cache
def load_continuous(name: str) -> Problem:
    """Return the made-up problem ``name``.

    :raises TaskError: if it is not known.
    """
    if name not in _MADE:
        raise TaskError(
            f"there is no continuous problem '{name}'; known are {', '.join(CONTINUOUS)}"
        )
    made = _MADE[name]
    loss, noise = made.loss, made.noise
    where = _WHERE[CONTINUOUS.index(name) // 2 % 3]
    # the first draw whose default runs
    raw = next(
        raw
        for draw in count()
        for raw in [_placed(made, where=where, seed=spawn_seed(draw, name))]
        if loss(parse_space(raw).default() or {}) is not None
    )

    def observe(params: Params, rng: np.random.Generator) -> float | None:
        mean = loss(params)
        drawn = rng.normal()
        return None if mean is None else mean + noise * float(drawn)

    pool = Pool.drawn(parse_space(raw), loss)
    return Problem(
        name=name,
        group="continuous",
        raw=raw,
        observe=observe,
        mean=loss,
        ranked=pool,
        best=0.0,
        median=pool.median,
        noisy=noise > 0,
        background="A made-up loss that behaves like a network's validation loss.",
    )


def optimum(name: str) -> Params:
    """Return the configuration of the problem ``name`` whose loss is 0."""
    return dict(_MADE[name].best)


def _placed(made: _Made, *, where: str, seed: int) -> Fields:
    """Return the fields with every number's range cut so that the optimum lies where a draw puts
    it, and a default within.
    """
    # Where we had put the optima ourselves, they were inside their ranges, which is what the engine
    # expects: a benchmark that favours it by construction.
    rng = np.random.default_rng(seed)
    return {
        name: _cut(fields, made.best[name], where=where, bad=made.bad.get(name), rng=rng)
        if "low" in fields and name in made.best
        else {**fields, "default": made.bad.get(name, fields["default"])}
        for name, fields in made.fields.items()
    }


def _cut(
    fields: dict[str, Any], best: float, *, where: str, bad: float | None, rng: np.random.Generator
) -> dict[str, Any]:
    is_log, is_whole = fields.get("log", False), fields["type"] == "int"
    low, high, middle = (
        math.log(x) if is_log else float(x) for x in (fields["low"], fields["high"], best)
    )
    place = rng.random()
    if where == "end":
        place = 0.1 * place if rng.random() < 0.5 else 1 - 0.1 * place
    # the widest range in which the optimum stands at this place, or the narrowest about it
    width = min(
        (middle - low) / max(place, 1e-9), (high - middle) / max(1 - place, 1e-9), high - low
    )
    width = max(width, _NARROWEST * (high - low))
    start = min(max(middle - place * width, low), high - width)

    def value(number: float) -> float:
        number = math.exp(number) if is_log else number
        return round(number) if is_whole else float(f"{number:.6g}")

    ends = (min(value(start), best), max(value(start + width), best))
    near = middle + _NEAR * width * (1 if rng.random() < 0.5 else -1)
    default = fields["default"] if bad is None else bad
    if where == "near" and bad is None:
        default = value(near)
    return {
        **fields,
        "low": ends[0],
        "high": ends[1],
        "default": min(max(default, ends[0]), ends[1]),
    }
