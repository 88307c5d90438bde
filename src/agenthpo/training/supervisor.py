"""A small process between driver and training, so that no training outlives its driver (run as a
file, never imported).

It starts the command in a process group of its own, and ends that group and every process that came
of it, daemons too, at the command's end, at a limit (time, silence, memory), or when its standard
input closes: the driver asks for a stop that way, and a driver that was killed cannot help doing
so. One line of JSON on standard output says how the command ended. Standard library only; it must
start in milliseconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

GRACE_S = 3.0
"""How long a training may take to end itself after SIGTERM."""
_LOOK_S, _SHARE = 0.2, 20
"""Seconds between two looks at what runs; more where a look takes long, so that looking costs at
most a twentieth of a core.
"""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(settings: str, *command: str) -> None:
    """Run ``command`` within ``settings``, a JSON object.

    It holds log (a descriptor), watched (files), pty (whether the command writes to a terminal),
    cpus (the processors it is held to), and the limits timeout_s, silence_s, memory_mb or null.
    """
    started = time.monotonic()
    given = json.loads(settings)
    # the parent of every process whose own parent ends, so that a daemon stays in sight
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with open(given["log"], "ab", closefd=False) as log:
        terminal = _Terminal(log) if given.get("pty") else None
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=terminal.slave if terminal else log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # should this process be killed, the training is too
                preexec_fn=lambda: _before(given.get("cpus") or ()),
            )
        except OSError as problem:
            _say(
                reason="unstartable",
                error=f"{command[0]} cannot be started: {problem.strerror}",
                duration_s=0.0,
            )
            return
        if terminal:
            terminal.follow()
        watch = _Watch(child, given, started)
        reason = watch.until_end()
        _end(child, gently=reason in ("stop", "timeout", "silence"))
        if terminal:
            terminal.finish()
    peak = max(
        watch.peak_mb,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        * (1 if sys.platform == "darwin" else 1024)
        / 1e6,
    )
    _say(
        reason=reason,
        exit_code=child.returncode,
        duration_s=time.monotonic() - started,
        peak_mb=round(peak, 1),
        quiet_s=watch.quiet_s(),
    )


class _Terminal:
    """A terminal that a command writes to, so that it does not hold its output back; what it writes
    goes into the log.
    """

    def __init__(self, log: Any) -> None:
        import termios

        self._log = log
        self._master, self.slave = os.openpty()
        modes = termios.tcgetattr(self.slave)
        modes[1] &= ~termios.OPOST  # a line ends as the program ends it
        termios.tcsetattr(self.slave, termios.TCSANOW, modes)
        self._copier = threading.Thread(target=self._copy, daemon=True)

    def follow(self) -> None:
        """Begin to copy, once the command has its end."""
        os.close(self.slave)
        self._copier.start()

    def finish(self) -> None:
        """Wait for what is still to be copied; nobody writes any more."""
        self._copier.join(GRACE_S)

    def _copy(self) -> None:
        with contextlib.suppress(OSError):  # EIO: the last writer has closed it
            while chunk := os.read(self._master, 65536):
                self._log.write(chunk)
                self._log.flush()


class _Watch:
    """Look at a command as it runs."""

    def __init__(
        self, child: subprocess.Popen[bytes], given: dict[str, Any], started: float
    ) -> None:
        self._child, self._started = child, started
        self._limits: dict[str, float | None] = given
        self.peak_mb = 0.0
        self._files = [given["log"], *given["watched"]]
        self._state = self._written()
        self._changed = started

    def until_end(self) -> str:
        """Return what comes first: ``exit``, ``stop``, ``timeout``, ``silence`` or ``memory``."""
        reader, writer = os.pipe()
        threading.Thread(
            target=lambda: (self._child.wait(), os.write(writer, b".")), daemon=True
        ).start()
        pause = _LOOK_S
        while True:
            ready, _, _ = select.select([0, reader], [], [], pause)
            if reader in ready:
                return "exit"
            if ready:
                return "stop"
            began = time.monotonic()
            if reason := self._limit():
                return reason
            pause = max(_LOOK_S, _SHARE * (time.monotonic() - began))

    def quiet_s(self) -> float:
        """Return for how long nothing has been written, in seconds of a clock that stands while the
        machine sleeps.
        """
        state = self._written()
        if state != self._state:
            self._state = state
            self._changed = time.monotonic()
        return time.monotonic() - self._changed

    def _written(self) -> list[tuple[int, int]]:
        found = []
        for file in self._files:
            with contextlib.suppress(OSError):
                status = os.stat(file)
                found.append((status.st_size, status.st_mtime_ns))
        return found

    def _limit(self) -> str:
        quiet = self.quiet_s()  # at each look, so that a change is seen when it comes
        timeout_s, silence_s, memory_mb = (
            self._limits[key] for key in ("timeout_s", "silence_s", "memory_mb")
        )
        pids = [self._child.pid, *_descendants(os.getpid())]
        self.peak_mb = max(self.peak_mb, _memory_mb(pids))
        # What forked processes share counts once in the limit; that is slow to ask, so only where
        # the plain sum is above.
        if (
            memory_mb
            and self.peak_mb > memory_mb
            and _memory_mb(pids, shared_once=True) > memory_mb
        ):
            return "memory"
        if timeout_s and time.monotonic() - self._started > timeout_s:
            return "timeout"
        return "silence" if silence_s and quiet > silence_s else ""


def _end(child: subprocess.Popen[bytes], *, gently: bool) -> None:
    if gently:
        _signal(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
    # whatever is left of the group, even where its leader has ended
    _signal(child.pid, signal.SIGKILL)
    for _ in range(20):  # what left the group; each may have begun another one meanwhile
        left = _descendants(os.getpid()) - {child.pid}
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    child.wait()


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _before(cpus: Sequence[int]) -> None:
    """Do in the command's own process what has to be done before it begins."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus)


