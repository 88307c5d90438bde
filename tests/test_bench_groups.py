"""Runs are compared on equal work: which proposers, which tasks, which seeds."""

from pathlib import Path

from agenthpo.bench.groups import LINK, main_runs, model_runs, opro_runs, tasks_of
from agenthpo.bench.scores import label, scores_table
from agenthpo.bench.summary import tables, tables_words

TASKS = Path(__file__).parent.parent / "benchmarks/tasks"
SMALL, LARGE = "local:smollm2", "local:qwen"


def run_of(task, proposer, seed, model="none"):
    shared = {"source": "default", "state": "complete", "test_value": None, "duration_s": 1.0, "tokens": 0}
    trials = [{**shared, "number": i, "params": {"max_depth": 2 + i}, "value": 0.5 + i / 100 + seed / 10} for i in range(10)]
    run = {"task": task, "proposer": proposer, "model": model, "seed": seed, "trials": 10}
    return {"run": run, "source": {"source": "local"}, "about": {}, "trials": trials}


RUNS = [
    *(run_of(task, who, seed) for task in ("tabular-regression", LINK) for who in ("random", "tpe") for seed in range(5)),
    *(run_of(task, "hybrid", seed, SMALL) for task in ("tabular-regression", LINK) for seed in range(3)),
    *(run_of("tabular-regression", who, 1, LARGE) for who in ("creator", "hybrid")),
    *(run_of(LINK, "opro", seed, SMALL) for seed in (0, 7)),
]


def told(runs):
    return {(run["run"]["task"], label(run), run["run"]["seed"]) for run in runs}


def test_the_main_comparison_is_of_those_that_tuned_every_task_on_the_seeds_that_all_have():
    expected = {(t, who, s) for t in tasks_of(RUNS) for who in ("random", "tpe", "hybrid (smollm2)") for s in range(3)}
    assert told(main_runs(RUNS)) == expected
    assert told(main_runs(RUNS[:4])) == told(RUNS[:4]) and main_runs([]) == []


def test_opro_is_compared_with_the_agent_of_its_model():
    assert told(opro_runs(RUNS)) == {(LINK, "opro (smollm2)", 0), (LINK, "hybrid (smollm2)", 0)}
    assert opro_runs([run for run in RUNS if run["run"]["proposer"] != "opro"]) == []


def test_models_are_compared_on_the_tasks_and_seeds_that_both_have():
    both = {("tabular-regression", who, 1) for who in ("creator (qwen)", "hybrid (qwen)", "hybrid (smollm2)")}
    assert told(model_runs(RUNS)) == both
    assert model_runs([run for run in RUNS if run["run"]["model"] != LARGE]) == []


def test_the_peak_is_that_of_all_runs_although_fewer_seeds_are_compared():
    some = main_runs(RUNS)
    assert scores_table(some, TASKS)[0]["peak"] is None
    row = next(row for row in scores_table(some, TASKS, RUNS) if row["task"] == LINK)
    assert row["peak"]["value"] == max(t["value"] for run in RUNS if label(run) == "tpe" for t in run["trials"])
    assert row["proposers"]["random"]["10"]["seeds"] == 3


def test_tables_are_told_where_there_are_runs_for_them():
    assert list(tables(RUNS, TASKS)) == [
        "Mean ranks", "Who found it", "Scores", "Two models: scores", "Two models: who found it", "OPRO beside the agent",
    ]  # fmt: skip
    assert list(tables(RUNS[:4], TASKS)) == ["Mean ranks", "Who found it", "Scores"]
    text = tables_words(RUNS, TASKS)
    assert text.startswith("### Mean ranks\n\n| mean rank |") and "opro" not in text.split("### Two models")[0]
