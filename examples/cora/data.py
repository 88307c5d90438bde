"""Cora in the standard split, from the files ``ind.cora.*`` of Planetoid (Yang, Cohen and Salakhutdinov 2016).

They are read from ``AGENTHPO_DATA/planetoid``, or from where PyTorch Geometric keeps them (``data/Planetoid/Cora/raw`` and the like;
``torch_geometric.datasets.Planetoid('data/Planetoid', 'Cora')`` fetches them).
"""

import os
import pickle
import sys
from pathlib import Path

import numpy as np
import torch

PLACES = ("data/Planetoid/Cora/raw", "data/Cora/raw", "~/.cache/torch_geometric/Planetoid/Cora/raw", "/tmp/Cora/raw")


def folder() -> Path:
    places = [Path(os.environ["AGENTHPO_DATA"], "planetoid")] if "AGENTHPO_DATA" in os.environ else []
    places += [Path(place).expanduser() for place in PLACES]
    found = next((place for place in places if (place / "ind.cora.graph").is_file()), None)
    if found is None:
        sys.exit(
            "Cora is not here: set AGENTHPO_DATA to a folder with planetoid/ind.cora.*, or fetch it by torch_geometric.datasets.Planetoid"
        )
    return found


def load() -> dict[str, torch.Tensor]:
    """Return features (2708 x 1433, rows sum to 1; sparse), labels, the normalised adjacency (sparse), and the three index sets."""
    place = folder()
    # These pickles are the published data set itself; `encoding` is needed since Python 2 wrote them.
    parts = {
        name: pickle.loads((place / f"ind.cora.{name}").read_bytes(), encoding="latin1") for name in ("allx", "ally", "tx", "ty", "graph")
    }
    test = np.array([int(line) for line in (place / "ind.cora.test.index").read_text().split()])
    features = np.vstack([parts["allx"].toarray(), parts["tx"].toarray()]).astype(np.float32)
    labels = np.vstack([parts["ally"], parts["ty"]]).argmax(1)
    order = np.arange(len(labels))
    order[test] = np.arange(len(labels) - len(test), len(labels))  # the test rows are stored in the order of test.index
    features, labels = features[order], labels[order]
    features /= np.maximum(features.sum(1, keepdims=True), 1)
    return {
        "features": torch.from_numpy(features).to_sparse(),
        "labels": torch.from_numpy(labels),
        "adjacency": _normalised(parts["graph"], len(labels)),
        "train": torch.arange(140),
        "val": torch.arange(140, 640),
        "test": torch.from_numpy(np.sort(test)),
    }


def _normalised(graph: dict[int, list[int]], size: int) -> torch.Tensor:
    """Return D^-1/2 (A + I) D^-1/2 as a sparse matrix (Kipf and Welling 2017)."""
    edges = {(i, j) for i, neighbours in graph.items() for j in neighbours if i != j}
    edges = sorted(edges | {(j, i) for i, j in edges} | {(i, i) for i in range(size)})
    index = torch.tensor(edges).T
    degree = torch.bincount(index[0], minlength=size).float().rsqrt()
    return torch.sparse_coo_tensor(index, degree[index[0]] * degree[index[1]], (size, size), check_invariants=True).coalesce()
