"""What lies in a folder of studies, and what a trial wrote, without the test metric."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from agenthpo.errors import AgentHPOError, StudyError
from agenthpo.experience.finding import STUDIES
from agenthpo.experience.storage import latest_folder
from agenthpo.files import RUN_LOG, open_regular
from agenthpo.operations.hiding import without_test
from agenthpo.operations.place import Place, Standing
from agenthpo.studies import is_study
from agenthpo.text.cleaning import clean
from agenthpo.text.redaction import redact
from agenthpo.trials import incumbent

__all__ = ["log_of", "studies_in"]

_END = 64_000
"""Bytes of a log that are looked at, from its end."""
_MOST_LINES = 200


def studies_in(at: Place) -> list[dict[str, Any]]:
    """Return the studies of the folder, each with its metric, its trials and its best value; one
    that cannot be read with the reason.
    """
    found = []
    for folder in sorted((at.root / STUDIES).glob("*")):
        if not is_study(folder):
            continue
        facts: dict[str, Any] = {"study": at.shown(folder)}
        try:
            opened = Standing.at(folder)
        except AgentHPOError as problem:
            facts["problem"] = str(problem)
        else:
            best = incumbent(opened.trials, opened.task.objective.direction)
            facts |= {
                "metric": opened.task.objective.metric,
                "direction": opened.task.objective.direction,
                "trials": len(opened.done),
                "best": best and best.value,
            }
        found.append(facts)
    return found


def log_of(at: Place, study: str, trial: int) -> str:
    """Return the last lines of a trial's log, without secrets and what speaks of the test metric.

    :raises StudyError: where there is none.
    """
    opened = Standing.at(at.study(study))
    opened.trial(trial)
    file = latest_folder(opened.folder, trial) / RUN_LOG
    text = ""
    with suppress(OSError), open(open_regular(file), "rb") as log:
        size = os.fstat(log.fileno()).st_size
        log.seek(max(size - _END, 0))
        text = log.read().decode("utf-8", "replace")
    if not text:
        raise StudyError(f"trial {trial} has written nothing")
    lines = [redact(clean(line), quick=True) for line in text.splitlines()[-_MOST_LINES:]]
    return "\n".join(without_test(lines, opened.task.objective.test_metric))
