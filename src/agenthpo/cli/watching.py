"""A study while it runs: which view shows it, and the exit code it ends with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from agenthpo.cli.exit_codes import INTERRUPTED, NOTHING_FOUND
from agenthpo.text.pasting import pasted
from agenthpo.text.printing import say

if TYPE_CHECKING:
    from agenthpo.events import OnEvent, Stopped

__all__ = ["shortened", "watched"]


def watched(
    folder: Path, tune: Callable[[OnEvent], Stopped], *, as_json: bool, again: str = "resume"
) -> int:
    """Run ``tune`` with a view and return the exit code; an interruption says how to resume, by the
    command ``again``.
    """
    resuming = pasted(again, shortened(folder))
    try:
        with _view(as_json) as on_event:
            stopped = tune(on_event)
    except KeyboardInterrupt:
        say(f"Interrupted. Resume with: {resuming}", error=True)
        return INTERRUPTED
    if stopped.fault:
        say(
            f"Error: {stopped.fault}. Then resume with: {resuming} "
            "(--keep-going to spend the budget all the same)",
            error=True,
        )
        return NOTHING_FOUND
    return 0 if stopped.incumbent else NOTHING_FOUND


def shortened(folder: Path) -> Path:
    """Return ``folder`` relative to the working folder if it lies within."""
    folder = folder.resolve()
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _view(as_json: bool) -> AbstractContextManager[OnEvent]:
    """Return what shows events: JSON if it was asked for, the live view in a terminal, else
    lines.
    """
    from agenthpo.text.event_lines import TextLines, print_json

    if as_json:
        return nullcontext(print_json)
    if not sys.stdout.isatty():
        return nullcontext(TextLines())
    from agenthpo.cli.live import live_view
    from agenthpo.text.printing import clean_console

    return live_view(clean_console())
