"""Metrics in the files of other programs. What stands below ``recorded`` was written by them."""

import json
import os
import random
import shutil
import sqlite3
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.errors import TaskError
from agenthpo.records import RunSpec
from agenthpo.taskfile.reading import load_task
from agenthpo.training.found_files import FoundFiles
from agenthpo.training.readers import FORMATS, format_of, table_rows
from agenthpo.training.runner import run
from calling import agenthpo

RECORDED = Path(__file__).parent / "recorded"
EVENTS = RECORDED / "runs/events.out.tfevents.1795970685.vm"
NEW_STYLE = RECORDED / "runs/new_style/events.out.tfevents.1795970685.vm.12762.0"
WANDB = next(RECORDED.glob("wandb/*/*.wandb"))
RUN = RECORDED / "mlruns/0/run1/metrics"


def rows_of(path):
    return list(format_of(path).rows(path, 0.0))


def column(path, name):
    return [(row["step"], row[name]) for row in rows_of(path) if name in row]


def test_tensorboards_events_are_read():
    assert column(EVENTS, "val/acc") == [(0, 0.5), (1, 0.6), (2, 0.7)]
    assert column(EVENTS, "loss")[2] == (2, 0.33333334)  # a number of 32 bits
    assert column(NEW_STYLE, "val/acc") == [(0, 0.5), (1, 0.6), (2, 0.7)]


@pytest.mark.filterwarnings("ignore")
def test_events_of_another_writer_are_read_as_they_grow():
    from tensorboardX import SummaryWriter

    files, found = FoundFiles([Path()], ["acc"]), []
    with SummaryWriter("logs/run") as writer:
        for step in range(4):
            writer.add_scalar("acc", step / 8, step)
            writer.add_scalar("loss", float("nan") if step == 3 else 1.5, step)
            writer.flush()
            found += files.new_rows(final=True)
        writer.add_histogram("weights", [0.5, 1.0], 9)
        writer.add_text("note", "acc", 9)
    found += files.new_rows(final=True)
    assert [row["acc"] for row in found if "acc" in row][-1] == 3 / 8
    assert {row["acc"] for row in found if "acc" in row} == {0.0, 1 / 8, 2 / 8, 3 / 8}
    assert files.source.startswith("TensorBoard events: logs/run/events.out.tfevents")
    assert "weights" not in files.seen[files.source.partition(": ")[2]]


def test_a_run_of_weights_and_biases_is_read():
    assert column(WANDB, "val/acc") == [(0, 0.5), (1, 0.6), (2, 0.7), (3, 0.8)]
    assert column(WANDB, "nested/a") == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert not any(name.startswith("_") for row in rows_of(WANDB) for name in row)


def test_a_long_run_crosses_the_blocks_of_its_file(tmp_path):
    """Records that are longer than what is left of a block are cut into parts."""
    import struct

    def varint(number):
        out = b""
        while number > 127:
            out, number = out + bytes([number & 127 | 128]), number >> 7
        return out + bytes([number])

    def field(number, data):
        return varint(number << 3 | 2) + varint(len(data)) + data

    data = b":W&B\xe1\xbe\x00"
    for step in range(40):
        item = field(1, field(1, b"acc") + field(16, str(step / 4).encode()))
        blob = field(1, field(1, b"table") + field(16, json.dumps("x" * 3000).encode()))
        record = field(2, item + blob + field(2, varint(1 << 3) + varint(step)))
        first = True
        while record:
            left = 32768 - len(data) % 32768
            if left < 7:
                data += b"\0" * left
                continue
            part, record = record[: left - 7], record[left - 7 :]
            kind = (1 if not record else 2) if first else (4 if not record else 3)
            data += struct.pack("<IHB", 0, len(part), kind) + part
            first = False
    path = tmp_path / "wandb/run-1/run-1.wandb"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert len(data) > 3 * 32768
    assert column(path, "acc") == [(step, step / 4) for step in range(40)]


