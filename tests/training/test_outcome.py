"""What a run came to, from what was read of it and how it ended; no process runs here."""

import json
import math
import signal
from contextlib import suppress

import pytest

from agenthpo.records import Outcome, Owner, RunSpec
from agenthpo.training.metrics import MetricReader
from agenthpo.training.outcome import judge, load_outcome, save_outcome
from agenthpo.training.patterns import PatternError
from agenthpo.training.run_end import RunEnd, read_end

SPEC = RunSpec(
    trial=3,
    params={"lr": 0.1},
    workdir="/w",
    metric="acc",
    test_metric="test",
    seed=1,
    study="s",
    timeout_s=10,
    silence_s=5,
    memory_mb=300,
)


def judged(*lines, reason="exit", code=0, tail="", alike=(), patterns=None, spec=SPEC, **end):
    reader = MetricReader(frozenset({"acc", "test"}), patterns or {})
    for line in lines:
        with suppress(PatternError):
            reader.read_output(line)
    return judge(spec, reader, end=RunEnd(reason, code, **end), tail=tail, alike=alike)


def spec_with(**changes):
    return RunSpec(**{**vars(SPEC), **changes})


def test_what_the_supervisor_measured_is_passed_on():
    outcome = judged(
        '{"acc": 0.5, "loss": 2, "test": 0.4}', tail="the end", code=0, duration_s=1.5, peak_mb=80.0
    )
    assert (outcome.status, outcome.value, outcome.step, outcome.test_value) == (
        "complete",
        0.5,
        0.0,
        0.4,
    )
    assert (outcome.duration_s, outcome.exit_code, outcome.peak_mb, outcome.log_tail) == (
        1.5,
        0,
        80.0,
        "the end",
    )
    # the test metric's is for nobody to see
    assert outcome.curves == {"acc": ((0.0, 0.5),), "loss": ((0.0, 2.0),)}
    assert judged('{"acc": 1}', code=0).duration_s == 0.0


def test_a_long_curve_is_thinned_and_the_value_is_of_all_of_it():
    lines = [json.dumps({"acc": 1.0 if step == 501 else step / 2000}) for step in range(1000)]
    best = judged(*lines, spec=spec_with(at="best"))
    assert (best.value, best.step) == (1.0, 501.0)
    assert len(best.curves["acc"]) <= 200


def test_what_the_lines_were_and_what_was_odd_in_them_is_kept():
    key = "sk-" + "a1b2c3d4e5f6g7h8i9j0" * 2
    outcome = judged(
        f"acc 0.5 acc 0.7 key {key} " + "x" * 300,
        "test 12:30",
        patterns={"acc": "acc {number}", "test": "test {number}"},
    )
    assert set(outcome.taken) == {"acc"}
    [plain] = judged("acc 1 acc 2 " + "x " * 90, patterns={"acc": "acc {number}"}).warnings
    assert (
        plain == f"the pattern of acc matches more than once in 'acc 1 acc 2 {'x ' * 54}', and "
        "the first match counts"
    )
    first, second = outcome.warnings
    assert first.startswith("the pattern of acc matches more than once in 'acc 0.5 acc 0.7 key ")
    assert first.endswith(", and the first match counts") and len(first) < 250 and key not in first
    assert "12:30" in second


@pytest.mark.parametrize(
    ("reason", "end", "status", "error"),
    [
        ("stop", {}, "interrupted", "stopped before its end"),
        ("timeout", {"quiet_s": 0.5}, "timeout", "stopped at its time limit of 10.0s"),
        ("timeout", {"quiet_s": 5.0}, "timeout", "stopped at its time limit of 10.0s"),
        (
            "timeout",
            {"quiet_s": 6.0},
            "timeout",
            "stopped at its time limit of 10.0s; it had written nothing for the last 6.0s",
        ),
        ("timeout", {}, "timeout", "stopped at its time limit of 10.0s"),
        ("silence", {}, "timeout", "stopped since it had written nothing for 5.0s"),
        ("memory", {}, "oom", "stopped at its memory limit of 300 MB, its children included"),
        ("unstartable", {"error": "no such file: x"}, "failed", "no such file: x"),
    ],
)
def test_a_run_that_was_ended_says_by_what(reason, end, status, error):
    outcome = judged('{"acc": 0.5}', reason=reason, code=None, **end)
    assert (outcome.status, outcome.error, outcome.value) == (status, error, None)
    assert outcome.curves == {"acc": ((0.0, 0.5),)}


