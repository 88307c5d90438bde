"""The live view: the current trial as it trains, the table of trials, the incumbent's course, the
latest words, tokens and time left.

It is a function of the events so far: ``Board`` takes them in, ``render`` draws it; what draws
it again and again is rich.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from agenthpo.certificate import Certificate
from agenthpo.cli.tables import trial_table
from agenthpo.events import (
    Analysed,
    Analysing,
    Certified,
    Event,
    Finished,
    OnEvent,
    Opened,
    Placed,
    Proposing,
    Reading,
    Reported,
    Started,
    Stopped,
    Waiting,
)
from agenthpo.records import Trial, Usage
from agenthpo.space import format_number
from agenthpo.text.certificate_lines import certificate_lines
from agenthpo.text.phrases import budget_words, certain_words, params_words, summary, widening_words
from agenthpo.text.sparkline import sparkline
from agenthpo.trials import course, incumbent, whole_trainings
from agenthpo.units import format_duration

__all__ = ["Board", "live_view"]

_MOST_RUNNING = 8
"""Trials at once that get a line each."""


@contextmanager
def live_view(console: Console) -> Iterator[OnEvent]:
    """Yield what takes in events while the view is shown; afterwards the summary stays on the
    screen.
    """
    board = Board()
    try:
        with Live(
            get_renderable=lambda: board.render(console.height),
            console=console,
            refresh_per_second=4,
            transient=True,
        ) as live:

            def on_event(event: Event) -> None:
                board.take(event)
                live.refresh()

            yield on_event
    finally:  # after Ctrl-C as well: what was found so far stays to be seen
        console.print(board.closing())


class Board:
    """What is known from the events so far."""

    def __init__(self) -> None:
        self.opened: Opened | None = None
        self.stopped: Stopped | None = None
        self.certificate: Certificate | None = None
        self.trials: dict[int, Trial] = {}
        self.points: dict[int, dict[str, list[float]]] = {}
        self.places: dict[int, str] = {}
        self.doing = "opening the study"
        self.since = time.monotonic()
        self._spinner = Spinner("dots")
        self._began = (time.monotonic(), 0.0)

    def take(self, event: Event) -> None:
        """Take in an event."""
        match event:
            case Opened():
                self.opened = event
                self.trials = {t.number: t for t in event.trials}
                self._began = (time.monotonic(), whole_trainings(self._done()))
            case Proposing():
                self._do(f"choosing the configuration of trial {event.trial}")
            case Started(trial=trial):
                self.trials[trial.number] = trial
                self.points[trial.number] = {}
                self.places.pop(trial.number, None)
                self._do(f"trial {trial.number} trains{' again' if event.again else ''}")
            case Placed():
                self.places[event.trial] = event.place
            case Reported():
                points = self.points.setdefault(event.trial, {})
                for name, value in event.values.items():
                    points.setdefault(name, []).append(value)
            case Reading():
                self.doing = (
                    f"reading the log of trial {event.trial}, {event.done / 1e6:.0f} of "
                    f"{event.total / 1e6:.0f} MB"
                )
            case Analysing(trial=trial):
                # beside a training it is nothing that anybody waits for
                if not self._running():
                    self._do(f"the Executor reads trial {trial.number}")
            case Finished(trial=trial) | Analysed(trial=trial):
                self.trials[trial.number] = trial
                self.points.pop(trial.number, None)
                self.places.pop(trial.number, None)
            case Waiting():
                self._do(event.why)
            case Stopped():
                self.stopped = event
            case Certified(certificate=certificate):
                self.certificate = certificate

    def render(self, height: int = 40) -> RenderableType:
        """Draw the view in at most ``height`` lines."""
        if self.opened is None:
            return Text("")
        words = self._words()
        more = max(min(len(self._running()), _MOST_RUNNING + 1) - 2, 0)
        room = max(3, height - 13 - len(words) - more)
        return Group(self._headline(), self._table(room), self._current(), *words, self._footer())

    def closing(self) -> RenderableType:
        """Draw what stays when the view goes: all trials and the summary, or nothing before the
        first trial.
        """
        if self.opened is None or not self.trials:
            return Text("")
        parts: list[RenderableType] = [self._headline(), self._table(len(self.trials))]
        if self.stopped is not None:
            words = certain_words(self.opened, self.stopped)
            parts.append(Text("\n".join([*summary(self.opened, self.stopped), *words])))
        if self.certificate is not None:
            lines = certificate_lines(self.certificate, self.opened.folder)
            parts.append(Text("\n".join(["", *lines])))
        return Group(*parts)

    def _done(self) -> list[Trial]:
        # others may have ended theirs in another order
        return [t for _, t in sorted(self.trials.items()) if t.outcome is not None]

    def _running(self) -> list[Trial]:
        return [t for t in self.trials.values() if t.outcome is None]

    def _do(self, what: str) -> None:
        self.doing = what
        self.since = time.monotonic()

    def _headline(self) -> Text:
        assert self.opened is not None
        opened = self.opened
        text = Text(f"{opened.hint}\n" if opened.hint else "", style="yellow")
        text.append(opened.study, "bold")
        return text.append(
            f": {opened.direction} {opened.metric}, {budget_words(opened.budget)}, model "
            f"{opened.model}",
            "not bold default",
        )

    def _table(self, room: int) -> Table:
        assert self.opened is not None
        done = self._done()
        best = incumbent(done, self.opened.direction)
        shown = done[-room:]
        if best is not None and best not in shown:
            shown = [best, *shown[1:]]
        return trial_table(shown, self.opened.metric, best, one_line=True)

    def _current(self) -> RenderableType:
        assert self.opened is not None
        self._spinner.update(text=f" {self.doing}, {time.monotonic() - self.since:.0f} s")
        lines: list[RenderableType] = [self._spinner]
        running = self._running()
        for trial in running[:_MOST_RUNNING]:
            values = self.points.get(trial.number, {}).get(self.opened.metric, [])
            which = f"[{trial.number}] " if len(running) > 1 else ""
            words = f"{which}{trial.proposal.who}: {params_words(trial.proposal.params)}"
            curve = f"{self.opened.metric} {format_number(values[-1])} " if values else ""
            drawn = sparkline(values, 40 if len(running) == 1 else 16)
            if len(running) == 1:
                lines.append(Text(words, overflow="ellipsis", no_wrap=True))
                if values:
                    lines.append(Text.assemble(curve, (drawn, "cyan")))
            else:
                place = self.places.get(trial.number, "")
                line = Text.assemble(
                    which,
                    (f"{place}: " if place else "", "dim"),
                    curve,
                    (drawn, "cyan"),
                    " ",
                    words[len(which) :],
                )
                line.no_wrap, line.overflow = True, "ellipsis"
                lines.append(line)
        if len(running) > _MOST_RUNNING:
            lines.append(Text(f"and {len(running) - _MOST_RUNNING} more train"))
        return Panel(Group(*lines), title="now", title_align="left", padding=(0, 1))

    def _words(self) -> list[RenderableType]:
        latest = list(self.trials.values())[-1:]
        words = [
            (t.proposal.who.capitalize(), t.proposal.rationale)
            for t in latest
            if t.proposal.source != "default" and t.proposal.rationale
        ]
        words += [("turn", t.proposal.turn) for t in latest if t.proposal.turn]
        words += [("note", t.proposal.note) for t in latest if t.proposal.note]
        words += [("Creator", said) for t in latest if (said := widening_words(t))]
        read = next((t for t in reversed(self.trials.values()) if t.analysis is not None), None)
        if read is not None and read.analysis is not None:
            words.append((f"Executor on trial {read.number}", read.analysis.insight))
            if read.analysis.note:
                words.append(("note", read.analysis.note))
        return [Text.assemble((f"{who}: ", "bold"), text[:300]) for who, text in words]

    def _footer(self) -> Text:
        assert self.opened is not None
        done = self._done()
        best = incumbent(done, self.opened.direction)
        parts = []
        if best is not None:
            parts.append(
                f"best {format_number(best.value)} (trial {best.number}) "
                f"{sparkline(self._course(done), 20)}"
            )
        usage = sum((t.usage for t in self.trials.values()), Usage())
        if usage.tokens > 0:
            parts.append(f"{usage.tokens} tokens")
        if left := self._time_left(whole_trainings(done)):
            parts.append(left)
        return Text("  ·  ".join(parts))

    def _course(self, done: list[Trial]) -> list[float]:
        """Return the incumbent's value after each trial."""
        assert self.opened is not None
        return course(done, self.opened.direction)[1]

    def _time_left(self, done: float) -> str:
        assert self.opened is not None
        began, before = self._began
        trials = self.opened.budget.trials
        if trials is None or done <= before:
            return ""
        each = (time.monotonic() - began) / (done - before)
        return f"about {format_duration(each * max(0, trials - done))} left"
