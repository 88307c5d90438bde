"""Train a (variational) graph autoencoder (Kipf and Welling 2016) to tell hidden links from none;
the AUC is reported every ten epochs.
"""

import os
from itertools import pairwise

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional

import agenthpo
from agenthpo.bench.data.graphs import load_graph

config = agenthpo.config(
    learning_rate=0.01,
    num_epochs=200,
    hidden_size=32,
    latent_size=16,
    num_layers=2,
    variational=True,
    dropout=0.0,
    weight_decay=1e-7,
    kl_weight=5e-4,
    activation="relu",
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)
graph = load_graph("CiteSeer")
size = len(graph.features)


def split():
    """Return the links to train on, and for validation (5 %) and test (10 %) as many pairs without
    a link beside them.
    """
    rng = np.random.default_rng(0)  # the same for every seed
    order = rng.permutation(len(graph.edges))
    val, test = len(order) // 20, len(order) // 10
    linked = {tuple(edge) for edge in graph.edges.tolist()}
    unlinked = []
    while len(unlinked) < val + test:
        pair = tuple(sorted(rng.integers(size, size=2).tolist()))
        if pair[0] != pair[1] and pair not in linked:
            linked.add(pair)
            unlinked.append(pair)
    hidden = np.concatenate([graph.edges[order[: val + test]], np.array(unlinked)])
    told = np.repeat([1, 0], val + test)
    parts = np.tile(np.arange(val + test) < val, 2)
    return (
        graph.edges[order[val + test :]],
        (hidden[parts], told[parts]),
        (hidden[~parts], told[~parts]),
    )


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [graph.features.shape[1], *[config["hidden_size"]] * (config["num_layers"] - 1)]
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in pairwise(sizes))
        self.mean, self.spread = (
            nn.Linear(sizes[-1], config["latent_size"], bias=False) for _ in range(2)
        )

    def forward(self, x):
        activation = getattr(functional, config["activation"])
        for layer in self.layers:
            x = activation(torch.sparse.mm(adjacency, thinned(x) @ layer.weight.T))
        mean, spread = (
            torch.sparse.mm(adjacency, thinned(x) @ layer.weight.T)
            for layer in (self.mean, self.spread)
        )
        if not config["variational"]:
            return mean, torch.zeros(())
        spread = spread.clamp(max=10)
        kl = -0.5 * (1 + 2 * spread - mean**2 - (2 * spread).exp()).sum(1).mean()
        return mean + spread.exp() * torch.randn_like(mean) if self.training else mean, kl


def thinned(x):
    """Apply dropout; to a sparse matrix, on its values alone."""
    share, training = config["dropout"], encoder.training
    if not x.is_sparse:
        return functional.dropout(x, share, training)
    values = functional.dropout(x.values(), share, training)
    return torch.sparse_coo_tensor(
        x.indices(), values, x.shape, is_coalesced=True, check_invariants=False
    )


def scores(z, pairs):
    return (z[pairs[:, 0]] * z[pairs[:, 1]]).sum(1)


links, val, test = split()
features = torch.from_numpy(graph.features).to_sparse()
both = torch.from_numpy(np.concatenate([links, links[:, ::-1]]).T.copy())
index = torch.cat([both, torch.arange(size).expand(2, size)], dim=1)
scale = torch.bincount(index[0], minlength=size).float().rsqrt()
adjacency = torch.sparse_coo_tensor(
    index, scale[index[0]] * scale[index[1]], (size, size), check_invariants=True
).coalesce()
encoder = Encoder()
optimizer = torch.optim.Adam(
    encoder.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"]
)
told = torch.cat([torch.ones(len(links)), torch.zeros(len(links))])
for epoch in range(1, config["num_epochs"] + 1):
    encoder.train()
    optimizer.zero_grad()
    z, kl = encoder(features)
    pairs = torch.cat([torch.from_numpy(links), torch.randint(size, (len(links), 2))])
    loss = functional.binary_cross_entropy_with_logits(scores(z, pairs), told)
    (loss + config["kl_weight"] * kl).backward()
    optimizer.step()
    if epoch % 10 == 0:
        encoder.eval()
        with torch.no_grad():
            z, _ = encoder(features)
            auc = {
                name: roc_auc_score(truth, scores(z, rows))
                for name, (rows, truth) in {"val_auc": val, "test_auc": test}.items()
            }
        agenthpo.report(step=epoch, train_loss=loss.item(), **auc)
