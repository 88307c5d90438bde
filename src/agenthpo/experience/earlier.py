"""Finished studies of any program, read for what they found: Optuna storages by URL or file, and
CSV. Reading changes nothing.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from agenthpo.codec import decode_proposal
from agenthpo.errors import StudyError, first_line
from agenthpo.experience.journal import read_journal, storage_of
from agenthpo.experience.storage import database_to_read
from agenthpo.files import read_regular
from agenthpo.knowledge.earlier import Earlier
from agenthpo.records import Params
from agenthpo.scalars import as_switch, whole_number
from agenthpo.text.urls import shown_url

__all__ = ["read_earlier"]

_SQLITE = b"SQLite format 3"
_PREFIX = "params_"
"""Of a parameter's column in what ``optuna.Study.trials_dataframe`` writes."""
_DONE = ("", "COMPLETE", "complete")


def read_earlier(text: str, *, metric: str) -> list[Earlier]:
    """Return the studies that the storage URL or the file ``text`` holds.

    :param metric: the column of a CSV file that has the values; ``value`` where there is none.
    :raises StudyError: if it cannot be read, or holds no result.
    """
    if "://" in text:
        studies = list(_of_database(text, shown_url(text)))
    else:
        path = Path(text)
        if not _is_file(path):
            raise StudyError(
                f"--from {text}: there is no such study, file or Optuna storage; name a study's "
                "folder, a CSV file, or a URL such as sqlite:///study.db"
            )
        studies = list(_of_file(path, metric))
    studies = [study for study in studies if study.results]
    if not studies:
        raise StudyError(f"--from {text}: it holds no trial that has a value")
    return studies


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a folder that may not be searched
        return False


def _of_file(path: Path, metric: str) -> Iterator[Earlier]:
    if path.suffix.lower() == ".csv":
        yield _of_csv(path, metric)
        return
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(len(_SQLITE)) == _SQLITE
        journal = None if is_sqlite else read_journal(path)
    except OSError as problem:
        raise StudyError(f"--from {path}: it cannot be read ({problem.strerror})") from None
    if journal is None:
        yield from _of_database(f"sqlite:///{path.resolve()}", str(path))
    else:
        yield from _of_storage(storage_of(journal), str(path))


def _of_database(url: str, place: str) -> Iterator[Earlier]:
    try:
        storage = database_to_read(url, has_begun=False)
    except StudyError:  # whose words are about a study's own storage
        raise StudyError(
            f"--from {place}: the database cannot be opened; see that it is there and whole"
        ) from None
    if storage is not None:
        yield from _of_storage(storage, place)


def _of_storage(storage: BaseStorage, place: str) -> Iterator[Earlier]:
    try:
        names = optuna.get_all_study_names(storage)
        for name in names:
            study = optuna.load_study(study_name=name, storage=storage)
            if len(study.directions) == 1:
                is_down = study.direction == StudyDirection.MINIMIZE
                yield Earlier(
                    name,
                    tuple(_results(study.get_trials(deepcopy=False))),
                    direction="minimize" if is_down else "maximize",
                )
    except Exception as problem:  # whatever a driver or a damaged record raises
        raise StudyError(f"--from {place}: it cannot be read ({first_line(problem)})") from None


def _results(trials: Sequence[FrozenTrial]) -> Iterator[tuple[Params, float]]:
    for trial in trials:
        if trial.state == TrialState.COMPLETE and trial.value is not None:
            own = trial.user_attrs.get("proposal")
            # a study of ours keeps values that Optuna's distributions cannot
            params = decode_proposal(own).params if own is not None else dict(trial.params)
            yield params, trial.value


def _of_csv(path: Path, metric: str) -> Earlier:
    try:
        rows = list(csv.DictReader(io.StringIO(read_regular(path).decode("utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise StudyError(f"--from {path}: it cannot be read ({first_line(problem)})") from None
    columns = [name for name in (rows[0] if rows else {}) if name]
    column = next((name for name in (metric, "value") if name in columns), None)
    if column is None:
        raise StudyError(
            f"--from {path}: it has no column '{metric}' or 'value'; it has "
            f"{', '.join(columns) or 'none'}"
        )
    # what a data frame of Optuna's calls a parameter; else every other column is one
    named = [name for name in columns if name.startswith(_PREFIX)]
    names = named or [name for name in columns if name != column]
    results = []
    for row in rows:
        value = whole_number(row[column] or "")
        if value is None or not math.isfinite(value) or (row.get("state") or "") not in _DONE:
            continue
        params = {
            name.removeprefix(_PREFIX): _value(text)
            for name in names
            if isinstance(text := row[name], str) and text != ""
        }
        results.append((params, float(value)))
    return Earlier(path.stem, tuple(results))


def _value(text: str) -> object:
    number = whole_number(text)
    return as_switch(text.strip()) if number is None else number
