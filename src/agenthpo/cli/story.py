"""``agenthpo show STUDY N``: one trial's story."""

from __future__ import annotations

from pathlib import Path

from agenthpo.cli.repair import opened_to_read
from agenthpo.codec import to_json, trial_to_json
from agenthpo.errors import StudyError
from agenthpo.experience.requests import read_requests
from agenthpo.experience.storage import latest_folder
from agenthpo.files import RUN_LOG
from agenthpo.records import Trial
from agenthpo.text.printing import say
from agenthpo.text.story import story

__all__ = ["print_trial"]


def print_trial(folder: Path, number: int, *, as_json: bool) -> None:
    """Print the story of trial ``number``.

    :raises StudyError: if the study has no such trial.
    """
    with opened_to_read(folder) as log:
        trials = log.trials()
        metric = log.meta.metric
        direction = log.direction
    if not 0 <= number < len(trials):
        raise StudyError(
            f"the study {folder} has no trial {number}; it has {len(trials)}, from 0 on"
        )
    trial = trials[number]
    if as_json:
        curves = trial.outcome.curves if trial.outcome else {}
        log_file = latest_folder(folder, number) / RUN_LOG
        print(to_json({**trial_to_json(trial), "curves": curves, "log": str(log_file)}))
        return
    notes = [f"Note ({r.by}): {r.text}" for r in read_requests(folder).notes(number)]
    told = story(trial, trials[:number], metric=metric, direction=direction)
    say(*told, *notes, *_where(folder, trial))


def _where(folder: Path, trial: Trial) -> list[str]:
    log = latest_folder(folder, trial.number) / RUN_LOG
    return [f"Log: {log}"] if log.is_file() else []
