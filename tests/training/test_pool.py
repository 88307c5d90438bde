"""Several trials at once on one machine: each in its slot, with its processors and GPUs, and none
left behind.
"""

import os
import threading
import time

import pytest

import trainings
from agenthpo.errors import TaskError
from agenthpo.training.pool import LocalPool
from agenthpo.training.runner import Stopped
from agenthpo.training.slots import Slot, gpus_here, placed, slots_of
from trainings import MEET

TELLS = """
import os, sys
print("slot", os.environ["AGENTHPO_SLOT"], "threads", os.environ.get("OMP_NUM_THREADS"))
print("gpus", os.environ.get("CUDA_VISIBLE_DEVICES"), "cpus", sorted(os.sched_getaffinity(0)))
print("acc: 0.5")
"""


def spec(tmp_path, number=0, text=TELLS):
    return trainings.spec(tmp_path, number, text=text)


def test_slots_share_the_processors_and_tell_libraries_so():
    slots = slots_of(2, cpus=range(8))
    assert [s.cpus for s in slots] == [(0, 1, 2, 3), (4, 5, 6, 7)]
    assert [s.threads for s in slots] == [4, 4]
    # more trials than processors: none is held to one
    assert {s.cpus for s in slots_of(5, cpus=range(4))} == {()}
    assert slots_of(1, cpus=range(8)) == (Slot(0),)


@pytest.mark.parametrize(
    ("workers", "each", "gpus"),
    [
        (2, 1, [("0",), ("1",)]),
        (2, 2, [("0", "1"), ("2", "3")]),
        (4, 0.5, [("0",), ("0",), ("1",), ("1",)]),
        (3, 1 / 3, [("0",), ("0",), ("0",)]),
    ],
)
def test_each_slot_has_gpus_of_its_own_or_its_share_of_one(workers, each, gpus):
    found = slots_of(workers, cpus=(), gpus_each=each, gpus=["0", "1", "2", "3"])
    assert [s.gpus for s in found] == gpus


@pytest.mark.parametrize(
    ("workers", "each", "gpus", "said"),
    [
        (3, 1, ["0", "1"], "take --workers 2"),
        (1, 2, ["0"], "1 trial at once with resources.gpus: 2 need more GPUs"),
        (2, 1, [], "name the GPUs by CUDA_VISIBLE_DEVICES"),
    ],
)
def test_more_gpus_than_there_are_is_a_sentence(workers, each, gpus, said):
    with pytest.raises(TaskError, match=said):
        slots_of(workers, cpus=(), gpus_each=each, gpus=gpus)


def test_the_gpus_are_those_that_the_user_lets_us_see():
    assert gpus_here({"CUDA_VISIBLE_DEVICES": "2, GPU-abc"}) == ["2", "GPU-abc"]
    assert gpus_here({"CUDA_VISIBLE_DEVICES": ""}) == []
    assert gpus_here({}) == []  # no GPU where the tests run


def test_what_the_user_or_the_task_has_set_stays(tmp_path):
    slot = Slot(1, (0,), 2, ("3",))
    given = placed(spec(tmp_path), slot, {"OMP_NUM_THREADS": "7"})
    assert "OMP_NUM_THREADS" not in given.env and given.env["MKL_NUM_THREADS"] == "2"
    assert given.env["CUDA_VISIBLE_DEVICES"] == "3" and given.cpus == (0,)


def test_trials_run_at_once_each_in_its_own_slot(tmp_path):
    pool = LocalPool(slots_of(2, gpus_each=1, gpus=["4", "5"]))
    seen = []
    text = f"{MEET}\n{TELLS}"
    futures = [pool.submit(spec(tmp_path, n, text), seen.append) for n in range(2)]
    outcomes = [future.result(30) for future in futures]
    assert [o.value for o in outcomes] == [0.5, 0.5]
    assert {p.place for p in seen if p.place} == {"slot 0, GPU 4", "slot 1, GPU 5"}
    told = [(tmp_path / f"trials/{n:04d}/run.log").read_text() for n in range(2)]
    assert {"slot 0" in t for t in told} == {True, False}
    assert ["gpus 4" in t or "gpus 5" in t for t in told] == [True, True] and told[0] != told[1]
    if len(os.sched_getaffinity(0)) >= 2:
        held = [t.split("cpus ")[1].split("\n")[0] for t in told]
        assert held[0] != held[1]
    assert pool.submit(spec(tmp_path, 2), seen.append).result(30).value == 0.5
    pool.close()


def test_closing_ends_what_still_trains_and_records_nothing(tmp_path):
    pool = LocalPool(slots_of(2))
    started = threading.Event()
    text = "import time\nprint('acc: 0.1', flush=True)\ntime.sleep(600)"
    future = pool.submit(spec(tmp_path, 0, text=text), lambda point: started.set())
    assert started.wait(30)
    began = time.monotonic()
    pool.close()
    assert time.monotonic() - began < 10
    with pytest.raises(Stopped):
        future.result(1)
    assert not (tmp_path / "trials/0000/outcome.json").exists()
