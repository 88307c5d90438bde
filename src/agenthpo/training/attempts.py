"""One attempt of a trial: its token, its own files in the trial's folder, and the end of what an
earlier attempt left running.

Every process of an attempt carries its token in the environment, so that one whose supervisor was
killed is found again, whatever launcher started it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from agenthpo.command.resolve import CONFIG_YAML, RUN_FOLDER, config_text
from agenthpo.fidelity import CHECKPOINT_VARIABLE
from agenthpo.files import RUN_LOG, clear, make_folder, open_regular, write_whole
from agenthpo.records import RunSpec
from agenthpo.script import ATTEMPT_VARIABLE, METRICS_FILE, PARAMS_FILE
from agenthpo.training.outcome import OUTCOME_FILE
from agenthpo.training.run_folder import prepare
from agenthpo.training.stopping import STOP_FILE

__all__ = [
    "begin_attempt",
    "end_processes",
    "mark_of",
    "new_token",
    "write_inputs",
]

_ROUNDS, _PAUSE_S = 100, 0.02


def mark_of(study: str, trials: Path) -> str:
    """Return what the tokens of all attempts begin with whose trial folders are in ``trials``; a
    copy of a study has another.
    """
    place = str(trials.absolute()).encode("utf-8", "surrogateescape")
    return f"{study or 'none'}.{hashlib.sha256(place).hexdigest()[:8]}/"


def new_token(spec: RunSpec) -> str:
    """Return what tells this attempt from every other one."""
    return f"{mark_of(spec.study, Path(spec.workdir).parent)}{spec.trial}/{uuid.uuid4().hex[:12]}"


def begin_attempt(folder: Path, spec: RunSpec) -> int:
    """Make the trial's folder ready for an attempt, and return a descriptor of its new log, for
    reading and appending.

    What an earlier attempt wrote is kept in a folder ``attempt-N`` of its own.

    :raises OSError: if it cannot be written.
    """
    make_folder(folder)
    left = [
        folder / name
        for name in (RUN_LOG, METRICS_FILE, OUTCOME_FILE, STOP_FILE, RUN_FOLDER)
        if os.path.lexists(folder / name)
    ]
    if left:
        number = next(
            n for n in range(1, 1_000_000) if not os.path.lexists(folder / f"attempt-{n}")
        )
        earlier = folder / f"attempt-{number}"
        make_folder(earlier)
        for path in left:
            path.rename(earlier / path.name)
    if checkpoints := spec.env.get(CHECKPOINT_VARIABLE):
        make_folder(Path(checkpoints))
    write_inputs(folder, spec)
    if spec.run_folder is not None:
        prepare(spec.run_folder, folder / RUN_FOLDER)
    return open_regular(folder / RUN_LOG, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND)


def write_inputs(folder: Path, spec: RunSpec) -> None:
    """Write the files by which the script gets its values into ``folder``.

    :raises OSError: if one cannot be written.
    """
    text = config_text(spec.given)
    for name, held in {PARAMS_FILE: text, CONFIG_YAML: text, **spec.files}.items():
        make_folder((folder / name).parent)
        clear(folder / name)
        write_whole(folder / name, held.encode("utf-8", "surrogatepass"))


def end_processes(token: str) -> int:
    """End every process that carries an attempt's token which begins with ``token``, and its
    descendants; return how many.

    This process and its ancestors are left alone.
    """
    ended = set[int]()
    for _ in range(_ROUNDS):
        found = _carriers(token)
        if not found:
            break
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, 9)
                ended.add(pid)
        time.sleep(_PAUSE_S)
    return len(ended)


def _carriers(token: str) -> set[int]:
    import psutil

    mark = f"{ATTEMPT_VARIABLE}={token}".encode()
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = set[int]()
    for pid, environment in _environments():
        if any(part.startswith(mark) for part in environment.split(b"\0")):
            found.add(pid)
    for pid in tuple(found):
        with contextlib.suppress(psutil.Error):
            found |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
    return {pid for pid in found - ours if _is_alive(pid)}


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        status: str = psutil.Process(pid).status()
        return status != str(psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _environments() -> Iterator[tuple[int, bytes]]:
    """Yield each process that we may look at, with its environment as it began."""
    if os.path.exists("/proc/self/environ"):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                    yield int(name), file.read()
        return
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            yield (
                process.pid,
                "\0".join(f"{name}={value}" for name, value in process.environ().items()).encode(),
            )
