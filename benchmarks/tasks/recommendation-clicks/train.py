"""Train a deep interest network (Zhou et al. 2018) to tell who likes which film, and report the AUC
after every epoch; the best counts.
"""

import os

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

import agenthpo
from agenthpo.bench.data.ratings import load_clicks

config = agenthpo.config(
    learning_rate=1e-3,
    batch_size=1024,
    num_epochs=5,
    embedding_size=16,
    hidden_size=128,
    num_layers=2,
    attention_size=32,
    dropout=0.2,
    weight_decay=1e-6,
    use_history=True,
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)
rng = np.random.default_rng(seed)
data = load_clicks()
fields, history, liked = (
    torch.from_numpy(data.fields),
    torch.from_numpy(data.history),
    torch.from_numpy(data.liked),
)
ITEM = 1


def layers(width, sizes):
    for size in sizes:
        yield from (nn.Linear(width, size), nn.ReLU(), nn.Dropout(config["dropout"]))
        width = size
    yield nn.Linear(width, 1)


class DIN(nn.Module):
    def __init__(self):
        super().__init__()
        width = config["embedding_size"]
        self.fields = nn.ModuleList(nn.Embedding(size, width) for size in data.sizes)
        self.past = nn.Embedding(data.sizes[ITEM] + 1, width, padding_idx=0)
        self.attention = nn.Sequential(
            nn.Linear(3 * width, config["attention_size"]),
            nn.ReLU(),
            nn.Linear(config["attention_size"], 1),
        )
        inputs = len(data.sizes) + config["use_history"]
        self.rest = nn.Sequential(
            *layers(inputs * width, [config["hidden_size"]] * config["num_layers"])
        )
        for table in (*self.fields, self.past):
            nn.init.normal_(table.weight, std=0.05)

    def forward(self, fields, history):
        x = [table(column) for table, column in zip(self.fields, fields.T, strict=True)]
        if config["use_history"]:
            past, item = self.past(history), x[ITEM].unsqueeze(1).expand(-1, history.shape[1], -1)
            weight = self.attention(torch.cat([past, item, past * item], dim=2)) * (
                history > 0
            ).unsqueeze(2)
            x.append((weight * past).sum(1))
        return self.rest(torch.cat(x, dim=1)).squeeze(1)


def auc(rows):
    model.eval()
    with torch.no_grad():
        scores = [model(fields[part], history[part]) for part in torch.from_numpy(rows).split(4096)]
    return roc_auc_score(data.liked[rows], torch.cat(scores))


model = DIN()
optimizer = torch.optim.Adam(
    model.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"]
)
for epoch in range(1, config["num_epochs"] + 1):
    model.train()
    losses = []
    for rows in torch.from_numpy(rng.permutation(data.train)).split(config["batch_size"]):
        loss = nn.functional.binary_cross_entropy_with_logits(
            model(fields[rows], history[rows]), liked[rows]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    agenthpo.report(
        step=epoch, train_loss=np.mean(losses), val_auc=auc(data.val), test_auc=auc(data.test)
    )
