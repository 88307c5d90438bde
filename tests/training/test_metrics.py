import json
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agenthpo.scalars import whole_number
from agenthpo.training.lines import Lines
from agenthpo.training.metrics import MetricReader
from agenthpo.training.near_misses import Likeness
from agenthpo.training.numbers import as_float
from agenthpo.training.patterns import PatternError, needles_of
from agenthpo.training.readers import table_rows as _rows


def read(lines, patterns=None, wanted=("acc",)):
    reader = MetricReader(frozenset(wanted), patterns or {})
    for line in lines:
        reader.read_output(line)
    return {name: reader.curve(name) for name in reader.curves}


def test_json_lines_that_hold_the_metric_are_points():
    lines = [
        '{"epoch": 1, "acc": 0.5, "loss": 2}',
        '{"loss": 1}',
        "{'acc': 1}",
        '{"acc": 0.6}',
        "acc 3",
        '{"acc": true}',
    ]
    # a dict as Python prints it is one as well
    assert read(lines) == {"acc": ((1.0, 0.5), (1.0, 1.0), (2.0, 0.6)), "loss": ((1.0, 2.0),)}


@pytest.mark.parametrize(
    "text", ["0.5", "-1e-05", "+3", ".5", "3.", "1E+3", "nan", "NaN", "-inf", "Infinity", "12"]
)
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
        ("{number} accuracy", "epoch 3 0.95 accuracy", 0.95),
        ("{number},{number}", "0,853", 0),
        ("acc{number}", "acc0.5", 0.5),
        ("acc {number}M", "acc 1.5M", 1.5),
        ("epoch {number}", "Epoch 12/50", 12),
        ("acc {number}", "acc 0.5, loss 2", 0.5),
        ("acc {number}", "(acc 0.5)", 0.5),
        ("acc {number}", "acc 0.5.", 0.5),
        ("acc {number}", "acc 91.5%", 91.5),
        ("acc {number}", "Acc\t1e-05", 1e-05),
        ("took {number}s", "took 12s", 12),
    ],
)
def test_patterns_take_the_value(pattern, line, value):
    assert read([line], {"acc": pattern}) == {"acc": ((0.0, value),)}


@pytest.mark.parametrize(
    "pattern",
    [r"acc (\d)", r"acc (0\.\d)", r"acc 0(\.\d+)", r"acc (\d+\.\d+)(?=e)", r"acc (\w*)x?"],
)
def test_a_group_that_cuts_a_number_is_an_error_not_a_value(pattern):
    with pytest.raises(PatternError, match="not a whole number"):
        read(["acc 0.913e-1", "acc x"], {"acc": pattern})


PARTS = [
    "0,853",
    "1,234.5",
    "1_000",
    "1.5M",
    "3k",
    "12:30",
    "3.2d-05",
    "1.2.3",
    "0x1F",
    "2026-11-28",
    "1e",
    "1.5e",
    "٠.٨٥",
    "0.٨٥",
    "5²",
    "1½",
]
PARTS += [
    "1'000",
    "1’000.5",
    "1\u202f234",
    "12ms",
    "1.#INF",
    "0.5f",
    "1e5e3",
    "0.5_",
    "1.234,56",
    "3.2-05",
    "3.2+05",
]


@pytest.mark.parametrize("text", PARTS)
@pytest.mark.parametrize(
    "pattern", ["acc {number}", r"acc (\S+)", r"acc ([\d.]+)", "acc {number} after"]
)
def test_a_number_is_whole_or_not_read_and_the_sentence_quotes_it(text, pattern):
    try:
        found = read([f"acc {text} after"], {"acc": pattern})
    except PatternError as problem:
        assert f"{f'acc {text} after'!r}" in str(problem)
    else:
        assert found == {}, "nothing of it"


@pytest.mark.parametrize("text", ["1_000", "1,5", "12:30", "٠.٨٥", "1.5M", "3.2d-05", "0x10", " "])
def test_a_text_that_is_no_whole_number_is_none(text):
    assert whole_number(text) is None
    assert list(_rows(f"epoch,acc\n1,0.5\n2,{text.replace(',', ';')}\n")) == [
        {"epoch": 1.0, "acc": 0.5},
        {"epoch": 2.0},
    ]


