"""Work in several processes: all of it, or an end at once."""

import multiprocessing
import os
import signal
import threading
from functools import partial

import pytest

from agenthpo.bench.workers import in_processes

WORK = """
import os
import time

def named(item):
    time.sleep(item)
    return os.getpid()

def doubled(number):
    return 2 * number

def worked(folder, item):
    if item == "slow":
        (folder / "began").touch()
        time.sleep(20)
        (folder / "done").touch()
    while not (folder / "began").exists():
        time.sleep(0.05)
    raise ValueError(item)
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """What other processes can import."""
    (tmp_path / "some_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    import some_work

    return some_work


def test_every_item_comes_with_its_result(work):
    assert dict(in_processes(work.doubled, range(5), jobs=2)) == {n: 2 * n for n in range(5)}


def test_what_is_at_work_when_one_fails_is_ended(work, tmp_path):
    others = multiprocessing.active_children()  # those of other tests stay
    with pytest.raises(ValueError, match="bad"):
        list(in_processes(partial(work.worked, tmp_path), ["slow", "bad", "slow"], jobs=2))
    for process in multiprocessing.active_children():
        if process not in others:
            process.join()
    assert (tmp_path / "began").exists() and not (tmp_path / "done").exists()


def test_it_ends_although_a_process_was_killed(work):
    results = in_processes(work.named, [0, 60, 60], jobs=2)
    _, killed = next(results)
    os.kill(killed, signal.SIGKILL)
    ending = threading.Thread(target=results.close, daemon=True)
    ending.start()
    ending.join(30)
    assert not ending.is_alive()
