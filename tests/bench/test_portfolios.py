import json

import numpy as np
import pytest

from agenthpo.bench.trainings.library import FOLDER, read_recording
from agenthpo.bench.trainings.portfolios import (
    earned_gain,
    known_without,
    portfolio,
    recorded_portfolios,
    written,
)
from agenthpo.cli.bench_record import bench_portfolios
from agenthpo.knowledge.portfolios import portfolios, read_portfolios
from studies import ROOT

RECORDED = ROOT / FOLDER


def test_a_tip_is_better_than_the_default_where_it_says_so():
    found = portfolio("svm", "numbers", folder=RECORDED)
    tip = found.tips[0]
    better = 0
    for data in ("ames", "california", "cars", "diabetes", "wages"):
        recording = read_recording(f"svm-on-{data}", RECORDED)
        losses = [
            loss
            for params, loss, origin in zip(
                recording.configurations, recording.means, recording.origins, strict=True
            )
            if origin == "sobol"
            and params.get("C") == pytest.approx(tip.params["C"], rel=5e-3)
            and params["tol"] == pytest.approx(tip.params["tol"], rel=5e-3)
        ]
        assert len(losses) == 1
        better += losses[0] < recording.means[0]
    assert (tip.better, tip.of) == (better, 5)


def test_what_is_left_out_teaches_nothing():
    whole = portfolio("svm", "numbers", folder=RECORDED)
    without = portfolio("svm", "numbers", without=["california"], folder=RECORDED)
    assert without.tips[0].of == whole.tips[0].of - 1
    too_few = ["ames", "california"]
    assert portfolio("svm", "numbers", without=too_few, folder=RECORDED) is None


def test_a_portfolio_must_help_on_data_that_it_was_not_chosen_on():
    # the default has 0.5 everywhere, and each data set a column of its own that is good
    chance = np.full((6, 7), 0.8)
    chance[:, 0] = 0.5
    np.fill_diagonal(chance[:, 1:], 0.0)
    real = chance.copy()
    real[:, 3] = [0.1, 0.2, 0.1, 0.3, 0.1, 0.2]
    assert not earned_gain(chance) and earned_gain(real)


def test_tips_complement_each_other():
    found = portfolio("svm", "numbers", folder=RECORDED)
    assert 1 <= len(found.tips) <= 3
    assert len({json.dumps(dict(tip.params)) for tip in found.tips}) == len(found.tips)


def test_the_package_has_what_the_recordings_teach(tmp_path, capsys):
    bench_portfolios(RECORDED, tmp_path / "portfolios.json", as_json=False)
    assert read_portfolios((tmp_path / "portfolios.json").read_text()) == portfolios()
    assert "portfolios were written" in capsys.readouterr().out


def test_what_is_written_is_read_again(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = recorded_portfolios()
    assert read_portfolios(written(found)) == found
    assert known_without("no such data") == found
    assert all(np.isfinite(tip.better / tip.of) for each in found for tip in each.tips)
