"""What a study's winner is worth on fresh seeds: the verdict, and how it was come by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any, Literal

from agenthpo.certainty import anytime_interval
from agenthpo.records import Direction
from agenthpo.space import format_number
from agenthpo.trials import upward

__all__ = ["Certificate", "Contender", "Judgement", "Rounds", "judged"]

Judgement = Literal["better", "tie", "worse", "unknown"]
"""Of the best contender against the default; ``tie``: a gain, if any, is smaller than what another
seed does.
"""
_ERROR = 0.05
"""The probability of a wrong ``better`` in all, whichever contender it is of."""
_SAME = 3
"""Rounds after which values that no seed has changed are taken for certain."""


@dataclass
class Rounds:
    """The values of each contender by the round; a round gives all the same seed."""

    default: dict[int, float] = field(default_factory=dict)
    contenders: dict[int, dict[int, float]] = field(default_factory=dict)
    """Trial -> round -> value."""
    failed: dict[int, str] = field(default_factory=dict)
    """Trial -> how it failed; a contender that fails once is none any more."""

    @property
    def groups(self) -> list[dict[int, float]]:
        """The values of the default and of each contender."""
        return [self.default, *self.contenders.values()]

    @property
    def runs(self) -> int:
        """Trainings in all."""
        return sum(map(len, self.groups)) + len(self.failed)

    @property
    def resolution(self) -> float:
        """The smallest step between two values that differ; 0 where there is none."""
        values = sorted({value for group in self.groups for value in group.values()})
        steps = [b - a for a, b in pairwise(values) if b - a > 1e-12 * max(1.0, abs(b))]
        return min(steps, default=0.0)

    @property
    def noise(self) -> float | None:
        """The standard deviation within a configuration, pooled; None while none has two values."""
        squares = [(len(g) - 1, stdev(g.values()) ** 2) for g in self.groups if len(g) > 1]
        weight = sum(n for n, _ in squares)
        return (sum(n * square for n, square in squares) / weight) ** 0.5 if weight else None


@dataclass(frozen=True)
class Contender:
    """A configuration on fresh seeds, against the default on the same ones."""

    trial: int
    """The number of the first trial that had it."""
    runs: int
    mean: float | None
    """Of its values on fresh seeds."""
    gain: float | None = None
    """The mean of what it gains over the default, upward or downward as is better."""
    low: float | None = None
    high: float | None = None
    """The interval of the gain, which holds at every look; None while it is endless."""
    is_out: bool = False
    """Whether it was given up: clearly worse than another one, or failed."""
    why: str = ""
    test: float | None = None
    """The mean of its test metric; of the winner only, and once the verdict is there."""


@dataclass(frozen=True)
class Certificate:
    """The verdict on a study's best configurations."""

    judgement: Judgement
    winner: int | None
    """The trial whose configuration is certified; the default's where it is ``worse``."""
    words: str
    default: Contender
    contenders: tuple[Contender, ...]
    noise: float | None
    """The standard deviation of a single value, with another seed; None while it is not known."""
    runs: int
    """Trainings in all."""
    trials: int
    """How many trials the study had."""

    @property
    def leader(self) -> Contender | None:
        """The contender with the largest gain, of those that are left."""
        return _leading([c for c in self.contenders if not c.is_out])

    def is_of(self, trials: int) -> bool:
        """Return whether it is of a study with so many trials; where some were added since, it
        certifies nothing any more.
        """
        return self.trials == trials

    @property
    def sentence(self) -> str:
        """The verdict as a sentence."""
        return f"{self.words[0].upper()}{self.words[1:]}."

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def judged(rounds: Rounds, direction: Direction, *, default: int, trials: int) -> Certificate:
    """Return what the rounds so far say.

    :param default: the number of the default's trial.
    """
    sign = upward(direction)
    # a wrong ``better`` is one of two sides, and any of the contenders may be it
    error = 2 * _ERROR / max(1, len(rounds.contenders))
    found = _raced(
        {number: _against(number, rounds, sign, error) for number in rounds.contenders},
        rounds,
        sign,
        error,
    )
    leader = _leading([c for c in found.values() if not c.is_out])
    judgement: Judgement = "unknown"
    winner: int | None = None
    if leader is None:
        leader = _leading([c for c in found.values() if c.high is not None and c.high < 0])
        if leader is not None:
            judgement, winner = "worse", default
    elif leader.low is not None and leader.high is not None:
        slack = _slack(rounds, leader.trial)
        if leader.low > 0:
            judgement, winner = "better", leader.trial
        elif -slack < leader.low and leader.high < slack:
            judgement = "tie"
    base = Contender(
        default,
        len(rounds.default),
        fmean(rounds.default.values()) if rounds.default else None,
        why=rounds.failed.get(default, ""),
    )
    return Certificate(
        judgement,
        winner,
        _words(judgement, leader, base, rounds.noise, rounds.runs),
        base,
        tuple(found.values()),
        rounds.noise,
        rounds.runs,
        trials,
    )


