"""Who plays a benchmark problem: ask, tell, and the configuration it would return. Ours through
``Optimizer``, peers as they ship.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import optuna
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from agenthpo.bench.tables.advisors import ADVISORS, STEPPING, Advisor, Alone
from agenthpo.bench.tables.models import creator
from agenthpo.bench.tables.problems import Problem
from agenthpo.bench.trainings.portfolios import known_without
from agenthpo.knowledge.hints import hints_for
from agenthpo.llm.model_class import class_of
from agenthpo.optimizer import Optimizer
from agenthpo.optuna_space import to_model
from agenthpo.records import Params
from agenthpo.search import Proposer
from agenthpo.search.engine.engine import Engine
from agenthpo.search.hybrid import Hybrid
from agenthpo.search.informed import Informed
from agenthpo.search.optuna_samplers import suggested
from agenthpo.search.stateful_samplers import STATEFUL
from agenthpo.seeds import spawn_seed
from agenthpo.space import Space

__all__ = ["METHODS", "Method", "Player", "bare"]


class Player(Protocol):
    """One method on one problem with one seed."""

    def ask(self) -> Params:
        """Return the next configuration."""
        ...

    def tell(self, params: Params, value: float | None) -> None:
        """Take its loss, or None where it failed."""
        ...

    def recommended(self) -> Params | None:
        """Return the configuration it would return now, or None where it has none."""
        ...


@dataclass(frozen=True)
class Method:
    """A method by name: how to make its player, and how far and how often it is worth running."""

    make: Callable[[Problem, int], Player]
    packages: tuple[str, ...] = ()
    """Whose versions belong to its results."""
    trials: int = 100
    seeds: int = 10
    groups: tuple[str, ...] = ("tables", "continuous", "live", "failing")


class Ours:
    """AgentHPO's own proposers."""

    def __init__(self, problem: Problem, seed: int, proposer: str | Proposer) -> None:
        self._status_of, self._used_by = problem.status_of, problem.used_by
        self.optimizer = Optimizer(
            problem.raw,
            direction="minimize",
            proposer=proposer,
            noisy=problem.noisy,
            background=problem.background,
            seed=seed,
        )

    def ask(self) -> Params:
        """Return the next configuration."""
        return self.optimizer.ask()

    def tell(self, params: Params, value: float | None) -> None:
        """Take its loss."""
        status = self._status_of(params) if value is None else "complete"
        used = self._used_by(params)
        self.optimizer.tell(
            params, value, status=status, seconds=used.seconds, peak_mb=used.peak_mb
        )

    def recommended(self) -> Params | None:
        """Return the best configuration."""
        best = self.optimizer.best()
        return None if best is None else best.params


