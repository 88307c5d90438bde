"""Train a bidirectional LSTM to tell good reviews from bad ones and report its accuracy after every
epoch; the best epoch counts.
"""

import os

import numpy as np
import torch
from torch import nn

import agenthpo
from agenthpo.bench.data.texts import PAD, Vocabulary, load_sentiment

config = agenthpo.config(
    learning_rate=1e-3,
    optimizer="adam",
    batch_size=32,
    num_epochs=4,
    embedding_size=64,
    hidden_size=32,
    pooling="last",
    dropout=0.2,
    weight_decay=1e-5,
    max_length=24,
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)
rng = np.random.default_rng(seed)
data = load_sentiment()
vocabulary = Vocabulary(data.texts[0])
train, val, test = (
    (torch.from_numpy(vocabulary.rows(texts, config["max_length"])), torch.from_numpy(classes))
    for texts, classes in zip(data.texts, data.classes, strict=True)
)


class BiLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(len(vocabulary), config["embedding_size"], padding_idx=PAD)
        self.lstm = nn.LSTM(
            config["embedding_size"], config["hidden_size"], batch_first=True, bidirectional=True
        )
        self.dropout = nn.Dropout(config["dropout"])
        self.out = nn.Linear(2 * config["hidden_size"], 2)
        nn.init.normal_(self.words.weight, std=0.1)

    def forward(self, rows):
        known = rows != PAD
        packed = nn.utils.rnn.pack_padded_sequence(
            self.dropout(self.words(rows)), known.sum(1), batch_first=True, enforce_sorted=False
        )
        states, (last, _) = self.lstm(packed)
        if config["pooling"] == "last":
            x = torch.cat([last[0], last[1]], dim=1)
        else:
            states, _ = nn.utils.rnn.pad_packed_sequence(
                states, batch_first=True, total_length=rows.shape[1]
            )
            hidden = states.masked_fill(
                ~known.unsqueeze(2), -torch.inf if config["pooling"] == "max" else 0
            )
            x = (
                hidden.max(1).values
                if config["pooling"] == "max"
                else hidden.sum(1) / known.sum(1, keepdim=True)
            )
        return self.out(self.dropout(x))


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


model = BiLSTM()
optimizers = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}
optimizer = optimizers[config["optimizer"]](
    model.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"]
)
for epoch in range(1, config["num_epochs"] + 1):
    model.train()
    losses = []
    for part in torch.from_numpy(rng.permutation(len(train[0]))).split(config["batch_size"]):
        loss = nn.functional.cross_entropy(model(train[0][part]), train[1][part])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
    agenthpo.report(
        step=epoch,
        train_loss=np.mean(losses),
        val_accuracy=accuracy(*val),
        test_accuracy=accuracy(*test),
    )
