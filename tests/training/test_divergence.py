"""A training whose metric is lost is stopped at once, and one that may still give a value is not."""

import math
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.records import RunSpec
from agenthpo.training.divergence import divergence
from agenthpo.training.runner import run

NAN, INF = math.nan, math.inf
SCRIPT = """
import sys, time
for value in sys.argv[1].split(","):
    print("loss:", value, flush=True)
    time.sleep(0.15)
time.sleep(float(sys.argv[2]))
"""


def spec(tmp_path, values=(), seconds=600.0, **given):
    given = {"metric": "loss", "direction": "minimize", **given}
    return RunSpec(
        trial=0,
        params={},
        workdir=str(tmp_path / "0000"),
        command=(sys.executable, "-c", SCRIPT, ",".join(map(str, values)), str(seconds)),
        **given,
    )


def said(tmp_path, values, **given):
    return divergence(spec(tmp_path, **given), [(float(i), v) for i, v in enumerate(values)])


@pytest.mark.parametrize("lost", [NAN, INF, -INF, 5e12])
def test_a_loss_that_is_lost_ends_the_training(tmp_path, lost):
    began = time.monotonic()
    outcome = run(spec(tmp_path, [2.0, 1.5, lost]))
    assert time.monotonic() - began < 60
    assert (outcome.status, outcome.value) == ("diverged", None)
    assert outcome.error.startswith("loss ") and outcome.error.endswith("and it was stopped")
    # the curve stays
    assert [value for _, value in outcome.curves["loss"]][:2] == [2.0, 1.5]


def test_a_value_that_comes_back_in_time_counts(tmp_path):
    # before the first number nothing was computed yet, perhaps
    outcome = run(spec(tmp_path, ["nan", "inf", 0.4, 0.3], seconds=0))
    assert (outcome.status, outcome.value) == ("complete", 0.3)


@pytest.mark.parametrize(
    ("values", "given", "is_lost"),
    [
        ([], {}, False),
        ([NAN], {}, False),
        ([NAN, NAN, NAN], {}, True),
        ([1.0, NAN], {}, True),
        ([1.0, NAN, 0.9], {}, False),
        # a correlation may be undefined for a while
        ([0.2, NAN, NAN], {"direction": "maximize"}, False),
        ([0.2, NAN, NAN, NAN], {"direction": "maximize"}, True),
        ([1.0, NAN, NAN, NAN], {"at": "best"}, False),
        ([NAN, NAN, NAN], {"at": "best"}, True),
        ([1.0, 0.9, NAN], {"at": "mean of last 2"}, True),
        ([1.0, 2e9], {}, True),
        ([1e6, 2e9], {}, False),
        ([1.0, 2e9], {"direction": "maximize"}, False),
        ([-3.0, 5e9], {}, True),
    ],
)
def test_what_counts_as_lost(tmp_path, values, given, is_lost):
    assert bool(said(tmp_path, values, **given)) is is_lost


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_numbers_of_a_usual_size_are_never_lost(values):
    for direction in ("minimize", "maximize"):
        one = RunSpec(0, {}, "/nowhere", "loss", direction)
        assert divergence(one, [(float(i), v) for i, v in enumerate(values)]) == ""