def test_a_short_limit_is_not_called_silence():
    assert (
        "nothing"
        not in judged(reason="timeout", code=None, quiet_s=1.0, spec=spec_with(timeout_s=1.2)).error
    )
    assert (
        "nothing"
        in judged(reason="timeout", code=None, quiet_s=1.1, spec=spec_with(timeout_s=1.2)).error
    )
    assert judged(
        reason="timeout", code=None, quiet_s=1.1, spec=spec_with(timeout_s=None)
    ).error.startswith("stopped at its time limit of 0.0s")


def test_a_metric_that_never_came_is_asked_for_by_what_did():
    assert judged('{"loss": 1}', spec=spec_with(metric="f1")).error.startswith(
        "the script ended without reporting f1; call agenthpo.report("
    )
    assert (
        judged('{"test": 1, "loss": 2}').error
        == "the script ended without reporting acc; it reported loss, test"
    )
    assert judged(alike=["acc = 0,5", "accuracy 3"]).error == (
        "the script ended without reporting acc; "
        "the lines most like it are 'acc = 0,5' | 'accuracy 3'; put a pattern with "
        "{number} into train.metrics, such as 'accuracy {number}'"
    )
    assert judged().status == "failed"


@pytest.mark.parametrize(
    ("code", "name"),
    [(-11, "11 (SIGSEGV)"), (139, "11 (SIGSEGV)"), (-15, "15 (SIGTERM)"), (143, "15 (SIGTERM)")],
)
def test_a_signal_has_its_name(code, name):
    assert judged(code=code).error == f"killed by signal {name}"


@pytest.mark.parametrize("code", [-9, 137])
def test_a_kill_is_often_the_system_running_out_of_memory(code):
    assert (
        judged(code=code).error
        == "killed by signal 9 (SIGKILL), which is often the system running out of memory"
    )


@pytest.mark.parametrize(
    ("lines", "tail", "error"),
    [
        ((), "", "exit code 1"),
        ((), "  \nboom  \n \n", "exit code 1: boom"),
        (
            ('{"acc": 0.5}', '{"acc": 0.123456789}'),
            "boom",
            "exit code 1 after reporting acc 0.123457: boom",
        ),
        ((), "x" * 300, "exit code 1: " + "x" * 200),
    ],
)
def test_an_exit_code_is_told_with_the_last_value_and_line(lines, tail, error):
    outcome = judged(*lines, code=1, tail=tail)
    assert (outcome.status, outcome.error) == ("failed", error)


def test_secrets_leave_a_line_before_it_is_cut():
    key = "sk-" + "a1b2c3d4e5f6g7h8i9j0" * 2
    for tail in (f"{'x ' * 85} {key}", f"{'x ' * 85} {key} CUDA out of memory"):
        assert "a1b2c3d4" not in judged(code=1, tail=tail).error


def test_exit_codes_are_ignored_where_the_task_says_so_and_a_value_came():
    spec = spec_with(ignores_exit_code=True)
    assert judged('{"acc": 0.5}', code=1, spec=spec).value == 0.5
    assert judged('{"acc": 0.5}', code=1).status == "failed"
    assert judged(code=1, spec=spec).status == "failed"
    assert judged('{"loss": 0.5}', code=1, spec=spec).status == "failed"
    for killed in (-11, 139, None):
        assert judged('{"acc": 0.5}', code=killed, spec=spec).status == "failed"


def test_a_pipe_whose_reader_ended_first_is_no_crash_only_with_pipefail():
    line, code = '{"acc": 0.5}', 128 + signal.SIGPIPE
    with_pipefail = spec_with(command=("bash", "--posix", "-o", "pipefail", "-c", "x | head"))
    assert judged(line, code=code, spec=with_pipefail).value == 0.5
    assert (
        judged(line, code=code, spec=spec_with(command=("sh", "-c", "x | head"))).status == "failed"
    )
    assert judged(code=code, spec=with_pipefail).status == "failed"
    assert judged(line, code=code + 1, spec=with_pipefail).status == "failed"
    assert judged(line, reason="unstartable", code=code, spec=with_pipefail).status == "failed"


OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"
TRACE = 'Traceback (most recent call last):\n  File "t.py", line 1, in <module>\n    f()'
CHAIN = "During handling of the above exception, another exception occurred:"
DIRECT = "The above exception was the direct cause of the following exception:"


@pytest.mark.parametrize(
    ("tail", "status"),
    [
        (f"{TRACE}\n{OOM}", "oom"),
        ("MemoryError", "oom"),
        ("x " * 150 + "out of memory", "oom"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "oom"),
        ("OSError: [Errno 12] Cannot allocate memory", "oom"),
        ("cuda runtime error: OUT OF MEMORY", "oom"),
        (f"{OOM}\n\n" + "hint\n" * 5, "oom"),  # advice after it
        (f"{OOM}\n" + "epoch\n" * 6, "failed"),  # it went on
        (f"{TRACE}\n{OOM}\n" + "frame\n" * 6, "oom"),  # a traceback's last words, then a backtrace
        ("Traceback\n" + "frame\n" * 11 + f"{OOM}\n" + "frame\n" * 6, "oom"),
        # another one's traceback, long ago
        ("Traceback\n" + "frame\n" * 12 + f"{OOM}\n" + "frame\n" * 6, "failed"),
        (f"caught: out of memory\n{TRACE}\nValueError: shapes", "failed"),
        (f"{OOM}\nerror: no such file", "failed"),
        (f"{OOM}\nSegmentation fault", "failed"),
        (f"{OOM}\n{CHAIN}\n{TRACE}\nRuntimeError: step failed", "oom"),
        (f"{OOM}\n{DIRECT}\n{TRACE}\nRuntimeError: step failed", "oom"),
        (
            f"{OOM}\n{TRACE}\ntorch.distributed.elastic.multiprocessing.errors.ChildFailedError: "
            "train.py FAILED",
            "oom",
        ),
        (f"{OOM}\n{TRACE}\nsubprocess.CalledProcessError: Command 'x' died", "oom"),
        (f"{OOM}\nValueError: shapes\nsubprocess.CalledProcessError: Command 'x' died", "failed"),
        (f"{OOM}\n{'epoch' * 3}\n" + "line\n" * 8 + "ray.exceptions.RayTaskError: died", "oom"),
        (f"ValueError: shapes\n{OOM}", "oom"),
        ("RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried 400 bytes", "oom"),
        ("RuntimeError: [enforce fail] . DefaultCPUAllocator: not enough memory: you", "oom"),
        ("numpy.ArrayError: Unable to allocate 3.73 GiB for an array with shape (9,)", "oom"),
        ("ResourceExhaustedError: OOM when allocating tensor with shape[8,8]", "oom"),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublas`", "oom"),
        ("RuntimeError: DataLoader worker (pid 3) is killed by signal: Killed. ", "oom"),
        ("RuntimeError: worker is killed by signal: Bus error; out of shared memory", "failed"),
        ("ValueError: shapes", "failed"),
    ],
)
def test_out_of_memory_is_what_ended_it_and_not_what_it_went_on_from(tail, status):
    outcome = judged(code=1, tail=tail)
    assert outcome.status == status
    if status == "oom":
        line = next(
            line
            for line in reversed(tail.splitlines())
            if any(word in line.lower() for word in ("memory", "alloc", "killed"))
        )
        assert outcome.error == f"out of memory: {line.strip()[:200]}"


def test_the_system_and_the_clock_go_before_what_the_log_says_of_memory():
    # it ended well, and reported nothing
    assert judged(code=0, tail=OOM, reason="exit").status == "failed"
    assert judged(code=None, tail=OOM, reason="timeout").status == "timeout"
    assert judged(code=-9, tail=OOM).status == "oom"
    assert judged(code=None, tail=OOM, reason="unstartable", error="lost").status == "failed"


@pytest.mark.parametrize(
    ("values", "direction", "at", "value"),
    [
        ([0.5, 0.9, 0.7], "maximize", "last", 0.7),
        ([0.5, 0.9, 0.7], "maximize", "best", 0.9),
        ([0.5, 0.4, 0.7], "minimize", "best", 0.4),
        ([0.5, math.nan], "maximize", "best", 0.5),
        ([0.5, math.inf], "maximize", "best", 0.5),
        ([0.5, math.nan], "maximize", "last", None),
        ([0.5, 0.6, -math.inf], "maximize", "last", None),
        ([math.nan, 0.5], "maximize", "last", 0.5),
        ([math.nan, math.inf], "minimize", "best", None),
    ],
)
def test_the_point_that_counts(values, direction, at, value):
    outcome = judged(
        *(json.dumps({"acc": value}) for value in values),
        spec=spec_with(direction=direction, at=at),
    )
    assert outcome.value == value
    assert outcome.status == ("diverged" if value is None else "complete")
    if value is None:
        assert outcome.error == f"acc ended as {values[-1]}"


ACC, TEST = "acc {number}", "test {number}"


@pytest.mark.parametrize(
    ("lines", "at", "test"),
    [
        (["acc 1", "test 10", "acc 3", "test 30", "acc 2", "test 20"], "best", 30),  # in turn
        (["test 10", "acc 1", "test 30", "acc 3", "test 20", "acc 2"], "best", 30),
        (["acc 1", "test 10", "test 30", "acc 3"], "best", None),  # no longer in turn
        (["acc 1", "acc 3", "test 10", "test 30"], "best", None),
        (["acc 1", "acc 3", "test 10"], "best", 10),  # once, after all others
        (["acc 3", "acc 1", "test 10"], "best", None),
        (["acc 3", "acc 1", "test 10"], "last", 10),
        # between the last but one and the last: it came after all but one
        (["acc 1", "test 10", "acc 3"], "best", 10),
        (["test 10", "acc 1", "acc 3"], "best", None),
        (["test 10", "acc 3"], "last", 10),
        (["acc 1", "test 10", "acc 2", "acc 3", "test 30"], "last", None),
        ([], "last", None),
        (
            [
                '{"epoch": 4, "acc": 1, "test": 10}',
                '{"epoch": 5, "acc": 3, "test": 30}',
                '{"epoch": 6, "acc": 2}',
            ],
            "best",
            30,
        ),
        (
            ['{"epoch": 4, "acc": 1}', '{"epoch": 4, "test": 10}', '{"epoch": 4, "test": 11}'],
            "last",
            11,
        ),
        (['{"epoch": 4, "acc": 1}', '{"epoch": 5, "test": 10}'], "last", None),
        (['{"epoch": 4, "acc": 1}', '{"test": 10}'], "last", 10),
        (['{"acc": 1}', '{"epoch": 4, "test": 10}'], "last", None),
        (['{"acc": 1, "test": 5}', '{"test": 7}'], "last", 5),  # of the same report
    ],
)
def test_the_test_value_belongs_to_the_value_or_is_none(lines, at, test):
    outcome = judged(
        *(lines or ["acc 1"]), patterns={"acc": ACC, "test": TEST}, spec=spec_with(at=at)
    )
    assert outcome.status == "complete"
    assert outcome.test_value == test


def test_an_outcome_is_saved_with_whose_it_is(tmp_path):
    outcome = judged('{"acc": 0.5, "test": 0.4}', tail="end", duration_s=1.0)
    save_outcome(outcome, tmp_path, SPEC.owner)
    assert load_outcome(tmp_path, SPEC.owner) == load_outcome(tmp_path) == outcome
    assert isinstance(outcome, Outcome)
    for other in (
        Owner("t", 3, {"lr": 0.1}, 1, ""),
        Owner("s", 4, {"lr": 0.1}, 1, ""),
        Owner("s", 3, {"lr": 0.2}, 1, ""),
    ):
        assert load_outcome(tmp_path, other) is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nul", '{"owner": {}}', '{"owner": {}, "status": "well"}', "[" * 200_000],
)
def test_what_is_no_outcome_is_none(text, tmp_path):
    (tmp_path / "outcome.json").write_text(text)
    assert load_outcome(tmp_path) is None


@pytest.mark.parametrize(
    "said", [b"", b"\n", b'{"reason": "ex', b"[]", b'{"reason": "exit", "more": 1}']
)
def test_a_supervisor_that_was_killed_says_nothing_or_half(said):
    assert read_end(said) == RunEnd("unsupervised", error="its supervisor was killed")
