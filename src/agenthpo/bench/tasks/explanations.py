"""An example of what the Creator says of its trials, as the paper shows one."""

from __future__ import annotations

from pathlib import Path

from agenthpo.bench.tasks.groups import Runs, directions_of
from agenthpo.bench.tasks.scores import label
from agenthpo.bench.tasks.stored_runs import StoredRun, StoredTrial
from agenthpo.bench.tasks.trained import TASKS_FOLDER
from agenthpo.space import same, short_number
from agenthpo.trials import upward

__all__ = ["explanations"]


def explanations(runs: Runs, folder: Path = TASKS_FOLDER) -> tuple[str, str]:
    """Return a title and a table in Markdown of the run whose Creator gave the most reasons of its
    own: each of its trials with what it changed of the best so far, why, and what came. Both are
    empty where no Creator gave any.
    """
    told = max(runs, key=lambda run: len(_reasons(run)), default=None)
    if told is None or not _reasons(told):
        return "", ""
    sign = upward(directions_of([told], folder)[told.task])
    lines = ["| trial | change of the best so far | why | value |", "|---|---|---|---|"]
    best: StoredTrial | None = None
    for trial in told.trials:
        if trial.source in ("creator", "default"):
            changed = _changes(best, trial) if best else "the first"
            value = trial.state if trial.value is None else f"{trial.value:.4g}"
            why = " ".join(trial.rationale.split()).replace("|", "/")
            lines.append(f"| {trial.number} | {changed} | {why} | {value} |")
        if trial.value is not None and (
            best is None or best.value is None or sign * (trial.value - best.value) > 0
        ):
            best = trial
    return f"What {label(told)} says: {told.task}, seed {told.seed}", "\n".join(lines)


def _reasons(run: StoredRun) -> set[str]:
    return {t.rationale for t in run.trials if t.source == "creator" and t.mode == "free"}


def _changes(best: StoredTrial, trial: StoredTrial) -> str:
    words = [
        f"{name} {short_number(best.params.get(name))} → {short_number(value)}"
        for name, value in trial.params.items()
        if not same(best.params.get(name), value)
    ]
    return ", ".join(words) or "none"
