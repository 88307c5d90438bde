"""Optuna's samplers as a Proposer: the default configuration first, then the sampler over the
replayed history.

The history is replayed into a study in memory, so that resuming is calling again. A seeded sampler
would repeat its first suggestions then, so it is seeded by (seed, trial number).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import TrialState, create_trial

from agenthpo.errors import TaskError
from agenthpo.optuna_space import from_model, model_distribution, to_model
from agenthpo.pareto import Goal, values_of
from agenthpo.records import Direction, Params, Proposal, Stop, Trial
from agenthpo.search.engine.encoding import Encoding
from agenthpo.seeds import spawn_seed
from agenthpo.space import Key, Parameter, Space
from agenthpo.task import Task
from agenthpo.trials import next_number

__all__ = [
    "SAMPLERS",
    "STARTUP_TRIALS",
    "OptunaSampler",
    "any_left",
    "check_package",
    "check_sampler",
    "default_proposal",
    "replayed_trial",
    "suggested",
]

STARTUP_TRIALS = 3
"""Random trials before TPE models anything. Optuna's 10 would make a short study random search."""
_TPE_ATTEMPTS, _ATTEMPTS = 5, 60
"""How often a configuration that was tried already is drawn again: by TPE, then at random, which
leaves the beaten track.
"""
_MOST_LISTED = 20_000
"""Configurations of a small space that are listed, to find those that are left."""


SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS),
    "gp": lambda seed: optuna.samplers.GPSampler(
        seed=seed, n_startup_trials=STARTUP_TRIALS, deterministic_objective=False
    ),
    "random": lambda seed: RandomSampler(seed=seed),
}
"""Optuna's samplers by the name a user gives, from a seed."""
_NEEDS = {"gp": "torch"}


def check_sampler(name: str) -> None:
    """Refuse a sampler that is not known or lacks a package.

    :raises TaskError: naming the fix.
    """
    if name not in SAMPLERS:
        raise TaskError(
            f"there is no proposer '{name}'; known are hybrid, creator, engine, paper, "
            f"{', '.join(SAMPLERS)}, cmaes, nsgaii, qmc, module:Class and hub:PACKAGE"
        )
    if package := _NEEDS.get(name):
        check_package(name, package)


def check_package(name: str, package: str) -> None:
    """Refuse the proposer ``name`` where ``package`` is not installed.

    :raises TaskError: naming the fix.
    """
    if find_spec(package) is None:
        raise TaskError(
            f"the proposer '{name}' needs the package {package}; install it by: pip "
            f"install {package}"
        )


def default_proposal(task: Task, trials: Sequence[Trial]) -> Proposal | None:
    """Return the default configuration if it has not been tried and the space has one."""
    default = task.space.default()
    if trials or default is None:
        return None
    return Proposal(
        default,
        "default",
        rationale="The task's default configuration: what every later trial is measured against.",
    )


def any_left(
    space: Space,
    tried: set[Key],
    *,
    seed: int,
    otherwise: Params | None,
    holds: Callable[[Params], bool] = lambda params: True,
) -> Params | None:
    """Return any configuration that ``holds`` and was not tried, or None where none is left;
    ``otherwise`` where there are too many to list.
    """
    if space.size() > _MOST_LISTED:
        return otherwise
    left = [p for p in space.configurations() if holds(p) and space.key(p) not in tried]
    return random.Random(seed).choice(left) if left else None


def drawn_one(encoding: Encoding, seed: int) -> Params | None:
    """Return a configuration at random; None where none is found that keeps the constraints."""
    rows = encoding.drawn(np.random.default_rng(seed), 1)
    return encoding.params(rows[0]) if len(rows) else None


def exhausted(space: Space, trials: Sequence[Trial]) -> Stop:
    """Return what a proposer answers that has nothing left to try."""
    if space.constraints and space.size() > _MOST_LISTED:
        words = " and ".join(each.text for each in space.constraints)
        return Stop(f"no configuration is found that keeps {words}; loosen what must hold")
    return Stop(f"every configuration of the space has been tried ({len(trials)} trials)")


