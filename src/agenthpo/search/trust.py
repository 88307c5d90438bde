"""What the Creator has earned: from how its results rank against the engine's, whether its
intervals held, how often it had nothing valid, and how often each side still improves the best.

The next trial is the side's that is likelier to improve on the best with it. Pure, and from the
trials alone, so that a resumed study trusts as it would have.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agenthpo.llm.model_class import ModelClass
from agenthpo.records import CREATORS, Direction, Expected, Trial
from agenthpo.trials import alike, improvements, upward

__all__ = [
    "CLASSES",
    "FIRST_TURNS",
    "Record",
    "Trust",
    "assessed",
    "has_earned",
    "is_creators",
    "is_nearer",
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
_NOT_ENGINES = CREATORS | {"human"}
"""What a person had tried is neither side's."""
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
_LEAST_GAP, _ENGINE_GAP = 14, 9
"""Trials in a row after which the other side has its turn, whatever it has shown: the Creator, and
the engine.
"""
_LEAST = 0.45
"""Trust below which earlier gains earn the Creator no turn: they may have been luck."""
_GAINS, _ENGINE_GAINS = (0.6, 1.0), (0.4, 1.2)
"""Trials that improved the best, and trials that did not, which each side is taken to have had."""
_GAIN_FORGETTING = 0.85
"""What such a trial counts for when one more has come from the same side: gains become rarer."""


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
    gains: float = _GAINS[0] / sum(_GAINS)
    engine_gains: float = _ENGINE_GAINS[0] / sum(_ENGINE_GAINS)
    """How probable the next trial of either side is to improve the best value, by its latest."""
    has_gained: bool = False
    """Whether the Creator's latest trial did."""

    def words(self) -> str:
        """Return it in one line."""
        parts = [
            f"trust {self.value:.2f}",
            f"{self.results} results, better than the engine's in {self.better:.0%}",
            f"likely to gain {self.gains:.0%}, the engine {self.engine_gains:.0%}",
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
    return trial.proposal.source in (*CREATORS, "fallback") or trial.proposal.mode == "by position"


_JUDGED, _NEARER = 8, 6
"""Forecasts that are looked at, and how many of them must be nearer than the engine's."""
Record = tuple[float, float]
"""Results better and worse than the engine's that a model brings from earlier studies, beside those
of its class.
"""
_BROUGHT = 2.0
"""What all earlier studies of a model count for, in results, at most."""


def has_earned(trials: Sequence[Trial]) -> bool:
    """Return whether a weak model has earned a trial of its own: in six of the latest eight trials
    that it was asked about while they ran, and since its last own one, its forecast was nearer to
    the result than the engine's.
    """
    own = max((t.number for t in trials if t.proposal.mode == "free"), default=-1)
    judged = [
        is_nearer(t, t.analysis.foreseen, t.proposal.expected)
        for t in trials
        if t.number > own and t.analysis is not None
    ]
    compared = [is_hit for is_hit in judged if is_hit is not None][-_JUDGED:]
    return len(compared) == _JUDGED and sum(compared) >= _NEARER


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
    # a trial that goes on is nobody's turn
    trials = [t for t in trials if t.proposal.promoted_from is None]
    better = CLASSES[kind][0] + record[0]
    worse = CLASSES[kind][1] + record[1]
    sign = upward(direction)
    asked = [t for t in trials if was_asked(t) and t.outcome is not None]
    engines = [t for t in trials if t.outcome is not None and t.proposal.source not in _NOT_ENGINES]
    improved = _improved(trials, direction)
    # what the engine put in its place is no gain of the Creator's
    gained = improved & {t.number for t in asked if _is_its_own(t)}
    own = [t for t in engines if t.proposal.source != "default" and not was_asked(t)]
    weight = 1.0
    won = total = 0.0
    held = judged = refused = results = 0
    compared = list[bool]()
    for trial in reversed(asked):
        if not _is_its_own(trial):
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
        proposal = trial.proposal
        is_hit = is_nearer(trial, proposal.expected, proposal.forecast)
        if is_hit is not None:
            compared.append(is_hit)
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
        gains=_gains(asked, gained, _GAINS),
        engine_gains=_gains(own, improved, _ENGINE_GAINS),
        has_gained=bool(asked) and asked[-1].number in gained,
    )


def is_nearer(trial: Trial, own: Expected | None, others: Expected | None) -> bool | None:
    """Return whether the forecast ``own`` was nearer to the result than the ``others``; None where
    one of the three is missing, or both were as near.
    """
    if own is None or others is None or trial.value is None:
        return None
    mine, theirs = abs(own.value - trial.value), abs(others.value - trial.value)
    return None if mine == theirs else mine < theirs


def _is_its_own(trial: Trial) -> bool:
    return trial.proposal.source in CREATORS


def _improved(trials: Sequence[Trial], direction: Direction) -> set[int]:
    """Return the numbers of the trials that were better than all before them with as much of a
    training.
    """
    shares = dict.fromkeys(t.proposal.share for t in trials)
    groups = (alike(trials, share) for share in shares)
    return {t.number for group in groups for t in improvements(group, direction)}


def _gains(
    proposed: Sequence[Trial], improved: Collection[int], begins: tuple[float, float]
) -> float:
    """Return how probable the next of the trials a side has ``proposed`` is to improve the best."""
    gained, missed = begins
    weight = 1.0
    for trial in reversed(proposed):
        if trial.number in improved:
            gained += weight
        else:
            missed += weight
        weight *= _GAIN_FORGETTING
    return gained / (gained + missed)


def _share_beaten(trial: Trial, engines: Sequence[Trial], sign: int) -> float | None:
    """Return the share of the engine's results that ``trial`` is better than; a failure is worse
    than every result.
    """
    same = alike(engines, trial.proposal.share)
    recent = [t for t in same if t.value is not None][-8:]
    if not recent:
        return None
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

    The first ones are: the engine has no data yet. A strong model keeps its first turns after one
    loss. Then it is the Creator's while its trials are no less likely to improve the best than the
    engine's, and it is trusted, or its latest trial has done so. Neither side is left unheard: at
    least one trial in fifteen is the Creator's, and one in ten the engine's.
    """
    later = [
        t
        for t in trials
        if t.proposal.source not in ("default", "human") and t.proposal.promoted_from is None
    ]
    if len(later) < FIRST_TURNS[kind]:
        may_lose = kind == "strong" and trust.results < 2
        return not later or trust.better > 0.5 or may_lose
    since_creator = next((i for i, t in enumerate(reversed(later)) if was_asked(t)), len(later))
    since_engine = next((i for i, t in enumerate(reversed(later)) if not was_asked(t)), len(later))
    if since_creator >= _LEAST_GAP:
        return True
    if since_engine >= _ENGINE_GAP:
        return False
    is_believed = trust.value > _LEAST or trust.has_gained
    return is_believed and trust.gains >= trust.engine_gains
