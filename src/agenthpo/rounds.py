"""A study's best configurations and its default on fresh seeds, round by round, until it is sure
which is better.

Each training has a folder of its own below the study's, and one that has ended there is not run
again, so that what was interrupted goes on, and more rounds build upon the first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from pathlib import Path

from agenthpo.certificate import Certificate, Rounds, judged
from agenthpo.codec import adapter
from agenthpo.errors import StudyError
from agenthpo.experience.log import ExperienceLog
from agenthpo.files import read_regular, write_whole
from agenthpo.records import Outcome, Params, RunSpec, Trial
from agenthpo.seeds import spawn_seed
from agenthpo.task import Task
from agenthpo.text.pasting import pasted
from agenthpo.training.elsewhere import Lost
from agenthpo.training.pool import Pool, end_left
from agenthpo.trials import mean_value, upward

__all__ = [
    "CERTIFICATE",
    "NothingToCertify",
    "OnRound",
    "Trainings",
    "certificate_of",
    "contenders_of",
    "default_of",
    "most_for",
    "run_rounds",
]

CERTIFICATE, _FOLDER = "certificate.json", "certify"
_MOST_LOST = 3
_MOST, _ROUNDS = 3, 8
"""Contenders, and rounds that are to be possible: fewer say little."""


class NothingToCertify(StudyError):
    """There is no default, or nothing that is better."""


OnRound = Callable[[int, Mapping[int, float], Certificate], None]
"""Told after each round: its number, the values by trial, and what they say."""


def default_of(task: Task, trials: Sequence[Trial]) -> Trial | None:
    """Return the first trial of the default configuration."""
    default = task.space.default()
    if default is None:
        return None
    key = task.space.key(default)
    return next((t for t in trials if task.space.key(t.proposal.params) == key), None)


def contenders_of(task: Task, trials: Sequence[Trial], most: int) -> list[Trial]:
    """Return the first trials of the ``most`` best configurations that are better than the default,
    the best first; of one that was measured more than once the mean counts.
    """
    sign = upward(task.objective.direction)
    groups: dict[object, list[Trial]] = {}
    for trial in trials:
        if not trial.is_whole:
            continue
        groups.setdefault(task.space.key(trial.proposal.params), []).append(trial)
    # one that failed on any seed, or breaks a limit, is no winner
    means = [
        (sign * mean_value(group), group[0])
        for group in groups.values()
        if all(t.value is not None for t in group if t.outcome and t.outcome.status != "pruned")
        and any(t.value is not None for t in group)
        and all(t.is_kept for t in group)
    ]
    ranking = sorted(means, key=lambda pair: -pair[0])
    default = default_of(task, trials)
    others = [trial for _, trial in ranking if default is None or trial.number != default.number]
    bar = next((mean for mean, t in ranking if default and t.number == default.number), None)
    better = {t.number for mean, t in ranking if bar is None or mean > bar}
    return [t for t in others if t.number in better][:most]


def most_for(runs: int) -> int:
    """Return how many contenders ``runs`` trainings are enough for."""
    return min(_MOST, max(1, runs // _ROUNDS - 1))


def run_rounds(
    task: Task,
    log: ExperienceLog,
    pool: Pool,
    *,
    runs: int,
    most: int | None = None,
    seed: int = 0,
    on_round: OnRound = lambda number, values, certificate: None,
) -> Certificate:
    """Run the contenders and the default on fresh seeds until the verdict is there or ``runs``
    trainings are spent, and keep the certificate in the study's folder.

    :param most: how many contenders there are; without it up to three, as many as leave eight
        rounds.
    :raises StudyError: where there is no default, or nothing that is better.
    """
    if task.goals:
        raise NothingToCertify(
            f"the study {log.folder} has {1 + len(task.goals)} objectives, and certify compares "
            "one; certify a study of the objective that you choose by"
        )
    trials = log.fitting_trials()
    default = default_of(task, trials)
    if default is None:
        raise NothingToCertify(
            f"the study {log.folder} has not run the default configuration, so that there is "
            "nothing to compare with; give every parameter a default"
        )
    contenders = contenders_of(task, trials, most or most_for(runs))
    if not contenders:
        raise NothingToCertify(
            f"no trial of the study {log.folder} is better than the default, so that there is no "
            "gain to certify"
        )
    params = {t.number: t.proposal.params for t in (default, *contenders)}
    rounds = Rounds(contenders={t.number: {} for t in contenders})
    tests: dict[int, list[float]] = {number: [] for number in params}
    trainings = Trainings(task, log, pool, seed, _FOLDER)

    def verdict() -> Certificate:
        direction = task.objective.direction
        return judged(rounds, direction, default=default.number, trials=len(trials))

    found = verdict()
    while True:
        number = len(rounds.default)
        alive = [c.trial for c in found.contenders if not c.is_out]
        is_over = found.judgement != "unknown" or not alive or default.number in rounds.failed
        if is_over or found.runs + 1 + len(alive) > runs:
            break
        outcomes = trainings.round(number, {n: params[n] for n in (default.number, *alive)})
        for trial, outcome in outcomes.items():
            if outcome.value is None:
                rounds.failed[trial] = f"failed with a fresh seed ({outcome.error})"
            elif trial == default.number:
                rounds.default[number] = outcome.value
            else:
                rounds.contenders[trial][number] = outcome.value
            if outcome.test_value is not None:
                tests[trial].append(outcome.test_value)
        values = {t: o.value for t, o in outcomes.items() if o.value is not None}
        found = verdict()
        on_round(number, values, found)
        _keep(log.folder, found)
    if found.judgement != "unknown":
        found = _with_tests(found, tests)
    _keep(log.folder, found)
    return found


def _with_tests(found: Certificate, tests: Mapping[int, list[float]]) -> Certificate:
    """Return the certificate with the test metric of the default and the best contender: the
    verdict is there, and nothing is chosen by it any more.
    """

    def mean(trial: int) -> float | None:
        return sum(tests[trial]) / len(tests[trial]) if tests[trial] else None

    best = found.leader
    return replace(
        found,
        default=replace(found.default, test=mean(found.default.trial)),
        contenders=tuple(
            replace(c, test=mean(c.trial)) if best and c.trial == best.trial else c
            for c in found.contenders
        ),
    )


def _keep(folder: Path, found: Certificate) -> None:
    write_whole(folder / CERTIFICATE, json.dumps(found.to_json()).encode())


def certificate_of(folder: Path) -> Certificate | None:
    """Return the certificate of the study in ``folder``; None where it has none, or one that cannot
    be read.
    """
    try:
        found: Certificate = adapter(Certificate).validate_json(read_regular(folder / CERTIFICATE))
    except (OSError, ValueError):  # pydantic's errors are ValueErrors
        return None
    return found


class Trainings:
    """Runs the trainings of a round, each in a folder of its own below the study's folder
    ``name``, which is also the command that goes on with them.
    """

    def __init__(self, task: Task, log: ExperienceLog, pool: Pool, seed: int, name: str) -> None:
        self._task, self._log, self._pool, self._seed, self._name = task, log, pool, seed, name
        end_left(pool, log.identity, log.folder.absolute() / name)

    def round(self, number: int, params: Mapping[int, Params]) -> dict[int, Outcome]:
        """Return the outcome of each trial's configuration with the seed of round ``number``."""
        left = [self._spec(trial, each, number) for trial, each in params.items()]
        found: dict[int, Outcome] = {}
        running: dict[Future[Outcome], RunSpec] = {}
        lost = Counter[int]()
        while left or running:
            while left and len(running) < self._pool.slots:
                spec = left.pop(0)
                running[self._pool.submit(spec, lambda point: None)] = spec
            for future in wait(running, return_when="FIRST_COMPLETED").done:
                spec = running.pop(future)
                try:
                    found[spec.trial] = future.result()
                except Lost as problem:
                    lost[spec.trial] += 1
                    if lost[spec.trial] >= _MOST_LOST:
                        raise StudyError(
                            f"a training was lost {_MOST_LOST} times ({problem}); see to where it "
                            f"runs, and go on by: {pasted(self._name, self._log.folder)}"
                        ) from None
                    left.append(spec)
        return {trial: found[trial] for trial in params}

    def _spec(self, trial: int, params: Params, number: int) -> RunSpec:
        return self._task.spec(
            trial,
            params,
            seed=spawn_seed(self._seed, self._name, number),
            workdir=self._log.folder.absolute() / self._name / f"{trial:04d}-{number:03d}",
            study=self._log.identity,
        )