@given(st.floats(allow_nan=False))
def test_every_float_as_python_writes_it_is_whole(value):
    assert whole_number(repr(value)) == value
    assert whole_number(f"{value:e}") == float(f"{value:e}")


@given(st.from_regex(r"[0-9٠-٩,._']{1,12}", fullmatch=True))
@example("0,___0")
def test_what_is_read_of_a_text_of_digits_is_all_of_it(text):
    try:
        found = read([f"acc {text}"], {"acc": "acc {number}"})
    except PatternError:
        return
    if found and (value := found["acc"][0][1]) != math.inf:
        assert float(text.rstrip("._,'")) == value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("train acc 0.99 | val acc 0.71 | best val acc 0.95", 0.71),
        ("val_acc 0.3 val acc 0.4 val acc 0.5", 0.4),
        ("eval acc 0.1, val acc 0.2, val acc 0.3", 0.2),
    ],
)
def test_one_value_a_line_the_first_that_matches(line, value):
    reader = MetricReader(frozenset({"acc"}), {"acc": "val acc {number}"})
    reader.read_output(line)
    assert reader.curve("acc") == ((0.0, value),)
    assert reader.taken == {"acc": line}
    assert reader.several == {"acc": line}


def test_a_line_of_json_is_not_read_by_the_pattern_as_well():
    assert read(['{"acc": 0.5, "step": 3}'], {"acc": 'acc": {number}'}) == {"acc": ((3.0, 0.5),)}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"acc 0.12\b\b34\n", "acc 0.34"),
        (b"12\b\b\b\b\b345\n", "345"),
        (b"acc 0.5\b\n", "acc 0.5"),
        (b"\x1b[1m5\x1b[0m\b6\n", "6"),
    ],
)
def test_backspaces_give_what_a_terminal_shows(written, shown):
    assert Lines().feed(written) == [shown]


def test_progress_bars_colours_and_other_bytes_are_read():
    lines = Lines()
    got = (
        lines.feed(b"10%\r20%\r\n\x1b[32macc 0.5\x1b[0m\nca")
        + lines.feed(b"f\xc3\xa9 \xff")
        + lines.feed(b"", final=True)
    )
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
    one = [
        line for i in range(0, len(stream), size) for line in pieces.feed(stream[i : i + size])
    ] + pieces.feed(b"", final=True)
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
    lines = [
        "epoch 1",
        "Validation accuracy: 0.81",
        "val_loss 0.3",
        "val acc 0.81",
        "val acc 0.82",
        "accurate words only",
        "lr 0.1",
    ]
    assert alike("val_acc", *lines)[0] in ("val acc 0.81", "Validation accuracy: 0.81")
    assert set(alike("val_acc", *lines)) == {
        "val acc 0.81",
        "Validation accuracy: 0.81",
        "val_loss 0.3",
    }
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


WORDS = st.sampled_from(
    ["acc", "ACC ", '"loss"', " ", "x", "\r", "\n", "\x1b[1m", "\b", "0.5", "é", "val"]
)


@given(st.lists(WORDS), st.integers(1, 9))
def test_what_is_passed_over_holds_no_needle_however_the_stream_is_cut(pieces, size):
    stream, needles = "".join(pieces).encode(), (b"acc", b'"loss"')
    lines = Lines()
    found = [
        line
        for i in range(0, len(stream), size)
        for line in lines.feed(stream[i : i + size], needles=needles)
    ]
    found += lines.feed(b"", final=True, needles=needles)
    every = re.split(rb"[\r\n]+", stream)
    kept = [line for line in every if any(n in line.lower() for n in (*needles, b"\x1b", b"\b"))]
    assert found == [line for piece in kept for line in Lines().feed(piece, final=True)]


def test_needles_are_what_every_line_of_interest_holds():
    assert needles_of({"acc": "val Acc (top-1): {number}%"}, ["acc", "test"]) == (
        b'"acc"',
        b"'acc'",
        b'"test"',
        b"'test'",
        b"val",
    )
    assert needles_of({"acc": r"acc (\S+)"}, ["acc"]) is None
    assert needles_of({"acc": "{number}"}, ["acc"]) is None
    assert needles_of({}, ["précision"]) is None or needles_of({}, ["précision"])[0].isascii()
    assert needles_of({}, ['a"b']) is None


