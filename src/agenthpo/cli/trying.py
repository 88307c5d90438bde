"""``agenthpo check --try``: one short run of the default configuration, and what arrived."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from agenthpo.cli.live import sparkline
from agenthpo.codec import to_json
from agenthpo.errors import TaskError
from agenthpo.files import is_of_tools
from agenthpo.records import Outcome, Params
from agenthpo.space import format_number
from agenthpo.task import Task
from agenthpo.text import printing
from agenthpo.text.phrases import params_words
from agenthpo.training.runner import run
from agenthpo.units import format_duration

__all__ = ["TRY_S", "example", "try_once"]

TRY_S = 20.0
_LAST_LINES, _WIDTH = 8, 40
_MOST_FILES, _SHOWN_FILES = 5000, 3
_FACTS = (
    "status",
    "value",
    "test_value",
    "duration_s",
    "peak_mb",
    "exit_code",
    "error",
    "log_tail",
    "taken",
    "read_from",
    "warnings",
)


def example(task: Task) -> Params:
    """Return the default configuration, or the first value of each parameter that has none."""
    values = {
        p.name: p.default if p.has_default else p.values[0] if p.is_discrete else p.low
        for p in task.space
    }
    return task.space.restrict(values)


def try_once(task: Task, *, seconds: float = TRY_S, as_json: bool = False) -> bool:
    """Run the default configuration once for at most so many ``seconds``, report what arrived, and
    return whether that was as it should be.

    :raises TaskError: if it failed.
    """
    params = example(task)
    shared = Path(task.train.cwd or ".") if task.train.run_folder is None else None
    before = _files(shared)
    with tempfile.TemporaryDirectory(prefix="agenthpo-try-") as folder:
        limit = min(seconds, task.train.timeout_s or seconds)
        spec = replace(task.spec(0, params, seed=0, workdir=Path(folder, "trial")), timeout_s=limit)
        said = f"Trying {params_words(params)} for at most {format_duration(limit)} …"
        printing.say(said, error=True)
        outcome = run(spec)
    after = _files(shared)
    written = sorted(name for name, when in after.items() if before.get(name) != when)
    curve = outcome.curves.get(task.objective.metric, ())
    stopped = outcome.status == "timeout"
    good = outcome.value is not None or (stopped and bool(curve))
    if as_json:
        print(to_json({"try": _facts(task, outcome, good=good, written=written)}))
        return good
    printing.say(*_words(task, outcome, written))
    if not good and not stopped:
        raise TaskError(
            f"{task.file}: the default configuration {outcome.status}: {outcome.error}; "
            "see the last lines above"
        )
    return True


def _facts(task: Task, outcome: Outcome, *, good: bool, written: list[str]) -> dict[str, Any]:
    return {
        "ok": good,
        "values": [value for _, value in outcome.curves.get(task.objective.metric, ())],
        **{key: getattr(outcome, key) for key in _FACTS},
        "written": written,
        "budget_s": _budget_s(task, outcome),
    }


def _words(task: Task, outcome: Outcome, written: list[str]) -> list[str]:
    values = [value for _, value in outcome.curves.get(task.objective.metric, ())]
    lines = [_what_came(task, outcome)]
    if len(values) > 1:
        ends = f"{format_number(values[0])} to {format_number(values[-1])}"
        lines.append(f"    {task.objective.metric}: {sparkline(values, _WIDTH)} {ends}")
    lines += [
        f"    {name} was taken from the line {line.strip()!r}"
        for name, line in outcome.taken.items()
    ]
    lines += [
        f"    {name} was read from {source}"
        for name, source in outcome.read_from.items()
        if source and name not in outcome.taken
    ]
    lines += [f"    Warning: {warning}" for warning in outcome.warnings]
    if written:
        lines.append(f"    Warning: {_written_words(written)}")
    if outcome.value is None and not (outcome.status == "timeout" and values):
        lines += [
            "It last printed:",
            *(f"    {line}" for line in outcome.log_tail.splitlines()[-_LAST_LINES:]),
        ]
    elif said := _time_words(task, outcome):
        lines.append(said)
    return lines


def _what_came(task: Task, outcome: Outcome) -> str:
    metric = task.objective.metric
    curve = outcome.curves.get(task.objective.metric, ())
    memory = "" if outcome.peak_mb is None else f", {outcome.peak_mb:.0f} MB"
    took = f"{format_duration(outcome.duration_s)}{memory}"
    reports = f"{len(curve)} report{'s' * (len(curve) != 1)}"
    if outcome.value is not None:
        tested = (
            ""
            if outcome.test_value is None
            else f", {task.objective.test_metric} {format_number(outcome.test_value)}"
        )
        return (
            f"It works: {metric} {format_number(outcome.value)}{tested} from {reports}, in {took}."
        )
    if outcome.status == "timeout" and curve:
        values = ", ".join(format_number(value) for _, value in curve[-5:])
        return (
            f"It works so far: {reports} of {metric}, the last {values}, in {took}; stopped there."
        )
    if outcome.status == "timeout":
        return f"It runs, but had not reported {metric} in {took}; stopped there."
    return f"It ended as {outcome.status} in {took}."


def _budget_s(task: Task, outcome: Outcome) -> float | None:
    """Return how many seconds the budget's trials will take, at least where this one was stopped;
    None where nothing says how many there are.
    """
    trials, limit = task.budget.trials, task.budget.time_s
    if trials is None:
        return limit
    whole = outcome.duration_s * trials
    return whole if limit is None else min(whole, limit)


def _time_words(task: Task, outcome: Outcome) -> str:
    seconds = _budget_s(task, outcome)
    if seconds is None or task.budget.trials is None:
        return ""
    each, whole = format_duration(outcome.duration_s), format_duration(seconds)
    if outcome.value is None:
        return (
            f"A trial takes more than {each}, and the {task.budget.trials} of the budget more "
            f"than {whole}; --for 5m tries it for longer."
        )
    cut = " (its time limit)" if seconds == task.budget.time_s else ""
    trials = task.budget.trials
    return f"A trial takes about {each}, and the {trials} of the budget {whole}{cut}."


def _written_words(written: list[str]) -> str:
    names = ", ".join(written[:_SHOWN_FILES])
    more = f" and {len(written) - _SHOWN_FILES} more" if len(written) > _SHOWN_FILES else ""
    return (
        f"it writes {names}{more} into the task's folder, where each trial overwrites the one "
        "before; write to {trial_dir}, or set train.folder: copy"
    )


def _files(folder: Path | None) -> dict[str, int]:
    """Return the files below ``folder`` with the times at which they changed; those of caches and
    hidden folders are nobody's results.
    """
    return {} if folder is None else dict(_changes(folder, folder, [_MOST_FILES]))


def _changes(folder: Path, root: Path, left: list[int]) -> Iterator[tuple[str, int]]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            left[0] -= 1
            if left[0] < 0:
                return
            if entry.name.startswith(".") or is_of_tools(entry.path):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _changes(Path(entry.path), root, left)
            elif entry.is_file(follow_symlinks=False):
                changed = entry.stat(follow_symlinks=False).st_mtime_ns
                yield str(Path(entry.path).relative_to(root)), changed
