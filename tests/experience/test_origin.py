"""The secret by which a study is known to be this user's."""

import subprocess
import sys

from agenthpo.experience.origin import is_made_here, seal


def test_processes_that_begin_at_the_same_time_have_one_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    code = "import sys; from agenthpo.experience.origin import seal; input(); print(seal('study'))"
    several = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    for process in several:
        process.stdin.write("\n")
        process.stdin.flush()
    seals = {process.communicate(timeout=30)[0].strip() for process in several}
    assert seals == {seal("study")} and is_made_here("study", *seals)
    assert [path.name for path in (tmp_path / "state/agenthpo").iterdir()] == ["seal"]
    assert not is_made_here("another", *seals)
