import atexit
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
