"""From what a run reported and how it ended to an ``Outcome``, and that to a file and back.

The file is there whole or not at all.
"""

from __future__ import annotations

import json
import math
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean, median

from agenthpo.codec import decode_outcome, encode
from agenthpo.files import read_regular, write_whole
from agenthpo.limit import MEASURED
from agenthpo.records import Curve, Outcome, Owner, RunSpec, Status
from agenthpo.text.redaction import redact
from agenthpo.thinning import thinned
from agenthpo.training.causes import cause_of
from agenthpo.training.metrics import MetricReader
from agenthpo.training.missing import why_missing
from agenthpo.training.run_end import RunEnd
from agenthpo.units import format_duration

__all__ = ["judge", "load_outcome", "save_outcome"]

OUTCOME_FILE = "outcome.json"
_MEMORY = re.compile(
    r"out of memory|MemoryError|OutOfMemory|bad_alloc|(?:cannot|can't) allocate memory"
    r"|not enough memory|Unable to allocate [\d.]+ [KMGT]iB|OOM when allocating"
    r"|_ALLOC_FAILED|is killed by signal: Killed",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"(?:\w+\.)*\w*(?:Error|Exception|KeyboardInterrupt|SystemExit)\b"
    r"|\s*(?:error|fatal|panic|segmentation fault)\b",
    re.IGNORECASE,
)
"""How a line begins that reports an error: an exception of Python's, or what other programs
write.
"""
_CHAINED = re.compile(
    r"The above exception was the direct cause|During handling of the above exception"
)
_PASSED_ON = re.compile(
    r"ChildFailedError|CalledProcessError|ProcessRaisedException|ProcessExitedException"
    r"|RayTaskError|Error executing job"
)
"""Errors that only say that another process, whose error stands above, has failed."""
_HELD_BACK = (
    "; it wrote nothing at all, perhaps because it holds its output back: set train.pty: true, or "
    "let it flush (python -u)"
)
_AFTERWORDS = 5
"""Lines that may follow the last words about memory: advice, a backtrace's end."""
_LONGEST_CAUSE = 200
_MOST_POINTS = 200
"""What is kept of a curve, which is read for its shape."""


def judge(
    spec: RunSpec,
    reader: MetricReader,
    *,
    end: RunEnd,
    tail: str,
    ending: Sequence[str] | None = None,
    alike: Sequence[str] = (),
    file_problem: str = "",
) -> Outcome:
    """Return the outcome of a run that ended as ``end`` says.

    ``tail`` is the end of its log, ``ending`` more of its last lines, as they were written, from
    which the cause is read, ``alike`` the lines of output that come nearest to a report of
    the metric, ``file_problem`` why a metrics file gave none.
    """
    curves = {name: reader.curve(name) for name in reader.curves}
    several = [_several_words(name, line) for name, line in reader.several.items()]
    outcome = Outcome(
        status="failed",
        curves={
            name: thinned(curve, _MOST_POINTS)
            for name, curve in curves.items()
            if name != spec.test_metric
        },
        duration_s=end.duration_s,
        exit_code=end.exit_code,
        peak_mb=end.peak_mb,
        log_tail=tail,
        taken=dict(reader.taken),
        read_from=dict(reader.sources),
        warnings=(*several, *reader.unread.values()),
    )
    ended_badly = _bad_ending(
        spec, end, curves=curves, ending=tail.splitlines() if ending is None else ending
    )
    if ended_badly is not None:
        status, error = ended_badly
        return replace(outcome, status=status, error=error)
    curve = curves.get(spec.metric, ())
    if not curve:
        hint = why_missing(spec, curves, alike=alike, file_problem=file_problem)
        return replace(outcome, error=f"the script ended without reporting {spec.metric}; {hint}")
    place = _chosen(curve, spec)
    if place is None:
        return replace(outcome, status="diverged", error=f"{spec.metric} ended as {curve[-1][1]}")
    step, value = curve[place][0], _valued(curve, place, spec)
    measured = {
        **{name: curve[-1][1] for name, curve in curves.items() if curve},
        **{name: used for name in MEASURED if (used := getattr(outcome, name)) is not None},
        spec.metric: value,
    }
    for name in spec.others:
        if not math.isfinite(measured.get(name, 0.0)):
            return replace(outcome, status="diverged", error=f"{name} ended as {measured[name]}")
        if name not in measured:
            return replace(outcome, error=_lacking_words(name, "an objective", spec, curves))
    if lacking := next((x for x in spec.limits if x.metric not in measured), None):
        about = f"what '{lacking.text}' is about"
        return replace(outcome, error=_lacking_words(lacking.metric, about, spec, curves))
    return replace(
        outcome,
        status="complete",
        value=value,
        step=step,
        test_value=_test_value(spec, reader, place),
        others={name: measured[name] for name in spec.others},
        margins={limit.text: limit.margin(measured[limit.metric]) for limit in spec.limits},
    )


