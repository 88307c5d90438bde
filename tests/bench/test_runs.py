"""Runs on the twelve tasks: each training is done once, everything is stored, nothing is done
again. The training here is a quick one.
"""

import contextlib
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from agenthpo.bench.store import append, stored
from agenthpo.bench.tasks.opro import Opro, opro_messages
from agenthpo.bench.tasks.runs import (
    Where,
    checked_run,
    missing_runs,
    play_run,
    play_runs,
)
from agenthpo.bench.tasks.score_tables import ranks_words, table_words
from agenthpo.bench.tasks.scores import peak, scored, scores_table, trials_of
from agenthpo.bench.tasks.stored_runs import Run, StoredRun, StoredTrial, read_runs
from agenthpo.bench.tasks.trained import TASKS, load_bench_task, trained
from agenthpo.errors import LLMFailure, TaskError
from agenthpo.testing import ScriptedLLM
from calling import agenthpo
from studies import ROOT

TASK = """
name: tabular-regression
background: {task: Lay a parabola down., dataset: Ten points., model: A parabola., goal: Lowest loss.}
objective: {metric: val_loss, direction: minimize, test_metric: test_loss, noisy: true}
train: {command: "{python} train.py", timeout: 1m}
space:
  x: {type: float, low: -1, high: 1, default: 0.5}
  kind: {type: categorical, values: [plain, steep], default: plain}
"""
SCRIPT = """
import os
import re
import shutil
from pathlib import Path

import agenthpo
from agenthpo.bench.data.sources import found

with Path("trainings").open("a") as file:
    file.write("one ")
offset = found(None, local=("ten points", lambda: 0.2))
config = agenthpo.config(x=0.5, kind="plain")
if config["x"] < -0.95:
    raise ArithmeticError("it went up")
loss = (config["x"] - offset) ** 2 * (3 if config["kind"] == "steep" else 1) + int(os.environ["AGENTHPO_SEED"]) % 7 * 1e-6
agenthpo.report(val_loss=loss, test_loss=loss + 0.1)
"""


@pytest.fixture
def where(tmp_path):
    folder = tmp_path / "tasks/tabular-regression"
    folder.mkdir(parents=True)
    (folder / "task.yaml").write_text(TASK)
    (folder / "train.py").write_text(SCRIPT)
    return Where(tmp_path / "tasks", tmp_path / "results", tmp_path / "cache")


def trainings(where):
    return len(Path(where.tasks, "tabular-regression/trainings").read_text().split())


def run_of(proposer="random", seed=0, trials=3, model="none"):
    return Run("tabular-regression", proposer, model, seed, trials)


def test_a_run_is_stored_and_not_done_again(where):
    runs = [run_of(seed=0), run_of(seed=1)]
    assert list(play_runs(where, runs, jobs=2)) and missing_runs(where.results, runs) == []
    stored = read_runs(where.results, ["tabular-regression"])
    assert {run.seed for run in stored} == {0, 1}
    for run in stored:
        assert run.source == {"source": "local", "data": "ten points"}
        assert run.about["versions"]["numpy"] and run.about["python"]
        assert [t.source for t in run.trials] == ["default", "engine", "engine"]
        assert run.trials[0].params == {"x": 0.5, "kind": "plain"}
        assert run.trials[0].test_value == pytest.approx(run.trials[0].value + 0.1)
    assert missing_runs(where.results, [run_of(trials=4)]) == [run_of(trials=4)]


def test_a_configuration_is_trained_once_a_seed(where):
    first = play_run(where, run_of("random"))
    assert trainings(where) == 3
    assert play_run(where, run_of("random")).trials == first.trials
    assert trainings(where) == 3
    assert play_run(where, run_of("tpe", trials=1)).trials[0].value == first.trials[0].value
    assert trainings(where) == 3
    play_run(where, run_of("tpe", trials=1, seed=1))
    assert trainings(where) == 4
    Path(where.tasks, "tabular-regression/train.py").write_text(SCRIPT + "# changed\n")
    play_run(where, run_of("random", trials=1))
    assert trainings(where) == 5


