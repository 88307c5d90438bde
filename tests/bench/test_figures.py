"""Figures, page and table of runs on the twelve tasks."""

import csv
import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from agenthpo.bench.tasks.contributions import credit, credit_words
from agenthpo.bench.tasks.figures import draw, trajectory
from agenthpo.bench.tasks.page import page, write_trials
from agenthpo.bench.tasks.stored_runs import StoredRun
from agenthpo.bench.tasks.strategy import change, changes
from agenthpo.bench.tasks.summary import tables
from agenthpo.bench.tasks.task_facts import MARK, facts, with_facts
from agenthpo.taskfile.space import parse_space
from studies import ROOT

TASKS = ROOT / "benchmarks/tasks"
SPACE = parse_space(
    {
        "lr": {"type": "float", "low": 1e-4, "high": 1e-1, "log": True, "default": 1e-3},
        "size": {"type": "int", "values": [8, 16, 32, 64], "default": 16},
        "layers": {"type": "int", "low": 1, "high": 5, "default": 2},
        "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
        "flip": {"type": "bool", "default": False},
        "momentum": {"type": "float", "low": 0, "high": 1, "default": 0.9, "when": {"opt": "sgd"}},
    }
)


@pytest.mark.parametrize(
    ("name", "before", "after", "share"),
    [
        ("lr", 1e-4, 1e-1, 1),
        ("lr", 1e-2, 1e-3, 1 / 3),
        ("size", 16, 32, 1 / 3),
        ("layers", 5, 2, 0.75),
        ("opt", "adam", "sgd", 1),
        ("flip", True, False, 1),
        ("flip", True, True, 0),
        ("momentum", None, 0.3, 1),
        ("momentum", None, None, 0),
        ("momentum", 0.25, 0.75, 0.5),
    ],
)
def test_a_change_is_a_share_of_the_range(name, before, after, share):
    assert change(SPACE[name], before, after) == pytest.approx(share)


def run_of(proposer, values, task="tabular-classification", seed=0, model="none", params=None):
    trials = [
        {
            "number": i,
            "params": (params or (lambda i: {"max_depth": 2 + i}))(i),
            "source": "default" if i == 0 else "engine",
            "state": "complete" if v is not None else "failed",
            "value": v,
            "test_value": v and v - 0.01,
            "duration_s": 1.0,
            "tokens": 0,
        }
        for i, v in enumerate(values)
    ]
    run = {"task": task, "proposer": proposer, "model": model, "seed": seed, "trials": len(values)}
    line = {
        "run": run,
        "source": {"source": "local", "data": "water"},
        "about": {"python": "3.11"},
        "trials": trials,
    }
    return StoredRun.of(line)


def with_source(run, number, source):
    trials = [replace(t, source=source) if t.number == number else t for t in run.trials]
    return replace(run, trials=tuple(trials))


def test_changes_are_from_the_incumbent_of_the_time():
    settings = [{"layers": n, "opt": "adam"} for n in (1, 5, 1)]
    run = run_of("creator", [0.9, 0.1, 0.5], params=lambda i: settings[i])
    found = changes([run], SPACE, direction="maximize", trials=4)
    assert found[SPACE.names.index("layers")][:2].tolist() == [1, 0]
    assert np.isnan(found[:, 2]).all()


def test_a_trajectory_is_the_best_so_far_and_nan_while_there_is_none():
    assert trajectory(run_of("random", [None, 0.5, 0.4, 0.8]), "maximize")[1:] == [0.5, 0.5, 0.8]
    assert np.isnan(trajectory(run_of("random", [None, 0.5]), "maximize")[0])
    assert trajectory(run_of("random", [0.5, 0.4]), "minimize") == [0.5, 0.4]


RUNS = [
    *(run_of(who, [0.60, 0.61, 0.59, 0.64, 0.65, 0.65, 0.66, 0.64, 0.63, 0.66 + seed / 100], seed=seed) for who in ("random", "tpe") for seed in range(5)),
    *(run_of(who, [0.60] * 10, "graph-link-prediction", model=model) for who in ("creator", "opro") for model in ("local:smollm2", "local:qwen")),
]  # fmt: skip


