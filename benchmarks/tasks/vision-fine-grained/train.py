"""Train a small vision transformer to tell garments apart and report its accuracy after every
epoch; the best epoch counts.
"""

import math
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import agenthpo
from agenthpo.bench.data.images import load_fashion

config = agenthpo.config(
    learning_rate=1e-3,
    batch_size=64,
    weight_decay=1e-2,
    num_epochs=5,
    patch_size=7,
    model_size=32,
    num_layers=2,
    num_heads=4,
    dropout=0.1,
    warmup_share=0.1,
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)
rng = np.random.default_rng(seed)
data = load_fashion()
train, val, test = (
    (torch.from_numpy(x), torch.from_numpy(y)) for x, y in (data.train, data.val, data.test)
)


class ViT(nn.Module):
    def __init__(self, channels, height, classes):
        super().__init__()
        size, patch, dropout = config["model_size"], config["patch_size"], config["dropout"]
        self.patches = nn.Conv2d(channels, size, patch, patch)
        self.places = nn.Parameter(torch.randn(1, (height // patch) ** 2 + 1, size) * 0.02)
        self.whole = nn.Parameter(torch.zeros(1, 1, size))
        layer = nn.TransformerEncoderLayer(
            size, config["num_heads"], 2 * size, dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, config["num_layers"], nn.LayerNorm(size), enable_nested_tensor=False
        )
        self.dropout, self.out = nn.Dropout(dropout), nn.Linear(size, classes)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.whole.expand(len(x), -1, -1), x], dim=1) + self.places
        return self.out(self.layers(self.dropout(x))[:, 0])


def scale(step):
    """Return what the learning rate is multiplied by: it warms up, then falls as a cosine."""
    share, warm = step / steps, config["warmup_share"]
    return (
        share / warm if share < warm else (1 + math.cos(math.pi * (share - warm) / (1 - warm))) / 2
    )


def accuracy(x, y):
    model.eval()
    with torch.no_grad():
        return (
            torch.cat([model(part).argmax(1) for part in x.split(500)]).eq(y).float().mean().item()
        )


model = ViT(*train[0].shape[1:3], int(train[1].max()) + 1)
optimizer = torch.optim.AdamW(
    model.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"]
)
steps = config["num_epochs"] * math.ceil(len(train[0]) / config["batch_size"])
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: scale(min(step, steps)))
for epoch in range(1, config["num_epochs"] + 1):
    model.train()
    losses = []
    for part in torch.from_numpy(rng.permutation(len(train[0]))).split(config["batch_size"]):
        loss = functional.cross_entropy(model(train[0][part]), train[1][part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    agenthpo.report(
        step=epoch,
        train_loss=np.mean(losses),
        val_accuracy=accuracy(*val),
        test_accuracy=accuracy(*test),
    )
