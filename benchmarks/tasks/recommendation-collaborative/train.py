"""Train LightGCN (He et al. 2020) by Bayesian personalised ranking and report NDCG@10 after every
epoch; the best epoch counts.
"""

import os

import numpy as np
import torch
from torch.nn import functional

import agenthpo
from agenthpo.bench.data.ratings import load_liked

config = agenthpo.config(
    learning_rate=1e-3,
    batch_size=2048,
    embedding_size=64,
    num_layers=2,
    reg_weight=1e-4,
    num_epochs=15,
    num_negatives=1,
    init_std=0.1,
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)
rng = np.random.default_rng(seed)
data = load_liked()
users, items, train = data.users, data.items, torch.from_numpy(data.train)


def normalised(pairs):
    """Return D^-1/2 A D^-1/2 of the graph of users and items as a sparse matrix."""
    index = torch.stack([pairs[:, 0], pairs[:, 1] + users])
    index = torch.cat([index, index.flip(0)], dim=1)
    scale = torch.bincount(index[0], minlength=users + items).clamp(min=1).float().rsqrt()
    return torch.sparse_coo_tensor(
        index, scale[index[0]] * scale[index[1]], (users + items,) * 2, check_invariants=True
    ).coalesce()


def propagated():
    """Return the mean of the embeddings over the layers, users first."""
    layers = [embedding]
    for _ in range(config["num_layers"]):
        layers.append(torch.sparse.mm(adjacency, layers[-1]))
    return torch.stack(layers).mean(0).split([users, items])


def ndcg(scores, hidden, known, length=10):
    """Return the mean over users of the discounted gain of the first ten items they did not have
    yet.
    """
    scores = scores.clone()
    scores[known[:, 0], known[:, 1]] = -torch.inf
    wanted = torch.zeros(users, items, dtype=torch.bool)
    wanted[hidden[:, 0], hidden[:, 1]] = True
    discounts = 1 / torch.log2(torch.arange(length) + 2.0)
    gain = (wanted.gather(1, scores.topk(length).indices) * discounts).sum(1)
    count = wanted.sum(1)
    best = discounts.cumsum(0)[count.clamp(1, length) - 1]
    return (gain / best)[count > 0].mean().item()


adjacency = normalised(train)
embedding = torch.nn.Parameter(
    torch.randn(users + items, config["embedding_size"]) * config["init_std"]
)
optimizer = torch.optim.Adam([embedding], lr=config["learning_rate"])
hidden = {"val_ndcg": torch.from_numpy(data.val), "test_ndcg": torch.from_numpy(data.test)}
known = {"val_ndcg": train, "test_ndcg": torch.cat([train, hidden["val_ndcg"]])}
for epoch in range(1, config["num_epochs"] + 1):
    losses = []
    for rows in torch.from_numpy(rng.permutation(len(train))).split(config["batch_size"]):
        user, liked = train[rows].T
        other = torch.from_numpy(rng.integers(items, size=(len(rows), config["num_negatives"])))
        of_users, of_items = propagated()
        margin = (of_users[user] * of_items[liked]).sum(1, keepdim=True) - (
            of_users[user].unsqueeze(1) * of_items[other]
        ).sum(2)
        size = sum(
            embedding[rows].square().sum() for rows in (user, users + liked, users + other[:, 0])
        ) / (2 * len(rows))
        loss = functional.softplus(-margin).mean() + config["reg_weight"] * size
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        of_users, of_items = propagated()
        scores = of_users @ of_items.T
    agenthpo.report(
        step=epoch,
        train_loss=np.mean(losses),
        **{name: ndcg(scores, hidden[name], known[name]) for name in hidden},
    )
