"""A small process between driver and training, so that no training outlives its driver (run as a file, never imported).

It starts the command in a process group of its own, and ends that whole group at the command's end, at the time limit, or when its
standard input closes: the driver asks for a stop that way, and a driver that was killed cannot help doing so. One line of JSON on
standard output says how the command ended. Standard library only; it must start in milliseconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time

GRACE_S = 3.0
"""How long a training may take to end itself after SIGTERM."""


def main(log_path: str, timeout: str, *command: str) -> None:
    """Run ``command`` with its output appended to ``log_path``, for at most ``timeout`` seconds (``none`` for no limit)."""
    started = time.monotonic()
    with open(log_path, "ab") as log:
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as problem:
            _say(reason="unstartable", error=f"{command[0]} cannot be started: {problem.strerror}", duration_s=0.0)
            return
    reason = _watch(child, None if timeout == "none" else float(timeout))
    _end(child, gently=reason != "exit")
    _say(reason=reason, exit_code=child.returncode, duration_s=time.monotonic() - started)


def _watch(child: subprocess.Popen[bytes], timeout_s: float | None) -> str:
    """Return ``exit``, ``stop`` or ``timeout``, whichever comes first."""
    reader, writer = os.pipe()
    threading.Thread(target=lambda: (child.wait(), os.write(writer, b".")), daemon=True).start()
    ready, _, _ = select.select([0, reader], [], [], timeout_s)
    if reader in ready:
        return "exit"
    return "stop" if ready else "timeout"


def _end(child: subprocess.Popen[bytes], *, gently: bool) -> None:
    if gently:
        _signal(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
    _signal(child.pid, signal.SIGKILL)  # whatever is left of the group, even where its leader has ended
    child.wait()


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _say(**facts: object) -> None:
    try:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the driver is gone; nobody reads


if __name__ == "__main__":
    main(*sys.argv[1:])
