"""A training that somebody asks to stop is ended by its runner, with all that it started, and says
who asked and why.
"""

import sys
import threading

from agenthpo.records import RunSpec
from agenthpo.training.runner import run
from agenthpo.training.stopping import STOP_FILE, ask_to_stop, asked_to_stop

SCRIPT = """
import time
for step in range(600):
    print("acc", 0.1, flush=True)
    time.sleep(0.1)
"""


def spec(tmp_path, script=SCRIPT):
    return RunSpec(
        trial=0,
        params={},
        workdir=str(tmp_path / "0000"),
        metric="acc",
        command=(sys.executable, "-c", script),
        patterns={"acc": "acc {number}"},
    )


def test_a_training_that_is_asked_to_stop_is_pruned(tmp_path):
    began = threading.Event()
    found = []
    thread = threading.Thread(
        target=lambda: found.append(run(spec(tmp_path), lambda point: began.set()))
    )
    thread.start()
    assert began.wait(20)
    ask_to_stop(tmp_path / "0000", by="claude", why="it is\nat chance")
    thread.join(20)
    outcome = found[0]
    assert (outcome.status, outcome.value) == ("pruned", None)
    assert outcome.error == "stopped by claude: it is at chance"
    assert len(outcome.curves["acc"]) >= 1 and outcome.duration_s < 20


def test_a_stop_of_an_earlier_attempt_does_not_end_the_next(tmp_path):
    (tmp_path / "0000").mkdir()
    ask_to_stop(tmp_path / "0000", by="claude", why="")
    assert run(spec(tmp_path, "print('acc', 0.5)")).value == 0.5
    assert asked_to_stop(tmp_path / "0000") == ""


def test_a_result_that_came_before_the_stop_counts(tmp_path):
    script = "import pathlib\nprint('acc', 0.5)"
    assert run(spec(tmp_path, script)).status == "complete"
    ask_to_stop(tmp_path / "0000", by="claude", why="late")
    assert run(spec(tmp_path, script)).value == 0.5


def test_a_file_of_the_scripts_own_asks_for_nothing(tmp_path):
    for text in (b"", b"[1]", b'{"by": 1}', b"\xff" * 10):
        (tmp_path / STOP_FILE).write_bytes(text)
        assert asked_to_stop(tmp_path) == ""
