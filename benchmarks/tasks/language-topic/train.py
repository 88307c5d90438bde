"""Train a small transformer encoder to tell the topic of a text and report its accuracy after every
epoch; the best epoch counts.
"""

import math
import os

import numpy as np
import torch
from torch import nn

import agenthpo
from agenthpo.bench.data.texts import PAD, Vocabulary, load_topics

config = agenthpo.config(
    learning_rate=1e-3,
    batch_size=32,
    num_epochs=3,
    model_size=32,
    num_layers=1,
    num_heads=2,
    dropout=0.1,
    weight_decay=1e-2,
    warmup_share=0.0,
    schedule="linear",
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)
rng = np.random.default_rng(seed)
data = load_topics()
vocabulary, LENGTH = Vocabulary(data.texts[0]), 40
train, val, test = (
    (torch.from_numpy(vocabulary.rows(texts, LENGTH)), torch.from_numpy(classes))
    for texts, classes in zip(data.texts, data.classes, strict=True)
)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        size = config["model_size"]
        self.words = nn.Embedding(len(vocabulary), size, padding_idx=PAD)
        self.places = nn.Parameter(torch.randn(LENGTH, size) * 0.02)
        layer = nn.TransformerEncoderLayer(
            size,
            config["num_heads"],
            2 * size,
            config["dropout"],
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(
            layer, config["num_layers"], nn.LayerNorm(size), enable_nested_tensor=False
        )
        self.dropout = nn.Dropout(config["dropout"])
        self.out = nn.Linear(size, int(train[1].max()) + 1)
        nn.init.normal_(self.words.weight, std=0.1)

    def forward(self, rows):
        padding = rows == PAD
        x = self.layers(self.dropout(self.words(rows) + self.places), src_key_padding_mask=padding)
        known = (~padding).unsqueeze(2)
        return self.out((x * known).sum(1) / known.sum(1))


def accuracy(rows, classes):
    model.eval()
    with torch.no_grad():
        return (
            torch.cat([model(part).argmax(1) for part in rows.split(500)])
            .eq(classes)
            .float()
            .mean()
            .item()
        )


def scale(step):
    """Return what the learning rate is multiplied by: it warms up, then falls as the
    schedule says.
    """
    share = step / steps
    if share < config["warmup_share"]:
        return share / config["warmup_share"]
    rest = (share - config["warmup_share"]) / (1 - config["warmup_share"])
    return {"constant": 1.0, "linear": 1 - rest, "cosine": (1 + math.cos(math.pi * rest)) / 2}[
        config["schedule"]
    ]


model = Encoder()
optimizer = torch.optim.AdamW(
    model.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"]
)
steps = config["num_epochs"] * math.ceil(len(train[0]) / config["batch_size"])
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: scale(min(step, steps)))
for epoch in range(1, config["num_epochs"] + 1):
    model.train()
    losses = []
    for part in torch.from_numpy(rng.permutation(len(train[0]))).split(config["batch_size"]):
        loss = nn.functional.cross_entropy(model(train[0][part]), train[1][part])
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
