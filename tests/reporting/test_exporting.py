"""Exports, read back by the tools' own libraries."""

import csv
import math
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from agenthpo.reporting.exporting import TARGETS
from calling import agenthpo
from report_studies import EVIL, make_study
from studies import shown

COUNT = 5


@pytest.fixture
def trials(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_study("toy", COUNT, texts=EVIL)
    return {t["number"]: t for t in shown("./toy")}


def test_csv_and_parquet_have_a_row_a_trial(trials):
    pandas = pytest.importorskip("pandas")
    assert agenthpo("export", "toy", "--to", "csv", code=0).stdout.strip() == "toy.csv"
    with open("toy.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    agenthpo("export", "toy", "--to", "parquet", "-o", "t.parquet", code=0)
    table = pandas.read_parquet("t.parquet")
    assert len(rows) == len(table) == COUNT
    for number, trial in trials.items():
        value = trial["value"]
        assert rows[number]["value"] == ("" if value is None else str(value))
        assert (
            float(rows[number]["params.lr"]) == table["params.lr"][number] == trial["params"]["lr"]
        )
        assert (
            math.isnan(table["value"][number]) if value is None else table["value"][number] == value
        )


def test_mlflow_has_a_run_a_trial_and_none_twice(trials):
    pytest.importorskip("mlflow")
    for _ in range(2):
        assert agenthpo("export", "toy", "--to", "mlflow", "-o", "m.db", code=0).stdout == "m.db\n"
    with warnings.catch_warnings():  # of its own parts
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{Path('m.db').resolve()}")
        experiment = client.get_experiment_by_name("toy").experiment_id
        runs = client.search_runs([experiment])
        points = {r.info.run_id: client.get_metric_history(r.info.run_id, "acc") for r in runs}
    assert sorted(int(run.data.tags["agenthpo.trial"]) for run in runs) == sorted(trials)
    for run in runs:
        trial = trials[int(run.data.tags["agenthpo.trial"])]
        assert int(run.data.params["width"]) == trial["params"]["width"]
        assert (run.info.status == "FAILED") == (trial["value"] is None)
        if trial["value"] is not None:
            assert run.data.metrics["final acc"] == trial["value"]
            assert len(points[run.info.run_id]) == 10


def test_tensorboard_has_curves_and_parameters(trials):
    reader = pytest.importorskip("tensorboardX.proto.event_pb2")
    record = pytest.importorskip("tensorboardX.record_writer")
    assert record
    agenthpo("export", "toy", "--to", "tensorboard", "-o", "tb", code=0)
    folders = sorted(p.name for p in Path("tb").iterdir())
    assert folders == [f"toy-{i:04d}" for i in range(COUNT)]
    (first,) = Path("tb/toy-0000").glob("events*")
    data, values = first.read_bytes(), []
    while data:  # length (8), its check (4), the event, its check (4)
        length = int.from_bytes(data[:8], "little")
        event = reader.Event.FromString(data[12 : 12 + length])
        values += [(v.tag, v.simple_value) for v in event.summary.value]
        data = data[16 + length :]
    curve = [value for tag, value in values if tag == "acc"]
    assert len(curve) == 10 and curve[-1] == pytest.approx(trials[0]["value"], rel=1e-5)


@pytest.mark.parametrize(("tool", "found"), [("wandb", "wandb/offline-run-*/*.wandb"),
                                              ("trackio", "toy.db")])  # fmt: skip
def test_tools_that_write_in_a_process_of_their_own(trials, tool, found):
    pytest.importorskip(tool)
    done = subprocess.run(
        [sys.executable, "-m", "agenthpo", "export", "toy", "--to", tool, "-o", "there"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.strip() == "there", done.stderr
    files = list(Path("there").glob(found))
    assert len(files) == (COUNT if tool == "wandb" else 1)
    if tool == "trackio":
        import sqlite3

        with sqlite3.connect(files[0]) as database:
            (runs,) = database.execute("select count(distinct run_name) from metrics").fetchone()
        database.close()
        assert runs == COUNT


def test_wrong_words_are_sentences(trials, monkeypatch):
    assert "must be one of csv" in agenthpo("export", "toy", "--to", "excel", code=2).stderr
    assert (
        "cannot be written" in agenthpo("export", "toy", "--to", "csv", "-o", "no/x", code=2).stderr
    )
    monkeypatch.setitem(sys.modules, "pandas", None)
    done = agenthpo("export", "toy", "--to", "parquet", code=2)
    assert "pip install 'agenthpo[export]'" in done.stderr


def test_a_study_without_trials_can_be_exported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_study("none", 0)
    for target in ("csv", "parquet"):
        agenthpo("export", "none", "--to", target, code=0)
    assert set(TARGETS) == {"csv", "parquet", "tensorboard", "mlflow", "wandb", "trackio"}
