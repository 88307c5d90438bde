"""Pairs of English and French sentences, for the task on translation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agenthpo.bench.data.sources import data_file, found
from agenthpo.bench.data.texts import words_of

__all__ = ["Pairs", "load_translations"]

_TRAIN, _HIDDEN, _LONGEST = 4000, 300, 10
Part = list[tuple[str, str]]


@dataclass(frozen=True)
class Pairs:
    """English and French, words parted by spaces."""

    train: Part
    val: Part
    test: Part


def load_translations(source: str | None = None) -> Pairs:
    """Return short captions of Multi30k, the paper's Opus Books, or phrases that need no file."""
    return found(
        source,
        online=("Opus Books, English to French, 4,000 short sentences", _books),
        local=("Multi30k, 4,000 captions of at most ten words, instead of Opus Books", _captions),
        package=(
            "dates, numbers, countries and languages from babel and num2words, instead of "
            "Opus Books",
            _phrases,
        ),
    )


def _captions() -> Pairs:
    known, test = _short(_multi30k("train")), _short(_multi30k("test_2016_flickr"))
    return Pairs(known[:_TRAIN], _short(_multi30k("val"))[:_HIDDEN], test[:_HIDDEN])


def _multi30k(part: str) -> Iterator[tuple[str, str]]:
    sides = (
        data_file(f"multi30k/{part}.{language}").read_text("utf-8").splitlines()
        for language in ("en", "fr")
    )
    yield from zip(*sides, strict=True)


def _books() -> Pairs:
    from datasets import load_dataset

    return _split(
        [
            (r["translation"]["en"], r["translation"]["fr"])
            for r in load_dataset("Helsinki-NLP/opus_books", "en-fr", split="train")
        ]
    )


def _phrases() -> Pairs:
    from datetime import date, timedelta

    from babel import Locale
    from babel.dates import format_date
    from num2words import num2words

    english, french = Locale("en"), Locale("fr")
    pairs = [
        (english.territories[key], french.territories[key])
        for key in english.territories
        if key in french.territories
    ]
    pairs += [
        (english.languages[key], french.languages[key])
        for key in english.languages
        if key in french.languages
    ]
    days = [date(1990, 1, 1) + timedelta(days=5 * i) for i in range(3000)]
    pairs += [(format_date(day, "full", "en"), format_date(day, "full", "fr")) for day in days]
    pairs += [(num2words(i, lang="en"), num2words(i, lang="fr")) for i in range(3000)]
    return _split(pairs)


def _split(pairs: Sequence[tuple[str, str]]) -> Pairs:
    """Hide 300 pairs for validation and 300 for the test, the same whatever the seed."""
    short = _short(pairs)
    mixed = [short[i] for i in np.random.default_rng(0).permutation(len(short))]
    return Pairs(mixed[2 * _HIDDEN :][:_TRAIN], mixed[:_HIDDEN], mixed[_HIDDEN : 2 * _HIDDEN])


def _short(pairs: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> Part:
    """Return the pairs of at most ten English words, spaces between words and marks."""
    parted = ((words_of(english), words_of(french)) for english, french in pairs)
    return [
        (" ".join(e), " ".join(f))
        for e, f in parted
        if 0 < len(e) <= _LONGEST and 0 < len(f) <= _LONGEST + 4
    ]
