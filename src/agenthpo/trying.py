"""One short run of a task's default configuration, before anything is spent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from agenthpo.agents.prompt.log_lines import informative
from agenthpo.files import is_of_tools
from agenthpo.records import Outcome, Params
from agenthpo.space import format_number
from agenthpo.task import Task
from agenthpo.text.sparkline import sparkline
from agenthpo.training.runner import run
from agenthpo.units import format_duration

__all__ = ["TRY_S", "Tried", "example", "limit_s", "tried", "tried_words"]

TRY_S = 20.0
"""Seconds that it takes at most."""
_MOST_FILES, _SHOWN_FILES = 5000, 3
_LAST_LINES, _LAST, _WIDTH = 8, 1000, 40


@dataclass(frozen=True)
class Tried:
    """What arrived."""

    outcome: Outcome
    values: tuple[float, ...]
    """The values of the metric that were reported, in their order."""
    written: tuple[str, ...]
    """Files that it wrote into the task's folder, which all trials share."""
    budget_s: float | None
    """How many seconds the budget's trials will take, at least where this one was stopped; None
    where nothing says how many there are.
    """

    @property
    def was_cut(self) -> bool:
        """Whether it was stopped when its time was over."""
        return self.outcome.status == "timeout"

    @property
    def is_good(self) -> bool:
        """Whether it gave a value, or had begun to when it was stopped."""
        return self.outcome.value is not None or (self.was_cut and bool(self.values))


def tried(task: Task, seconds: float = TRY_S) -> Tried:
    """Run the default configuration once, for at most so many ``seconds``."""
    shared = Path(task.train.cwd or ".") if task.train.run_folder is None else None
    before = _files(shared)
    with tempfile.TemporaryDirectory(prefix="agenthpo-try-") as folder:
        spec = task.spec(0, example(task), seed=0, workdir=Path(folder, "trial"))
        outcome = run(replace(spec, timeout_s=limit_s(task, seconds)))
    after = _files(shared)
    return Tried(
        outcome,
        tuple(value for _, value in outcome.curves.get(task.objective.metric, ())),
        tuple(sorted(name for name, when in after.items() if before.get(name) != when)),
        _budget_s(task, outcome),
    )


def limit_s(task: Task, seconds: float) -> float:
    """Return for how many seconds it runs where ``seconds`` are given: a trial may take less."""
    return min(seconds, task.train.timeout_s or seconds)


def tried_words(task: Task, found: Tried, *, shows_test: bool = True) -> list[str]:
    """Return what arrived in lines, with the test metric unless it is not for the reader's eyes."""
    outcome, values = found.outcome, found.values
    test = task.objective.test_metric
    hidden = frozenset() if shows_test or test is None else frozenset({test})
    lines = [_what_came(task, found, shows_test=shows_test)]
    if len(values) > 1:
        ends = f"{format_number(values[0])} to {format_number(values[-1])}"
        lines.append(f"    {task.objective.metric}: {sparkline(list(values), _WIDTH)} {ends}")
    lines += [
        f"    {name} was taken from the line {line.strip()!r}"
        for name, line in outcome.taken.items()
        if name not in hidden
    ]
    lines += [
        f"    {name} was read from {source}"
        for name, source in outcome.read_from.items()
        if source and name not in outcome.taken and name not in hidden
    ]
    lines += [f"    Warning: {warning}" for warning in outcome.warnings]
    if found.written:
        lines.append(f"    Warning: {_written_words(found.written)}")
    if not found.is_good:
        last = outcome.log_tail.splitlines()[-_LAST_LINES:]
        told = last if shows_test else informative("\n".join(last), most=_LAST, hidden=test or "")
        lines += ["It last printed:", *(f"    {line}" for line in told)]
    elif said := _time_words(task, found):
        lines.append(said)
    return lines


def _what_came(task: Task, found: Tried, *, shows_test: bool) -> str:
    outcome, values = found.outcome, found.values
    metric = task.objective.metric
    memory = "" if outcome.peak_mb is None else f", {outcome.peak_mb:.0f} MB"
    took = f"{format_duration(outcome.duration_s)}{memory}"
    reports = f"{len(values)} report{'s' * (len(values) != 1)}"
    if outcome.value is not None:
        tested = (
            ""
            if outcome.test_value is None or not shows_test
            else f", {task.objective.test_metric} {format_number(outcome.test_value)}"
        )
        return (
            f"It works: {metric} {format_number(outcome.value)}{tested} from {reports}, in {took}."
        )
    if found.was_cut and values:
        last = ", ".join(map(format_number, values[-5:]))
        return f"It works so far: {reports} of {metric}, the last {last}, in {took}; stopped there."
    if found.was_cut:
        return f"It runs, but had not reported {metric} in {took}; stopped there."
    return f"It ended as {outcome.status} in {took}."


def _time_words(task: Task, found: Tried) -> str:
    outcome, seconds = found.outcome, found.budget_s
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


def _written_words(written: Sequence[str]) -> str:
    names = ", ".join(written[:_SHOWN_FILES])
    more = f" and {len(written) - _SHOWN_FILES} more" if len(written) > _SHOWN_FILES else ""
    return (
        f"it writes {names}{more} into the task's folder, where each trial overwrites the one "
        "before; write to {trial_dir}, or set train.folder: copy"
    )


def example(task: Task) -> Params:
    """Return the default configuration, or the first value of each parameter that has none."""
    values = {
        p.name: p.default if p.has_default else p.values[0] if p.is_discrete else p.low
        for p in task.space
    }
    return task.space.restrict(values)


def _budget_s(task: Task, outcome: Outcome) -> float | None:
    """Return how many seconds the budget's trials will take, at least where this one was stopped;
    None where nothing says how many there are.
    """
    trials, limit = task.budget.trials, task.budget.time_s
    if trials is None:
        return limit
    whole = outcome.duration_s * trials
    return whole if limit is None else min(whole, limit)


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
