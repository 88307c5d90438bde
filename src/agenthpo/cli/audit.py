"""Audit a study's winner: which of its changes made the gain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from agenthpo.cli.exit_codes import INTERRUPTED
from agenthpo.cli.options import AtOnce, Json, StudyName, Trust
from agenthpo.cli.watching import shortened
from agenthpo.text.pasting import pasted
from agenthpo.text.printing import say

if TYPE_CHECKING:
    from agenthpo.audit import Audit

__all__ = ["audit"]


def audit(
    study: StudyName,
    trials: Annotated[
        int,
        typer.Option("--trials", min=3, max=100_000, help="How many trainings it takes at most."),
    ] = 40,
    workers: AtOnce = None,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Roll the winner's changes back to the default one at a time, on fresh seeds, and say which of
    them made the gain. What was run before counts, so that the same command goes on.
    """
    from dataclasses import asdict

    from agenthpo.audit import audit as audited
    from agenthpo.codec import to_json
    from agenthpo.studies import find_study

    folder = shortened(find_study(study))

    def told(done: int, of: int) -> None:
        if not json:
            say(f"{done} of at most {of} trainings")

    try:
        found = audited(folder, runs=trials, workers=workers, trusted=trust, on_round=told)
    except KeyboardInterrupt:
        again = pasted("audit", folder, "--trials", str(trials))
        say(f"Interrupted. What was run counts; go on with: {again}", error=True)
        return INTERRUPTED
    if json:
        print(to_json(asdict(found)))
        return 0
    say("", *_lines(found), f"The page has it too: {pasted('report', folder)}")
    return 0


def _lines(found: Audit) -> list[str]:
    from agenthpo.text.phrases import params_words

    lines = [
        f"Audit of trial {found.winner}, {found.runs} trainings:",
        *(f"    {change.words}" for change in found.changes),
        found.words,
    ]
    if found.is_minimal_as_good:
        lines.append(f"    {params_words(found.minimal)}")
    return lines
