"""A trial begins where there is memory for it."""

import pytest

from agenthpo.budget import Budget
from agenthpo.training import memory
from agenthpo.training.memory import free_mb, has_room
from agenthpo.training.pool import InlinePool, LocalPool
from agenthpo.training.slots import slots_of


@pytest.mark.parametrize(
    ("free", "held", "running", "fits"),
    [
        (3000, 0, 1, True),  # one may grow to 1000 yet, and 1000 more are needed
        (1999, 0, 1, False),
        (1999, 1000, 1, True),  # it has grown
        (2999, 1000, 3, False),
        (3000, 1000, 3, True),
    ],
)
def test_what_runs_may_grow_as_large_as_what_is_to_begin(monkeypatch, free, held, running, fits):
    monkeypatch.setattr(memory, "free_mb", lambda: free)
    monkeypatch.setattr(memory, "_held_mb", lambda: held)
    assert has_room(1000, running) is fits


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    everything = free_mb()
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("0\n")
    assert free_mb() == pytest.approx(everything, rel=0.2)
    (tmp_path / "memory.max").write_text("200000000\n")
    (tmp_path / "memory.current").write_text("150000000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 20000000\n")
    assert free_mb() == pytest.approx(70, abs=0.1)


def test_one_alone_always_begins():
    assert InlinePool().has_room(1e12)
    assert LocalPool(slots_of(2)).has_room(1e12)


def test_a_study_runs_as_many_as_there_is_memory_for(tmp_path, monkeypatch):
    import threading
    import time

    from agenthpo.session import begin
    from agenthpo.task import Objective, Task, Train
    from agenthpo.taskfile.space import parse_space

    changing, now = threading.Lock(), []
    most = []

    def objective(params):
        with changing:
            now.append(1)
            most.append(len(now))
        time.sleep(0.1)
        with changing:
            now.pop()
        return params["x"]

    task = Task(
        name="toy",
        objective=Objective("value", "maximize"),
        space=parse_space({"x": {"type": "float", "low": 0.0, "high": 1.0}}),
        train=Train(function=objective, memory_mb=1000),
    ).with_budget(Budget(5))
    monkeypatch.setattr(memory, "_held_mb", lambda: 0)
    for free, fit in ((2500, 2), (9000, 4)):
        monkeypatch.setattr(memory, "free_mb", lambda free=free: free)
        most.clear()
        begin(task, tmp_path / f"study-{free}", workers=4)
        assert max(most) == fit
