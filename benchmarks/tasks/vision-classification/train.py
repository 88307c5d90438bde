"""Train a small residual network to tell what is in a picture and report its accuracy after every
epoch; the best epoch counts.
"""

import math
import os

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import agenthpo
from agenthpo.bench.data.images import load_objects

config = agenthpo.config(
    learning_rate=1e-3,
    batch_size=64,
    optimizer="adam",
    weight_decay=1e-4,
    num_epochs=6,
    width=8,
    dropout=0.0,
    label_smoothing=0.0,
    augment=False,
    schedule="constant",
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)
rng = np.random.default_rng(seed)
data = load_objects()
train, val, test = (
    (torch.from_numpy(x), torch.from_numpy(y)) for x, y in (data.train, data.val, data.test)
)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(outputs) for _ in range(2))
        self.skip = (
            nn.Identity()
            if stride == 1 and inputs == outputs
            else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        )

    def forward(self, x):
        y = self.norms[0](self.first(x)).relu()
        return (self.norms[1](self.second(y)) + self.skip(x)).relu()


class ResNet(nn.Sequential):
    def __init__(self, channels, width, dropout, classes=10):
        stem = nn.Conv2d(channels, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        blocks = Block(width, width, 1), Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2)
        super().__init__(
            *stem,
            *blocks,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(4 * width, classes),
        )


def augmented(x):
    """Flip half of the pictures, and shift each batch by up to three pixels."""
    flip = torch.from_numpy(rng.random(len(x)) < 0.5)
    x = torch.where(flip[:, None, None, None], x.flip(3), x)
    return torch.roll(x, tuple(rng.integers(-3, 4, size=2).tolist()), dims=(2, 3))


def scale(step):
    """Return what the learning rate is multiplied by."""
    share = step / steps
    return {
        "constant": 1.0,
        "cosine": (1 + math.cos(math.pi * share)) / 2,
        "step": 0.1 ** math.floor(share * 3),
    }[config["schedule"]]


def accuracy(x, y):
    model.eval()
    with torch.no_grad():
        return (
            torch.cat([model(part).argmax(1) for part in x.split(500)]).eq(y).float().mean().item()
        )


model = ResNet(train[0].shape[1], config["width"], config["dropout"])
settings = {"lr": config["learning_rate"], "weight_decay": config["weight_decay"]}
if config["optimizer"] == "sgd":
    optimizer = torch.optim.SGD(model.parameters(), momentum=0.9, **settings)
else:
    optimizer = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config["optimizer"]](
        model.parameters(), **settings
    )
steps = config["num_epochs"] * math.ceil(len(train[0]) / config["batch_size"])
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: scale(min(step, steps)))
for epoch in range(1, config["num_epochs"] + 1):
    model.train()
    losses = []
    for part in torch.from_numpy(rng.permutation(len(train[0]))).split(config["batch_size"]):
        x = augmented(train[0][part]) if config["augment"] else train[0][part]
        loss = functional.cross_entropy(
            model(x), train[1][part], label_smoothing=config["label_smoothing"]
        )
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
