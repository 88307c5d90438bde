"""A trial on another machine: run in its folder where that machine sees it, else in one of that
machine's own, whose files come back with the outcome.
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from agenthpo.errors import first_line
from agenthpo.files import make_folder, read_regular, write_whole
from agenthpo.records import Outcome, RunSpec
from agenthpo.training.runner import OnPoint, run

__all__ = ["Lost", "Order", "Returned", "announce", "keep", "run_order"]

_SIGN = "seen-from-here"
_MOST_BYTES = 50_000_000
"""Of a trial's files that come back from a machine that does not see its folder."""


class Lost(Exception):
    """Where a trial ran is gone, and its outcome with it: the trial is to be run again."""


@dataclass(frozen=True)
class Order:
    """A run for another machine."""

    spec: RunSpec
    sign: str
    """What the trial's folder holds, by which the machine knows whether it sees that very one."""


@dataclass(frozen=True)
class Returned:
    """What comes back: the outcome, and the trial's files where only that machine has them."""

    outcome: Outcome
    files: bytes = b""
    """A tar archive."""


def announce(spec: RunSpec) -> Order:
    """Leave a sign in the trial's folder and return the order to run it.

    :raises OSError: if the folder cannot be written.
    """
    folder = Path(spec.workdir)
    make_folder(folder)
    sign = uuid.uuid4().hex
    write_whole(folder / _SIGN, sign.encode())
    return Order(spec, sign)


def run_order(
    order: Order,
    on_point: OnPoint = lambda point: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Returned:
    """Run the trial on this machine.

    :raises Stopped: where it was stopped before its end; nothing is recorded then.
    """
    spec = order.spec
    if _sees(order):
        return Returned(run(spec, on_point, is_stopped))
    with tempfile.TemporaryDirectory(prefix="agenthpo-") as folder:
        moved = _moved(spec, Path(folder, f"{spec.trial:04d}"), os.getcwd())
        outcome = run(moved, on_point, is_stopped)
        return Returned(outcome, _packed(Path(moved.workdir)))


def keep(order: Order, returned: Returned) -> Outcome:
    """Take the sign away and put files that came back into the trial's folder.

    :raises Lost: where they cannot be unpacked.
    """
    folder = Path(order.spec.workdir)
    with suppress(OSError):
        (folder / _SIGN).unlink()
    if returned.files:
        try:
            with tarfile.open(fileobj=io.BytesIO(returned.files)) as archive:
                # nothing from elsewhere leaves the folder, or is anything but a file
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, OSError, EOFError) as problem:
            raise Lost(f"its files cannot be unpacked ({first_line(problem)[:100]})") from None
    return returned.outcome


def _sees(order: Order) -> bool:
    try:
        return read_regular(Path(order.spec.workdir, _SIGN)) == order.sign.encode()
    except OSError:
        return False


def _moved(spec: RunSpec, folder: Path, cwd: str) -> RunSpec:
    """Return ``spec`` for this machine: in ``folder``, where its own folder is not, and in ``cwd``
    where the task's is not; with this Python where the driver's is not.
    """
    own, there = spec.workdir, spec.cwd
    pairs = [(own, str(folder))]
    source = spec.run_folder.source if spec.run_folder else there
    if source is not None and not Path(source).is_dir():
        pairs.append((str(source), cwd))

    def here(text: str) -> str:
        for old, new in pairs:
            text = text.replace(old, new)
        return text

    def all_here(texts: Mapping[str, str]) -> dict[str, str]:
        return {name: here(text) for name, text in texts.items()}

    command = tuple(here(word) for word in spec.command)
    if command and os.path.isabs(command[0]) and not Path(command[0]).exists():
        command = (sys.executable if _is_python(command[0]) else command[0], *command[1:])
    folder_here = spec.run_folder
    if folder_here is not None:
        folder_here = replace(folder_here, source=here(folder_here.source))
    make_folder(folder)
    return replace(
        spec,
        workdir=str(folder),
        cwd=None if there is None else here(there),
        run_folder=spec.run_folder
        and replace(spec.run_folder, source=here(spec.run_folder.source)),
        command=command,
        env=all_here(spec.env),
        files=all_here(spec.files),
        metrics_file=None if spec.metrics_file is None else here(spec.metrics_file),
        cpus=(),
    )


def _is_python(program: str) -> bool:
    return os.path.basename(program).startswith("python")


def _packed(folder: Path) -> bytes:
    """Return the trial's files in an archive, the small ones first, as many as come back."""
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()),
        key=lambda path: path.stat().st_size,
    )
    packed, room = io.BytesIO(), _MOST_BYTES
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in files:
            room -= path.stat().st_size
            if room < 0:
                break
            archive.add(path, arcname=str(path.relative_to(folder)), recursive=False)
    return packed.getvalue()