def _prctl(option: int, value: int) -> None:
    """Set what only Linux has."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _descendants(root: int) -> set[int]:
    """Return the living processes that came of ``root``; what has ended is waited for, or only seen
    no more.
    """
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found = set[int]()
    waiting = [root]
    while waiting:
        new = children.get(waiting.pop(), [])
        found.update(new)
        waiting += new
    return found


def _parents() -> list[tuple[int, int]]:
    if not os.path.exists("/proc/self/stat"):
        with subprocess.Popen(
            ["ps", "-A", "-o", "pid=,ppid=,stat="], stdout=subprocess.PIPE, text=True
        ) as ps:
            rows = [line.split() for line in ps.communicate()[0].splitlines()]
        return [
            (int(pid), int(parent))
            for pid, parent, state in rows
            if state[0] != "Z" and int(pid) != ps.pid
        ]
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
                # the name before may hold anything
                state, parent = file.read().rpartition(")")[2].split()[:2]
                if state != "Z":
                    found.append((int(name), int(parent)))
    return found


def _memory_mb(pids: list[int], *, shared_once: bool = False) -> float:
    """Return the resident memory of ``pids`` in 10^6 bytes; 0 if the system does not say."""
    total = 0
    for pid in set(pids):
        with contextlib.suppress(OSError, ValueError, StopIteration):
            if shared_once:
                with open(f"/proc/{pid}/smaps_rollup") as file:
                    total += 1024 * next(
                        int(line.split()[1]) for line in file if line.startswith("Pss:")
                    )
            else:
                with open(f"/proc/{pid}/statm") as file:
                    total += os.sysconf("SC_PAGE_SIZE") * int(file.read().split()[1])
    return total / 1e6


def _say(**facts: object) -> None:
    try:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the driver is gone; nobody reads


if __name__ == "__main__":
    main(*sys.argv[1:])