def _lacking_words(name: str, what: str, spec: RunSpec, curves: Mapping[str, Curve]) -> str:
    """Say that a metric did not come, and what it is."""
    others = sorted(name for name in curves if name != spec.test_metric)
    return (
        f"the script ended without reporting {name}, which is {what}; report "
        f"it beside {spec.metric}, or put its pattern into train.metrics (what came: "
        f"{', '.join([*others, *MEASURED])})"
    )


def _several_words(name: str, line: str) -> str:
    return (
        f"the pattern of {name} matches more than once in "
        f"{redact(line.strip(), quick=True)[:120]!r}, and the first match counts"
    )


def _test_value(spec: RunSpec, reader: MetricReader, place: int) -> float | None:
    """Return the test metric that belongs to the ``place``-th value of the metric, or None where
    that is not plain.

    It does where it came in the same report or line, at the same step that the script gave for
    both, or where both came without steps, in turn, one of each. One that came once, after all
    others, belongs to the last value.
    """
    test, curve = reader.curve(spec.test_metric or ""), reader.curve(spec.metric)
    if not test:
        return None
    ours, theirs = reader.places[spec.metric], reader.places[spec.test_metric or ""]
    for value, report in zip(reversed(test), reversed(theirs), strict=True):
        if report == ours[place]:
            return value[1]
    if not {spec.metric, spec.test_metric} & reader.counted:
        return next((value for step, value in reversed(test) if step == curve[place][0]), None)
    if len(test) == 1:
        is_at_end = spec.test_metric in reader.counted and (len(ours) == 1 or theirs[0] > ours[-2])
        return test[0][1] if is_at_end and place == len(curve) - 1 else None
    if not {spec.metric, spec.test_metric or ""} <= reader.counted or len(test) != len(curve):
        return None
    in_turn = any(
        first == sorted(first) for first in (_merged(ours, theirs), _merged(theirs, ours))
    )
    return test[place][1] if in_turn else None


