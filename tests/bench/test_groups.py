"""Runs are compared on equal work: which proposers, which tasks, which seeds."""

from dataclasses import replace

import pytest

from agenthpo.bench.tasks.duels import duels, duels_words
from agenthpo.bench.tasks.groups import LINK, main_runs, model_runs, opro_runs, tasks_of
from agenthpo.bench.tasks.percentiles import standing, standing_words
from agenthpo.bench.tasks.scores import label, scores_table
from agenthpo.bench.tasks.stored_runs import StoredRun
from agenthpo.bench.tasks.summary import tables, tables_words
from studies import ROOT

TASKS = ROOT / "benchmarks/tasks"
GOOD = "How good a proposal is: the random draws that it beats"
SMALL, LARGE = "local:smollm2", "local:qwen"


def run_of(task, proposer, seed, model="none", values=None):
    values = values or [0.5 + i / 100 + seed / 10 for i in range(10)]
    shared = {
        "source": "default",
        "state": "complete",
        "test_value": None,
        "duration_s": 1.0,
        "tokens": 0,
    }
    trials = [
        {**shared, "number": i, "params": {"max_depth": 2 + i}, "value": v}
        for i, v in enumerate(values)
    ]
    run = {"task": task, "proposer": proposer, "model": model, "seed": seed, "trials": 10}
    line = {"run": run, "source": {"source": "local"}, "about": {}, "trials": trials}
    return StoredRun.of(line)


RUNS = [
    *(
        run_of(task, who, seed)
        for task in ("tabular-regression", LINK)
        for who in ("random", "tpe")
        for seed in range(5)
    ),
    *(
        run_of(task, "hybrid", seed, SMALL)
        for task in ("tabular-regression", LINK)
        for seed in range(3)
    ),
    *(run_of("tabular-regression", who, 1, LARGE) for who in ("creator", "hybrid")),
    *(run_of(LINK, "opro", seed, SMALL) for seed in (0, 7)),
]


def told(runs):
    return {(run.task, label(run), run.seed) for run in runs}


def test_the_main_comparison_is_on_shared_tasks_and_seeds():
    expected = {
        (t, who, s)
        for t in tasks_of(RUNS)
        for who in ("random", "tpe", "hybrid (smollm2)")
        for s in range(3)
    }
    assert told(main_runs(RUNS)) == expected
    assert told(main_runs(RUNS[:4])) == told(RUNS[:4]) and main_runs([]) == []


def test_opro_is_compared_with_the_agent_of_its_model():
    assert told(opro_runs(RUNS)) == {(LINK, "opro (smollm2)", 0), (LINK, "hybrid (smollm2)", 0)}
    assert opro_runs([run for run in RUNS if run.proposer != "opro"]) == []


def test_models_are_compared_on_the_tasks_and_seeds_that_both_have():
    both = {
        ("tabular-regression", who, 1)
        for who in ("creator (qwen)", "hybrid (qwen)", "hybrid (smollm2)")
    }
    assert told(model_runs(RUNS)) == both
    assert model_runs([run for run in RUNS if run.model != LARGE]) == []


def test_the_peak_is_that_of_all_runs_although_fewer_seeds_are_compared():
    some = main_runs(RUNS)
    assert scores_table(some, TASKS)[0]["peak"] is None
    row = next(row for row in scores_table(some, TASKS, RUNS) if row["task"] == LINK)
    assert row["peak"]["value"] == max(
        t.value for run in RUNS if label(run) == "tpe" for t in run.trials
    )
    assert row["proposers"]["random"]["10"]["seeds"] == 3


def test_tables_are_told_where_there_are_runs_for_them():
    assert list(tables(RUNS, TASKS)) == [
        "Mean ranks", "Ahead of random", "Ahead of tpe", GOOD, "Who found it", "Scores",
        "Trials to reach the best of ten random ones",
        "Two models: scores", "Two models: the random draws that a proposal beats", "Two "
            "models: "
            "who found "
            "it", "OPRO "
            "beside "
            "the "
            "agent",
    ]  # fmt: skip
    assert list(tables(RUNS[:4], TASKS)) == [
        "Mean ranks",
        "Ahead of random",
        "Ahead of tpe",
        GOOD,
        "Who found it",
        "Scores",
        "Trials to reach the best of ten random ones",
    ]
    text = tables_words(tables(RUNS, TASKS))
    assert (
        text.startswith("### Mean ranks\n\n| mean rank |")
        and "opro" not in text.split("### Two models")[0]
    )


def test_duels_are_run_against_run_of_the_same_seed():
    # to minimise, five trials
    values = {"random": [9, 5, 5, 5, 5], "tpe": [9, 9, 4, 4, 4], "hybrid": [9, 5, 4, 4, 3]}
    runs = [
        run_of("tabular-regression", who, 0, SMALL if who == "hybrid" else "none", v)
        for who, v in values.items()
    ]
    # another seed: nobody meets it
    lucky = run_of("tabular-regression", "random", 1, values=[1] * 5)
    found = duels([*runs, lucky], "random", TASKS)
    assert [
        found["hybrid (smollm2)"][at] and found["hybrid (smollm2)"][at][0] for at in (3, 5, 10)
    ] == [100.0, 100.0, None]
    assert duels(runs, "tpe", TASKS)["hybrid (smollm2)"][3][0] == 50.0
    assert found["tpe"][3][0] == 100.0 and "random" not in found
    assert "| tpe | 100 ± nan % |" in duels_words(found, "random")


def test_a_proposal_stands_by_the_random_draws_that_it_beats():
    # to minimise; the default is no draw
    draws = run_of("tabular-regression", "random", 0, values=[50, 4, 3, 2, 1, None])
    hybrid = run_of("tabular-regression", "hybrid", 0, SMALL, values=[2.5, None, 0.5, 9])
    trials = [replace(t, source="creator") if t.number == 2 else t for t in hybrid.trials]
    hybrid = replace(hybrid, trials=tuple(trials))
    found = standing([hybrid], [draws], TASKS)
    # 4, 3 and the failed one of five
    assert found["hybrid (smollm2)", "default"]["trial 1"] == pytest.approx(60)
    assert found["hybrid (smollm2)", "creator"] == {
        "trial 1": None,
        "2 to 4": 100.0,
        "5 to 7": None,
        "8 to 10": None,
    }
    # none by the failed trial, one by 9
    assert found["hybrid (smollm2)", "default"]["2 to 4"] == pytest.approx(10)
    assert "| hybrid (smollm2) | creator |  | 100 % |  |  |" in standing_words(found)
    assert standing([hybrid], [], TASKS) == {}
