"""Texts with a class each, for the tasks on sentiment and topic, and what a small model needs of
them: words as numbers.
"""

from __future__ import annotations

import csv
import io
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agenthpo.bench.data.sources import data_file, found, source_archive

__all__ = ["PAD", "UNKNOWN", "Labelled", "Vocabulary", "load_sentiment", "load_topics", "words_of"]

PAD, UNKNOWN = 0, 1
_HELD_BACK = 1500
"""Texts for validation, and for the test where the set has none of its own."""
_VADER = "rated sentences of the vaderSentiment archive on PyPI"


@dataclass(frozen=True)
class Labelled:
    """Texts and their classes, counted from 0, in three parts."""

    texts: tuple[list[str], list[str], list[str]]
    classes: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
    """For training, validation and test, as the texts are."""


class Vocabulary:
    """The words that the training texts hold at least twice, at most ``most`` of them."""

    def __init__(self, texts: Iterable[str], most: int = 8000) -> None:
        counts = Counter(word for text in texts for word in words_of(text))
        known = [word for word, count in counts.most_common(most) if count > 1]
        self.words = ("", "?", *known)
        self._numbers = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def rows(self, texts: Sequence[str], length: int) -> NDArray[np.int64]:
        """Return ``texts`` as len(texts) x ``length`` numbers of words, the rest of a short one
        being ``PAD``.
        """
        rows = np.full((len(texts), length), PAD, dtype=np.int64)
        for row, text in zip(rows, texts, strict=True):
            numbers = [self._numbers.get(word, UNKNOWN) for word in words_of(text)[:length]] or [
                UNKNOWN
            ]
            row[: len(numbers)] = numbers
        return rows


def words_of(text: str) -> list[str]:
    """Return the words and marks of ``text``, in small letters."""
    return re.findall(r"[^\W_]+|[^\w\s]", text.lower())


def load_sentiment(source: str | None = None) -> Labelled:
    """Return SST-2, 0 for a bad review and 1 for a good one, or the films of the stand-in."""
    words = "SST-2, 4,000 sentences to train on"
    return found(
        source,
        online=(words, _sst2_online),
        local=(words, lambda: _sst2(data_file("sst2"))),
        package=(f"film reviews among the {_VADER}, instead of SST-2", _films),
    )


def load_topics(source: str | None = None) -> Labelled:
    """Return AG's news, four topics, or the four kinds of text of the stand-in."""
    words = "AG's news, 7,600 items"
    return found(
        source,
        online=(words, _news_online),
        local=(words, lambda: _news(data_file("ag_news/ag_news_7600.csv"))),
        package=(f"four kinds of text among the {_VADER}, instead of AG's news", _kinds),
    )


def _sst2(folder: Path) -> Labelled:
    lines = {
        part: [
            line.rsplit("\t", 1)
            for line in (folder / f"{part}.tsv").read_text("utf-8").splitlines()
        ]
        for part in ("train", "test")
    }
    known, test = (
        [(text, int(label)) for text, label in lines[part]] for part in ("train", "test")
    )
    return _kept(known, test)


def _sst2_online() -> Labelled:
    from datasets import load_dataset

    sets = load_dataset("stanfordnlp/sst2")
    known, test = (
        [(r["sentence"], r["label"]) for r in sets[part]] for part in ("train", "validation")
    )
    return _kept(known, test)


def _news(path: Path) -> Labelled:
    with path.open(encoding="utf-8", newline="") as file:
        return _split(
            [(f"{title} {text}", int(label) - 1) for label, title, text in csv.reader(file)]
        )


def _news_online() -> Labelled:
    from datasets import load_dataset

    return _split([(r["text"], r["label"]) for r in load_dataset("fancyzhx/ag_news", split="test")])


def _films() -> Labelled:
    return _split(
        [(text, int(rating > 0)) for text, rating in _vader("movieReview") if abs(rating) >= 0.5]
    )


def _kinds() -> Labelled:
    kinds = [_vader(kind) for kind in ("movieReview", "amazonReview", "nytEditorial", "tweets")]
    return _split([(text, number) for number, kind in enumerate(kinds) for text, _ in kind[:2000]])


def _vader(kind: str) -> list[tuple[str, float]]:
    """Return sentences and their ratings from -4 to 4 (Hutto and Gilbert 2014)."""
    with zipfile.ZipFile(source_archive("vaderSentiment", "0.5")) as archive:
        inner = next(
            name for name in archive.namelist() if name.endswith("hutto_ICWSM_2014.tar.gz")
        )
        with tarfile.open(fileobj=io.BytesIO(archive.read(inner))) as files:
            suffix = "" if kind == "tweets" else "Snippets"
            member = files.extractfile(f"hutto_ICWSM_2014/{kind}{suffix}_GroundTruth.txt")
            text = member.read().decode("utf-8", errors="replace") if member else ""
    rows = [line.split("\t") for line in text.splitlines()]
    return [(row[2], float(row[1])) for row in rows if len(row) == 3]


def _kept(known: Sequence[tuple[str, int]], test: Sequence[tuple[str, int]]) -> Labelled:
    """Keep 4,000 sentences to train on and hide 1,500 for validation, the same whatever the seed;
    the set has a test of its own.
    """
    kept = [known[i] for i in np.random.default_rng(0).permutation(len(known))[: 4000 + _HELD_BACK]]
    return _parts(kept[_HELD_BACK:], kept[:_HELD_BACK], test)


def _split(items: Sequence[tuple[str, int]]) -> Labelled:
    """Hide 1,500 for the test and 1,500 for validation, the same whatever the seed; train on at
    most 4,000.
    """
    mixed = [items[i] for i in np.random.default_rng(0).permutation(len(items))]
    return _parts(
        mixed[2 * _HELD_BACK :][:4000], mixed[_HELD_BACK : 2 * _HELD_BACK], mixed[:_HELD_BACK]
    )


def _parts(*parts: Sequence[tuple[str, int]]) -> Labelled:
    train, val, test = (
        ([text for text, _ in part], np.array([label for _, label in part], dtype=np.int64))
        for part in parts
    )
    return Labelled((train[0], val[0], test[0]), (train[1], val[1], test[1]))
