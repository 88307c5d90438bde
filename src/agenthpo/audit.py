"""Audit a study's winner: which of its changes made the gain.

Each change is rolled back to the default by itself, and what is left is run beside the winner on
the same fresh seeds. What made no difference goes back together: the minimal winner.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Literal

from agenthpo.codec import adapter
from agenthpo.errors import StudyError
from agenthpo.files import read_regular, write_whole
from agenthpo.operations.again import again
from agenthpo.operations.telling import noise_of
from agenthpo.records import Params, Trial
from agenthpo.rounds import Trainings, certificate_of, contenders_of, default_of
from agenthpo.search.effects import Effect, effects
from agenthpo.space import Space, differing, format_number
from agenthpo.task import Task
from agenthpo.trials import upward

__all__ = ["AUDIT", "Audit", "Change", "audit", "audit_of"]

AUDIT, AUDITS = "audit.json", "audit"
_LITTLE = 0.5
"""A mean difference below so many deviations of a single run is as good as none: what it comes from
goes back to the default, as long as the minimal winner proves as good.
"""
_FEWEST = 3
"""Seeds from which on the spread of a value over them says anything."""
Judgement = Literal["helps", "nothing", "harms", "open"]
OnRound = Callable[[int, int], None]
"""Told after each round: how many trainings are done, of how many."""


@dataclass(frozen=True)
class Change:
    """One change of the winner's, and what comes of rolling it back."""

    names: tuple[str, ...]
    """The parameter, and those that are only there with its value."""
    before: Params
    """Their values in the default, as far as they are there."""
    after: Params
    """Their values in the winner."""
    runs: int
    gain: float | None
    """By how much the winner is better than without the change; None where that failed."""
    low: float | None
    high: float | None
    judgement: Judgement
    words: str


@dataclass(frozen=True)
class Audit:
    """Which of the winner's changes made the gain."""

    winner: int
    """The trial whose configuration is audited."""
    trials: int
    """How many trials the study had."""
    runs: int
    """Trainings in all."""
    changes: tuple[Change, ...]
    minimal: Params
    """The winner with what made no difference as in the default."""
    minimal_loss: float | None
    """By how much the winner was better than the minimal one on the same seeds; None where that is
    the winner itself, or failed.
    """
    is_minimal_as_good: bool
    words: str
    noise: float | None = None
    """The standard deviation of the winner's value over the seeds; None where there were few."""


def audit(
    folder: Path,
    *,
    task: Task | None = None,
    runs: int = 40,
    workers: int | None = None,
    trusted: bool = False,
    on_round: OnRound = lambda done, of: None,
) -> Audit:
    """Roll the changes of the winner of the study in ``folder`` back one at a time, in at most
    ``runs`` trainings, and keep what was found in the study's folder.

    :param task: the task where the study does not know its file.
    :param workers: how many trainings run at once; as many as in the study without it.
    :raises StudyError: where another process is at work in it, there is no default, nothing better
        than it, ``runs`` are too few, or the study was not made here and is not ``trusted``.
    """
    with again(folder, task=task, workers=workers, trusted=trusted) as at:
        task = at.task
        if task.goals:
            raise StudyError(
                f"the study {folder} has {1 + len(task.goals)} objectives, and an audit explains "
                "one; audit a study of the objective that you choose by"
            )
        trials = at.log.fitting_trials()
        winner, default = _pair(task, trials, folder)
        changed = _changed(task.space, default.proposal.params, winner.proposal.params)
        if not changed:
            raise StudyError(
                f"no single change of trial {winner.number} can be rolled back within the space "
                "and its constraints"
            )
        rounds = runs // (len(changed) + 2)
        if rounds < 1:
            raise StudyError(
                f"trial {winner.number} changed {len(changed)} things, and each is run beside the "
                f"winner; give at least --trials {2 * (len(changed) + 2)}"
            )
        running = _Running(
            Trainings(task, at.log, at.pool, at.seed, AUDITS), rounds, len(changed) + 2, on_round
        )
        values = running.values([winner.proposal.params, *(c.left for c in changed)])
        if None in values[0]:
            raise StudyError(
                f"the winner, trial {winner.number}, failed with a fresh seed; see the logs below "
                f"{folder / AUDITS}, and certify the study first"
            )
        noise = noise_of(task, trials)
        sign = upward(task.objective.direction)
        changes = _judged(changed, values, sign, noise)
        found = _minimal(task.space, winner, changes, running, values[0], sign, noise)
        found = replace(found, trials=len(trials), runs=running.done, noise=_spread(values[0]))
        write_whole(folder / AUDIT, json.dumps(asdict(found)).encode())
        return found


