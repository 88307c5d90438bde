"""Train a small U-Net (Ronneberger et al. 2015) to tell what each pixel shows; the mean IoU is
reported after every epoch, the best counts.

One network finds the rare classes and another does not, so the mean of two counts.
"""

import math
import os
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import agenthpo
from agenthpo.bench.data.images import VOID, load_streets

config = agenthpo.config(
    learning_rate=1e-3,
    batch_size=8,
    weight_decay=1e-4,
    num_epochs=6,
    width=8,
    depth=2,
    dropout=0.0,
    class_weighting="none",
    schedule="constant",
    flip=False,
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)
rng = np.random.default_rng(seed)
data = load_streets()
train, val, test = (
    (torch.from_numpy(x), torch.from_numpy(y)) for x, y in (data.train, data.val, data.test)
)
CLASSES = int(train[1][train[1] != VOID].max()) + 1


def convolved(inputs, outputs):
    layers = [nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return [
        *layers,
        nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


class UNet(nn.Module):
    def __init__(self, channels):
        super().__init__()
        widths = [config["width"] * 2**level for level in range(config["depth"] + 1)]
        self.stem = nn.Sequential(*convolved(channels, widths[0]))
        self.down = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), *convolved(a, b))
            for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList(nn.Sequential(*convolved(a + b, a)) for a, b in pairwise(widths))
        self.dropout, self.out = nn.Dropout2d(config["dropout"]), nn.Conv2d(widths[0], CLASSES, 1)

    def forward(self, x):
        levels = [self.stem(x)]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = self.dropout(levels.pop())
        for up, level in zip(reversed(self.up), reversed(levels), strict=True):
            x = up(torch.cat([level, functional.interpolate(x, level.shape[2:])], dim=1))
        return self.out(x)


def mean_iou(model, x, y):
    """Return the mean over the classes that occur of intersection over union; void pixels do not
    count.
    """
    model.eval()
    with torch.no_grad():
        told = torch.cat([model(part).argmax(1) for part in x.split(20)])
    counted = y != VOID
    table = (
        torch.bincount(y[counted] * CLASSES + told[counted], minlength=CLASSES**2)
        .view(CLASSES, CLASSES)
        .double()
    )
    union = table.sum(0) + table.sum(1) - table.diag()
    return (table.diag() / union.clamp(min=1))[table.sum(1) > 0].mean().item()


share = (
    torch.bincount(train[1][train[1] != VOID], minlength=CLASSES).double()
    / (train[1] != VOID).sum()
)
weights = {
    "none": torch.ones(CLASSES),
    "sqrt": share.clamp(min=1e-4).rsqrt(),
    "inverse": 1 / (share + 0.02),
}[config["class_weighting"]].float()
weights = weights / (weights * share).sum().float()
steps = config["num_epochs"] * math.ceil(len(train[0]) / config["batch_size"])
fall = {
    "constant": lambda step: 1.0,
    "cosine": lambda step: (1 + math.cos(math.pi * min(step / steps, 1))) / 2,
}[config["schedule"]]
models = [UNet(train[0].shape[1]) for _ in range(2)]
optimizers = [
    torch.optim.AdamW(
        m.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"]
    )
    for m in models
]
schedulers = [torch.optim.lr_scheduler.LambdaLR(optimizer, fall) for optimizer in optimizers]
for epoch in range(1, config["num_epochs"] + 1):
    losses = []
    for model, optimizer, scheduler in zip(models, optimizers, schedulers, strict=True):
        model.train()
        for part in torch.from_numpy(rng.permutation(len(train[0]))).split(config["batch_size"]):
            x, y = train[0][part], train[1][part]
            if config["flip"] and rng.random() < 0.5:
                x, y = x.flip(3), y.flip(2)
            loss = functional.cross_entropy(model(x), y, weights, ignore_index=VOID)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
    means = {
        f"{name}_iou": np.mean([mean_iou(model, *part) for model in models])
        for name, part in {"val": val, "test": test}.items()
    }
    agenthpo.report(step=epoch, train_loss=np.mean(losses), **means)
