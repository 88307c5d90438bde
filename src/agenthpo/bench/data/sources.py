"""Where the twelve tasks' data come from: the paper's set online, files on this disk, or a package
that stands in for them.

A training script names its ways in; the first that works is taken, unless ``AGENTHPO_SOURCE`` names
one. Which it was is written into the trial's folder, so that a stand-in's score is never shown as
that of the set it stands for.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

__all__ = [
    "FILE",
    "SOURCES",
    "VARIABLE",
    "Source",
    "data_file",
    "fetched",
    "found",
    "module_folder",
    "source_archive",
]

Source = Literal["online", "local", "package"]
SOURCES: tuple[Source, ...] = ("online", "local", "package")
"""online: the full set from its publisher. local: the files in ``AGENTHPO_DATA``. package: a set
that pip or apt brings.
"""
VARIABLE = "AGENTHPO_SOURCE"
FILE = "source.json"
"""Beside a trial's metrics: ``{"source": "local", "data": "what it is"}``."""
_CACHE = Path.home() / ".cache/agenthpo/data"
_MISSING = (OSError, ImportError, KeyError)
T = TypeVar("T")


def found(source: str | None, **ways: tuple[str, Callable[[], T]]) -> T:
    """Return what the way ``source`` brings, or the first of ``local``, ``package``, ``online``
    that works.

    :param ways: by source: what the data are, in words, and what loads them.

    A script that has none of its data ends with one sentence that says what each way lacks.
    """
    wanted = source or os.environ.get(VARIABLE)
    if wanted is not None and wanted not in ways:
        sys.exit(f"{VARIABLE} is '{wanted}': this task has {', '.join(ways)}")
    lacking = []
    for name in [wanted] if wanted else sorted(ways, key=("local", "package", "online").index):
        words, load = ways[name]
        try:
            data = load()
        except _MISSING as error:
            lacking.append(f"{name} ({words}): {error}")
            continue
        _say(name, words)
        return data
    sys.exit("no data: " + "; ".join(lacking))


def data_file(name: str) -> Path:
    """Return the file ``name`` of the folder that ``AGENTHPO_DATA`` names.

    :raises FileNotFoundError: if there is none.
    """
    folder = os.environ.get("AGENTHPO_DATA")
    if not folder:
        raise FileNotFoundError("AGENTHPO_DATA names no folder")
    path = Path(folder, name)
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}")
    return path


def fetched(url: str) -> Path:
    """Return ``url`` as a file, fetched once into ``~/.cache/agenthpo/data``.

    :raises OSError: if it cannot be had.
    """
    path = _CACHE / url.split("://")[-1]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}")  # several trials may fetch at once
        try:
            urllib.request.urlretrieve(url, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path


def source_archive(package: str, version: str) -> Path:
    """Return the source archive of a package as pip has it, downloaded once and not installed: some
    hold data that their wheels do not.

    :raises OSError: if it cannot be had.
    """
    import shutil
    import subprocess
    import tempfile

    folder = _CACHE / "pypi" / f"{package}-{version}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as part:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--no-binary",
                ":all:",
                "--dest",
                part,
            ]
            done = subprocess.run(
                [*command, f"{package}=={version}"], capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise FileNotFoundError(
                    f"pip cannot download {package}=={version}: "
                    f"{done.stderr.strip().splitlines()[-1]}"
                )
            if not folder.exists():
                shutil.copytree(part, folder)
    return next(folder.iterdir())


def module_folder(name: str) -> Path:
    """Return the folder of the installed package ``name`` without importing it.

    :raises ImportError: if it is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec(name)
    if spec is None or not spec.origin:
        raise ImportError(f"the package {name} is not installed")
    return Path(spec.origin).parent


def _say(source: str, words: str) -> None:
    text = json.dumps({"source": source, "data": words})
    folder = os.environ.get("AGENTHPO_TRIAL_DIR")
    if folder:
        Path(folder, FILE).write_text(text + "\n", encoding="utf-8")
    else:
        print(text, file=sys.stderr)