def _spread(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return stdev(known) if len(known) >= _FEWEST else None


@dataclass(frozen=True)
class _Changed:
    """A change, and the winner without it."""

    names: tuple[str, ...]
    before: Params
    after: Params
    left: Params


class _Running:
    """Runs configurations on the audit's seeds, and counts what was run."""

    def __init__(
        self, trainings: Trainings, rounds: int, configurations: int, on_round: OnRound
    ) -> None:
        self._trainings, self._rounds, self._on_round = trainings, rounds, on_round
        self._of = rounds * configurations
        self._begun = 0
        self.done = 0

    def values(self, params: Sequence[Params]) -> list[list[float | None]]:
        """Return a row for each configuration and a column for each seed; None for a failure."""
        found: list[list[float | None]] = [[] for _ in params]
        for number in range(self._rounds):
            given = {self._begun + i: each for i, each in enumerate(params)}
            outcomes = self._trainings.round(number, given)
            for i, row in enumerate(found):
                row.append(outcomes[self._begun + i].value)
            self.done += len(params)
            self._on_round(self.done, self._of)
        self._begun += len(params)
        return found


def _pair(task: Task, trials: Sequence[Trial], folder: Path) -> tuple[Trial, Trial]:
    """Return the certified winner, or the best trial that is better than the default, and the
    default.
    """
    default = default_of(task, trials)
    if default is None:
        raise StudyError(
            f"the study {folder} has not run the default configuration, so that there is nothing "
            "to roll back to; give every parameter a default"
        )
    certificate = certificate_of(folder)
    is_current = certificate is not None and certificate.is_of(len(trials))
    number = certificate.winner if certificate is not None and is_current else None
    certified = [t for t in trials if t.number == number and t.number != default.number]
    best = certified or contenders_of(task, trials, 1)
    if not best:
        raise StudyError(
            f"no trial of the study {folder} is better than the default, so that there is no gain "
            "to explain"
        )
    return best[0], default


def _changed(space: Space, default: Params, winner: Params) -> list[_Changed]:
    """Return the changes of ``winner`` that can be rolled back alone; what is only there with a
    value of another parameter goes with that.
    """
    found = []
    for name in differing(default, winner):
        if name not in default or name not in winner:
            continue  # it comes and goes with another one
        left = space.restrict({**default, **winner, name: default[name]})
        if space.violations(left):
            continue
        names = tuple(differing(left, winner))
        found.append(
            _Changed(
                names,
                {n: left[n] for n in names if n in left},
                {n: winner[n] for n in names if n in winner},
                left,
            )
        )
    return found


def _judged(
    changed: Sequence[_Changed],
    values: Sequence[Sequence[float | None]],
    sign: int,
    noise: float | None,
) -> tuple[Change, ...]:
    whole = [i for i, row in enumerate(values) if i and None not in row]
    rows = [[sign * v for v in values[i] if v is not None] for i in (0, *whole)]
    known = dict(zip(whole, effects(rows, noise=noise) if whole else (), strict=True))
    spread = noise or 0.0
    found = []
    for i, each in enumerate(changed, 1):
        effect = known.get(i)
        judgement = _judgement(effect, spread)
        found.append(
            Change(
                names=each.names,
                before=each.before,
                after=each.after,
                runs=len(values[i]),
                gain=None if effect is None else effect.mean,
                low=None if effect is None else _finite(effect.low),
                high=None if effect is None else _finite(effect.high),
                judgement=judgement,
                words=_words(each, effect, judgement),
            )
        )
    return tuple(found)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _judgement(effect: Effect | None, noise: float) -> Judgement:
    """Return what a change does; rolling it back made the training fail where there is no
    effect.
    """
    if effect is None or effect.low > 0:
        return "helps"
    if effect.high < 0:
        return "harms"
    if effect.low == effect.high == 0 or (-noise < effect.low and effect.high < noise):
        return "nothing"
    return "open"


def _words(change: _Changed, effect: Effect | None, judgement: Judgement) -> str:
    name = change.names[0]
    step = f"{name} {format_number(change.before[name])} -> {format_number(change.after[name])}"
    if effect is None:
        return f"{step}: without it the training fails"
    between = f"{effect.low:.3g} to {effect.high:.3g}"
    if math.isinf(effect.low):
        between = "how sure that is, one seed does not say"
    said = {
        "helps": f"made {effect.mean:.3g} of the gain ({between})",
        "harms": f"costs {-effect.mean:.3g}: without it the winner is better ({between})",
        "nothing": f"makes no difference ({between})",
        "open": f"cannot be told from noise ({effect.mean:+.3g}, {between})",
    }
    return f"{step}: {said[judgement]}"


def _minimal(
    space: Space,
    winner: Trial,
    changes: Sequence[Change],
    running: _Running,
    winners: Sequence[float | None],
    sign: int,
    noise: float | None,
) -> Audit:
    """Return the audit with the minimal winner, which is run on the same seeds."""
    little = _LITTLE * (noise or 0.0)
    back = [c for c in changes if c.judgement != "helps" and (c.gain or 0.0) <= little]
    kept = [c for c in changes if c not in back]
    params = winner.proposal.params
    for change in back:
        params = {n: v for n, v in params.items() if n not in change.names} | change.before
    minimal = space.restrict(params)
    found = Audit(winner.number, 0, 0, tuple(changes), winner.proposal.params, None, False, "")
    helping = [c.names[0] for c in changes if c.judgement == "helps"]
    said = f"What made the gain: {', '.join(helping)}" if helping else (
        "No single change stands out of the noise"
    )  # fmt: skip
    if not back or space.violations(minimal) or space.key(minimal) == space.key(
        winner.proposal.params
    ):  # fmt: skip
        return replace(found, words=f"{said}. Nothing goes back to the default.")
    names = ", ".join(c.names[0] for c in back)
    (row,) = running.values([minimal])
    if None in row:
        words = f"{said}. Rolled back together, {names} made the training fail: the winner stays."
        return replace(found, words=words)
    pairs = [
        sign * (a - b) for a, b in zip(winners, row, strict=True) if a is not None and b is not None
    ]
    loss = fmean(pairs)
    is_as_good = loss <= (noise or 0.0)
    words = (
        f"{said}. {names} went back to the default, at {loss:.3g} less on the same seeds: "
        f"the minimal winner changes {len(kept)} of {len(changes)} things."
        if is_as_good
        else f"{said}. Rolled back together, {names} cost {loss:.3g}: the winner stays as it is."
    )
    return replace(
        found,
        minimal=minimal if is_as_good else winner.proposal.params,
        minimal_loss=loss,
        is_minimal_as_good=is_as_good,
        words=words,
    )


def audit_of(folder: Path) -> Audit | None:
    """Return the audit of the study in ``folder``; None where it has none, or one that cannot be
    read.
    """
    try:
        found: Audit = adapter(Audit).validate_json(read_regular(folder / AUDIT))
    except (OSError, ValueError):  # pydantic's errors are ValueErrors
        return None
    return found