@pytest.mark.parametrize(
    "unit", ["s", "sec", "secs", "seconds", "x", "dB", "px", "pct", "nats", "bits"]
)
def test_a_unit_may_follow_a_number(unit):
    assert read([f"acc 0.5{unit} left"], {"acc": "acc {number}"}) == {"acc": ((0.0, 0.5),)}


@pytest.mark.parametrize("text", ["v0.5", "1,234.5", "−0.5", "1:30", "x0.5"])
def test_a_pattern_that_begins_with_its_number_takes_no_rest_of_another(text):
    with pytest.raises(
        PatternError,
        match=r"which is not a whole number; let the script print it as 0.853 or 1234.5",
    ):
        read([f"{text} accuracy"], {"acc": "{number} accuracy"})


def test_a_cut_number_is_shown_with_its_neighbours():
    line = "a" * 100 + " acc 1,5 " + "b" * 100
    with pytest.raises(PatternError) as caught:
        read([line], {"acc": "acc {number}"})
    assert str(caught.value).startswith(
        f"the pattern of acc takes '1' out of '{'a' * 35} acc 1,5 {'b' * 37}', which is "
        "not a whole number; "
    )


def test_metrics_beyond_a_thousand_are_let_go():
    reader = MetricReader(frozenset({"acc"}))
    reader.read_row({f"m{i}": 1.0 for i in range(1005)})
    reader.read_row({"acc": 0.5})
    assert len(reader.curves) == 1001
    assert reader.curve("acc") == ((0.0, 0.5),)
    assert reader.curve("m1001") == ()


def test_places_are_halved_with_their_points():
    reader = MetricReader(frozenset({"acc"}))
    for i in range(100_001):
        reader.read_row({"acc": float(i)})
    curve, places = reader.curve("acc"), reader.places["acc"]
    assert len(curve) == len(places) == 50_001
    assert [value for _, value in curve[:3]] == [0.0, 2.0, 4.0]
    assert all(place == value + 1 for (_, value), place in zip(curve, places, strict=True))


def test_each_line_is_a_report_of_its_own():
    reader = MetricReader(
        frozenset({"acc", "test"}), {"acc": "acc {number}", "test": "test {number}"}
    )
    for line in ("acc 1", "acc 2 test 3", "nothing", "test 4"):
        reader.read_output(line)
    assert reader.places == {"acc": [1, 2], "test": [2, 4]}
    reader.read_report('{"acc": 1}')
    assert reader.places["acc"] == [1, 2, 5]
    assert reader.counted == {"acc", "test"}


def test_infinity_keeps_its_sign():
    assert as_float(10**400) == math.inf
    assert as_float(-(10**400)) == -math.inf
    assert as_float(3) == 3.0


@pytest.mark.parametrize(
    ("pattern", "line"),
    [(r"acc 0(\.\d+)", "acc 0.5 x"), (r"acc 1(\d+)", "acc 123 x"), (r"acc 1,(\d+)", "acc 1,5 x")],
)
def test_a_group_that_takes_the_rest_of_a_number_is_an_error(pattern, line):
    with pytest.raises(PatternError, match=r"which is not a whole number; write \{number\} there"):
        read([line], {"acc": pattern})


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("acc 1 " + "x" * 194, "acc 1 " + "x" * 194),
        # a word that does not fit is left out: half of a secret is not known as one
        ("acc 1 " + "x" * 195, "acc 1"),
        ("acc 1 " + "x " * 300, "acc 1 " + "x " * 95 + "x"),
        (" " * 300 + "acc 1", ""),
        ("x" * 300 + " acc 1", "x" * 200),
    ],
)
def test_of_a_line_that_a_value_came_from_the_first_words_are_kept(line, kept):
    reader = MetricReader(frozenset({"acc"}), {"acc": "acc {number}"})
    reader.read_output(line)
    assert reader.taken["acc"] == kept


def test_of_a_line_beyond_all_bounds_the_end_is_kept():
    lines = Lines()
    assert lines.feed(b"x" * 3_000_000 + b" acc 0.5") == []
    [line] = lines.feed(b"\n")
    assert line.endswith("x acc 0.5") and len(line) < 3_000_000
