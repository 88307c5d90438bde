from dataclasses import replace

import pytest

from agenthpo.bench.tasks.arms import Arm, arm_named
from agenthpo.bench.tasks.explanations import explanations
from agenthpo.bench.tasks.figures import PEAK_LABEL, draw
from agenthpo.bench.tasks.groups import part_runs
from agenthpo.bench.tasks.reached import reached, reached_words
from agenthpo.bench.tasks.stored_runs import Run, StoredRun, StoredTrial
from agenthpo.bench.tasks.summary import tables
from agenthpo.errors import TaskError
from studies import ROOT

TASKS = ROOT / "benchmarks" / "tasks"
TASK = "tabular-regression"  # less is better


@pytest.mark.parametrize(
    ("name", "arm"),
    [
        ("tpe", Arm("tpe")),
        ("paper", Arm("paper")),
        ("paper-without-background", Arm("paper", frozenset({"background"}))),
        ("hybrid-without-analysis+engine", Arm("hybrid", frozenset({"analysis", "engine"}))),
        ("creator-at-0.5", Arm("creator", temperature=0.5)),
        ("paper-without-history-at-1.5", Arm("paper", frozenset({"history"}), 1.5)),
    ],
)
def test_an_arm_is_a_proposer_without_parts(name, arm):
    assert arm_named(name) == arm


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("paper-without-luck", "there is no part 'luck'"),
        ("tpe-without-history", "which only a language model would miss, and none is asked"),
        ("opro-without-history", "opro has none of background"),
        ("creator-at-9", "the temperature 9 must be a number from 0 to 2"),
        ("creator-at-1.2.3", "the temperature 1.2.3 must be a number"),
        ("nobody", "there is no proposer 'nobody'"),
        ("", "there is no proposer ''"),
    ],
)
def test_an_arm_that_makes_no_sense_is_one_sentence(name, words):
    with pytest.raises(TaskError, match=words):
        arm_named(name)


def run(proposer, values, seed=0, model="none", source="engine", default=True):
    trials = [
        StoredTrial(
            n,
            "complete",
            "default" if default and n == 0 else source,
            "free",
            {"learning_rate": 0.1 + n / 100},
            value,
            value,
            rationale=f"Since {n - 1} paid, I go on | so." if source == "creator" else "",
        )
        for n, value in enumerate(values)
    ]
    return StoredRun(
        Run(TASK, proposer, model, seed, len(values)), {"source": "UCI"}, {}, tuple(trials)
    )


RANDOM = run("random", [5, 4, 3, 4, 4, 4, 4, 4, 4, 4])
RUNS = [
    RANDOM,
    replace(RANDOM, run=replace(RANDOM.run, seed=1)),
    run("tpe", [5, 4, 4, 2, 4, 4, 4, 4, 4, 4]),
    run("tpe", [5, 4, 4, 4, 4, 4, 4, 4, 4, None], seed=1),
    run("paper", [2] * 10, model="local:qwen", source="creator", default=False),
    run("paper-without-history", [4] * 10, model="local:qwen", source="creator", default=False),
]


def test_trials_to_reach_the_best_of_ten_random_are_counted_seed_by_seed():
    rows = {row["proposer"]: row for row in reached(RUNS, TASKS)}
    assert (rows["random"]["trials"], rows["random"]["reached"]) == (3, 2)
    assert (rows["tpe"]["trials"], rows["tpe"]["reached"]) == (7.5, 1)  # 4, and never
    assert (rows["paper (qwen)"]["trials"], rows["paper (qwen)"]["seeds"]) == (1, 1)
    text = reached_words(list(rows.values()))
    assert f"| {TASK} | 1.0 (1 of 1) | 11.0 (0 of 1) | 3.0 (2 of 2) | 7.5 (1 of 2) |" in text


def test_arms_stand_beside_random_search_and_tpe():
    assert {r.proposer for r in part_runs(RUNS)} == {
        "paper",
        "paper-without-history",
        "random",
        "tpe",
    }
    assert {r.seed for r in part_runs(RUNS)} == {0}
    assert part_runs(RUNS[:4]) == []


def test_the_page_has_an_example_of_explanations_and_the_parts():
    found = tables(RUNS, TASKS)
    title = next(t for t in found if t.startswith("What paper (qwen) says"))
    assert "| 1 | learning_rate 0.1 → 0.11 | Since 0 paid, I go on / so. | 2 |" in found[title]
    assert "What each part is worth: scores" in found
    assert explanations(RUNS[:4], TASKS) == ("", "")


def test_figures_name_the_peak_and_keep_a_proposers_colour(tmp_path, monkeypatch):
    import matplotlib.figure

    seen = []
    monkeypatch.setattr(
        matplotlib.figure.Figure,
        "savefig",
        lambda self, path, **_: seen.append(
            {
                text.get_text(): handle.get_color()
                for legend in self.legends
                for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
            }
        ),
    )
    pooled = [
        run(who, [5, 4, 3, 4, 4, 4, 4, 4, 4, 4 - seed / 10], seed=seed)
        for seed in range(5)
        for who in ("random", "tpe")
    ]
    draw([*pooled, *RUNS[4:]], tmp_path, TASKS)
    assert any(PEAK_LABEL in legend for legend in seen)
    for who in ("tpe", "random"):
        assert len({legend[who] for legend in seen if who in legend}) == 1
