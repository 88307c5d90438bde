"""What comes before a study: a task file drafted from a script, and a try of it."""

from __future__ import annotations

from agenthpo.errors import TaskError
from agenthpo.init.draft import draft
from agenthpo.init.writing import write_new
from agenthpo.operations.answers import Checked, Drafted
from agenthpo.operations.place import Place
from agenthpo.taskfile.reading import load_task
from agenthpo.trying import TRY_S, limit_s, tried, tried_words

__all__ = ["check_task", "draft_task"]

_LONGEST_TRY_S = 45.0
"""A client cuts a call after 60 seconds."""


def draft_task(at: Place, script: str, metric: str = "") -> Drafted:
    """Draft ``task.yaml`` beside a training script, which is read and not run.

    :param script: the script's path.
    :param metric: what to tune; the best suited metric without it.
    :raises TaskError: where there is nothing to draft from, or a task file is there already.
    """
    file = at.path(script)
    drafted = draft(file, metric or None)
    out = file.parent / "task.yaml"
    if out.exists():
        raise TaskError(
            f"{at.shown(out)} is there already and is not overwritten; check it with check_task, "
            "or edit it"
        )
    write_new(out, drafted.text)
    load_task(out)
    name = at.shown(out)
    first = "fill in what to_fill names, look" if drafted.to_fill else "look"
    return Drafted(
        task=name,
        metric=drafted.metric,
        tuned=list(drafted.tuned),
        guessed=list(drafted.guessed),
        to_fill=list(drafted.to_fill),
        text=drafted.text,
        next=f"{first} at what is guessed, edit {name} where it is wrong, then check_task",
    )


def check_task(at: Place, task: str, seconds: float = TRY_S) -> Checked:
    """Validate a task file and run its default configuration once, briefly; nothing is spent.

    :param task: the task file's path.
    :param seconds: how long the run may take, 45 at most.
    :raises TaskError: where the file is wrong.
    """
    if not 1 <= seconds <= _LONGEST_TRY_S:
        raise TaskError(f"seconds is {seconds:g}, but must be from 1 to {_LONGEST_TRY_S:g}")
    loaded = load_task(at.path(task))
    found = tried(loaded, limit_s(loaded, seconds))
    name = at.shown(at.path(task))
    return Checked(
        task=name,
        works=found.is_good,
        says=tried_words(loaded, found, shows_test=False),
        seconds=round(found.outcome.duration_s, 2),
        memory_mb=found.outcome.peak_mb,
        budget_s=None if found.budget_s is None else round(found.budget_s, 1),
        default=loaded.space.default(),
        space=[parameter.describe() for parameter in loaded.space],
        next=f"open_study with {name}"
        if found.is_good
        else f"put {name} or the script right, and check again",
    )