def test_a_training_that_fails_is_a_trial_and_not_done_again_either(where):
    task = load_bench_task("tabular-regression", where.tasks)
    outcome, source = trained(task, {"x": -1.0, "kind": "plain"}, seed=0, cache=where.cache)
    assert outcome.status == "failed" and "it went up" in outcome.error
    assert trained(task, {"x": -1.0, "kind": "plain"}, seed=0, cache=where.cache) == (
        outcome,
        source,
    )
    assert trainings(where) == 1


def test_a_task_that_cannot_be_trained_here_ends_in_a_sentence(where):
    Path(where.tasks, "tabular-regression/train.py").write_text(
        f"raise SystemExit('no data: none')\n{SCRIPT}"
    )
    with pytest.raises(
        TaskError, match=r"tabular-regression cannot be trained here: .*no data: none"
    ):
        play_run(where, run_of())


def test_data_that_are_there_by_now_are_trained_on(where, monkeypatch):
    script = SCRIPT.replace("lambda: 0.2", "lambda: float(Path(os.environ['TEN']).read_text())")
    Path(where.tasks, "tabular-regression/train.py").write_text(script)
    monkeypatch.setenv("TEN", str(where.results / "ten"))
    with pytest.raises(TaskError, match="cannot be trained here"):
        play_run(where, run_of(trials=1))
    where.results.mkdir(parents=True, exist_ok=True)
    (where.results / "ten").write_text("0.2")
    assert play_run(where, run_of(trials=1)).trials[0].state == "complete"


def test_wrong_names_are_told(where):
    with pytest.raises(TaskError, match="there is no task 'cora'; known are vision-classification"):
        load_bench_task("cora", where.tasks)
    with pytest.raises(TaskError, match="run this from its folder or name it by --folder"):
        load_bench_task(TASKS[0], where.tasks)
    with pytest.raises(TaskError, match="'opro' asks a language model; name one by --model"):
        checked_run("tabular-regression", "opro", model="none", seed=0, trials=3)
    assert (
        checked_run("tabular-regression", "random", model="local:smollm2", seed=0, trials=3).model
        == "none"
    )
    with pytest.raises(TaskError, match="magic"):
        checked_run("tabular-regression", "magic", model="none", seed=0, trials=3)


def test_what_was_killed_while_it_was_written_is_done_again(where):
    list(play_runs(where, [run_of(trials=1)], jobs=1))
    with Path(where.results, "tabular-regression.jsonl").open("a") as file:
        file.write('{"run": {"task": "tabular-re')
    assert missing_runs(where.results, [run_of(trials=1)]) == []


def test_what_comes_after_a_torn_line_is_not_lost(tmp_path):
    path = tmp_path / "results.jsonl"
    append(path, {"a": 1}, {"b": 2})
    assert path.read_text() == '{"a": 1}\n{"b": 2}\n'
    path.write_text('{"a": 1}\n{"b": ')
    append(path, {"c": "é"})
    append(path, {"d": 4})
    assert list(stored(path)) == [{"a": 1}, {"c": "é"}, {"d": 4}]
    assert list(stored(tmp_path / "none.jsonl")) == []


def told(where, *values):
    task = load_bench_task("tabular-regression", where.tasks)
    stored = [
        StoredTrial(
            number=i,
            params={"x": i / 10, "kind": "plain"},
            source="engine",
            value=v,
            test_value=v,
            duration_s=1.0,
        )
        for i, v in enumerate(values)
    ]
    return task, trials_of(StoredRun(run_of(), {}, {}, tuple(stored)))


def test_opro_sees_scores_in_ascending_order_and_no_background(where):
    task, trials = told(where, 0.5, 0.9, None, 0.1)
    text = opro_messages(task, trials)[1].text
    assert (
        text.index("score: 0.9")
        < text.index("score: 0.5")
        < text.index("score: 0.1")
        < text.index("lower score")
    )
    assert '"x": 0.2' not in text and "parabola" not in text.lower()


