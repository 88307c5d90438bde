"""Which way a metric is better, and how well it is suited to tune by, from its name alone."""

from __future__ import annotations

import re
from typing import Literal

from agenthpo.init.words import words
from agenthpo.records import Direction

__all__ = ["Split", "direction_of", "is_metric", "split_of", "suited"]

Split = Literal["validation", "test", "train", ""]
_UP = words("up")
_DOWN = words("down")
_VALIDATION = ("val", "valid", "validation", "dev", "eval", "evaluation", "vloss", "cv", "heldout")
_TEST = ("test", "testing", "tst")
_TRAIN = ("train", "training", "trn", "tr", "batch", "running")
_JOINED = ("log_loss", "cross_entropy", "mean_squared", "squared_error", "absolute_error")
_NEGATED = ("neg", "negative")


def words_in(name: str) -> list[str]:
    """Return the words of a name, in lower case."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [w for w in re.split(r"[^a-z0-9]+", apart.lower()) if w]


def direction_of(name: str) -> Direction | None:
    """Return which way a metric of that name is better; None where the name does not say.

    >>> direction_of("val_acc"), direction_of("Test RMSE"), direction_of("neg_log_loss")
    ('maximize', 'minimize', 'maximize')
    >>> direction_of("epoch") is None
    True
    """
    words = words_in(name)
    up, down = any(_ends(w, _UP) for w in words), any(_ends(w, _DOWN) for w in words)
    if any(joined in "_".join(words) for joined in _JOINED):
        up, down = False, True
    if "negative" in words and "likelihood" in words:
        return "minimize"
    if down and words[0] in _NEGATED:
        return "maximize"
    if down:
        return "minimize"
    return "maximize" if up else None


def is_metric(name: str) -> bool:
    """Return whether the name says that it is a metric."""
    return direction_of(name) is not None


def split_of(name: str) -> Split:
    """Return on which part of the data a metric of that name is measured, as far as it says so."""
    words = set(words_in(name))
    if words & {*_VALIDATION} or any(w.startswith(("val", "eval")) for w in words):
        return "validation"
    if words & {*_TEST} or any(w.startswith("test") for w in words):
        return "test"
    return "train" if words & {*_TRAIN} else ""


def suited(name: str, split: Split) -> int:
    """Return how well a metric is suited to tune by, larger being better: the split counts most,
    and a score is told more easily than a loss.
    """
    place = {"validation": 3, "": 2, "test": 1, "train": 0}[split]
    return 2 * place + (direction_of(name) == "maximize")


def _ends(word: str, known: frozenset[str]) -> bool:
    """Return whether a word is a known one, or ends in one of four letters and more: ``vloss``,
    ``valacc``, ``bestloss``.
    """
    bare = word.rstrip("0123456789@")
    return (
        word in known
        or bare in known
        or bare.removesuffix("s") in known
        or any(bare.endswith(k) for k in known if len(k) >= 4)
        or any(bare == f"{split}{k}" for k in known for split in ("val", "test", "train", "v"))
    )