def test_mlflows_files_and_its_database_are_read(tmp_path):
    assert column(RUN / "val_acc", "val_acc") == [(0, 0.5), (1, 0.6), (2, 0.7)]
    assert column(RUN / "val/loss", "val/loss")[0] == (0, 1.0)
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as base:
        base.execute(
            'CREATE TABLE "metrics" ("key" VARCHAR(250) NOT NULL, value FLOAT NOT NULL, '
            "timestamp BIGINT NOT NULL, run_uuid VARCHAR(32) NOT NULL, "
            "step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL)"
        )
        base.executemany(
            "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)",
            [
                ("acc", 0.9, 1_000_000, "old", 0, 0),
                ("acc", 0.5, 2_000_000, "new", 0, 0),
                ("acc", 0.0, 2_000_001, "new", 1, 1),
            ],
        )
    base.close()
    found = list(format_of(path).rows(path, 1500.0))
    assert [row["step"] for row in found] == [0, 1] and found[0]["acc"] == 0.5
    assert found[1]["acc"] != found[1]["acc"], "nan"
    assert list(format_of(path).rows(path, 3000.0)) == []


STATE = {
    "best_metric": 0.7,
    "epoch": 2.0,
    "log_history": [
        {"epoch": 1.0, "eval_accuracy": 0.5, "eval_loss": 1.0, "step": 10},
        {"epoch": 1.5, "loss": 0.9, "step": 15},
        {"epoch": 2.0, "eval_accuracy": 0.7, "eval_loss": 0.8, "step": 20},
    ],
}


def test_documents_are_read(tmp_path):
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(STATE, indent=2))
    assert column(path, "eval_accuracy") == [(10, 0.5), (20, 0.7)]
    (tmp_path / "history.json").write_text('{"loss": [3, 2], "val_acc": [0.5, 0.75]}')
    assert rows_of(tmp_path / "history.json")[1] == {"loss": 2.0, "val_acc": 0.75}
    (tmp_path / "results.yaml").write_text("test:\n  acc: 0.5  # of three\n  ok: true\n")
    assert rows_of(tmp_path / "results.yaml") == [{"test.acc": 0.5}]
    (tmp_path / "results.json").write_text('[{"acc": 1}, {"acc": 2}]')
    assert rows_of(tmp_path / "results.json") == [{"acc": 1.0}, {"acc": 2.0}]
    (tmp_path / "results.json").write_text('{"acc": ')
    assert rows_of(tmp_path / "results.json") == []


