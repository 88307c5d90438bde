import json
from dataclasses import replace

import numpy as np
import pytest

from agenthpo.bench.tables.continuous import CONTINUOUS, load_continuous, optimum
from agenthpo.bench.tables.play import (
    Game,
    Played,
    load_problem,
    missing,
    play,
    read_results,
    run_games,
)
from agenthpo.bench.tables.players import METHODS, Method, bare
from agenthpo.bench.tables.problems import regret, sampled
from agenthpo.bench.tables.stats import ratio, summary
from agenthpo.bench.tables.stored_tables import TABLES, load_table
from agenthpo.cli.bench_tables import bench_tables
from agenthpo.errors import TaskError
from agenthpo.search.engine.encoding import Encoding


@pytest.mark.parametrize("name", ["vehicle", "protein_structure", "cifar100"])
def test_a_table_holds_what_was_trained(name):
    table = load_table(name)
    best, worst = table.ranked.at(0), table.ranked.at(1)
    assert table.space.violations(best) == [] and table.space.default() is not None
    assert regret(table, best) == 0.0 and regret(table, worst) > 1 and regret(table, None) == 2.0
    rng = np.random.default_rng(0)
    drawn = [table.observe(best, rng) for _ in range(2000)]
    assert 2 <= len(set(drawn)) <= 5 and abs(np.mean(drawn) - table.mean(best)) < 0.1 * np.std(
        drawn
    )


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_made_up_problem_has_its_optimum_at_zero_and_a_default(name):
    problem, rng = load_continuous(name), np.random.default_rng(0)
    losses = [
        loss for _ in range(300) if (loss := problem.mean(sampled(problem.space, rng))) is not None
    ]
    assert min(losses) >= 0 and problem.mean(problem.space.default()) > 0
    assert 0 < regret(problem, problem.ranked.at(0)) < regret(problem, problem.ranked.at(0.2)) < 1
    assert problem.noisy == (
        problem.observe(problem.space.default(), rng) != problem.mean(problem.space.default())
    )
    assert bare(problem).space.default() is None


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_made_up_problem_knows_its_optimum(name):
    problem = load_continuous(name)
    problem.space.check(optimum(name))
    assert problem.mean(optimum(name)) == pytest.approx(0, abs=1e-5)


def test_the_optima_lie_where_a_draw_puts_them_not_always_inside():
    near, ends = [], []
    for name in CONTINUOUS:
        space = load_continuous(name).space
        best, default = Encoding(space).rows([optimum(name), space.default()])
        numbers = [i for i, p in enumerate(space) if p.low is not None and p.name in optimum(name)]
        near.append(np.abs(best - default)[numbers].max() < 0.11)
        ends.append(np.mean(np.minimum(best, 1 - best)[numbers] < 0.11))
    assert 3 <= sum(near) <= 6
    assert sum(share > 0.5 for share in ends) >= 4 and sum(share < 0.5 for share in ends) >= 6


def test_a_seed_draws_other_points_on_another_problem(monkeypatch):
    seeds = []

    def make(problem, seed):
        seeds.append(seed)
        return METHODS["random"].make(problem, seed)

    monkeypatch.setitem(METHODS, "spied", Method(make))
    for name, seed in (("net", 0), ("net", 1), ("ridge", 0), ("net", 0)):
        play(Game("spied", name, seed, 1))
    assert len(set(seeds)) == 3 and seeds[0] == seeds[3]


def test_failing_regions_have_no_value_and_rank_last():
    problem = load_continuous("failing")
    assert (
        problem.mean(problem.ranked.at(1)) is None
        and problem.observe(problem.ranked.at(1), np.random.default_rng(0)) is None
    )
    assert regret(problem, problem.ranked.at(1)) == 2.0


