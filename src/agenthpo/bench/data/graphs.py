"""Graphs for the tasks on nodes and links: citations from Planetoid, and handwritten digits as a
graph that needs no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agenthpo.bench.data.sources import data_file, found

__all__ = ["Graph", "load_graph"]

_SIZES = {"Cora": "2,708 papers", "CiteSeer": "3,327 papers"}


@dataclass(frozen=True)
class Graph:
    """An undirected graph of ``n`` nodes with the split that goes with it."""

    features: NDArray[np.float32]
    """n x d: in a citation graph, which of d words a paper has, each row summing to 1; of the
    digits, standardised pixels.
    """
    labels: NDArray[np.int64]
    edges: NDArray[np.int64]
    """m x 2, each edge once, the smaller node first, sorted."""
    train: NDArray[np.int64]
    val: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def both_ways(self) -> NDArray[np.int64]:
        """2 x 2m: the edges in both directions."""
        return np.concatenate([self.edges, self.edges[:, ::-1]]).T


def load_graph(name: str, source: str | None = None) -> Graph:
    """Return ``name``, Cora or CiteSeer in the standard split (Yang, Cohen and Salakhutdinov 2016),
    or the stand-in.
    """
    words = f"{name} of Planetoid, {_SIZES[name]}"
    return found(
        source,
        online=(words, lambda: _from_pyg(name)),
        local=(words, lambda: _from_arrays(name)),
        package=(
            "scikit-learn's digits as a graph of nearest neighbours, 1,797 nodes, instead "
            f"of {name}",
            _digits,
        ),
    )


def _from_arrays(name: str) -> Graph:
    with np.load(data_file(f"planetoid/{name.lower()}.npz")) as file:
        parts = {key: file[key] for key in file.files}
    features = np.zeros(tuple(parts["shape"]), dtype=np.float32)
    features[np.repeat(np.arange(len(features)), np.diff(parts["indptr"])), parts["indices"]] = (
        parts["data"]
    )
    return _graph(
        _shares(features),
        parts["y"],
        parts["edges"],
        *(parts[part] for part in ("train", "val", "test")),
    )


def _from_pyg(name: str) -> Graph:
    from pathlib import Path

    from torch_geometric.datasets import Planetoid

    data = Planetoid(str(Path.home() / ".cache/agenthpo/data/planetoid"), name)[0]
    masks = (
        getattr(data, f"{part}_mask").nonzero().flatten().numpy()
        for part in ("train", "val", "test")
    )
    return _graph(_shares(data.x.numpy()), data.y.numpy(), data.edge_index.numpy().T, *masks)


def _digits() -> Graph:
    """Return the digits: five labels a class, each joined to its six nearest by clean pixels, and
    described by noisy ones.
    """
    from sklearn.datasets import load_digits
    from sklearn.neighbors import kneighbors_graph

    pixels, labels = load_digits(return_X_y=True)
    edges = np.argwhere(kneighbors_graph(pixels, 6).toarray())
    rng = np.random.default_rng(0)
    noisy = pixels + rng.normal(0, 25, pixels.shape)
    features = (noisy - noisy.mean(axis=0)) / noisy.std(axis=0)
    order = rng.permutation(len(labels))
    train = np.concatenate([order[labels[order] == digit][:5] for digit in range(10)])
    rest = np.setdiff1d(order, train, assume_unique=True)
    return _graph(features, labels, edges, train, rest[:500], rest[500:1500])


def _shares(features: NDArray[np.float32]) -> NDArray[np.float32]:
    totals: NDArray[np.float32] = features.sum(axis=1, keepdims=True)
    return np.divide(features, np.maximum(totals, 1), dtype=np.float32)


def _graph(features: Any, labels: Any, edges: Any, *split: Any) -> Graph:
    edges = np.sort(np.asarray(edges, dtype=np.int64), axis=1)
    edges = np.unique(edges[edges[:, 0] != edges[:, 1]], axis=0)
    train, val, test = (np.asarray(part, dtype=np.int64) for part in split)
    return Graph(
        features=np.asarray(features, dtype=np.float32),
        labels=np.asarray(labels, dtype=np.int64),
        edges=edges,
        train=train,
        val=val,
        test=test,
    )
