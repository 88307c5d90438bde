"""One of several drivers of a study: it joins the study where it is, and works until its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agenthpo.cli.options import Json, KeepGoing, Trust, duration_of
from agenthpo.cli.watching import shortened, watched

if TYPE_CHECKING:
    from agenthpo.events import OnEvent, Stopped

__all__ = ["worker"]


def worker(
    study: Annotated[
        str,
        typer.Argument(
            metavar="STUDY",
            help="A study's name or folder, or a task's folder. With --storage, the folder that "
            "gets this machine's part of it.",
        ),
    ],
    task: Annotated[
        Path | None,
        typer.Option(
            "--task",
            metavar="TASK.yaml",
            help="The task file on this machine; the one that the study was begun with without it.",
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL",
            help="The database that has the study, where its folder is on another machine. The "
            "study is the one of the folder's name.",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option("--workers", min=1, max=256, help="How many trials this driver runs at once."),
    ] = 1,
    takeover_after: Annotated[
        str | None,
        typer.Option(
            "--takeover-after",
            metavar="DURATION",
            help="How long another driver may show no sign of life until its trials are run here; "
            "60 (seconds) without it. One on this machine is taken over as soon as it has ended.",
        ),
    ] = None,
    trust: Trust = False,
    keep_going: KeepGoing = False,
    json: Json = False,
) -> int:
    """Work in a study beside other workers, on this machine or on others, until its budget is
    spent.
    """
    from agenthpo.experience.beats import GRACE_S
    from agenthpo.experience.finding import join
    from agenthpo.session import work
    from agenthpo.studies import find_study
    from agenthpo.taskfile.reading import load_task

    given = None if task is None else load_task(task)
    grace_s = duration_of("--takeover-after", takeover_after) or GRACE_S
    if storage is None:
        folder = find_study(study)
    else:
        folder = Path(study)
        join(folder, storage)

    def worked(on_event: OnEvent) -> Stopped:
        return work(
            shortened(folder),
            task=given,
            workers=workers,
            keep_going=keep_going,
            trusted=trust,
            grace_s=grace_s,
            on_event=on_event,
        )

    return watched(folder, worked, as_json=json, again="worker")
