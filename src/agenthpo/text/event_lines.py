"""Events as plain lines, for pipes and log files, or as JSON, one line an event."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from agenthpo.codec import to_json, trial_to_json
from agenthpo.events import (
    Analysed,
    Analysing,
    Certified,
    Event,
    Finished,
    Opened,
    Placed,
    Proposing,
    Reading,
    Repeated,
    Reported,
    Started,
    Stopped,
    Waiting,
)
from agenthpo.pareto import goals_words
from agenthpo.records import Direction, Trial
from agenthpo.space import format_number
from agenthpo.text.certificate_lines import certificate_lines
from agenthpo.text.phrases import (
    budget_words,
    certain_words,
    params_words,
    summary,
    trial_words,
    widening_words,
)
from agenthpo.text.printing import say
from agenthpo.text.story import needs_words

__all__ = ["TextLines", "print_json"]


class TextLines:
    """Print events as text; the closing summary needs what the study was opened as."""

    def __call__(self, event: Event) -> None:
        """Print ``event``."""
        if isinstance(event, Opened):
            self._opened = event
        if isinstance(event, Stopped):
            say("", *summary(self._opened, event), *certain_words(self._opened, event))
        elif isinstance(event, Certified):
            say("", *certificate_lines(event.certificate, self._opened.folder))
        elif isinstance(event, Waiting):  # perhaps before anything is open
            say(f"    {event.why}")
        else:
            _print_text(
                event,
                self._opened.direction,
                several=self._opened.workers > 1 or self._opened.shared,
            )


def _print_text(event: Event, direction: Direction, *, several: bool) -> None:
    match event:
        case Opened():
            if event.hint:
                say(event.hint)
            say(
                f"Study {event.folder}: "
                f"{goals_words(event.metric, event.direction, event.goals)}, "
                f"{budget_words(event.budget)}, model {event.model}"
            )
        case Started(trial=trial):
            again = " again" if event.again else ""
            say(
                f"[{trial.number}] {trial.proposal.who}{again}: "
                f"{params_words(trial.proposal.params)}"
            )
            if trial.proposal.rationale:
                say(f"    {trial.proposal.rationale}")
            if trial.proposal.note:
                say(f"    note: {trial.proposal.note}")
            if foretold := needs_words(trial.proposal.needs):
                say(f"    foretold: {foretold}")
            if advice := widening_words(trial):
                say(f"    {advice}")
        case Repeated():
            value = "no value" if event.value is None else format_number(event.value)
            which = f"[{event.trial}] " if several else ""
            say(f"    {which}run {event.run} of {event.runs}: {value}")
        case Reading():
            say(f"    reading its log: {event.done / 1e6:.0f} of {event.total / 1e6:.0f} MB")
        case Finished(trial=trial):
            which = f"[{trial.number}]" if several else "   "
            if event.elsewhere:
                which += " by another driver:"
            say(f"{which} {trial_words(trial, event.incumbent, direction)}")
            if trial.analysis and trial.analysis.note:
                say(f"    note: {trial.analysis.note}")
        case Analysed(trial=trial) if trial.analysis:
            if trial.analysis.author != "rules":
                say(f"    on [{trial.number}], {trial.analysis.author}: {trial.analysis.insight}")
            if trial.analysis.note:
                say(f"    note on [{trial.number}]: {trial.analysis.note}")


def print_json(event: Event) -> None:
    """Print an event as one line of JSON."""
    print(to_json(_as_json(event)), flush=True)


def _as_json(event: Event) -> dict[str, Any]:
    name = {"event": type(event).__name__.lower()}
    match event:
        case Opened():
            return {**name, **asdict(event), "trials": [trial_to_json(t) for t in event.trials]}
        case Proposing() | Placed() | Repeated() | Reported() | Reading() | Waiting():
            return {**name, **asdict(event)}
        case Certified(certificate=certificate):
            return {**name, **certificate.to_json()}
        case Started(trial=trial):
            return {**name, "again": event.again, "trial": trial_to_json(trial)}
        case Analysing(trial=trial):
            return {**name, "trial": trial.number}
        case Analysed(trial=trial):
            return {**name, "trial": trial_to_json(trial)}
        case Finished(trial=trial):
            return {
                **name,
                "trial": trial_to_json(trial),
                "incumbent": _number(event.incumbent),
                "elsewhere": event.elsewhere,
            }
        case Stopped():
            return {
                **name,
                "reason": event.reason,
                "trials": len(event.trials),
                "fault": event.fault,
                "incumbent": event.incumbent and trial_to_json(event.incumbent),
                "shadow": event.shadow and asdict(event.shadow),
            }


def _number(trial: Trial | None) -> int | None:
    return None if trial is None else trial.number
