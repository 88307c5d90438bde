import sys
from pathlib import Path

import pytest

from agenthpo.command.programs import programs, script_of


@pytest.mark.parametrize(
    ("command", "script"),
    [
        (("python", "train.py"), "train.py"),
        (("python3.11", "-u", "-W", "ignore", "train.py", "--x"), "train.py"),
        (("{python}", "src/train.py"), "src/train.py"),
        (("python", "-m", "package"), None),
        (("python", "-c", "print()"), None),
        (("python", "{script}"), None),
        (("./train", "data.py"), None),
    ],
)
def test_the_script_of_a_command_is_found(command, script):
    assert script_of(command, Path("f")) == (script and Path("f", script))


def test_a_command_tells_what_it_resolves_to():
    assert programs(("{python}", "train.py"), Path("/f")) == {
        sys.executable: sys.executable,
        "train.py": "/f/train.py",
    }
