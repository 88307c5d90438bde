"""Certify a study's winner, round by round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from agenthpo.cli.exit_codes import INTERRUPTED
from agenthpo.cli.options import AtOnce, Json, StudyName, Trust
from agenthpo.cli.watching import shortened
from agenthpo.text.pasting import pasted
from agenthpo.text.printing import say

if TYPE_CHECKING:
    from agenthpo.certificate import Certificate

__all__ = ["certify"]


def certify(
    study: StudyName,
    runs: Annotated[
        int,
        typer.Option("--runs", min=2, max=100_000, help="How many trainings it takes at most."),
    ] = 40,
    most: Annotated[
        int | None,
        typer.Option(
            "--contenders",
            min=1,
            max=20,
            help="How many of the best configurations are compared with the default; up to three "
            "without it, as many as leave eight rounds.",
        ),
    ] = None,
    workers: AtOnce = None,
    trust: Trust = False,
    json: Json = False,
) -> int:
    """Run the best configurations and the default on fresh seeds, until it is sure whether one is
    better. What was run before counts, so that the same command goes on.
    """
    from agenthpo.certify import certify as certified
    from agenthpo.codec import to_json
    from agenthpo.space import format_number
    from agenthpo.studies import find_study
    from agenthpo.text.certificate_lines import certificate_lines

    folder = find_study(study)

    def told(number: int, values: Mapping[int, float], so_far: Certificate) -> None:
        if json:
            return
        names = {so_far.default.trial: "default"}
        each = ", ".join(
            f"{names.get(trial, f'trial {trial}')} {format_number(value)}"
            for trial, value in values.items()
        )
        say(f"round {number + 1}, {so_far.runs} runs: {each}")

    try:
        found = certified(
            shortened(folder), runs=runs, most=most, workers=workers, trusted=trust, on_round=told
        )
    except KeyboardInterrupt:
        again = pasted("certify", shortened(folder))
        say(f"Interrupted. What was run counts; go on with: {again}", error=True)
        return INTERRUPTED
    if json:
        print(to_json(found.to_json()))
        return 0
    say("", *certificate_lines(found, shortened(folder)))
    return 0
