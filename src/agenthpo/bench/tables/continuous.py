"""Fourteen made-up problems with a known optimum that resemble tuning: mixed, conditional, noisy,
with failing regions or a bad default.

Each is a loss of at least 0 that is 0 at its optimum. A parameter's part is a valley on its own
scale: steeper on the side of divergence than on the side of slowness, and flat far from the
optimum, as losses are that cannot be worse than chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from agenthpo.bench.tables.fields import one_of, real, whole
from agenthpo.bench.tables.problems import Pool, Problem
from agenthpo.errors import TaskError
from agenthpo.records import Params
from agenthpo.taskfile.space import parse_space

__all__ = ["CONTINUOUS", "load_continuous"]

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


def _kernel(p: Params) -> float:
    """A support vector machine: a bent valley in two parameters."""
    c, gamma = _log(p["C"]), _log(p["gamma"])
    return _valley(gamma + 0.15 * (c - 1) ** 2, -2.5, 0.9, 1.5) + 0.4 * _valley(
        c + gamma, -0.5, 1.2
    )


_WIDE: Fields = {
    f"x{i}": real(0.0, 1.0, 0.5) if i % 3 else real(1e-4, 1.0, 1e-2, log=True) for i in range(12)
}


def _wide(p: Params) -> float:
    """Twelve parameters, four of which matter much."""
    places = [p[f"x{i}"] if i % 3 else 1 + _log(p[f"x{i}"]) / 4 for i in range(12)]
    weights = [1.0, 0.6, 0.4, 0.3] + [0.02] * 8
    optima = [0.7, 0.2, 0.85, 0.35, 0.5, 0.1, 0.9, 0.6, 0.3, 0.45, 0.75, 0.25]
    order = [3, 1, 8, 6, 0, 2, 4, 5, 7, 9, 10, 11]
    return sum(
        w * _valley(places[i], o, 0.25) for w, i, o in zip(weights, order, optima, strict=True)
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
_MADE: dict[str, tuple[_Function, Fields, float, Mapping[str, Any]]] = {
    "net": (_net, _NET, 0.0, {}),
    "net_noisy": (_net, _NET, 0.06, {}),
    "net_bad_default": (_net, _NET, 0.0, {"lr": 0.5, "momentum": 0.55, "weight_decay": 0.05}),
    "ridge": (_ridge, _RIDGE, 0.0, {}),
    "mixed": (_mixed, _MIXED, 0.0, {}),
    "mixed_noisy": (_mixed, _MIXED, 0.08, {}),
    "conditional": (_conditional, _CONDITIONAL, 0.0, {}),
    "conditional_bad_default": (
        _conditional,
        _CONDITIONAL,
        0.02,
        {"optimizer": "sgd", "lr": 1e-5, "dropout": 0.8},
    ),
    "boosting": (_boosting, _BOOSTING, 0.01, {}),
    "kernel": (_kernel, _KERNEL, 0.01, {}),
    "wide": (_wide, _WIDE, 0.02, {}),
    "bumps": (_bumps, _BUMPS, 0.0, {}),
    "failing": (_failing, _FAILING, 0.01, {}),
    "failing_noisy": (_failing, _FAILING, 0.08, {"lr": 1e-4, "layers": 6}),
}
"""Name -> loss, space, standard deviation of its noise, what its default has otherwise."""
CONTINUOUS: tuple[str, ...] = tuple(_MADE)
"""The problems' names; every second one, by this order, is for tuning, the others are held out."""


@cache
def load_continuous(name: str) -> Problem:
    """Return the made-up problem ``name``.

    :raises TaskError: if it is not known.
    """
    if name not in _MADE:
        raise TaskError(
            f"there is no continuous problem '{name}'; known are {', '.join(CONTINUOUS)}"
        )
    loss, fields, noise, otherwise = _MADE[name]
    raw = {
        key: {**field, **({"default": otherwise[key]} if key in otherwise else {})}
        for key, field in fields.items()
    }

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
