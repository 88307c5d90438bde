"""Ask something of a study that others may ask at the same time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agenthpo.experience.requests import Overtaken, Request, add_request
from agenthpo.operations.place import Standing

__all__ = ["ask"]

_TURNS = 20


def ask(folder: Path, decided: Callable[[Standing], Request]) -> tuple[Request, Standing]:
    """Add the request that is decided on by the study as it stands, and return both; where another
    one comes in between, it is decided anew. A request that has its id is asked for already.

    :raises StudyError: if it cannot be added, or others always come first.
    """
    for turn in range(_TURNS):
        opened = Standing.at(folder)
        request = decided(opened)
        if request.id:
            return request, opened
        try:
            return add_request(folder, request, known=opened.asked), opened
        except Overtaken:
            if turn == _TURNS - 1:
                raise
    raise AssertionError("a turn ends the loop")
