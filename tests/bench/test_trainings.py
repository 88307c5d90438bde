import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.bench.tables.play import Played
from agenthpo.bench.tables.players import METHODS
from agenthpo.bench.tables.problems import regret
from agenthpo.bench.tables.report import failures
from agenthpo.bench.trainings import failing, library, training
from agenthpo.bench.trainings.datasets import DATASETS, load_dataset
from agenthpo.bench.trainings.failing import FAILING, load_failing
from agenthpo.bench.trainings.families import FAMILIES
from agenthpo.bench.trainings.library import (
    HELD_OUT,
    TUNING,
    at_unit,
    missing_pairs,
    read_recording,
    record_pairs,
)
from agenthpo.bench.trainings.live import LIVE, load_live
from agenthpo.bench.trainings.training import pair_named, pair_names
from agenthpo.errors import StudyError, TaskError
from agenthpo.taskfile.space import parse_space
from calling import agenthpo as call
from spaces import spaces
from studies import ROOT

NEEDS_NO_FILES = ("breast-cancer", "diabetes")


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "text"])
@pytest.mark.parametrize("data", NEEDS_NO_FILES)
def test_a_family_trains_by_its_default_and_at_the_corners_of_its_space(family, data):
    pair = pair_named(f"{family}-on-{data}")
    default = pair.space.default()
    assert 5 <= len(pair.space) <= 9 and all(p.about for p in pair.space)
    trained = pair.train(default, 0)
    assert trained.error == "" and trained.loss < (0.2 if data == "breast-cancer" else 1.2)
    assert pair.train(default, 0).loss == trained.loss  # seeded by the split
    for place in (0.0, 0.999):
        corner = at_unit(pair.space, np.full(len(pair.space), place))
        assert pair.space.violations(corner) == []
        trained = pair.train(corner, 1)
        assert (trained.loss is None) == bool(trained.error)


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_is_numbers_without_gaps_or_texts(name):
    try:
        data = load_dataset(name)
    except TaskError as missing:
        pytest.skip(str(missing))
    assert 100 < len(data.x) == len(data.y) <= 1500
    if data.kind == "texts":
        assert all(isinstance(text, str) and text for text in data.x)
    else:
        assert np.isfinite(data.x).all() and data.columns > 3
    if data.kind == "numbers":
        assert np.isfinite(data.y).all() and 0.5 < data.y.std() < 2
    else:
        assert 2 <= len(np.unique(data.y)) <= 10


def test_the_halves_share_no_family_and_no_data_set():
    halves = [{tuple(name.split("-on-")) for name in half} for half in (TUNING, HELD_OUT)]
    assert len(halves[0]) == len(halves[1]) == 14
    for part in (0, 1):
        assert not {pair[part] for pair in halves[0]} & {pair[part] for pair in halves[1]}
    assert {*TUNING, *HELD_OUT} <= set(pair_names())


@given(spaces(), st.data())
def test_a_point_of_the_cube_is_a_configuration(raw, data):
    space = parse_space(raw)
    width = len(space)
    row = data.draw(st.lists(st.floats(0, 0.999), min_size=width, max_size=width))
    assert space.violations(at_unit(space, np.array(row))) == []


def test_a_recording_holds_every_configuration_and_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "CONFIGURATIONS", 4)
    name = "sgd-on-breast-cancer"
    assert missing_pairs(tmp_path, [name]) == [name]
    library._record(tmp_path, name)
    assert missing_pairs(tmp_path, [name]) == []
    found, pair = read_recording(name, tmp_path), pair_named(name)
    assert found.origins == ("default", *["sobol"] * 4)
    assert found.configurations[0] == pair.space.default()
    assert all(pair.space.violations(params) == [] for params in found.configurations)
    assert len({pair.space.key(params) for params in found.configurations}) == 5
    assert found.losses.shape == found.seconds.shape == (5, 3)
    again = pair.train(found.configurations[2], 1)
    if again.loss is None:
        assert np.isnan(found.losses[2, 1]) and found.errors[2]
    else:
        assert found.losses[2, 1] == pytest.approx(again.loss)
    assert (found.seconds > 0).all()


