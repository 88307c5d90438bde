"""Train a GCN on Cora and report its accuracy after every epoch; the epoch with the best validation accuracy counts."""

import os
from itertools import pairwise

import torch
from data import load
from torch import nn
from torch.nn import functional

import agenthpo

config = agenthpo.config(
    num_layers=2, learning_rate=0.01, optimizer="adam", num_epochs=100, hidden_size=16, activation="relu", weight_decay=5e-4, dropout=0.5
)
torch.manual_seed(int(os.environ.get("AGENTHPO_SEED", "0")))
cora = load()
labels, adjacency = cora["labels"], cora["adjacency"]


class GCN(nn.Module):
    def __init__(self, sizes, activation, dropout):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in pairwise(sizes))
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(b)) for b in sizes[1:])
        self.activation, self.dropout = activation, dropout
        for layer in self.layers:
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x):
        for i, (layer, bias) in enumerate(zip(self.layers, self.biases, strict=True)):
            x = self.activation(x) if i else x
            x = torch.sparse.mm(adjacency, thinned(x, self.dropout, self.training) @ layer.weight.T) + bias
        return x


def thinned(x, share, training):
    """Apply dropout; to a sparse matrix, on its values alone."""
    if not x.is_sparse:
        return functional.dropout(x, share, training)
    values = functional.dropout(x.values(), share, training)
    return torch.sparse_coo_tensor(x.indices(), values, x.shape, is_coalesced=True, check_invariants=False)


sizes = [cora["features"].shape[1], *[config["hidden_size"]] * (config["num_layers"] - 1), 7]
model = GCN(sizes, getattr(functional, config["activation"]), config["dropout"])
optimizers = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
optimizer = optimizers[config["optimizer"]](model.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"])

for epoch in range(1, config["num_epochs"] + 1):
    model.train()
    optimizer.zero_grad()
    loss = functional.cross_entropy(model(cora["features"])[cora["train"]], labels[cora["train"]])
    loss.backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        right = (model(cora["features"]).argmax(1) == labels).float()
    accuracy = {f"{part}_accuracy": right[cora[part]].mean().item() for part in ("train", "val", "test")}
    agenthpo.report(step=epoch, train_loss=loss.item(), **accuracy)
