import atexit
import fcntl
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("agenthpo", deadline=None)
settings.load_profile("agenthpo")
sys.path.insert(0, str(Path(__file__).parent / "tests"))  # what several test files share
os.environ["AGENTHPO_MODEL"] = "none"  # a test that wants a model names it
# the seal of studies is not the user's
if "PYTEST_XDIST_WORKER" not in os.environ:  # workers share what they inherit
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="agenthpo-tests-")
    atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Run every test in an empty folder with an empty home, away from the user's studies
    and keys.
    """
    monkeypatch.chdir(tmp_path)
    for name in [
        n
        for n in os.environ
        if n.endswith("_API_KEY") or n in ("AGENTHPO_TRIAL_DIR", "AGENTHPO_PARAMS")
    ]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def smollm2():
    """The small embedded model; ``make test`` pulls it."""
    from agenthpo.llm.catalogue import find
    from agenthpo.llm.opening import open_model

    if not find("smollm2").is_downloaded:
        pytest.skip("local:smollm2 is not here; get it by: agenthpo models pull local:smollm2")
    model = open_model("local:smollm2")
    yield model
    model.close()


@pytest.fixture(scope="session")
def played(tmp_path_factory):
    """A study in which the default, an agent's trial and two of the engine's were run, once for all
    workers. It is only read.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "played"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            aside = folder.with_name("being played")
            shutil.rmtree(aside, ignore_errors=True)
            _play(aside)
            aside.rename(folder)
    return folder


def _play(folder):
    from agenthpo.operations.opening import open_study
    from agenthpo.operations.place import Place
    from agenthpo.operations.proposing import propose
    from agenthpo.operations.running import run, wait
    from asking import SCRIPT, TASK

    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    (folder / "train.py").write_text(SCRIPT)
    at = Place(folder, "claude")
    study = open_study(at, "task.yaml").study
    good = {"x": 0.9, "y": 5, "z": "a", "w": 0.5}
    expected = {"value": 0.74, "low": 0.72, "high": 0.76}
    propose(at, study, good, "more x", "x helps", expected)
    assert wait(at, study, run(at, study).handle).done
    assert wait(at, study, run(at, study, trials=2, engine=True).handle).done