def _leading(contenders: Sequence[Contender]) -> Contender | None:
    """Return the one with the largest gain, of those that have one."""
    known = [c for c in contenders if c.gain is not None]
    return max(known, key=lambda c: c.gain or 0.0, default=None)


def _ahead(mine: Mapping[int, float], its: Mapping[int, float], sign: int = 1) -> list[float]:
    """Return by how much one configuration is ahead of another in each round that both were in."""
    return [sign * (mine[i] - its[i]) for i in sorted(mine.keys() & its.keys())]


def _against(number: int, rounds: Rounds, sign: int, error: float) -> Contender:
    """Return a contender as it stands against the default."""
    mine = rounds.contenders[number]
    gains = _ahead(mine, rounds.default, sign)
    mean = fmean(mine.values()) if mine else None
    if why := rounds.failed.get(number, ""):
        return Contender(number, len(mine), mean, is_out=True, why=why)
    if not gains:
        return Contender(number, len(mine), mean)
    low, high = _interval(gains, rounds, error)
    return Contender(number, len(mine), mean, fmean(gains), low, high)


def _interval(
    gains: Sequence[float], rounds: Rounds, error: float
) -> tuple[float | None, float | None]:
    if rounds.noise == 0 and len(gains) >= _SAME:
        return gains[0], gains[0]
    low, high = anytime_interval(gains, error=error, resolution=rounds.resolution)
    return (low, high) if math.isfinite(low) else (None, None)


def _raced(
    found: dict[int, Contender], rounds: Rounds, sign: int, error: float
) -> dict[int, Contender]:
    """Return the contenders, those given up that the default or another one is clearly better
    than.
    """
    for each in found.values():
        if not each.is_out and each.high is not None and each.high < 0:
            found[each.trial] = replace(each, is_out=True, why="clearly worse than the default")
    racing = [c for c in found.values() if not c.is_out and c.gain is not None]
    best = _leading(racing)
    for each in racing:
        if best is None or each is best:
            continue
        ahead = _ahead(rounds.contenders[best.trial], rounds.contenders[each.trial], sign)
        if anytime_interval(ahead, error=error, resolution=rounds.resolution)[0] > 0:
            why = f"clearly worse than trial {best.trial}"
            found[each.trial] = replace(each, is_out=True, why=why)
    return found


def _slack(rounds: Rounds, trial: int) -> float:
    """Return by how much another seed moves a value, without what it does to all alike."""
    apart = _ahead(rounds.contenders[trial], rounds.default)
    return min(rounds.noise or 0.0, stdev(apart) / 2**0.5) if len(apart) > 1 else 0.0


def _words(
    judgement: Judgement,
    leader: Contender | None,
    default: Contender,
    noise: float | None,
    runs: int,
) -> str:
    if default.why:
        return f"not certified: the default {default.why}, so that there is nothing to compare with"
    if leader is None or leader.gain is None:
        return "not certified: none of the best trials gave a value on every fresh seed"
    gain = _short(leader.gain)
    if noise == 0:
        seeds = "every seed gives the same value, as where a script does not use its seed"
        if judgement == "better":
            return f"trial {leader.trial} is better than the default by {gain}; {seeds}"
        return f"trial {leader.trial} is no better than the default; {seeds}"
    if leader.low is None or leader.high is None:
        return (
            f"not certified: trial {leader.trial} gains {gain} over the default on average, and "
            f"{leader.runs} fresh seeds are too few to be sure of anything"
        )
    between = f"{_short(leader.low)} to {_short(leader.high)}"
    seeds = f"over {leader.runs} fresh seeds each"
    if judgement == "better":
        return f"trial {leader.trial} is better than the default: by {gain} ({between}) {seeds}"
    if judgement == "worse":
        return (
            f"the default is better than the best trials: trial {leader.trial} gains {gain} "
            f"({between}) {seeds}"
        )
    if judgement == "tie":
        return (
            f"not certified, a tie: trial {leader.trial} gains {gain} over the default "
            f"({between}), less than what another seed does ({_short(noise or 0.0)})"
        )
    return (
        f"not certified: after {runs} runs the gain of trial {leader.trial} over the default is "
        f"{gain}, and may be {between}"
    )


def _short(value: float) -> str:
    return format_number(float(f"{value:.3g}"))