def test_opro_asks_again_and_else_tries_at_random(where):
    task, trials = told(where, 0.5, 0.9)
    known, outside, fine = (
        {"x": 0.1, "kind": "plain"},
        {"x": 4, "kind": "plain"},
        {"x": -0.25, "kind": "steep"},
    )
    proposal = Opro(ScriptedLLM(known, outside, fine)).propose(task, trials)
    assert proposal.params == fine and proposal.source == "creator" and proposal.usage.requests == 3
    model = ScriptedLLM(known, ["text"], outside)
    fallback = Opro(model).propose(task, trials)
    assert (
        fallback.source == "fallback"
        and "x" in fallback.note
        and task.space.violations(fallback.params) == []
    )
    assert len({asked.seed for asked in model.asked}) == 3
    assert (
        "out of reach" in Opro(ScriptedLLM(LLMFailure("out of reach"))).propose(task, trials).note
    )


def test_opro_by_the_embedded_model_stays_in_the_space(where, smollm2):
    run = play_run(where, run_of("opro", model="local:smollm2"))
    assert run.trials[0].source == "default"
    assert {t.source for t in run.trials[1:]} <= {"creator", "fallback"}
    assert run.trials[1].tokens > 0
    # its replies are kept
    assert play_run(where, run_of("opro", model="local:smollm2")).trials == run.trials


def run_with(proposer, seed, values, **fields):
    trials = [
        {
            "number": i,
            "params": {"x": i, "seed": seed},
            "source": "engine",
            "value": v,
            "test_value": v and v + 1,
            "duration_s": 1.0,
        }
        for i, v in enumerate(values)
    ]
    run = {
        "task": "tabular-regression",
        "proposer": proposer,
        "model": "none",
        "seed": seed,
        "trials": len(values),
    }
    source = {"source": "local", "data": "ten"}
    line = {"run": run, "source": source, "about": {}, "trials": trials, **fields}
    return StoredRun.of(line)


def test_the_score_is_that_of_the_best_by_validation():
    run = run_with("random", 0, [3.0, None, 1.0, 2.0])
    assert scored(trials_of(run), "minimize") == (1.0, 2.0)
    assert scored(trials_of(run)[:2], "minimize") == (3.0, 4.0)
    assert scored(trials_of(run)[1:2], "minimize") is None


def test_the_peak_is_the_best_of_a_hundred_pooled_trials():
    values = [5.0] * 9
    runs = [
        run_with(who, seed, [*values, 4.0 - seed]) for who in ("random", "tpe") for seed in range(5)
    ]
    assert peak(runs, "minimize")["value"] == 0.0 and peak(runs, "minimize")["of"] == 100
    assert peak(runs, "maximize")["value"] == 5.0
    assert peak(runs[1:], "minimize") is None


def test_the_table_has_means_over_seeds_and_gains_in_percent(where):
    runs = [run_with("random", seed, [4.0, 3.0, 2.0 + 2 * seed]) for seed in (0, 1)]
    runs += [run_with("tpe", 0, [4.0, 1.5, 1.5])]
    row = scores_table(runs, where.tasks)[0]
    assert row["proposers"]["random"]["3"] == {
        "mean": 2.5, "std": pytest.approx(0.7071, abs=1e-3), "test": 3.5, "seeds": 2, "gain_random": 0.0, "gain_peak": None,
        "by_seed": {"0": 2.0, "1": 3.0},
    }  # fmt: skip
    # of seed 0, which both have
    assert row["proposers"]["tpe"]["3"]["gain_random"] == pytest.approx(25.0)
    words = table_words([row])
    assert "**1.5000**" in words and "| 2.5000 ± 0.7071 |" in words and "(local)" in words


