"""From what a run reported and how it ended to an :class:`Outcome`, and that to a file and back.

The file is there whole or not at all.
"""

from __future__ import annotations

import json
import math
import re
import signal
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agenthpo.codec import decode_outcome, encode
from agenthpo.files import read_regular, write_whole
from agenthpo.records import Curve, Outcome, Owner, RunSpec, thinned
from agenthpo.units import format_duration

__all__ = ["judge", "load_outcome", "save_outcome"]

OUTCOME_FILE = "outcome.json"
_MEMORY = re.compile(r"out of memory|MemoryError|OutOfMemory|bad_alloc|Cannot allocate memory", re.IGNORECASE)
_MOST_POINTS = 200
"""What is kept of a curve, which is read for its shape."""


def judge(
    spec: RunSpec,
    curves: dict[str, Curve],
    end: dict[str, Any],
    tail: str,
    *,
    alike: Sequence[str] = (),
    counted: Collection[str] = (),
) -> Outcome:
    """Return the outcome of a run that ended as ``end`` says: reason, exit_code, duration_s, perhaps error.

    ``alike`` are the lines of output that come nearest to a report of the metric, ``counted`` the metrics
    whose points have no step of their own.
    """
    facts = {
        "curves": {name: thinned(curve, _MOST_POINTS) for name, curve in curves.items() if name != spec.test_metric},
        "duration_s": end.get("duration_s", 0.0),
        "exit_code": end.get("exit_code"),
        "peak_mb": end.get("peak_mb"),
        "log_tail": tail,
    }
    status, error = _ending(spec, end, curves, tail)
    if status is not None:
        return Outcome(status=status, error=error, **facts)
    curve = curves.get(spec.metric, ())
    if not curve:
        return Outcome(status="failed", error=f"the script ended without reporting {spec.metric}; {_hint(curves, alike)}", **facts)
    point = _chosen(curve, spec)
    if point is None:
        return Outcome(status="diverged", error=f"{spec.metric} ended as {curve[-1][1]}", **facts)
    return Outcome(status="complete", value=point[1], step=point[0], test_value=_test_value(spec, curves, point, counted), **facts)


def _test_value(spec: RunSpec, curves: dict[str, Curve], point: tuple[float, float], counted: Collection[str]) -> float | None:
    """Return the test metric at the step of ``point``; one that was reported once, without a step, belongs to the last point."""
    curve = curves.get(spec.test_metric or "", ())
    if len(curve) == 1 and spec.test_metric in counted:
        return curve[0][1] if point == curves[spec.metric][-1] else None
    return next((value for step, value in reversed(curve) if step == point[0]), None)


def _hint(curves: dict[str, Curve], alike: Sequence[str]) -> str:
    if curves:
        return f"it reported {', '.join(sorted(curves))}"
    if alike:
        lines = " | ".join(repr(line) for line in alike)
        return f"the lines most like it are {lines}; put a pattern with {{number}} into train.metrics"
    return "call agenthpo.report(), print a JSON line, or set train.metrics"


def _ending(spec: RunSpec, end: dict[str, Any], curves: dict[str, Curve], tail: str) -> Any:
    """Return status and one line for a run that did not end well, else ``(None, "")``."""
    reason, code = end["reason"], end.get("exit_code")
    quiet = end.get("quiet_s", 0.0)
    if reason == "stop":
        return "interrupted", "stopped before its end"
    if reason == "timeout":
        silent = f"; it had written nothing for the last {format_duration(quiet)}" if quiet > max(1.0, (spec.timeout_s or 0) / 2) else ""
        return "timeout", f"stopped at its time limit of {format_duration(spec.timeout_s or 0)}{silent}"
    if reason == "silence":
        return "timeout", f"stopped since it had written nothing for {format_duration(spec.silence_s or 0)}"
    if reason == "memory":
        return "oom", f"stopped at its memory limit of {spec.memory_mb:.0f} MB, its children included"
    if reason == "exit" and code == 0:
        return None, ""
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    if line := next((line for line in reversed(lines) if _MEMORY.search(line)), ""):
        return "oom", f"out of memory: {line[:200]}"
    if code is not None and (number := _signal_of(code)):
        hint = ", which is often the system running out of memory" if number == signal.SIGKILL else ""
        return "failed", f"killed by signal {number.value} ({number.name}){hint}"
    return "failed", end.get("error") or _exit_words(spec, code, curves, lines)


def _signal_of(code: int) -> signal.Signals | None:
    """Return the signal that ended a program; a shell tells it as 128 and its number."""
    number = -code if code < 0 else code - 128
    return signal.Signals(number) if number in set(signal.Signals) else None


def _exit_words(spec: RunSpec, code: int | None, curves: dict[str, Curve], lines: list[str]) -> str:
    curve = curves.get(spec.metric)
    after = f" after reporting {spec.metric} {curve[-1][1]:.6g}" if curve else ""
    return f"exit code {code}{after}" + (f": {lines[-1][:200]}" if lines else "")


def _chosen(curve: Curve, spec: RunSpec) -> tuple[float, float] | None:
    """Return the point that counts, or None where it is no finite number."""
    if spec.at == "last":
        return curve[-1] if math.isfinite(curve[-1][1]) else None
    finite = [point for point in curve if math.isfinite(point[1])]
    best = max if spec.direction == "maximize" else min
    return best(finite, key=lambda point: point[1], default=None)


def save_outcome(outcome: Outcome, workdir: Path, owner: Owner) -> None:
    """Write ``outcome`` into the trial's folder with whose it is."""
    write_whole(workdir / OUTCOME_FILE, json.dumps({**encode(outcome), "owner": asdict(owner)}).encode())


def load_outcome(workdir: Path, owner: Owner) -> Outcome | None:
    """Return the outcome that was saved in ``workdir``, or None where there is none that belongs to ``owner``."""
    try:
        raw = json.loads(read_regular(workdir / OUTCOME_FILE))
    except (OSError, ValueError):  # of an attempt that ended in the middle, or a file of the script's own
        return None
    if not isinstance(raw, dict) or raw.pop("owner", None) != json.loads(json.dumps(asdict(owner))):
        return None
    try:
        return decode_outcome(raw)
    except ValueError:
        return None
