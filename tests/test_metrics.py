import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agenthpo.training.likeness import Likeness
from agenthpo.training.metrics import Lines, MetricReader, PatternError


def read(lines, patterns=None, wanted=("acc",)):
    reader = MetricReader(frozenset(wanted), patterns or {})
    for line in lines:
        reader.read_output(line)
    return {name: reader.curve(name) for name in reader.curves}


def test_json_lines_that_hold_the_metric_are_points():
    lines = ['{"epoch": 1, "acc": 0.5, "loss": 2}', '{"loss": 1}', "{'acc': 1}", '{"acc": 0.6}', "acc 3", '{"acc": true}']
    assert read(lines) == {"acc": ((1.0, 0.5), (1.0, 0.6)), "loss": ((1.0, 2.0),)}


@pytest.mark.parametrize("text", ["0.5", "-1e-05", "+3", ".5", "3.", "1E+3", "nan", "NaN", "-inf", "Infinity", "12"])
def test_number_stands_for_any_notation(text):
    value = read([f"epoch 3 val acc   {text}, loss 1"], {"acc": "val acc {number}"})["acc"][0][1]
    assert value == float(text) or (math.isnan(value) and math.isnan(float(text)))


@pytest.mark.parametrize(
    ("pattern", "line", "value"),
    [
        ("acc: {number}%", "acc: 91.5%", 91.5),
        ("acc (val): {number}", "x acc (val): 1e-3s", 1e-3),
        ("acc {number} of {number}", "acc 3 of 7", 3),
        ("acc={number}", "val_acc=1 acc=2", 2),
        (r"acc\s*=\s*(\S+)", "acc = 0.25", 0.25),
        ("acc {number}", "acc 0.5 loss 2 acc", 0.5),
        ("acc {number}", "Acc\t1e-05", 1e-05),
        ("took {number}s", "took 12s", 12),
    ],
)
def test_patterns_take_the_value(pattern, line, value):
    assert read([line], {"acc": pattern}) == {"acc": ((0.0, value),)}


@pytest.mark.parametrize("pattern", [r"acc (\d)", r"acc (0\.\d)", r"acc 0(\.\d+)", r"acc (\d+\.\d+)(?=e)", r"acc (\w*)x?"])
def test_a_group_that_cuts_a_number_is_an_error_not_a_value(pattern):
    with pytest.raises(PatternError, match="not a whole number"):
        read(["acc 0.913e-1", "acc x"], {"acc": pattern})


def test_progress_bars_colours_and_other_bytes_are_read():
    lines = Lines()
    got = lines.feed(b"10%\r20%\r\n\x1b[32macc 0.5\x1b[0m\nca") + lines.feed(b"f\xc3\xa9 \xff") + lines.feed(b"", final=True)
    assert got == ["10%", "20%", "acc 0.5", "café \ufffd"]


def test_a_line_without_end_stays_in_bounded_memory():
    lines = Lines()
    for _ in range(200):
        assert lines.feed(b"x" * 10_000) == []
    assert len(lines.feed(b" acc 1\n")[0]) < 100_000


@given(st.lists(st.binary(max_size=30)), st.integers(1, 7))
@example([b"a\r", b"\nb"], 1)
def test_how_the_stream_is_cut_does_not_matter(chunks, size):
    stream = b"".join(chunks)
    pieces = Lines()
    one = [line for i in range(0, len(stream), size) for line in pieces.feed(stream[i : i + size])] + pieces.feed(b"", final=True)
    assert one == Lines().feed(stream, final=True)


@given(st.text())
def test_no_line_crashes_the_reader(line):
    read([line], {"acc": "acc {number}"})
    MetricReader(frozenset({"acc"})).read_report(line)


@given(st.floats())
def test_a_report_survives(value):
    reader = MetricReader(frozenset({"acc"}))
    reader.read_report(json.dumps({"step": 2.0, "acc": value}))
    step, read_value = reader.curve("acc")[0]
    assert step == 2.0
    assert read_value == value or math.isnan(value)


def test_numbers_beyond_floats_and_deep_nesting_are_survived():
    assert read(['{"acc": 1' + "0" * 400 + "}"]) == {"acc": ((0.0, math.inf),)}
    assert read(['{"acc":' * 100_000]) == {}


def alike(metric, *lines):
    likeness = Likeness(metric)
    for line in lines:
        likeness.take(line)
    return list(likeness.lines)


def test_the_lines_most_like_a_metric_that_never_came_are_found():
    lines = ["epoch 1", "Validation accuracy: 0.81", "val_loss 0.3", "val acc 0.81", "val acc 0.82", "accurate words only", "lr 0.1"]
    assert alike("val_acc", *lines)[0] in ("val acc 0.81", "Validation accuracy: 0.81")
    assert set(alike("val_acc", *lines)) == {"val acc 0.81", "Validation accuracy: 0.81", "val_loss 0.3"}
    assert alike("val_acc", "epoch 1 lr 0.1") == []


@given(st.text(min_size=1), st.lists(st.text()))
def test_any_lines_and_names_are_compared(metric, lines):
    assert len(alike(metric, *lines)) <= 3


def test_a_million_points_stay_few_and_the_best_and_the_last_are_kept():
    reader = MetricReader(frozenset({"acc"}))
    for i in range(250_000):
        reader.read_row({"acc": 2.0 if i == 77_777 else i / 250_000})
    curve = reader.curve("acc")
    assert len(curve) <= 100_000
    assert max(value for _, value in curve) == 2.0
    assert curve[-1] == (249_999.0, 249_999 / 250_000)
    assert (77_777.0, 2.0) in curve
