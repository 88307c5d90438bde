"""An example of what the Creator says of its trials, as the paper shows one."""

from __future__ import annotations

from pathlib import Path

from agenthpo.bench.tasks.groups import Runs, directions_of
from agenthpo.bench.tasks.scores import label, trials_of
from agenthpo.bench.tasks.stored_runs import StoredRun, StoredTrial
from agenthpo.bench.tasks.trained import TASKS_FOLDER
from agenthpo.records import Direction
from agenthpo.space import differing, short_number
from agenthpo.trials import improvements, upward

__all__ = ["explanations"]


def explanations(runs: Runs, folder: Path = TASKS_FOLDER) -> tuple[str, str]:
    """Return a title and a table in Markdown of the run whose Creator improved the most often by
    ideas of its own: each of its trials with what it changed of the best so far, why, and what
    came. Both are empty where no Creator gave any reasons.
    """
    directions = directions_of(runs, folder)
    told = max(
        (run for run in runs if _reasons(run)),
        key=lambda run: (_paid(run, directions[run.task]), len(_reasons(run))),
        default=None,
    )
    if told is None:
        return "", ""
    sign = upward(directions[told.task])
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


def _paid(run: StoredRun, direction: Direction) -> int:
    found = improvements(trials_of(run), direction)
    return sum(t.proposal.source == "creator" for t in found)


def _changes(best: StoredTrial, trial: StoredTrial) -> str:
    words = [
        f"{name} {short_number(best.params.get(name))} → {short_number(trial.params[name])}"
        for name in differing(best.params, trial.params)
        if name in trial.params
    ]
    return ", ".join(words) or "none"
