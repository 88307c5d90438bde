"""Trials as jobs by submitit, with its executors for a machine without Slurm."""

import gc
import os
import signal
from pathlib import Path

import pytest

import trainings
from agenthpo.errors import TaskError
from agenthpo.training.elsewhere import Lost, announce
from agenthpo.training.runner import Stopped
from trainings import MEET, training, until

pytest.importorskip("submitit", reason="submitit is not installed: pip install 'agenthpo[slurm]'")

# submitit leaves files and processes of its own to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def _collected():
    """What is left to the garbage collector is collected here, where its warnings are known."""
    yield
    gc.collect()


TELLS = """
print("acc: 0.25", flush=True)
print("acc: 0.5")
"""


def pool(tmp_path, workers=2, cluster="local", **given):
    from agenthpo.training.slurm_pool import SlurmPool

    return SlurmPool(workers, folder=tmp_path / "jobs", cluster=cluster, **given)


def spec(tmp_path, number=0, text=TELLS, **given):
    return trainings.spec(tmp_path, number, text=text, **given)


def test_jobs_run_at_once_and_tell_how_far_they_are(tmp_path):
    jobs, seen = pool(tmp_path), {0: [], 1: []}
    waits = tmp_path / "trials/wait"
    waits.parent.mkdir()
    waits.touch()
    text = TELLS.replace('print("acc: 0.5")', f'{MEET}\nprint("acc: 0.5")')
    futures = [jobs.submit(spec(tmp_path, n, text=text), seen[n].append) for n in (0, 1)]
    until(lambda: len(seen[0]) > 1 and len(seen[1]) > 1)
    assert not any(f.done() for f in futures)
    waits.unlink()
    assert [f.result(60).value for f in futures] == [0.5, 0.5]
    assert all(seen[n].pop(0).place.startswith("job ") for n in (0, 1))
    assert [[p.values["acc"] for p in seen[n]] for n in (0, 1)] == [[0.25, 0.5]] * 2
    # what has ended is not run again
    assert jobs.submit(spec(tmp_path, 0, text="not Python"), seen[0].append).done()
    jobs.close()


def test_trials_that_begin_together_are_one_array(tmp_path, monkeypatch):
    jobs, batches = pool(tmp_path, 3), []
    batch = jobs._executor.batch
    monkeypatch.setattr(jobs._executor, "batch", lambda: (batches.append(1), batch())[1])
    futures = [jobs.submit(spec(tmp_path, n), lambda point: None) for n in range(3)]
    assert [f.result(60).value for f in futures] == [0.5] * 3
    assert len(batches) == 1
    jobs.close()


def test_a_job_that_is_killed_loses_its_trial(tmp_path, monkeypatch):
    # for how long a result is looked for on a slow network file system
    monkeypatch.setattr("submitit.core.core.Job._results_timeout_s", 1)
    jobs, mark = pool(tmp_path), "time.sleep(600) # a job is killed"
    future = jobs.submit(spec(tmp_path, text=f"import time\n{mark}"), lambda point: None)
    until(lambda: training(mark))
    for process in training(mark)[0].parents():
        if any("submitit" in word for word in process.cmdline()):
            process.kill()
    with pytest.raises(Lost, match="job "):
        future.result(60)
    until(lambda: not training(mark))
    assert not (tmp_path / "trials/0000/outcome.json").exists()
    jobs.close()


def test_a_job_that_slurm_ends_records_nothing(tmp_path):
    from agenthpo.training.slurm_pool import Training

    # as Slurm does it: all processes of the job get the signal
    order = announce(
        spec(tmp_path, text="import os, time\nos.kill(os.getppid(), 0)\ntime.sleep(9)")
    )
    job = Training(order)
    before = signal.getsignal(signal.SIGTERM)
    try:
        import threading

        def end():
            until(lambda: training("time.sleep(9)"))
            os.kill(os.getpid(), signal.SIGTERM)
            for process in training("time.sleep(9)"):
                process.terminate()

        threading.Thread(target=end).start()
        with pytest.raises(Stopped):
            job()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not (tmp_path / "trials/0000/outcome.json").exists()


def test_a_job_that_has_to_make_room_is_queued_again(tmp_path):
    jobs, mark = pool(tmp_path), "time.sleep(9) # again"
    text = (
        "import pathlib, sys, time\n"
        f"if not pathlib.Path('{tmp_path}/once').exists():\n"
        f"    pathlib.Path('{tmp_path}/once').touch(); {mark}\n"
        "print('acc: 0.5')"
    )
    future = jobs.submit(spec(tmp_path, text=text), lambda point: None)
    until(lambda: training(mark))
    # what Slurm sends before it takes a job's place
    for process in training(mark)[0].parents():
        if "submitit.core._submit" in process.cmdline():
            process.send_signal(signal.SIGUSR2)
    assert future.result(60).value == 0.5
    assert (tmp_path / "trials/0000/attempt-1").is_dir()
    jobs.close()


def test_closing_cancels_the_jobs(tmp_path):
    jobs, mark = pool(tmp_path), "time.sleep(600) # cancelled"
    futures = [
        jobs.submit(spec(tmp_path, n, text=f"import time\n{mark}"), lambda point: None)
        for n in (0, 1)
    ]
    until(lambda: len(training(mark)) == 2)
    jobs.close()
    for future in futures:
        with pytest.raises(Stopped):
            future.result(5)
    until(lambda: not training(mark))
    assert not list(tmp_path.glob("trials/*/outcome.json"))


def test_a_job_whose_driver_is_gone_is_taken_up(tmp_path):
    earlier, go = pool(tmp_path, 1), tmp_path / "go"
    waiting = f"""
import os, time
while not os.path.exists({str(go)!r}):
    time.sleep(0.02)
{TELLS}"""
    earlier.submit(spec(tmp_path, 0, text=waiting), lambda point: None)
    until(lambda: Path(tmp_path, "trials/0000/job.json").exists())
    # as the next driver finds it: the job is known by its file alone
    later = pool(tmp_path, 1)
    running = until(lambda: next(iter(earlier._jobs.values()), None))
    later._executor._executor.job_class = lambda folder, number: (
        running if number == running.job_id else None
    )
    future = later.submit(spec(tmp_path, 0, text="not Python"), lambda point: None)
    go.touch()
    assert future.result(60).value == 0.5
    assert len(list((tmp_path / "jobs").glob("*_submitted.pkl"))) == 1
    later.close()
    earlier.close()


def test_the_debug_executor_runs_it_here(tmp_path):
    jobs = pool(tmp_path, 1, cluster="debug")
    assert jobs.submit(spec(tmp_path), lambda point: None).result(60).value == 0.5
    jobs.close()


def test_what_is_wrong_is_a_sentence(tmp_path):
    with pytest.raises(TaskError, match=r"--slurm: .*'partitoin'"):
        pool(tmp_path, settings={"partitoin": "gpu"})
    with pytest.raises(TaskError, match="there is no Slurm here"):
        pool(tmp_path, cluster=None)
    pool(tmp_path, settings={"partition": "gpu", "account": "me"}, timeout_s=90, memory_mb=2000)