@pytest.mark.parametrize("method", ["random", "tpe-3", "cmaes"])
@pytest.mark.parametrize("name", ["car", "conditional_bad_default", "failing"])
def test_every_player_begins_with_the_default_and_stays_in_the_space(method, name):
    problem, rng = load_problem(name), np.random.default_rng(0)
    player = METHODS[method].make(problem, 0)
    for number in range(12):
        params = player.ask()
        assert problem.space.violations(params) == []
        assert number or params == problem.space.default()
        player.tell(params, problem.observe(params, rng))
    assert problem.space.violations(player.recommended()) == []


def test_a_game_is_repeatable():
    first = play(Game("random", "kernel", 3, 10))
    assert replace(first, seconds=0) == replace(play(Game("random", "kernel", 3, 10)), seconds=0)
    kernel = load_problem("kernel")
    default = regret(kernel, kernel.space.default())
    assert list(first.regret) == ["1", "3", "5", "10"] and first.regret["1"] == round(default, 5)
    assert play(Game("random", "kernel", 3, 10, has_default=False)).regret["1"] != first.regret["1"]


def test_results_are_kept_and_only_what_is_missing_is_played(tmp_path):
    games = [Game("random", "net", seed, 3) for seed in range(3)]
    assert len(list(run_games(tmp_path, games[:2], jobs=1))) == 2
    with (tmp_path / "random.jsonl").open("a") as file:
        file.write('{"method": "random", "pro')  # a run that was killed
    assert missing(tmp_path, games) == games[2:]
    assert missing(tmp_path, [replace(games[0], trials=5), games[1]]) == [
        replace(games[0], trials=5)
    ]
    assert json.loads((tmp_path / "random.jsonl").read_text().splitlines()[0])["versions"]["optuna"]
    assert {r.seed for r in read_results(tmp_path, ["random"])} == {0, 1}


def test_a_summary_compares_on_the_same_problems():
    def made(method, problem, *regrets):
        return [
            Played(method, problem, seed, 5, True, {"5": r}, 1.0) for seed, r in enumerate(regrets)
        ]

    results = [
        *made("a", "x", 0.1, 0.3),
        *made("a", "y", 0.4),
        *made("b", "x", 0.4),
        *made("b", "y", 0.4),
    ]
    a, b = summary(results, ["a", "b"], ["x", "y"], baseline="b")
    assert (a.mean, a.rank, b.rank) == (pytest.approx(0.3), 1.25, 1.75)
    assert a.difference == pytest.approx(-0.1) and a.low <= a.mean <= a.high
    # on the seed that both played
    assert ratio(results, "a", others=["b"], trials=5, problems=["x", "y"]) == (
        pytest.approx(0.25 / 0.4),
        "b",
    )
    results += made("c", "x", 0.1, 0.2) + made("c", "y", 0.1)
    assert ratio(results, "a", others=["b", "c"], trials=5, problems=["x", "y"]) == (
        pytest.approx(0.3 / 0.125),
        "c",
    )
    assert ratio(results, "a", others=["d"], trials=5, problems=["x", "y"]) is None


def test_unknown_names_are_refused():
    with pytest.raises(TaskError, match="there is no table 'cifar11'"):
        load_problem("cifar11")
    assert len(TABLES) == 15


def test_the_command_plays_what_is_missing_and_prints_tables(tmp_path, capsys):
    chosen = {"seeds": 1, "trials": 5, "has_default": True, "jobs": 1, "folder": tmp_path}
    bench_tables(["random", "engine"], ["net", "kernel"], **chosen, as_json_=True)
    # not all of the group was played
    assert json.loads(capsys.readouterr().out)["continuous"] == []
    first = (tmp_path / "engine.jsonl").read_text()
    bench_tables(["random", "engine"], ["net", "kernel"], **chosen, as_json_=False)
    assert (tmp_path / "engine.jsonl").read_text() == first
    assert "| engine / best peer | 2 continuous |" in capsys.readouterr().out
    with pytest.raises(TaskError, match="there is no method 'tpee'"):
        bench_tables(["tpee"], [], **chosen, as_json_=False)