def test_ranks_are_shared_by_equals(where):
    runs = [
        run_with("random", 0, [4.0, 4.0, 2.0]),
        run_with("random", 1, [9.0, 9.0, 9.0]),
        run_with("tpe", 0, [4.0, 3.0, 3.0]),
    ]
    words = ranks_words(scores_table(runs, where.tasks))
    assert (
        "| random | 1 | 1.50 | 1.00 |  |  |" in words and "| tpe | 1 | 1.50 | 2.00 |  |  |" in words
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_leaves_nothing_running_and_says_how_to_go_on(where, jobs):
    import signal
    import subprocess
    import sys
    import time

    import psutil

    def trainings_of(processes):
        found = []
        for process in processes:
            with contextlib.suppress(psutil.Error):  # it may have ended meanwhile
                found += [process] * ("train.py" in process.cmdline())
        return found

    Path(where.tasks, "tabular-regression/train.py").write_text(
        f"import time\ntime.sleep(1000)\n{SCRIPT}"
    )
    what = ["--tasks", "tabular-regression", "--proposers", "random,tpe", "--jobs", jobs]
    places = [
        "--folder",
        str(where.tasks),
        "--results",
        str(where.results),
        "--cache",
        str(where.cache),
    ]
    command = [sys.executable, "-m", "agenthpo", "bench", "run", *what, *places]
    with (
        subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as driver,
        contextlib.ExitStack() as after,
    ):
        after.callback(driver.kill)  # a test that fails waits for nobody
        family, deadline = [], time.monotonic() + 60
        while len(trainings_of(family)) < 2 * int(jobs):  # the training and its supervisor
            assert driver.poll() is None and time.monotonic() < deadline, "no training began"
            time.sleep(0.1)
            family = psutil.Process(driver.pid).children(recursive=True)
        # as a terminal does: it reaches every process of the group
        os.killpg(driver.pid, signal.SIGINT)
        said = driver.communicate(timeout=30)[1]
    assert (
        driver.returncode == 130
        and "the same command continues" in said
        and "Traceback" not in said
    )
    assert psutil.wait_procs(family, timeout=20)[1] == []


def test_the_reduced_form_by_the_command_line(where, smollm2):
    import subprocess
    import sys

    command = [
        sys.executable,
        "-m",
        "agenthpo",
        "bench",
        "run",
        "--tasks",
        "tabular-regression",
        "--smoke",
        "--trials",
        "2",
        "--proposers",
        "random,hybrid",
    ]
    places = [
        "--folder",
        str(where.tasks),
        "--results",
        str(where.results),
        "--cache",
        str(where.cache),
    ]
    done = subprocess.run(
        [*command, *places, "--json"], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)[0]["proposers"]) == {"random", "hybrid (smollm2)"}
    wrong = agenthpo(*command[3:], *places, "--model", "none")
    assert (
        wrong.returncode == 2
        and "name one by --model" in wrong.stderr
        and "Traceback" not in wrong.stderr
    )


def test_the_reduced_form_on_the_real_tasks(tmp_path):
    import subprocess
    import sys
    from importlib.util import find_spec

    if "AGENTHPO_DATA" not in os.environ:
        pytest.skip("AGENTHPO_DATA names no folder with the data")
    if find_spec("xgboost") is None:
        pytest.skip("xgboost is not installed: pip install 'agenthpo[tasks]'")
    tasks = ROOT / "benchmarks/tasks"
    # real data and scripts; few and shallow trees, to be quick
    for name in ("tabular-classification",):
        shutil.copytree(tasks / name, tmp_path / "tasks" / name)
        file = tmp_path / "tasks" / name / "task.yaml"
        file.write_text(
            re.sub(
                r"(n_estimators: .*high: )\d+",
                r"\g<1>100",
                re.sub(r"(max_depth: .*high: )\d+", r"\g<1>6", file.read_text()),
            )
        )
    command = [
        sys.executable,
        "-m",
        "agenthpo",
        "bench",
        "run",
        "--smoke",
        "--tasks",
        "tabular-classification",
        "--proposers",
        "random",
        "--jobs",
        "2",
        "--json",
    ]
    places = [
        "--folder",
        str(tmp_path / "tasks"),
        "--results",
        str(tmp_path / "results"),
        "--cache",
        str(tmp_path / "cache"),
    ]
    done = subprocess.run([*command, *places], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    table = {row["task"]: row for row in json.loads(done.stdout)}
    assert {name: row["source"] for name, row in table.items()} == {
        "tabular-classification": "local"
    }
    water = table["tabular-classification"]["proposers"]
    assert water["random"]["1"]["mean"] > 0.6
    assert all(scores["3"]["mean"] >= scores["1"]["mean"] for scores in water.values())
