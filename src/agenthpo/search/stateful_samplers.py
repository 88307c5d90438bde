"""Samplers that keep a state of their own from trial to trial (CMA-ES, QMC, a user's), which a
replayed history would lose.

One sampler lives with one study in memory; each trial it suggested is told to the very same Optuna
trial. In a new process the past is enacted again: the sampler, seeded as before, is asked again and
told what came, so that it stands where it stood.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import optuna
from optuna.samplers import BaseSampler, CmaEsSampler, NSGAIISampler, QMCSampler, RandomSampler
from optuna.trial import TrialState

from agenthpo.errors import TaskError
from agenthpo.optuna_space import to_model
from agenthpo.pareto import values_of
from agenthpo.records import Proposal, Stop, Trial
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.optuna_samplers import (
    check_package,
    default_proposal,
    drawn_one,
    replayed_trial,
    suggested,
)
from agenthpo.seeds import spawn_seed
from agenthpo.space import Space
from agenthpo.task import Task
from agenthpo.trials import next_number

__all__ = ["HUB", "STATEFUL", "Stateful", "is_stateful", "loaded"]

HUB = "hub:"
"""Before the name of a package of OptunaHub's."""
_ATTEMPTS = 20
Make = Callable[[int, Space], BaseSampler]


def _cmaes(seed: int, space: Space) -> BaseSampler:
    """Begin at the default, where the space is one CMA-ES can work on as a whole."""
    default = space.default()
    ordered = {p.name for p in space if p.is_ordered}
    start = (
        {name: value for name, value in to_model(space, default).items() if name in ordered}
        if default
        else {}
    )
    is_whole = len(start) > 1 and not any(p.when for p in space)
    return CmaEsSampler(seed=seed, x0=start if is_whole else None, warn_independent_sampling=False)


STATEFUL: dict[str, tuple[Make, str]] = {
    "cmaes": (_cmaes, "cmaes"),
    "nsgaii": (lambda seed, _: NSGAIISampler(seed=seed, population_size=10), "optuna"),
    "qmc": (
        lambda seed, _: QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False),
        "scipy",
    ),
}
"""Name -> how to make it, and the package it needs."""


def is_stateful(name: str) -> bool:
    """Return whether ``name`` means a sampler that this module loads."""
    return name in STATEFUL or ":" in name


def loaded(name: str) -> Make:
    """Return how to make the sampler ``name``: one of STATEFUL, ``module:Class`` or
    ``hub:PACKAGE``.

    :raises TaskError: if there is none, or a package is missing.
    """
    if name in STATEFUL:
        make, package = STATEFUL[name]
        check_package(name, package)
        return make
    found: Any = _of_hub(name.removeprefix(HUB)) if name.startswith(HUB) else _of_module(name)
    takes_seed = "seed" in inspect.signature(found).parameters
    return lambda seed, _: found(seed=seed) if takes_seed else found()


def _of_module(name: str) -> type[BaseSampler]:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as problem:
        raise TaskError(
            f"the proposer '{name}' cannot be loaded ({problem}); give the path of a class "
            "as module:Class"
        ) from None
    return _checked(found, name)


def _of_hub(package: str) -> type[BaseSampler]:
    check_package(f"{HUB}{package}", "optunahub")
    try:
        module = import_module("optunahub").load_module(package)
    except (
        Exception
    ) as problem:  # whatever the network, GitHub or the package's own imports come to
        reason = " ".join(str(problem).split())[:200]
        raise TaskError(
            f"the package '{package}' cannot be had from OptunaHub ({reason}); name "
            "another proposer"
        ) from None
    names = getattr(module, "__all__", dir(module))
    classes = [
        found
        for name in names
        if isinstance(found := getattr(module, name, None), type) and issubclass(found, BaseSampler)
    ]
    if not classes:
        raise TaskError(f"the package '{package}' of OptunaHub has no sampler; name one that has")
    return classes[0]


def _checked(found: Any, name: str) -> type[BaseSampler]:
    if not (isinstance(found, type) and issubclass(found, BaseSampler)):
        raise TaskError(
            f"the proposer '{name}' is not a sampler of Optuna's; give a subclass of "
            "optuna.samplers.BaseSampler"
        )
    return found


class Stateful:
    """The default configuration, then one sampler that lives as long as the study."""

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.name = name
        self._make = loaded(name)
        self._study: optuna.Study
        self._asked: dict[int, optuna.Trial] = {}
        self._told: set[int] = set()
        """Numbers of the trials that the study holds."""
        self._space: Space | None = None

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the sampler's next suggestion that was not tried; at random where it only repeats
        itself.
        """
        if proposal := default_proposal(task, trials):
            return proposal
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is experimental in Optuna says so at each trial
            self._catch_up(task, trials)
            barred = task.barred(trials)
            for attempt in range(_ATTEMPTS):
                if attempt == _ATTEMPTS // 2:
                    self._study.sampler = RandomSampler(
                        seed=spawn_seed(self.seed, next_number(trials))
                    )
                ask = self._study.ask()
                params = suggested(ask, task.space)
                if task.space.key(params) not in barred and not task.space.broken(params):
                    self._asked[next_number(trials)] = ask
                    self._study.sampler = self._sampler
                    return Proposal(
                        params, "engine", rationale=f"Optuna's sampler {self.name} chose it."
                    )
                self._study.tell(ask, state=TrialState.FAIL)
        self._study.sampler = self._sampler
        if task.space.constraints:  # which the sampler knows nothing of, and may seldom keep
            seed = spawn_seed(self.seed, next_number(trials), "constraints")
            params = drawn_one(Encoding(task.space), seed) or {}
            if params and task.space.key(params) not in barred:
                why = f"At random, since nothing that {self.name} chose keeps the constraints."
                return Proposal(params, "engine", rationale=why)
        return Stop(f"the sampler {self.name} has nothing new to try after {len(trials)} trials")

    def _catch_up(self, task: Task, trials: Sequence[Trial]) -> None:
        """Bring the study to where ``trials`` are; begin it anew where they are not what it has
        seen.
        """
        if self._space != task.space or not {*self._told, *self._asked} <= {
            t.number for t in trials
        }:
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            self._sampler = self._make(spawn_seed(self.seed, 23), task.space)
            ways = [task.objective.direction, *(goal.direction for goal in task.goals)]
            self._study = optuna.create_study(directions=ways, sampler=self._sampler)
            self._asked = {}
            self._told = set()
            self._space = task.space
        for trial in trials:
            if trial.number in self._told:
                continue
            if trial.number not in self._asked and trial.proposal.source in (
                "engine",
                "fallback",
            ):
                ask = self._study.ask()
                if task.space.key(suggested(ask, task.space)) == task.space.key(
                    trial.proposal.params
                ):
                    self._asked[trial.number] = ask
                else:
                    self._study.tell(ask, state=TrialState.FAIL)
            if trial.outcome is not None:
                self._tell(task, trial)

    def _tell(self, task: Task, trial: Trial) -> None:
        ask = self._asked.pop(trial.number, None)
        if ask is None:
            self._study.add_trial(replayed_trial(task.space, trial, goals=task.goals))
        else:
            for text, margin in (trial.outcome.margins if trial.outcome else {}).items():
                ask.set_constraint(text, margin)
            self._study.tell(
                ask,
                values_of(trial, task.goals),
                state=TrialState.FAIL if trial.value is None else None,
            )
        self._told.add(trial.number)