class OptunaSampler:
    """The default configuration, then TPE with three start-up trials; a configuration is not tried
    twice while others are left.
    """

    def __init__(self, seed: int = 0, sampler: str = "tpe") -> None:
        """:raises TaskError: if the sampler is not known or lacks a package."""
        check_sampler(sampler)
        self.seed, self.name = seed, sampler
        self._kept: optuna.Study
        self._replayed: list[Trial] = []
        self._tried: set[Key] = set()
        self._common: IntersectionSearchSpace
        self._replayed_for: tuple[Space, tuple[Direction, ...]] | None = None

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return a proposal whose rationale says what the sampler had to go by, or stop where every
        configuration has been tried.
        """
        if proposal := default_proposal(task, trials):
            return proposal
        params = self._fresh(task, trials)
        if params is None:
            return exhausted(task.space, trials)
        scored = sum(t.value is not None for t in trials)
        thinks = scored >= STARTUP_TRIALS and self.name not in ("random", "qmc")
        why = (
            f"from the {scored} results so far"
            if thinks
            else "at random, to spread the first trials"
        )
        return Proposal(
            params, "engine", rationale=f"Optuna's {self.name.upper()} sampler chose it {why}."
        )

    def _fresh(self, task: Task, trials: Sequence[Trial]) -> Params | None:
        """Return a configuration that was not tried yet, or None where none is left; where results
        are noisy, any that has not failed.
        """
        study = self._study(task, trials)
        barred = task.barred(trials) if task.objective.noisy else self._tried
        params: Params = {}
        for attempt in range(_ATTEMPTS):
            study.sampler = self._sampler(next_number(trials), attempt)
            ask = study.ask()
            params = suggested(ask, task.space)
            # which samplers pass over: what becomes of it is replayed
            study.tell(ask, state=TrialState.FAIL)
            if task.space.key(params) not in barred and not task.space.broken(params):
                return params
        seed = spawn_seed(self.seed, next_number(trials))
        return any_left(
            task.space, barred, seed=seed, otherwise=drawn_one(Encoding(task.space), seed)
        )

    def _study(self, task: Task, trials: Sequence[Trial]) -> optuna.Study:
        """Return a study in memory that holds ``trials``. One that holds the first of them already
        continues: replaying all of a long history for each proposal would cost the square of
        its length.
        """
        space, goals = task.space, task.goals
        ways = (task.objective.direction, *(goal.direction for goal in goals))
        metric = task.objective.metric
        finished = [t for t in trials if t.outcome is not None]
        is_begun = self._replayed_for == (space, ways) and all(
            a is b for a, b in zip(self._replayed, finished, strict=False)
        )
        if not is_begun or len(self._replayed) > len(finished) or len(finished) < len(trials):
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            self._kept = optuna.create_study(directions=list(ways))
            self._replayed = []
            self._replayed_for = (space, ways)
            self._tried = set()
            self._common = IntersectionSearchSpace(include_pruned=True)
        new = finished[len(self._replayed) :]
        self._kept.add_trials([replayed_trial(space, trial, metric, goals) for trial in new])
        self._replayed += new
        self._tried |= {space.key(t.proposal.params) for t in new}
        if len(finished) < len(trials):  # running ones change: a study that holds them is not kept
            running = [t for t in trials if t.outcome is None]
            self._kept.add_trials(
                [replayed_trial(space, trial, metric, goals) for trial in running]
            )
            self._tried |= {space.key(t.proposal.params) for t in running}
            self._replayed_for = None
        return self._kept

    def _sampler(self, number: int, attempt: int) -> BaseSampler:
        seed = spawn_seed(self.seed, number, attempt)
        sampler = (
            RandomSampler(seed=seed) if attempt >= _TPE_ATTEMPTS else SAMPLERS[self.name](seed)
        )
        # what it works out of all trials; kept with the study, it looks at the new ones only
        if hasattr(sampler, "_search_space"):
            sampler._search_space = self._common
        return sampler


def suggested(ask: optuna.Trial, space: Space) -> Params:
    """Return what Optuna suggests for each parameter that is active by what it suggested for those
    before.
    """
    params: Params = {}
    for parameter in space:
        if parameter in space.active(params):
            params[parameter.name] = from_model(parameter, _suggested(ask, parameter))
    return params


def _suggested(ask: optuna.Trial, parameter: Parameter) -> Any:
    match model_distribution(parameter):
        case CategoricalDistribution(choices=choices):
            return ask.suggest_categorical(parameter.name, choices)
        case IntDistribution(low=low, high=high, log=log, step=step):
            return ask.suggest_int(parameter.name, low, high, log=log, step=step)
        case FloatDistribution(low=low, high=high, log=log, step=step):
            return ask.suggest_float(parameter.name, low, high, log=log, step=step)
    raise TypeError(f"no way to suggest {parameter.name}")


def replayed_trial(
    space: Space, trial: Trial, metric: str = "", goals: Sequence[Goal] = ()
) -> optuna.trial.FrozenTrial:
    """Return ``trial`` as Optuna keeps it, in an optimiser's view of the space; one that was
    stopped has the value of ``metric`` that it had reached.
    """
    params = space.restrict(trial.proposal.params)
    return create_trial(
        state=_state(trial, has_goals=bool(goals)),
        values=values_of(trial, goals),
        intermediate_values={} if goals else _reached(trial, metric),
        params=to_model(space, params),
        distributions={name: model_distribution(space[name]) for name in params},
        constraints=dict(trial.outcome.margins) if trial.outcome else None,
    )


def _reached(trial: Trial, metric: str) -> dict[int, float]:
    """Return what a stopped trial had reached, and when: TPE ranks those that were stopped by how
    far they came, and as far ones by their values.
    """
    if trial.outcome is None or trial.outcome.status != "pruned":
        return {}
    curve = [value for _, value in trial.outcome.curves.get(metric, ()) if math.isfinite(value)]
    return {len(curve): curve[-1]} if curve else {}


def _state(trial: Trial, *, has_goals: bool) -> TrialState:
    if trial.outcome is None:
        return TrialState.RUNNING
    # TPE forgets FAIL, and would propose again what always crashes; PRUNED it ranks behind every
    # result, without a made-up value.
    # With several objectives Optuna knows no pruned trial.
    if trial.value is None:
        return TrialState.FAIL if has_goals else TrialState.PRUNED
    return TrialState.COMPLETE
