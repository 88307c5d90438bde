"""What the Creator has earned: from how its results rank against the engine's, whether its
intervals held, how often it had nothing valid.

Pure, and from the trials alone, so that a resumed study trusts as it would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenthpo.llm.model_class import ModelClass
from agenthpo.records import Direction, Trial
from agenthpo.trials import improvements, upward

__all__ = [
    "CLASSES",
    "FIRST_TURNS",
    "Record",
    "Trust",
    "assessed",
    "is_creators",
    "record_of",
    "was_asked",
]

CLASSES: dict[ModelClass, tuple[float, float]] = {
    "strong": (2.0, 1.0),
    "unknown": (1.0, 1.0),
    "small": (0.5, 1.0),
    "embedded": (0.3, 1.2),
}
"""What a model of a class is taken to have shown before its first trial: results better and worse
than the engine's.
"""
_FORGETTING = 0.8
"""What a result counts for when one more has come from the same side: a model that fades or blooms
late is seen.
"""
_INTERVAL, _REFUSED = 0.25, 0.25
"""What a stated interval that held or failed, and a request without a valid reply, count for beside
a result.
"""
FIRST_TURNS: dict[ModelClass, int] = {"strong": 3, "unknown": 2, "small": 1, "embedded": 1}
"""Turns that a model of a class begins with, the later ones only where the first beat the default.
"""
_LEAST_GAP, _ENGINE_GAP = 14, 6
_UNTOUCHED, _STANDS = 10, 3
"""Trials in which nobody takes a trusted strong model's turn, until so many of its trials in a row
have gained nothing.
"""


@dataclass(frozen=True)
class Trust:
    """How likely the Creator's next result is to be better than one of the engine's, and the
    evidence for it.
    """

    value: float
    results: int
    """Results of the Creator's."""
    better: float
    """Share of comparisons with the engine's results that they won, the later ones counting more;
    0.5 without any.
    """
    held: int
    judged: int
    """Stated intervals that held, of those that could be judged."""
    refused: int
    """Requests that brought nothing valid."""
    nearer: int = 0
    compared: int = 0
    """Forecasts that were nearer to the result than the engine's of the same trial, of those that
    could be compared. They are shown and do not count: who foresees what its bad ideas come to has
    earned no turn by it.
    """
    standstill: int = 0
    """Latest trials of the Creator's in a row since anything improved the best value."""

    @property
    def share(self) -> float:
        """Share of the trials that are the Creator's to propose."""
        return min(max((self.value - 0.25) / 0.4, 0.0), 1.0)

    def words(self) -> str:
        """Return it in one line."""
        parts = [
            f"trust {self.value:.2f}",
            f"{self.results} results, better than the engine's in {self.better:.0%}",
        ]
        if self.judged:
            parts.append(f"{self.held} of {self.judged} intervals held")
        if self.compared:
            parts.append(f"nearer than the engine's forecast in {self.nearer} of {self.compared}")
        if self.refused:
            parts.append(f"{self.refused} refused")
        return ", ".join(parts)


def was_asked(trial: Trial) -> bool:
    """Return whether the Creator was asked for this trial, whether or not its answer was used."""
    return trial.proposal.source in ("creator", "fallback") or trial.proposal.mode == "by position"


Record = tuple[float, float]
"""Results better and worse than the engine's that a model brings from earlier studies, beside those
of its class.
"""
_BROUGHT = 2.0
"""What all earlier studies of a model count for, in results, at most."""


def record_of(earlier: Sequence[Trust]) -> Record:
    """Return what a model brings from ``earlier`` studies: half of what it showed there, and no
    more than two results.
    """
    shown = [trust for trust in earlier if trust.results]
    better = sum(0.5 * trust.results * trust.better for trust in shown)
    worse = sum(0.5 * trust.results * (1 - trust.better) for trust in shown)
    scale = min(1.0, _BROUGHT / (better + worse)) if shown else 0.0
    return better * scale, worse * scale


