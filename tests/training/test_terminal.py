"""Programs that hold their output back where they write to a file."""

import sys
from pathlib import Path

import pytest

from agenthpo.records import RunSpec
from agenthpo.training.runner import run

HELD = "import time\nfor i in range(4):\n    print('acc', i / 4)\ntime.sleep(60)\n"


def spec_of(code, *options, **fields):
    Path("train.py").write_text(code)
    return RunSpec(
        0, {"x": 1}, str(Path("w").absolute()), "acc", cwd=str(Path().absolute()),
        command=(sys.executable, *options, "train.py"), **fields,
    )  # fmt: skip


@pytest.mark.parametrize("limit", ["timeout_s", "silence_s"])
def test_that_nothing_was_written_is_told_with_its_likely_reason(limit):
    # -E: the variable that switches Python's buffer off is not heeded
    outcome = run(spec_of(HELD, "-E", **{limit: 1.0}))
    assert outcome.status == "timeout" and not outcome.curves
    assert "it wrote nothing at all, perhaps because it holds its output back" in outcome.error
    assert "set train.pty: true" in outcome.error


def test_a_terminal_makes_it_write_each_line():
    seen = []
    outcome = run(
        spec_of(HELD, "-E", timeout_s=2.0, pty=True),
        lambda point: seen.append(point.values["acc"]),
    )
    assert outcome.status == "timeout" and seen == [0.0, 0.25, 0.5, 0.75]
    assert "held" not in outcome.error and "pty" not in outcome.error


def test_all_that_is_written_to_a_terminal_arrives_as_it_was():
    code = (
        "import os, sys\nassert sys.stdout.isatty() and os.environ['TERM'] == 'dumb'\n"
        "for i in range(3000):\n    print(f'line {i}', 'ä' * 40)\n"
        "print('acc 0.5', file=sys.stderr)\nsys.exit(3)\n"
    )
    outcome = run(spec_of(code, pty=True))
    log = Path("w/run.log").read_bytes().decode()
    assert log.splitlines() == [*(f"line {i} {'ä' * 40}" for i in range(3000)), "acc 0.5"]
    assert "\r" not in log
    assert outcome.exit_code == 3 and outcome.curves["acc"] == ((0.0, 0.5),)


def test_a_daemon_that_keeps_the_terminal_does_not_keep_the_trial():
    code = (
        "import subprocess, sys\nprint('acc 0.5', flush=True)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], "
        "start_new_session=True)\n"
    )
    outcome = run(spec_of(code, pty=True))
    assert outcome.value == 0.5 and outcome.duration_s < 30
