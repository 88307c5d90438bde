import csv
import io
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agenthpo.training.metrics_file import TableFile

FILE = Path("history.csv")


def rows(text, old=None, own=False):
    FILE.unlink(missing_ok=True)  # what the example before wrote may begin like this one
    if old is not None:
        FILE.write_text(old)
        os.utime(FILE, (1, 1))
    table = TableFile(FILE, own=own)
    if text is not None:
        FILE.write_text(text)
    return list(table.new_rows(final=True))


def test_columns_and_rows_are_read_with_any_usual_delimiter():
    wanted = [{"epoch": 1.0, "acc": 0.5}, {"epoch": 2.0, "acc": 1e-05}]
    for delimiter in (",", ";", "\t", ", "):
        text = "epoch,acc,note\n1,0.5,x\n2,1e-05,\n".replace(",", delimiter)
        assert rows(text) == wanted
    assert rows('{"epoch": 1, "acc": 0.5}\n{"epoch": 2, "acc": 1e-05}') == wanted
    assert rows("\ufeffepoch,acc\r\n1,50%\r\n") == [{"epoch": 1.0, "acc": 50.0}]


def test_rows_come_once_and_an_unfinished_one_waits():
    table = TableFile(FILE, own=True)
    assert list(table.new_rows()) == []
    with FILE.open("w") as file:
        file.write("acc\n1\n2")
    assert list(table.new_rows()) == [{"acc": 1.0}]
    with FILE.open("a") as file:
        file.write("\n3\n")
    table._next = 0.0
    assert list(table.new_rows()) == [{"acc": 2.0}, {"acc": 3.0}]


def test_a_file_that_is_written_anew_with_another_column_goes_on():
    table = TableFile(FILE, own=True)
    FILE.write_text("acc\n1\n")
    assert list(table.new_rows(final=True)) == [{"acc": 1.0}]
    FILE.write_text("acc,loss\n1,\n,2\n")
    assert list(table.new_rows(final=True)) == [{"loss": 2.0}]


def test_what_an_earlier_run_left_does_not_count():
    assert rows(None, old="acc\n9\n") == []
    assert rows("acc\n9\n1\n", old="acc\n9\n") == [{"acc": 1.0}]  # appended
    assert rows("acc\n1\n", old="acc\n9\n") == [{"acc": 1.0}]  # written anew
    assert rows("acc\n9\n", old="acc\n9\n") == [{"acc": 9.0}]  # written anew, to the same
    assert rows(None, old="acc\n9\n", own=True) == []
    assert not FILE.exists()


@given(st.lists(st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)), max_size=8))
def test_what_the_csv_module_writes_is_read(points):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["step", "acc"])
    writer.writerows(points)
    assert rows(text.getvalue()) == [{"step": step, "acc": value} for step, value in points]


@given(st.binary())
def test_any_bytes_are_survived(data):
    table = TableFile(FILE, own=True)
    FILE.write_bytes(data)
    list(table.new_rows(final=True))


def test_a_column_that_counts_rows_is_no_metric():
    wanted = [{"acc": 0.5, "test": 0.4}, {"acc": 0.6, "test": 0.7}]
    # of pandas, and of R, which writes none for it
    for heading in (",acc,test", "Unnamed: 0,acc,test", "acc,test"):
        assert rows(f"{heading}\n0,0.5,0.4\n1,0.6,0.7\n") == wanted