def _merged(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return [report for pair in zip(first, second, strict=True) for report in pair]


def _bad_ending(
    spec: RunSpec, end: RunEnd, *, curves: dict[str, Curve], ending: Sequence[str]
) -> tuple[Status, str] | None:
    """Return status and one line for a run that did not end well, else None."""
    reason, code = end.reason, end.exit_code
    quiet = end.quiet_s
    if reason == "stop":
        return "interrupted", "stopped before its end"
    if reason == "pruned":
        return "pruned", end.error
    if reason == "diverged":
        return "diverged", end.error
    held = "" if spec.pty or curves or any(map(str.strip, ending)) else _HELD_BACK
    if reason == "timeout":
        is_silent = quiet > max(1.0, (spec.timeout_s or 0) / 2)
        silent = f"; it had written nothing for the last {format_duration(quiet)}"
        silent = (held or silent) if is_silent else ""
        return (
            "timeout",
            f"stopped at its time limit of {format_duration(spec.timeout_s or 0)}{silent}",
        )
    if reason == "silence":
        quiet_words = format_duration(spec.silence_s or 0)
        return "timeout", f"stopped since it had written nothing for {quiet_words}{held}"
    if reason == "memory":
        return (
            "oom",
            f"stopped at its memory limit of {spec.memory_mb:.0f} MB, its children included",
        )
    if reason == "exit" and (code == 0 or _counts_all_the_same(spec, code, curves)):
        return None
    lines = [line for line in ending if line.strip()]
    if reason == "exit" and (line := _memory_line(lines)):
        return "oom", f"out of memory: {redact(line, quick=True)[:200]}"
    if code is not None and (number := _signal_of(code)):
        hint = (
            ", which is often the system running out of memory" if number == signal.SIGKILL else ""
        )
        return "failed", f"killed by signal {number.value} ({number.name}){hint}"
    return "failed", end.error or _exit_words(spec, code, curves=curves, lines=lines)


def _counts_all_the_same(spec: RunSpec, code: int | None, curves: dict[str, Curve]) -> bool:
    """Return whether an exit code above 0 is no failure: the task says so, or it is that of a pipe
    whose reader ended first.
    """
    if code is None or not curves.get(spec.metric):
        return False
    if code == 128 + signal.SIGPIPE and "pipefail" in spec.command:
        return True
    return spec.ignores_exit_code and code > 0 and _signal_of(code) is None


def _memory_line(lines: Sequence[str]) -> str:
    """Return the line by which a script died of too little memory; nothing where another error came
    later.

    What it caught and continued from may be in the log as well: only the last error counts, and
    those it came from or that passed it on.
    """
    place = next((i for i in range(len(lines) - 1, -1, -1) if _MEMORY.search(lines[i])), None)
    if place is None:
        return ""
    later = lines[place + 1 :]
    errors = [line for line in later if _ERROR.match(line)]
    passed_on = any(_CHAINED.search(line) for line in later) or all(
        _PASSED_ON.search(line) for line in errors
    )
    is_last = (
        bool(errors)
        or len(later) <= _AFTERWORDS
        or any("Traceback" in line for line in lines[max(0, place - 12) : place])
    )
    return lines[place].strip() if passed_on and is_last else ""


def _signal_of(code: int) -> signal.Signals | None:
    """Return the signal that ended a program; a shell reports it as 128 and its number."""
    number = -code if code < 0 else code - 128
    return signal.Signals(number) if number in set(signal.Signals) else None


def _exit_words(
    spec: RunSpec, code: int | None, *, curves: dict[str, Curve], lines: list[str]
) -> str:
    curve = curves.get(spec.metric)
    after = f" after reporting {spec.metric} {curve[-1][1]:.6g}" if curve else ""
    cause = cause_of(lines)
    place = f" ({cause.place})" if cause.place else ""
    words = redact(cause.words, quick=True)[: _LONGEST_CAUSE - len(place)]
    return f"exit code {code}{after}" + (f": {words}{place}" if words else "")


def _valued(curve: Curve, place: int, spec: RunSpec) -> float:
    """Return the objective value where the point at ``place`` counts: its own, or that of it and
    the finite ones before it.
    """
    how, _, count = spec.at.partition(" of last ")
    if not count:
        return curve[place][1]
    last = [v for _, v in curve[max(0, len(curve) - int(count)) :] if math.isfinite(v)]
    return fmean(last) if how == "mean" else median(last)


def _chosen(curve: Curve, spec: RunSpec) -> int | None:
    """Return the place of the point that counts, or None where it is no finite number."""
    if spec.at != "best":
        return len(curve) - 1 if math.isfinite(curve[-1][1]) else None
    finite = [place for place, (_, value) in enumerate(curve) if math.isfinite(value)]
    best = max if spec.direction == "maximize" else min
    return best(finite, key=lambda place: curve[place][1], default=None)


def save_outcome(outcome: Outcome, workdir: Path, owner: Owner) -> None:
    """Write ``outcome`` into the trial's folder with whose it is."""
    write_whole(
        workdir / OUTCOME_FILE, json.dumps({**encode(outcome), "owner": asdict(owner)}).encode()
    )


def load_outcome(workdir: Path, owner: Owner | None = None) -> Outcome | None:
    """Return the outcome that was saved in ``workdir``, or None where there is none, or one that
    does not belong to ``owner``.

    Without ``owner`` it is only read, whosever it is: it must not count for a trial then.
    """
    try:
        raw = json.loads(read_regular(workdir / OUTCOME_FILE))
        whose = raw.pop("owner")
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ):  # torn, or a file of the script's own
        return None
    if owner is not None and whose != json.loads(json.dumps(asdict(owner))):
        return None
    try:
        return decode_outcome(raw)
    except ValueError:
        return None