def test_decimal_commas_where_the_heading_says_so():
    assert list(table_rows("epoch;acc\n1;0,853\n2;0,9\n")) == [
        {"epoch": 1.0, "acc": 0.853}, {"epoch": 2.0, "acc": 0.9},
    ]  # fmt: skip
    mixed = list(table_rows("epoch;acc\n1;0,853\n2;0.9\n"))
    assert mixed == [{"epoch": 1.0}, {"epoch": 2.0, "acc": 0.9}]


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_every_format_keeps_the_contract(kind, tmp_path):
    """Whatever a file holds, also a part of a real one, it gives rows of numbers or nothing."""
    samples = [path for path in RECORDED.rglob("*") if path.is_file()]
    real = next((s for s in samples if format_of(s) is kind), None)
    texts = [b"", b"\0", b"acc\n1\n", b'{"acc": 1}\n', b"a: [", b"\xff\xfe", b'{"acc": NaN}']
    if real is not None:
        whole = real.read_bytes()
        rng = random.Random(0)
        texts += [whole[:length] for length in range(0, len(whole), max(1, len(whole) // 40))]
        for _ in range(60):
            place = rng.randrange(len(whole))
            texts.append(whole[:place] + bytes([rng.randrange(256)]) + whole[place + 1 :])
    name = kind.names[0].replace("*", "a1")
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for text in texts:
        path.write_bytes(text)
        for row in kind.rows(path, 0.0):
            assert all(isinstance(k, str) and isinstance(v, float) for k, v in row.items()), row
    assert format_of(path) is not None


@given(st.binary(max_size=300))
def test_no_bytes_stop_a_reader(data):
    path = Path("x")
    path.write_bytes(data)
    for kind in FORMATS:
        list(kind.rows(path, 0.0))


LOGGERS = {
    "lightning": """
import csv, pathlib
folder = pathlib.Path("lightning_logs/version_7")
folder.mkdir(parents=True)
with open(folder / "metrics.csv", "w") as file:
    rows = csv.writer(file)
    rows.writerow(["epoch", "step", "train_loss", "val/acc"])
    rows.writerow([0, 4, 0.5, ""])
    rows.writerow([0, 4, "", 0.25])
    rows.writerow([1, 8, "", 0.75])
""",
    "trainer": f"""
import json, pathlib
for number in (10, 20):
    folder = pathlib.Path(f"out/checkpoint-{{number}}")
    folder.mkdir(parents=True)
    state = {STATE!r}
    state["log_history"] = [r for r in state["log_history"] if r["step"] <= number]
    state["log_history"] = [
        {{("val_acc" if k == "eval_accuracy" else k): v for k, v in r.items()}}
        for r in state["log_history"]
    ]
    (folder / "trainer_state.json").write_text(json.dumps(state))
""",
    "tensorboard": f"""
import pathlib, shutil
pathlib.Path("runs/now").mkdir(parents=True)
shutil.copy({str(EVENTS)!r}, "runs/now")
""",
    "wandb": f"""
import shutil
shutil.copytree({str(WANDB.parent.parent)!r}, "wandb")
""",
    "mlflow": f"""
import shutil
shutil.copytree({str(RECORDED / "mlruns")!r}, "mlruns")
""",
    "result": """
import json
json.dump({"val": {"acc": 0.75}, "seconds": 3}, open("results.json", "w"))
""",
    "unusual": """
import json
json.dump({"val_acc": 0.75}, open("out.json", "w"))
""",
}


@pytest.mark.parametrize(
    ("logger", "value", "said"),
    [
        ("lightning", 0.75, "CSV: "),
        ("trainer", 0.7, "the trainer's state: "),
        ("tensorboard", 0.7, "TensorBoard events: "),
        ("wandb", 0.8, "a Weights & Biases run: "),
        ("mlflow", 0.7, "MLflow's files: "),
        ("result", 0.75, "JSON: "),
        ("unusual", 0.75, "JSON: "),
    ],
)
@pytest.mark.parametrize("folder", ["here", "copy"])
def test_metrics_auto_finds_what_the_training_wrote(logger, value, said, folder):
    Path("results.json").write_text('{"val_acc": 0.1}')  # of an earlier run
    Path("train.py").write_text(LOGGERS[logger])
    Path("task.yaml").write_text(
        "name: toy\nobjective: {metric: val_acc, direction: maximize}\n"
        f"train: {{command: '{{python}} train.py {{config_file}}', metrics: auto, "
        f"folder: {folder}}}\n"
        "space: {x: {type: float, low: 0, high: 1, default: 0.5}}\n"
    )
    tried = agenthpo("check", ".", "--try")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert f"It works: val_acc {value} " in tried.stdout
    assert f"val_acc was read from {said}" in tried.stdout


def spec_of(code, **fields):
    Path("train.py").write_text(code)
    return RunSpec(
        0, {"x": 1}, str(Path("w").absolute()), "val_acc", cwd=str(Path().absolute()),
        command=(sys.executable, "train.py"), **fields,
    )  # fmt: skip


def test_what_many_earlier_runs_left_hides_nothing_and_is_not_read(monkeypatch):
    for number in range(230):
        Path(f"runs/{number:03}").mkdir(parents=True)
        shutil.copy(EVENTS, f"runs/{number:03}")
    read = []
    kind = format_of(EVENTS)
    original = kind.rows
    monkeypatch.setitem(kind.__dict__, "rows", lambda p, t: (read.append(p), original(p, t))[1])
    files = FoundFiles([Path()], ["val/acc"])
    assert read == []
    Path("runs/zzz").mkdir()
    shutil.copy(EVENTS, "runs/zzz")
    assert [row["val/acc"] for row in files.new_rows(final=True)] == [0.5, 0.6, 0.7]
    assert [path.parent.name for path in read] == ["zzz"]


@pytest.mark.parametrize("name", ["metrics.csv", "named.csv"])
def test_a_last_row_with_nan_in_it_is_told_once(name):
    code = f"open({name!r}, 'w').write('lr,val_acc\\n1,0.5\\nnan,0.75\\n')"
    given = {"finds_metrics": True} if name == "metrics.csv" else {}
    file = str(Path(name).absolute()) if name == "named.csv" else None
    reader_spec = spec_of(code, metrics_file=file, **given)
    assert [value for _, value in run(reader_spec).curves["val_acc"]] == [0.5, 0.75]


def test_a_row_with_nan_is_no_new_one_when_its_file_is_read_again():
    from agenthpo.training.new_rows import NewRows

    rows, nan = NewRows(), "nan"
    assert len(rows.of([{"acc": 0.5}, {"acc": float(nan)}])) == 2
    assert list(rows.of([{"acc": 0.5}, {"acc": float(nan)}])) == []
    assert list(rows.of([{"acc": 0.5}, {"acc": 0.75}])) == [{"acc": 0.75}]


def test_a_result_that_is_written_anew_to_the_same_counts():
    for _ in range(2):
        shutil.rmtree("w", ignore_errors=True)
        outcome = run(spec_of(LOGGERS["unusual"], finds_metrics=True))
        assert outcome.value == 0.75, outcome.error


def test_a_data_set_is_no_result_and_is_not_read(monkeypatch):
    Path("train.csv").write_text("val_acc\n" + "1\n" * 600_000)
    files = FoundFiles([Path()], ["val_acc"])
    Path("train.csv").write_text("val_acc\n2\n")
    assert list(files.new_rows(final=True)) == [] and files.seen == {}


def test_a_report_goes_before_a_file_and_is_not_counted_twice():
    code = "import agenthpo\nagenthpo.report(val_acc=0.5)\n" + LOGGERS["result"]
    outcome = run(spec_of(code, finds_metrics=True))
    assert (outcome.value, len(outcome.curves["val_acc"])) == (0.5, 1)
    assert outcome.read_from == {"val_acc": "agenthpo.report()"}


def test_of_several_files_the_validations_is_taken():
    code = "".join(
        f"import json, os; os.makedirs('{name}'); "
        f"json.dump({{'val_acc': {value}}}, open('{name}/results.json', 'w'))\n"
        for name, value in (("a_train", 1), ("validation", 2), ("z_train", 3))
    )
    assert run(spec_of(code, finds_metrics=True)).value == 2.0


def test_a_file_that_was_there_counts_as_far_as_it_is_added_to():
    Path("metrics.csv").write_text("val_acc\n0.9\n")
    os.utime("metrics.csv", (1, 1))
    outcome = run(spec_of("print('nothing')", finds_metrics=True))
    assert outcome.status == "failed"
    assert "no file of a known logger was written in the folders where it ran" in outcome.error
    shutil.rmtree("w")
    outcome = run(spec_of("open('metrics.csv', 'a').write('0.25\\n')", finds_metrics=True))
    assert outcome.curves["val_acc"] == ((0.0, 0.25),)


@pytest.mark.parametrize(
    ("code", "file", "words"),
    [
        ("", "out/m.csv", "out/m.csv was not written"),
        ("open('m.csv', 'w').write('epoch,loss\\n1,2\\n')", "m.csv",
         "m.csv has epoch, loss, but no val_acc; name one of them as objective.metric"),
        ("open('m.csv', 'w').write('hello')", "m.csv", "m.csv holds no row of numbers"),
        ("", "old.csv", "old.csv holds only what was there before the run"),
        ("", "logs/*/m.csv", "no file of a known logger was written in "),
        (LOGGERS["lightning"].replace("val/acc", "val_loss"), "lightning_logs/*/metrics.csv",
         "version_7/metrics.csv has train_loss, val_loss; name one of them"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_metrics_file_is_said(code, file, words):
    Path("old.csv").write_text("val_acc\n1\n")
    outcome = run(spec_of(code, metrics_file=str(Path(file).absolute())))
    assert outcome.status == "failed" and words in outcome.error
    assert "agenthpo.report()" not in outcome.error


def test_a_pattern_or_a_folder_stands_for_the_newest_file_in_it():
    for file in ("lightning_logs/*/metrics.csv", "lightning_logs", "lightning_logs/"):
        shutil.rmtree("lightning_logs", ignore_errors=True)
        shutil.rmtree("w", ignore_errors=True)
        code = LOGGERS["lightning"]
        outcome = run(spec_of(code, metrics_file=f"{Path().absolute()}/{file}"))
        assert (outcome.value, outcome.step) == (0.75, 8.0), outcome.error


def test_where_a_file_has_what_was_not_reported_it_is_named():
    outcome = run(spec_of(LOGGERS["tensorboard"]))
    assert "TensorBoard events: " in outcome.error
    assert outcome.error.endswith("has it: set train.metrics: auto")


def test_a_result_that_is_written_anew_each_epoch_is_a_curve():
    Path("w").mkdir()
    files = FoundFiles([Path("w")], ["acc"])
    seen = []
    for epoch in range(3):
        Path("w/results.json").write_text(json.dumps({"epoch": epoch, "acc": epoch / 4}))
        time.sleep(0.01)
        seen += files.new_rows(final=True)
    assert [row["acc"] for row in seen] == [0.0, 0.25, 0.5]


def test_a_regular_expression_may_have_number_in_it():
    Path("train.py").write_text("print('Epoch 3: (val)  acc = 0.75')")
    text = (
        "name: toy\nobjective: {metric: acc, direction: maximize}\n"
        "train: {command: '{python} train.py {flags}', metrics: {acc: '%s'}}\n"
        "space: {x: {type: float, low: 0, high: 1, default: 0.5}}\n"
    )
    for pattern in (r"Epoch \d+: .*acc\s*=\s*{number}", r"^Epoch.+acc = {number}$"):
        Path("task.yaml").write_text(text % pattern)
        assert "It works: acc 0.75" in agenthpo("check", ".", "--try").stdout
    Path("task.yaml").write_text(text % r"(Epoch \d+).*acc = {number}")
    with pytest.raises(TaskError, match=r"other groups are written \(\?:…\)"):
        load_task("task.yaml")
    Path("task.yaml").write_text(text % r"[*\d acc = {number}")
    with pytest.raises(TaskError, match="is not a regular expression"):
        load_task("task.yaml")
    Path("task.yaml").write_text(text % "(val) acc = {number}")
    assert "It works: acc 0.75" in agenthpo("check", ".", "--try").stdout, "plain text"
    Path("task.yaml").write_text(text % "val acc: {number}")
    said = agenthpo("check", ".", "--try").stderr
    assert "no line matched the pattern 'val acc: {number}'" in said
    assert "such as 'acc = {number}'" in said


def test_a_dict_that_python_prints_is_a_report():
    code = (
        "print({'loss': 0.5, 'epoch': 1.0})\n"
        "print({'eval_loss': '0.25', 'val_acc': '0.5', 'epoch': 1.0, 'note': None})\n"
        "print({'val_acc': 0.75, 'epoch': 2.0})\n"
    )
    outcome = run(spec_of(code))
    assert outcome.curves["val_acc"] == ((1.0, 0.5), (2.0, 0.75))
