"""What results were made with is told without whose machine it was."""

import getpass
import os
import platform
import socket
from importlib.metadata import version

from agenthpo import surroundings
from agenthpo.surroundings import versions_of


def test_machine_and_versions_are_told_and_names_of_people_are_not():
    found = surroundings.surroundings()
    assert found["python"] == platform.python_version()
    assert found["optuna"] == version("optuna") and found["memory"].endswith(" GiB")
    assert f"{os.cpu_count()} processors" in found["machine"]
    words = " ".join(found.values()).split()
    assert not {socket.gethostname(), getpass.getuser()} & set(words)


def test_what_is_not_there_is_left_out(monkeypatch):
    assert list(versions_of(["optuna", "no-such-package"])) == ["optuna"]
    monkeypatch.setattr(surroundings, "_CPUINFO", "/no/such/file")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert "processor" not in surroundings.surroundings()