def assessed(
    trials: Sequence[Trial],
    direction: Direction,
    *,
    kind: ModelClass = "unknown",
    record: Record = (0.0, 0.0),
) -> Trust:
    """Return what the Creator has earned in ``trials``, beginning with its class and its
    ``record``.
    """
    # The mean of a Beta distribution, whose counts begin with those of the class and the record.
    # Result i ago counts forgetting^i, and its share beaten s_i twice:
    #
    #     trust = (better + 2 sum_i w_i s_i) / (better + worse + 2 sum_i w_i)
    better = CLASSES[kind][0] + record[0]
    worse = CLASSES[kind][1] + record[1]
    sign = upward(direction)
    asked = [t for t in trials if was_asked(t) and t.outcome is not None]
    engines = [t for t in trials if t.outcome is not None and t.proposal.source != "creator"]
    weight = 1.0
    won = total = 0.0
    held = judged = refused = results = 0
    compared = list[bool]()
    for trial in reversed(asked):
        if trial.proposal.source != "creator":
            refused += 1
            worse += _REFUSED * weight
            continue
        results += 1
        share = _share_beaten(trial, engines, sign)
        if share is not None:
            won += weight * share
            total += weight
        if (
            trial.proposal.mode != "choice"
            and trial.proposal.expected is not None
            and trial.value is not None
        ):
            judged += 1
            is_held = trial.proposal.expected.holds(trial.value)
            held += is_held
            if is_held:
                better += _INTERVAL * weight
            else:
                worse += _INTERVAL * weight
        if (is_nearer := _is_nearer(trial)) is not None:
            compared.append(is_nearer)
        weight *= _FORGETTING
    value = (better + 2 * won) / (better + worse + 2 * total)
    return Trust(
        value=value,
        results=results,
        better=won / total if total else 0.5,
        held=held,
        judged=judged,
        nearer=sum(compared),
        compared=len(compared),
        refused=refused,
        standstill=_standstill(asked, trials, direction),
    )


def _is_nearer(trial: Trial) -> bool | None:
    """Return whether the Creator's forecast of ``trial`` was nearer to the result than the
    engine's; None where one of the three is missing, or both were as near.
    """
    own, others = trial.proposal.expected, trial.proposal.forecast
    if own is None or others is None or trial.value is None:
        return None
    mine, theirs = abs(own.value - trial.value), abs(others.value - trial.value)
    return None if mine == theirs else mine < theirs


def _standstill(asked: Sequence[Trial], trials: Sequence[Trial], direction: Direction) -> int:
    improved = improvements(trials, direction)
    last = improved[-1].number if improved else -1
    return sum(t.number > last for t in asked)


def _share_beaten(trial: Trial, engines: Sequence[Trial], sign: int) -> float | None:
    """Return the share of the engine's results that ``trial`` is better than; a failure is worse
    than every result.
    """
    recent = [t for t in engines if t.value is not None][-8:]
    if not recent:
        return None
    recent = sorted(recent, key=lambda t: -sign * t.value)[: (len(recent) + 1) // 2]  # type: ignore[operator]
    if trial.value is None:
        return 0.0
    ahead = [sign * (trial.value - t.value) for t in recent]  # type: ignore[operator]
    return sum(1.0 if a > 0 else 0.5 if a == 0 else 0.0 for a in ahead) / len(ahead)


def is_creators(
    trials: Sequence[Trial],
    trust: Trust,
    *,
    kind: ModelClass = "unknown",
) -> bool:
    """Return whether the next trial is the Creator's, for a model of class ``kind``.

    The first ones are: the engine has no data yet. Then it proposes its share, spread
    evenly, but at least one trial in fifteen, and at most five in six. A strong model keeps its
    first turns after one loss, and while it is trusted and gains nobody takes its turn in the first
    ten trials.
    """
    later = [t for t in trials if t.proposal.source != "default"]
    is_strong = kind == "strong"
    if len(later) < FIRST_TURNS[kind]:
        return not later or trust.better > 0.5 or (is_strong and trust.results < 2)
    is_gaining = trust.share == 1 and trust.standstill < _STANDS
    if is_strong and len(trials) < _UNTOUCHED and is_gaining:
        return True
    since_creator = next((i for i, t in enumerate(reversed(later)) if was_asked(t)), len(later))
    since_engine = next((i for i, t in enumerate(reversed(later)) if not was_asked(t)), len(later))
    if since_creator >= _LEAST_GAP:
        return True
    if since_engine >= _ENGINE_GAP - 1:
        return False
    recent = later[-8:]
    return sum(map(was_asked, recent)) + 1 <= trust.share * (len(recent) + 1) + 0.5