class Optunas:
    """A sampler of Optuna's, used as its documentation says: the default enqueued, failures told as
    such, the best trial returned.
    """

    def __init__(
        self, problem: Problem, seed: int, sampler: Callable[[int, Space], BaseSampler]
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space = problem.space
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is experimental says so
            self.study = optuna.create_study(sampler=sampler(seed, self.space))
        default = self.space.default()
        if default is not None:
            self.study.enqueue_trial(to_model(self.space, default))
        self.pending: optuna.Trial

    def ask(self) -> Params:
        """Return the next configuration."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.pending = self.study.ask()
            self.params = suggested(self.pending, self.space)
        return self.params

    def tell(self, params: Params, value: float | None) -> None:
        """Take its loss."""
        self.pending.set_user_attr("params", params)
        self.study.tell(self.pending, value, state=TrialState.FAIL if value is None else None)

    def recommended(self) -> Params | None:
        """Return the best trial's configuration."""
        done = [t for t in self.study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
        return min(done, key=lambda t: t.value).user_attrs["params"] if done else None  # type: ignore[arg-type, return-value]


class Smac:
    """SMAC3's facade for hyperparameters; it decides itself which configuration is run again, and
    which is the incumbent.
    """

    def __init__(self, problem: Problem, seed: int, trials: int) -> None:
        from smac import HyperparameterOptimizationFacade as Facade
        from smac import Scenario

        self.space = problem.space
        configspace = _configspace(problem)
        self.folder = tempfile.TemporaryDirectory()
        scenario = Scenario(
            configspace,
            deterministic=not problem.noisy,
            n_trials=trials,
            seed=seed,
            output_directory=self.folder.name,
        )
        default = self.space.default()
        design = Facade.get_initial_design(scenario)
        if default is not None:  # as an additional configuration, it would come last
            first = configspace.get_default_configuration()
            rest = design.select_configurations()
            design.select_configurations = lambda: [first, *(c for c in rest if c != first)]
        self.smac = Facade(
            scenario,
            lambda config, seed=0: 0.0,
            initial_design=design,
            overwrite=True,
            logging_level=50,
        )
        self.asked: Any = None

    def ask(self) -> Params:
        """Return the next configuration."""
        self.asked = self.smac.ask()
        return self._params(self.asked.config)

    def tell(self, params: Params, value: float | None) -> None:
        """Take its loss."""
        from smac.runhistory.dataclasses import TrialValue
        from smac.runhistory.enumerations import StatusType

        failed = value is None
        self.smac.tell(
            self.asked,
            TrialValue(
                cost=2.0**31 if failed else value,
                status=StatusType.CRASHED if failed else StatusType.SUCCESS,
            ),
        )

    def recommended(self) -> Params | None:
        """Return SMAC's incumbent."""
        found = self.smac.intensifier.get_incumbents()
        return self._params(found[0]) if found else None

    def _params(self, config: Any) -> Params:
        params: Params = {}
        for parameter in self.space:
            if parameter in self.space.active(params):
                value = config[parameter.name]
                if parameter.is_discrete:
                    value = parameter.values[int(value)]
                params[parameter.name] = parameter.snap(
                    value.item() if hasattr(value, "item") else value
                )
        return params


def _configspace(problem: Problem) -> Any:
    from ConfigSpace import (
        AndConjunction,
        Categorical,
        ConfigurationSpace,
        EqualsCondition,
        Float,
        InCondition,
        Integer,
    )

    space = problem.space
    made = ConfigurationSpace(seed=0)
    nodes: dict[str, Any] = {}
    for p in space:
        if p.is_discrete:
            items = list(range(len(p.values)))
            default = p.values.index(p.default) if p.has_default else None
            nodes[p.name] = (
                Integer(p.name, (0, len(p.values) - 1), default=default)
                if p.is_ordered
                else Categorical(p.name, items, default=default)
            )
        else:
            kind = Integer if p.kind == "int" else Float
            nodes[p.name] = kind(
                p.name, (p.low, p.high), log=p.log, default=p.default if p.has_default else None
            )
    made.add(list(nodes.values()))
    for p in space:
        places = [
            (nodes[parent], [space[parent].values.index(v) for v in values])
            for parent, values in p.when
        ]
        conditions = [
            EqualsCondition(nodes[p.name], parent, values[0])
            if len(values) == 1
            else InCondition(nodes[p.name], parent, values)
            for parent, values in places
        ]
        if conditions:
            made.add(conditions[0] if len(conditions) == 1 else AndConjunction(*conditions))
    return made


def _sampler(make: Callable[[int, Space], BaseSampler]) -> Callable[[Problem, int], Player]:
    return lambda problem, seed: Optunas(problem, spawn_seed(seed, 7), make)


def _informed(problem: Problem, seed: int) -> Player:
    """The engine with what is known from data sets other than the problem's own."""
    hints = hints_for(problem.space, problem.background, known=known_without(problem.data))
    return Ours(problem, seed, Informed(Engine(seed), hints))


def _engine(problem: Problem, seed: int) -> Player:
    return Ours(problem, seed, Engine(seed))


def _advised(
    kind: str, *, honest: bool = True, alone: bool = False
) -> Callable[[Problem, int], Player]:
    def make(problem: Problem, seed: int) -> Player:
        advisor = Advisor(problem, kind, seed, honest=honest)
        return Ours(
            problem, seed, Alone(advisor) if alone else Hybrid(advisor, Engine(seed), model=kind)
        )

    return make


def _by_model(name: str, short: str, *, always: bool) -> Callable[[Problem, int], Player]:
    def make(problem: Problem, seed: int) -> Player:
        asked = creator(
            name,
            REPLIES / f"{'creator' if always else 'hybrid'}-{short}",
            game=f"{problem.name}-{seed}",
            seed=seed,
        )
        kind = class_of(name, embedded=asked.llm.holds_to_grammar)
        return Ours(
            problem, seed, Hybrid(asked, Engine(seed), model=name, kind=kind, always=always)
        )

    return make


REPLIES = Path("benchmarks/results/replies")
"""Where models' replies are kept, from the project's folder."""
METHODS: dict[str, Method] = {
    "random": Method(_sampler(lambda seed, _: RandomSampler(seed=seed)), ("optuna",), seeds=20),
    "qmc": Method(_sampler(STATEFUL["qmc"][0]), ("optuna",)),
    "tpe": Method(_sampler(lambda seed, _: TPESampler(seed=seed)), ("optuna",)),
    "tpe-3": Method(
        _sampler(lambda seed, _: TPESampler(seed=seed, n_startup_trials=3)), ("optuna",), seeds=20
    ),
    "cmaes": Method(_sampler(STATEFUL["cmaes"][0]), ("optuna", "cmaes")),
    "gp": Method(
        _sampler(lambda seed, _: GPSampler(seed=seed, warn_independent_sampling=False)),
        ("optuna", "torch"),
    ),
    "gp-3": Method(
        _sampler(
            lambda seed, _: GPSampler(
                seed=seed, n_startup_trials=3, warn_independent_sampling=False
            )
        ),
        ("optuna", "torch"),
    ),
    "smac": Method(lambda problem, seed: Smac(problem, seed, 100), ("smac",)),
    "engine": Method(_engine, ("agenthpo", "scipy"), seeds=20),
    "informed": Method(_informed, ("agenthpo", "scipy"), seeds=20),
    **{
        f"hybrid-{kind}": Method(
            _advised(kind), ("agenthpo",), trials=50, seeds=20, groups=("tables",)
        )
        for kind in (*ADVISORS, *STEPPING)
    },
    **{
        f"hybrid-{kind}-boastful": Method(
            _advised(kind, honest=False), ("agenthpo",), trials=25, groups=("tables",)
        )
        for kind in ADVISORS
    },
    **{
        f"alone-{kind}": Method(
            _advised(kind, alone=True), ("agenthpo",), trials=25, seeds=20, groups=("tables",)
        )
        for kind in (*ADVISORS, *STEPPING)
    },
    "hybrid-smollm2": Method(
        _by_model("local:smollm2", "smollm2", always=False),
        ("agenthpo",),
        trials=25,
        seeds=5,
        groups=("tables",),
    ),
    "creator-smollm2": Method(
        _by_model("local:smollm2", "smollm2", always=True),
        ("agenthpo",),
        trials=25,
        seeds=1,
        groups=("tables",),
    ),
    "hybrid-qwen": Method(
        _by_model("local:qwen2.5-coder-1.5b", "qwen", always=False),
        ("agenthpo",),
        trials=12,
        seeds=3,
        groups=("tables",),
    ),
}
"""Every method by name: peers, the engine, the hybrid with an advisor (boastful: of false
confidence), an advisor alone, real models.
"""


def bare(problem: Problem) -> Problem:
    """Return ``problem`` without a default."""
    return replace(
        problem,
        raw={
            name: {k: v for k, v in fields.items() if k != "default"}
            for name, fields in problem.raw.items()
        },
    )
