"""Train a small transformer to translate English into French and report BLEU after every epoch; the
best epoch counts.
"""

import math
import os

import numpy as np
import sacrebleu
import torch
from torch import nn

import agenthpo
from agenthpo.bench.data.texts import PAD, UNKNOWN, Vocabulary
from agenthpo.bench.data.translations import load_translations

config = agenthpo.config(
    learning_rate=2e-3,
    batch_size=64,
    num_epochs=5,
    model_size=64,
    num_layers=1,
    num_heads=4,
    dropout=0.1,
    weight_decay=1e-2,
    label_smoothing=0.0,
    warmup_share=0.05,
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
torch.manual_seed(seed)
torch.set_num_threads(1)
rng = np.random.default_rng(seed)
data, LENGTH = load_translations(), 16
english, french = (Vocabulary([pair[side] for pair in data.train], most=3000) for side in (0, 1))
START = len(french)  # begins and ends a sentence


def rows(pairs):
    """Return both sides as numbers; the French one begins and ends with START."""
    source = torch.from_numpy(english.rows([e for e, _ in pairs], LENGTH))
    words = torch.from_numpy(french.rows([f for _, f in pairs], LENGTH - 2))
    target = torch.full((len(pairs), LENGTH), PAD)
    target[:, 0], target[:, 1:-1] = START, words
    target[torch.arange(len(pairs)), (words != PAD).sum(1) + 1] = START
    return source, target


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        size = config["model_size"]
        self.english, self.french = (
            nn.Embedding(len(english), size),
            nn.Embedding(len(french) + 1, size),
        )
        self.places = nn.Parameter(torch.randn(LENGTH, size) * 0.1)
        layers, heads, dropout = config["num_layers"], config["num_heads"], config["dropout"]
        shape = {
            "dim_feedforward": 2 * size,
            "dropout": dropout,
            "batch_first": True,
            "norm_first": True,
        }
        encoder, decoder = (
            nn.TransformerEncoderLayer(size, heads, **shape),
            nn.TransformerDecoderLayer(size, heads, **shape),
        )
        self.encoder = nn.TransformerEncoder(
            encoder, layers, nn.LayerNorm(size), enable_nested_tensor=False
        )
        self.decoder = nn.TransformerDecoder(decoder, layers, nn.LayerNorm(size))
        self.dropout, self.out = nn.Dropout(dropout), nn.Linear(size, len(french) + 1)
        for table in (self.english, self.french):
            nn.init.normal_(table.weight, std=0.1)

    def encoded(self, source):
        x = self.dropout(self.english(source) + self.places[: source.shape[1]])
        return self.encoder(x, src_key_padding_mask=source == PAD)

    def decoded(self, target, memory, source):
        length = target.shape[1]
        x = self.dropout(self.french(target) + self.places[:length])
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        return self.out(
            self.decoder(x, memory, tgt_mask=later, memory_key_padding_mask=source == PAD)
        )


def bleu(pairs, source):
    """Return BLEU of the likeliest words, one after the other, on words in small letters."""
    model.eval()
    with torch.no_grad():
        memory, told = model.encoded(source), torch.full((len(source), 1), START)
        for _ in range(LENGTH - 1):
            scores = model.decoded(told, memory, source)[:, -1]
            scores[:, [PAD, UNKNOWN]] = -torch.inf
            told = torch.cat([told, scores.argmax(1, keepdim=True)], dim=1)
    said = [row[: row.index(START)] if START in row else row for row in told[:, 1:].tolist()]
    sentences = [" ".join(french.words[number] for number in row) for row in said]
    return sacrebleu.corpus_bleu(
        sentences, [[f for _, f in pairs]], tokenize="none", force=True
    ).score


def scale(step):
    """Return what the learning rate is multiplied by: it warms up, then falls to nothing in a
    straight line.
    """
    share = step / steps
    return (
        share / config["warmup_share"]
        if share < config["warmup_share"]
        else (1 - share) / (1 - config["warmup_share"])
    )


model = Translator()
source, target = rows(data.train)
hidden = {
    f"{part}_bleu": (pairs, rows(pairs)[0])
    for part, pairs in {"val": data.val, "test": data.test}.items()
}
optimizer = torch.optim.AdamW(
    model.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"]
)
steps = config["num_epochs"] * math.ceil(len(source) / config["batch_size"])
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: scale(min(step, steps)))
for epoch in range(1, config["num_epochs"] + 1):
    model.train()
    losses = []
    for part in torch.from_numpy(rng.permutation(len(source))).split(config["batch_size"]):
        scores = model.decoded(target[part, :-1], model.encoded(source[part]), source[part])
        loss = nn.functional.cross_entropy(
            scores.transpose(1, 2),
            target[part, 1:],
            ignore_index=PAD,
            label_smoothing=config["label_smoothing"],
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    agenthpo.report(
        step=epoch,
        train_loss=np.mean(losses),
        **{name: bleu(*part) for name, part in hidden.items()},
    )
