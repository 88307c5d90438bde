"""The publishers' files, served on this machine: what comes online is read as what lies here."""

import contextlib
import functools
import http.server
import importlib.util
import os
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from agenthpo.bench.data import images, ratings
from agenthpo.bench.data import sources as data
from agenthpo.bench.data.images import load_fashion, load_streets
from agenthpo.bench.data.ratings import load_clicks, load_liked
from agenthpo.bench.data.sources import fetched

needs_data = pytest.mark.skipif(
    "AGENTHPO_DATA" not in os.environ, reason="AGENTHPO_DATA names no folder with the data"
)
needs_recbole = pytest.mark.skipif(
    importlib.util.find_spec("recbole") is None, reason="pip install --no-deps recbole==1.2.1"
)
GARMENTS = Path("/usr/share/datasets/fashion-mnist")


@contextlib.contextmanager
def served(folder):
    """Serve ``folder`` on a free port; yields its address and the paths that were asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=folder)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "_CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_a_file_is_fetched_once_and_a_failed_one_leaves_nothing(tmp_path, cache):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/one.csv").write_text("a,b\n1,2\n")
    with served(tmp_path / "site") as (address, asked):
        assert fetched(f"{address}one.csv").read_text() == "a,b\n1,2\n"
        assert fetched(f"{address}one.csv").read_text() == "a,b\n1,2\n"
        assert asked == ["/one.csv"]
        with pytest.raises(OSError, match="404"):
            fetched(f"{address}other.csv")
    assert [path.name for path in cache.rglob("*") if path.is_file()] == ["one.csv"]


@needs_data
def test_listens_online_are_those_of_the_folder(monkeypatch):
    with served(Path(os.environ["AGENTHPO_DATA"], "lastfm")) as (address, _):
        monkeypatch.setattr(ratings, "_LASTFM", address)
        online, local = load_liked("online"), load_liked("local")
    assert np.array_equal(online.train, local.train) and np.array_equal(online.test, local.test)


@pytest.mark.skipif(not GARMENTS.exists(), reason="apt install dataset-fashion-mnist")
def test_garments_online_are_those_of_debian(monkeypatch):
    with served(GARMENTS) as (address, _):
        monkeypatch.setattr(images, "_FASHION", address)
        online = load_fashion("online")
    package = load_fashion("package")
    assert all(
        np.array_equal(*pair)
        for pair in zip(online.train + online.test, package.train + package.test, strict=True)
    )


def test_streets_online_are_made_small(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    rng, scenes = np.random.default_rng(0), {}
    for part in ("train", "val", "test"):
        for folder in (part, f"{part}annot"):
            (tmp_path / folder).mkdir()
        for name in ("b.png", "a.png"):
            small = (
                rng.integers(0, 256, (60, 80, 3), dtype=np.uint8),
                rng.integers(0, 12, (60, 80), dtype=np.uint8),
            )
            for folder, pixels in zip((part, f"{part}annot"), small, strict=True):
                image.fromarray(pixels.repeat(6, axis=0).repeat(6, axis=1)).save(
                    tmp_path / folder / name
                )
            scenes[part, name] = small
        listed = "".join(
            f"/SegNet/CamVid/{part}/{name} /SegNet/CamVid/{part}annot/{name}\n"
            for name in ("b.png", "a.png")
        )
        (tmp_path / f"{part}.txt").write_text(listed)
    with served(tmp_path) as (address, asked):
        monkeypatch.setattr(images, "_CAMVID", address)
        monkeypatch.setattr(images, "_SCENES", {"train": 2, "val": 1, "test": 2})
        data = load_streets("online")
    assert "/val/a.png" not in asked, "no more than is used"
    assert np.array_equal(
        data.train[1], np.stack([scenes["train", "b.png"][1], scenes["train", "a.png"][1]])
    )
    pixels = np.stack([scenes["train", name][0] for name in ("b.png", "a.png")])
    mean, spread = pixels.mean(axis=(0, 1, 2)), pixels.std(axis=(0, 1, 2))
    assert np.allclose(
        data.test[0][0].transpose(1, 2, 0) * spread + mean, scenes["test", "b.png"][0], atol=0.01
    )
    assert data.val[0].shape == (1, 3, 60, 80) and data.val[1].shape == (1, 60, 80)


@needs_recbole
def test_films_online_are_those_of_the_package(tmp_path, monkeypatch):
    """The archive is made of the package's rows in the publisher's format: u.data, u.user and
    u.item, parted by tabs and bars.
    """
    rows = {kind: list(ratings._recbole(kind)) for kind in ("inter", "user", "item")}
    texts = {
        "data": "\n".join("\t".join(row.values()) for row in rows["inter"]),
        "user": "\n".join("|".join(row.values()) for row in rows["user"]),
        "item": "\n".join(
            f"{row['item_id']}|{row['movie_title']} "
            f"({row['release_year']})|01-Jan-1995||http://films/|"
            + "|".join(
                str(int(genre in row["class"].split(" "))) for genre in ratings._GENRES.split()
            )
            for row in rows["item"]
        ),
    }
    with zipfile.ZipFile(tmp_path / "ml-100k.zip", "w") as archive:
        for name, text in texts.items():
            archive.writestr(f"ml-100k/u.{name}", text.encode("latin-1", errors="replace"))
    with served(tmp_path) as (address, _):
        monkeypatch.setattr(ratings, "_MOVIELENS", f"{address}ml-100k.zip")
        online = load_clicks("online")
    package = load_clicks("package")
    years = 5
    assert np.array_equal(
        np.delete(online.fields, years, axis=1), np.delete(package.fields, years, axis=1)
    )
    assert online.sizes[years] == package.sizes[years] - 1, (
        "the package takes the (V) of a title for the year"
    )
    assert np.array_equal(online.history, package.history) and np.array_equal(
        online.train, package.train
    )
