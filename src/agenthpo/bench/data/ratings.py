"""Who likes what: Last.fm's listeners and MovieLens' viewers, for the tasks on recommendation."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agenthpo.bench.data.sources import data_file, fetched, found, module_folder

__all__ = ["Clicks", "Liked", "load_clicks", "load_liked"]

Pairs = NDArray[np.int64]
Row = Mapping[str, str]
_LASTFM = "https://raw.githubusercontent.com/gusye1234/LightGCN-PyTorch/HEAD/data/lastfm/"
_MOVIELENS = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
_GENRES = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy "
    "Film-Noir Horror Musical Mystery Romance Sci-Fi"
    " Thriller War Western"
)
"""In the order of the columns of MovieLens' ``u.item``."""


@dataclass(frozen=True)
class Liked:
    """What each user liked: m x 2 pairs of a user and an item, numbered from 0."""

    users: int
    items: int
    train: Pairs
    val: Pairs
    test: Pairs


@dataclass(frozen=True)
class Clicks:
    """What each user saw in order of time, and whether they liked it."""

    fields: NDArray[np.int64]
    """n x 7 categories, each column numbered from 0: user, item, age, gender, occupation, year,
    first genre.
    """
    sizes: tuple[int, ...]
    """How many categories each column has."""
    history: NDArray[np.int64]
    """n x 20: the items the user liked before, the latest last, counted from 1; 0 where there are
    fewer.
    """
    liked: NDArray[np.float32]
    train: Pairs
    val: Pairs
    test: Pairs


def load_liked(source: str | None = None) -> Liked:
    """Return Last.fm, or MovieLens 100k in its place."""
    return found(
        source,
        online=(
            "Last.fm, 1,892 listeners",
            lambda: _lastfm(fetched(_LASTFM + "data1.txt"), fetched(_LASTFM + "test1.txt")),
        ),
        local=(
            "Last.fm, 1,892 listeners",
            lambda: _lastfm(data_file("lastfm/data1.txt"), data_file("lastfm/test1.txt")),
        ),
        package=(
            "MovieLens 100k of the recbole package, ratings above 3, instead of Last.fm",
            _movielens_liked,
        ),
    )


def _lastfm(train: Path, test: Path) -> Liked:
    return _liked(_pairs(train), _pairs(test))


def _pairs(path: Path) -> Pairs:
    return np.loadtxt(path, dtype=np.int64, usecols=(0, 1)) - 1


def _movielens_liked() -> Liked:
    rows = [
        (int(r["user_id"]), int(r["item_id"])) for r in _recbole("inter") if float(r["rating"]) > 3
    ]
    pairs = np.array(rows, dtype=np.int64) - 1
    order = np.random.default_rng(1).permutation(len(pairs))
    return _liked(pairs[order[len(order) // 5 :]], pairs[order[: len(order) // 5]])


def _liked(known: Pairs, test: Pairs) -> Liked:
    """Hide a tenth of what is known for validation, the same whatever the seed."""
    order = np.random.default_rng(0).permutation(len(known))
    users, items = np.concatenate([known, test]).max(axis=0) + 1
    return Liked(
        users=int(users),
        items=int(items),
        train=known[order[len(order) // 10 :]],
        val=known[order[: len(order) // 10]],
        test=test,
    )


def load_clicks(source: str | None = None) -> Clicks:
    """Return MovieLens 100k; the last tenth of the time is the test, the tenth before it the
    validation.
    """
    return found(
        source,
        online=("MovieLens 100k", lambda: _clicks(*_grouplens(fetched(_MOVIELENS)))),
        package=(
            "MovieLens 100k of the recbole package",
            lambda: _clicks(_recbole("inter"), _recbole("user"), _recbole("item")),
        ),
    )


def _clicks(
    events: Iterable[Row], viewers: Iterable[Row], films: Iterable[Row], longest: int = 20
) -> Clicks:
    users = {row["user_id"]: row for row in viewers}
    items = {row["item_id"]: row for row in films}
    seen = sorted(
        events, key=lambda r: (float(r["timestamp"]), int(r["user_id"]), int(r["item_id"]))
    )
    numbers: list[dict[str, int]] = [{} for _ in range(7)]
    fields, history = (
        np.zeros((len(seen), 7), dtype=np.int64),
        np.zeros((len(seen), longest), dtype=np.int64),
    )
    liked = np.array([float(r["rating"]) >= 4 for r in seen], dtype=np.float32)
    past: dict[str, list[int]] = {}
    for row, (event, likes) in enumerate(zip(seen, liked, strict=True)):
        user, item = users[event["user_id"]], items[event["item_id"]]
        decade = str(int(user["age"]) // 10)
        words = (
            event["user_id"],
            event["item_id"],
            decade,
            user["gender"],
            user["occupation"],
            item["release_year"],
            item["class"].split(" ")[0],
        )
        fields[row] = [
            known.setdefault(word, len(known)) for known, word in zip(numbers, words, strict=True)
        ]
        before = past.setdefault(event["user_id"], [])
        if before:
            history[row, -len(before[-longest:]) :] = before[-longest:]
        if likes:
            before.append(fields[row, 1] + 1)
    # By time within each user: who came last is in every part, and what is told of the future is
    # not learnt from.
    rank = np.zeros(len(seen))
    for user in np.unique(fields[:, 0]):
        rows = np.flatnonzero(fields[:, 0] == user)
        rank[rows] = np.arange(len(rows)) / len(rows)
    parts = (rank < 0.8), (rank >= 0.8) & (rank < 0.9), rank >= 0.9
    train, val, test = (np.flatnonzero(part) for part in parts)
    return Clicks(
        fields=fields,
        sizes=tuple(len(known) for known in numbers),
        history=history,
        liked=liked,
        train=train,
        val=val,
        test=test,
    )


def _recbole(kind: str) -> Iterator[Row]:
    path = module_folder("recbole") / f"dataset_example/ml-100k/ml-100k.{kind}"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield {name.split(":")[0]: value for name, value in row.items()}


def _grouplens(path: Path) -> tuple[list[Row], list[Row], list[Row]]:
    """Return events, viewers and films of the archive as its publisher has it, by the names that
    recbole gives the columns.
    """
    with zipfile.ZipFile(path) as archive:
        lines = {
            kind: archive.read(f"ml-100k/u.{kind}").decode("latin-1").splitlines()
            for kind in ("data", "user", "item")
        }
    events: list[Row] = [
        dict(zip(("user_id", "item_id", "rating", "timestamp"), line.split("\t"), strict=True))
        for line in lines["data"]
    ]
    viewers: list[Row] = [
        dict(
            zip(
                ("user_id", "age", "gender", "occupation", "zip_code"), line.split("|"), strict=True
            )
        )
        for line in lines["user"]
    ]
    films: list[Row] = []
    for number, title, *_, genres in (line.split("|", 5) for line in lines["item"]):
        years = re.findall(r"\((\d{4})\)", title)
        kinds = [
            genre
            for genre, has in zip(_GENRES.split(), genres.split("|"), strict=True)
            if has == "1"
        ]
        films.append(
            {
                "item_id": number,
                "release_year": years[-1] if years else "",
                "class": " ".join(kinds),
            }
        )
    return events, viewers, films