def test_every_figure_is_drawn_where_there_is_something_to_draw(tmp_path):
    pytest.importorskip(
        "matplotlib", reason="figures need matplotlib: pip install 'agenthpo[tasks]'"
    )
    drawn = draw(RUNS, tmp_path, TASKS)
    assert {path.stem for path in drawn} == {
        "trajectories",
        "opro",
        "models",
        "strategy",
        "validation-and-test",
    }
    for path in drawn:
        head = path.read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n" and min(struct.unpack(">II", head[16:24])) > 200
    assert {path.stem for path in draw(RUNS[:2], tmp_path, TASKS)} == {
        "trajectories",
        "validation-and-test",
    }


def test_the_page_holds_table_and_pictures_and_needs_no_other_file(tmp_path):
    picture = tmp_path / "trajectories.png"
    picture.write_bytes(b"picture")
    text = page(RUNS, [picture], tables(RUNS, TASKS))
    assert (
        "<td>tabular-classification (local)</td><td>random</td>" in text
        and "100-trial peak" in text
        and "cGljdHVyZQ==" in text
    )
    assert "<b>0.6600 ± " in text or "<b>0.6800 ± " in text
    assert "http" not in text and 'src="data:' in text
    hostile = run_of("<script>", [0.1] * 10)
    assert "<script>" not in page([hostile], [], tables([hostile], TASKS))


def test_every_trial_is_a_row(tmp_path):
    write_trials([run_of("random", [0.5, None])], tmp_path / "trials.csv")
    rows = list(csv.DictReader((tmp_path / "trials.csv").read_text().splitlines()))
    assert (
        [row["value"] for row in rows] == ["0.5", ""]
        and rows[1]["state"] == "failed"
        and rows[0]["data_source"] == "local"
    )
    assert json.loads(rows[1]["params"]) == {"max_depth": 3}


def test_credit_goes_to_the_source_of_the_winner():
    run = with_source(run_of("hybrid", [0.5, 0.55, None, 0.6, 0.4]), 3, "creator")
    rows = {row["source"]: row for row in credit([run, run_of("hybrid", [0.5, 0.4])], TASKS)}
    assert rows["creator"] == {
        "proposer": "hybrid", "source": "creator", "proposals": 1, "failed": 0, "improved": 1, "won": 1, "gain": pytest.approx(20.0),
    }  # fmt: skip
    assert (
        rows["engine"]["proposals"],
        rows["engine"]["failed"],
        rows["engine"]["improved"],
        rows["engine"]["won"],
    ) == (
        4,
        1,
        1,
        0,
    )
    assert rows["default"]["won"] == 1 and rows["default"]["gain"] is None
    assert "| hybrid | creator | 1 | 0 | 1 | 1 | +20.0 % |" in credit_words(list(rows.values()))


def test_facts_are_default_noise_peak_and_seconds():
    lines = facts(RUNS, "tabular-classification", "maximize")
    assert "Default: 0.6000, standard deviation over 5 seeds 0.0000" in lines
    assert (
        "Best of 100 trials: 0.7000 (by random" in lines
        and "Seconds a trial, one core: median 1.0, most 1.0." in lines
    )
    assert "not measured" in facts(RUNS, "graph-link-prediction", "maximize")


def test_facts_take_the_place_of_those_before():
    first = with_facts("# Task\n\nWords.\n", "one\n")
    assert first.startswith("# Task\n\nWords.\n") and MARK in first and first.endswith("one\n")
    assert with_facts(first, "two\n") == first.replace("one\n", "two\n")


def test_without_runs_it_says_how_to_make_some(tmp_path):
    import subprocess
    import sys

    command = [
        sys.executable,
        "-m",
        "agenthpo",
        "bench",
        "figures",
        "--results",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (
        done.returncode == 2
        and "make some by: agenthpo bench run" in done.stderr
        and "Traceback" not in done.stderr
    )
