"""A PostgreSQL server of Debian's, on a free port, begun by the test and ended by it."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

_USER = "postgres"


def _bin():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found and shutil.which("pg_ctl") is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent if found else Path(shutil.which("pg_ctl")).parent


class Server:
    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._data, self._log = folder / "data", folder / "log"
        self._folder, self._bin = folder, _bin()

    @property
    def url(self):
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/postgres"

    def make(self):
        self._run("initdb", "-U", _USER, "-A", "trust", "-N", "-D", self._data)

    def start(self):
        told = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", self._log, "-o", told)

    def stop(self):
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self._data)

    def _run(self, program, *words):
        # it refuses to run as root
        who = ["runuser", "-u", _USER, "--"] if os.getuid() == 0 else []
        subprocess.run(
            [*who, self._bin / program, *map(str, words)],
            check=True, cwd=self._folder, stdout=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip


@contextmanager
def postgres():
    """A server without any study."""
    pytest.importorskip("psycopg")
    folder = Path(tempfile.mkdtemp(prefix="agenthpo-postgres-", dir="/tmp"))
    server = Server(folder)
    if os.getuid() == 0:
        shutil.chown(folder, _USER, _USER)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
