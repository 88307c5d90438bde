"""A study in a notebook: one table below the cell, which grows as the trials end."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import Any

from agenthpo.events import (
    Analysed,
    Event,
    Finished,
    OnEvent,
    Opened,
    Proposing,
    Reported,
    Started,
    Stopped,
)
from agenthpo.records import Trial
from agenthpo.text.event_lines import TextLines
from agenthpo.text.html import study_html
from agenthpo.text.phrases import budget_words, params_words, summary
from agenthpo.text.printing import say
from agenthpo.trials import incumbent

__all__ = ["NotebookTable", "in_notebook", "listener"]

_EVERY_S = 0.5
"""Between two drawings of what a training reports."""


def in_notebook() -> bool:
    """Return whether this code runs in a cell of Jupyter, Colab or the like."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")  # a terminal's IPython has none


def listener() -> OnEvent:
    """Return what shows a study where nobody listens: a table in a notebook, else lines."""
    return NotebookTable() if in_notebook() else TextLines()


class NotebookTable:
    """Show the events of a study as a table that is drawn again in its place."""

    def __init__(self) -> None:
        self._opened: Opened | None = None
        self._trials: dict[int, Trial] = {}
        self._now = ""
        self._handle: Any = None
        self._drawn = 0.0

    def __call__(self, event: Event) -> None:
        """Take in ``event`` and draw."""
        match event:
            case Opened():
                self._opened = event
                self._trials = {t.number: t for t in event.trials}
                if event.hint:
                    say(event.hint)
            case Proposing():
                self._now = f"choosing the configuration of trial {event.trial}"
            case Started(trial=trial):
                self._trials[trial.number] = trial
                said = params_words(trial.proposal.params)
                self._now = f"trial {trial.number} by {trial.proposal.who} trains: {said}"
            case Reported():
                if time.monotonic() - self._drawn < _EVERY_S:
                    return
                values = params_words(dict(event.values))
                self._now = f"trial {event.trial} trains, step {event.step:g}: {values}"
            case Finished(trial=trial) | Analysed(trial=trial):
                self._trials[trial.number] = trial
                self._now = ""
            case Stopped():
                self._now = ""
                self._draw()
                if self._opened is not None:
                    say(*summary(self._opened, event))
                return
            case _:
                return
        self._draw()

    def _draw(self) -> None:
        # IPython tells no types of these
        ipython: Any = import_module("IPython.display")

        opened = self._opened
        if opened is None:
            return
        trials = list(self._trials.values())
        headline = (
            f"{opened.study}: {opened.direction} {opened.metric}, {budget_words(opened.budget)}"
        )
        best = incumbent(trials, opened.direction)
        table = ipython.HTML(
            study_html(headline, trials, metric=opened.metric, best=best, now=self._now)
        )
        if self._handle is None:
            self._handle = ipython.display(table, display_id=True)
        else:
            self._handle.update(table)
        self._drawn = time.monotonic()
