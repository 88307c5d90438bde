import shutil

import pytest

from agenthpo.operations.place import Place
from asking import SCRIPT, TASK


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """An agent's place: a folder with a task that trains in no time."""
    (tmp_path / "task.yaml").write_text(TASK)
    (tmp_path / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return Place(tmp_path, "claude")


@pytest.fixture
def after(played, tmp_path, monkeypatch):
    """The place of a copy of the played study."""
    shutil.copytree(played, tmp_path / "played")
    monkeypatch.chdir(tmp_path / "played")
    return Place(tmp_path / "played", "claude")
