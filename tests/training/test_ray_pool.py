"""Trials on a real Ray cluster of two machines, both on this one, with pretended GPUs."""

import gc
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import trainings
from agenthpo.errors import TaskError
from agenthpo.training.elsewhere import Lost
from agenthpo.training.runner import Stopped
from trainings import MEET, training, until

pytest.importorskip("ray", reason="Ray is not installed: pip install 'agenthpo[ray]'")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def _collected():
    """What is left to the garbage collector is collected here, where its warnings are known."""
    yield
    gc.collect()


TELLS = """
import os
print("gpus", os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
print("acc: 0.25", flush=True)
print("acc: 0.5")
"""


@pytest.fixture(scope="module")
def cluster():
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    found = Cluster()
    found.add_node(num_cpus=1, num_gpus=1, include_dashboard=False)
    found.add_node(num_cpus=1, num_gpus=1)
    yield found
    found.shutdown()


@pytest.fixture
def pool(cluster):
    from agenthpo.training.ray_pool import RayPool

    begun = RayPool(None, address=cluster.address, gpus_each=1)
    yield begun
    begun.close()


def spec(tmp_path, number=0, text=TELLS, **given):
    return trainings.spec(tmp_path, number, text=text, **given)


def worker_of(process):
    """The Ray worker that a training belongs to."""
    return next(p for p in process.parents() if "ray::" in " ".join(p.cmdline()))


def test_trials_run_at_once_with_a_gpu_each_and_tell_how_far_they_are(pool, tmp_path):
    assert pool.slots == 2  # what the cluster has room for
    seen = {0: [], 1: []}
    waits = tmp_path / "trials/wait"
    waits.parent.mkdir()
    waits.touch()
    text = TELLS.replace('print("acc: 0.5")', f'{MEET}\nprint("acc: 0.5")')
    futures = [pool.submit(spec(tmp_path, n, text=text), seen[n].append) for n in (0, 1)]
    until(lambda: len(seen[0]) > 1 and len(seen[1]) > 1)
    assert not any(f.done() for f in futures)
    waits.unlink()
    assert [f.result(60).value for f in futures] == [0.5, 0.5]
    assert {seen[n].pop(0).place for n in (0, 1)} == {f"{socket.gethostname()}, GPU 0"}
    assert [[p.values["acc"] for p in seen[n]] for n in (0, 1)] == [[0.25, 0.5]] * 2
    for number in (0, 1):
        assert "gpus 0" in (tmp_path / f"trials/{number:04d}/run.log").read_text()
    # what has ended is not run again
    assert pool.submit(spec(tmp_path, 0, text="not Python"), seen[0].append).done()


def test_a_worker_that_is_killed_loses_its_trial_and_ends_the_training(pool, tmp_path):
    mark = "time.sleep(600) # a worker is killed"
    text = f"import time\nprint('acc: 0.1', flush=True)\n{mark}"
    future = pool.submit(spec(tmp_path, 0, text=text), lambda point: None)
    until(lambda: training(mark))
    worker_of(training(mark)[0]).kill()
    with pytest.raises(Lost):
        future.result(60)
    until(lambda: not training(mark))
    assert not (tmp_path / "trials/0000/outcome.json").exists()
    assert pool.submit(spec(tmp_path, 0), lambda point: None).result(60).value == 0.5


def test_a_time_limit_reaches_the_grandchildren(pool, tmp_path):
    text = "import subprocess\nsubprocess.run(['sleep', '612.5'])"
    limited = spec(tmp_path, 0, text=text, timeout_s=1.0)
    outcome = pool.submit(limited, lambda point: None).result(60)
    assert outcome.status == "timeout" and not training("612.5")


def test_closing_ends_what_trains_wherever_it_is(cluster, tmp_path):
    from agenthpo.training.ray_pool import RayPool

    pool = RayPool(2, address=cluster.address)
    mark = "time.sleep(600) # closed"
    text = f"import time\n{mark}"
    futures = [pool.submit(spec(tmp_path, n, text=text), lambda point: None) for n in (0, 1)]
    until(lambda: len(training(mark)) == 2)
    pool.close()
    for future in futures:
        with pytest.raises(Stopped):
            future.result(5)
    until(lambda: not training(mark))
    assert not list(tmp_path.glob("trials/*/outcome.json"))


def test_the_folder_is_shipped_to_a_machine_that_does_not_see_it(cluster, tmp_path, monkeypatch):
    from agenthpo.training import ray_pool

    project = tmp_path / "project"
    project.mkdir()
    (project / "train.py").write_text("from pathlib import Path\nprint('acc:', 0.75)")
    (project / ".agenthpo").mkdir()
    (project / ".agenthpo/large").write_text("x")
    pool = ray_pool.RayPool(1, address=cluster.address, folder=str(project))
    try:
        project.rename(tmp_path / "elsewhere")
        announce = ray_pool.announce
        monkeypatch.setattr(ray_pool, "announce", lambda s: replace(announce(s), sign="not here"))
        command = (sys.executable, "train.py")
        shipped = replace(spec(tmp_path), command=command, cwd=str(project))
        assert pool.submit(shipped, lambda point: None).result(60).value == 0.75
        assert "acc: 0.75" in Path(shipped.workdir, "run.log").read_text()
    finally:
        pool.close()


def test_a_machine_that_is_gone_loses_its_trial(cluster, tmp_path):
    from agenthpo.training.ray_pool import RayPool

    third = cluster.add_node(num_cpus=4)
    pool = RayPool(1, address=cluster.address, cpus_each=3)
    try:
        mark = "time.sleep(600) # the machine is gone"
        lost = spec(tmp_path, 0, text=f"import time\n{mark}")
        future = pool.submit(lost, lambda point: None)
        until(lambda: training(mark))
        cluster.remove_node(third, allow_graceful=False)
        with pytest.raises(Lost):
            future.result(60)
        until(lambda: not training(mark))
    finally:
        pool.close()


def test_a_function_is_called_on_the_cluster(cluster):
    from agenthpo import tune

    offset = 0.25

    def objective(params):
        import os

        return {"value": params["x"] * 0 + offset, "process": float(os.getpid())}

    result = tune(
        objective, {"x": {"type": "float", "low": 0.0, "high": 1.0}}, direction="maximize",
        trials=3, model="none", pool="ray", address=cluster.address, on_event=lambda event: None,
    )  # fmt: skip
    assert [t.value for t in result.trials] == [0.25] * 3
    processes = {t.outcome.curves["process"][-1][1] for t in result.trials}
    assert os.getpid() not in processes


def test_what_the_cluster_has_no_room_for_is_a_sentence(cluster):
    from agenthpo.training.ray_pool import RayPool

    with pytest.raises(TaskError, match="no machine for a trial that needs 64 processors"):
        RayPool(1, address=cluster.address, cpus_each=64)
    with pytest.raises(TaskError, match="see to --address"):
        RayPool(1, address="nowhere:1")