def test_the_default_is_varied_one_parameter_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "CONFIGURATIONS", 0)
    name = "svm-on-diabetes"
    library._record(tmp_path, name)
    sampled = (tmp_path / f"{name}.parquet").read_bytes()
    found, pair = read_recording(name, tmp_path / library.VARIED), pair_named(name)
    default, *others = found.configurations
    assert default == pair.space.default()
    assert found.origins == ("default", *["varied"] * len(others))
    assert all(pair.space.violations(params) == [] for params in others)
    differ = [[n for n in params if n in default and params[n] != default[n]] for params in others]
    assert [len(names) for names in differ] == [1] * len(others)
    assert {name for (name,) in differ} == set(default)
    # another kernel has parameters that the default's has not
    assert any(set(params) - set(default) for params in others)
    (tmp_path / "varied" / f"{name}.parquet").unlink()
    library._record(tmp_path, name)
    assert missing_pairs(tmp_path, [name]) == []
    assert (tmp_path / f"{name}.parquet").read_bytes() == sampled


def test_a_pair_of_the_games_has_an_evolution_that_goes_below(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "CONFIGURATIONS", 25)
    monkeypatch.setattr(library, "_POPULATION", 5)
    library._record(tmp_path, "kernel-on-diabetes")
    found = read_recording("kernel-on-diabetes", tmp_path)
    assert found.origins == ("default", *["sobol"] * 25, *["evolved"] * 25)
    assert found.means[26:].min() <= found.means[:26].min()
    assert np.median(found.means[26:]) < np.median(found.means[1:26])


def test_a_training_that_fails_is_a_row_with_its_error(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "CONFIGURATIONS", 0)
    monkeypatch.setattr(training, "_WORST", 0.1)  # nothing is as good as that
    library._record(tmp_path, "sgd-on-diabetes")
    found = read_recording("sgd-on-diabetes", tmp_path)
    assert np.isnan(found.losses).all() and np.isinf(found.means).all()
    assert found.errors[0].startswith("diverged: the loss is")


def test_what_is_no_recording_is_a_sentence(tmp_path):
    with pytest.raises(TaskError, match=r"make it by: agenthpo bench record svm-on-water"):
        read_recording("svm-on-water", tmp_path)
    (tmp_path / "svm-on-water.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(StudyError, match=r"cannot be read .*record it anew"):
        read_recording("svm-on-water", tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("svm", "there is no pair 'svm'"),
        ("svm-on-news", "there is no pair 'svm-on-news'"),
        ("magic-on-water", "there is no model family 'magic'"),
        ("svm-on-sand", "there is no pair 'svm-on-sand'"),
    ],
)
def test_an_unknown_pair_is_a_sentence(name, words, tmp_path):
    with pytest.raises(TaskError, match=words):
        missing_pairs(tmp_path, [name])
    assert words in call("bench", "record", name, code=2).stderr


def test_what_is_recorded_is_not_done_again(tmp_path):
    (tmp_path / "varied").mkdir()
    (tmp_path / "svm-on-water.parquet").write_bytes(b"")
    assert missing_pairs(tmp_path, ["svm-on-water"]) == ["svm-on-water"]
    (tmp_path / "varied/svm-on-water.parquet").write_bytes(b"")
    said = call("bench", "record", "svm-on-water", "--folder", str(tmp_path), "--json").stdout
    assert json.loads(said) == {"recorded": [], "folder": str(tmp_path)}
    assert list(record_pairs(tmp_path / "new", [], jobs=1)) == []


def test_the_games_come_first(tmp_path):
    names = missing_pairs(tmp_path, [])
    assert set(names[:28]) == {*TUNING, *HELD_OUT} and len(names) == len(pair_names())


@pytest.fixture
def live(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "CONFIGURATIONS", 20)
    library._record(tmp_path / "recorded", "kernel-on-diabetes")
    return load_live(
        "kernel-on-diabetes", folder=tmp_path / "recorded", cache=tmp_path / "live"
    ), tmp_path / "live/kernel-on-diabetes.jsonl"


def test_a_live_game_trains_what_is_proposed_and_keeps_it(live):
    problem, kept = live
    pair, rng = pair_named("kernel-on-diabetes"), np.random.default_rng(0)
    params = {**problem.space.default(), "alpha": 0.37}
    true = [pair.train(params, split).loss for split in range(3)]
    assert {problem.observe(params, rng) for _ in range(20)} == set(true)
    assert problem.mean(params) == pytest.approx(np.mean(true))
    assert len(kept.read_text().splitlines()) == 3
    assert problem.mean(problem.space.default()) is not None  # which is recorded
    assert len(kept.read_text().splitlines()) == 3


def test_a_live_game_is_bounded_by_what_is_recorded(live):
    problem, _ = live
    assert problem.best < problem.median and problem.noisy is False
    assert regret(problem, problem.ranked.at(0.0)) < 0.7 < regret(problem, problem.ranked.at(0.9))
    assert problem.mean(problem.ranked.at(0.0)) <= problem.mean(problem.ranked.at(0.5))


def test_what_is_no_live_game_or_not_recorded_is_a_sentence(tmp_path):
    with pytest.raises(TaskError, match="there is no live game 'svm-on-cars'"):
        load_live("svm-on-cars", folder=tmp_path)
    with pytest.raises(TaskError, match="make it by: agenthpo bench record svm-on-water"):
        load_live("svm-on-water", folder=tmp_path)


def test_a_group_of_live_games_is_played_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "CONFIGURATIONS", 10)
    library._record(Path("benchmarks/recorded"), "kernel-on-diabetes")
    results = tmp_path / "results"
    said = call(
        "bench", "tables", "--methods", "random,engine", "--problems", "kernel-on-diabetes",
        "--seeds", "1", "--trials", "5", "--results", str(results), "--json",
    ).stdout  # fmt: skip
    rows = [row for group in json.loads(said).values() for row in group]
    lines = [json.loads(line) for line in (results / "engine.jsonl").read_text().splitlines()]
    assert lines[-1]["problem"] == "kernel-on-diabetes" and lines[-1]["trials"] == 5
    assert set(lines[-1]["regret"]) == {"1", "3", "5"} and isinstance(rows, list)
    assert "known are" in call("bench", "tables", "--problems", "lively", code=2).stderr


@pytest.mark.parametrize("name", FAILING)
def test_a_failing_problem_lets_its_default_and_its_share_run(name):
    limit = failing._ALL[name]
    try:
        pair = pair_named(limit.pair)
    except TaskError as missing:
        pytest.skip(str(missing))
    places = np.random.default_rng(0).random((2000, len(pair.space)))
    loads = np.array([limit.load(at_unit(pair.space, place)) for place in places])
    most = failing._most(loads, limit.share)
    assert np.mean(loads <= most) == pytest.approx(limit.share, abs=0.03)
    default = pair.space.snap({**pair.space.default(), **limit.default})
    assert pair.space.violations(default) == [] and limit.load(default) <= most


def test_a_failing_problem_fails_in_its_way_and_is_bounded_by_what_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "CONFIGURATIONS", 20)
    library._record(tmp_path, "kernel-on-diabetes")
    limit = failing._Limit(
        "kernel-on-diabetes", "oom", lambda p: p["n_components"], 0.3, {"n_components": 5}
    )
    monkeypatch.setitem(failing._ALL, "memory-30", limit)
    problem = load_failing("memory-30", folder=tmp_path, cache=tmp_path / "live")
    small, rng = problem.space.default(), np.random.default_rng(0)
    large = {**small, "n_components": 300}
    assert small["n_components"] == 5
    assert problem.observe(small, rng) == pytest.approx(problem.mean(small), rel=0.1)
    assert problem.observe(large, rng) is None and problem.mean(large) is None
    assert (problem.status_of(large), problem.status_of(small)) == ("oom", "failed")
    assert regret(problem, large) == 2 and problem.best < problem.median
    ours = METHODS["engine"].make(problem, 0)
    ours.ask()
    ours.tell(large, None)
    assert [t.outcome.status for t in ours.optimizer.trials if t.outcome] == ["oom"]


def test_failures_and_stuck_seeds_are_counted():
    def played(seed, last, failed):
        regrets = {"1": 0.5, "25": last}
        return Played("engine", "memory-4", seed, 25, True, regrets, 1.0, failed)

    table = failures([played(0, 0.5, 24), played(1, 0.2, 10)], ["engine", "tpe"])
    assert table[2].split(" | ")[4] == "17.0 failed, 1 of 2 stuck"
    assert len(table) == 3 and failures([], ["engine"]) == []


def test_what_is_recorded_lies_in_its_pairs_space_and_knows_better_than_the_default():
    files = sorted((ROOT / library.FOLDER).glob("*.parquet"))
    assert files
    for file in files:
        try:
            pair = pair_named(file.stem)
        except TaskError:
            continue  # its data are not there
        found = read_recording(file.stem, ROOT / library.FOLDER)
        assert found.configurations[0] == pair.space.default(), file.stem
        assert found.origins[:301] == ("default", *["sobol"] * 300), file.stem
        wrong = [p for p in found.configurations if pair.space.violations(p)]
        assert wrong == [], file.stem
        assert found.means.min() <= found.means[0] and np.isfinite(found.means.min()), file.stem
        assert np.isfinite(found.means[0]) or file.stem not in LIVE, file.stem
