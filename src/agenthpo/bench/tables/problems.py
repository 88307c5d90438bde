"""What a benchmark problem is: a search space with a default, values that may be noisy or missing,
and a known optimum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np

from agenthpo.records import Params, Status
from agenthpo.space import Space
from agenthpo.task import Background, Objective, Task, Train
from agenthpo.taskfile.space import parse_space

__all__ = ["Pool", "Problem", "Ranked", "Used", "regret", "sampled"]

_POOL, _POOL_SEED, _WORST = 4000, 20261126, 2.0
"""Random configurations that stand for a continuous space; where normalised regret is cut off."""


class Ranked(Protocol):
    """Configurations of a problem from the best to the worst."""

    def at(self, share: float) -> Params:
        """Return the configuration that ``share`` of all are better than; 0 is the best, 1 the
        worst.
        """
        ...


@dataclass(frozen=True)
class Used:
    """What a trial used; 0 and None where nobody measures it."""

    seconds: float = 0.0
    peak_mb: float | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """A loss to minimise. ``observe`` draws what one trial of it comes to, None where it fails;
    ``mean`` is what it comes to on average.
    """

    name: str
    group: Literal["tables", "continuous", "live", "failing"]
    raw: Mapping[str, Mapping[str, Any]]
    """The space as in a task file, its default included."""
    observe: Callable[[Params, np.random.Generator], float | None]
    mean: Callable[[Params], float | None]
    ranked: Ranked
    best: float
    """The lowest mean loss."""
    median: float
    """The mean loss that half of the space's configurations (those that do not fail) go below."""
    noisy: bool = False
    background: str = ""
    data: str = ""
    """The data set of the recorded library that it is trained on; empty where it is another."""
    status_of: Callable[[Params], Status] = lambda params: "failed"
    """How a trial of a configuration that fails ends."""
    used_by: Callable[[Params], Used] = lambda params: Used()
    """What a trial of a configuration uses, as its outcome would say."""

    @cached_property
    def space(self) -> Space:
        """The parsed space."""
        return parse_space(self.raw)

    @cached_property
    def task(self) -> Task:
        """What a proposer is told of it."""
        return Task(
            name=self.name,
            objective=Objective("loss", "minimize", noisy=self.noisy),
            space=self.space,
            train=Train(),
            background=Background.of(self.background),
        )


def regret(problem: Problem, params: Params | None) -> float:
    """Return the normalised regret of ``params``: 0 at the optimum, 1 at the median configuration,
    2 at most; 2 for a failure or None.
    """
    loss = None if params is None else problem.mean(params)
    if loss is None:
        return _WORST
    return float(np.clip((loss - problem.best) / (problem.median - problem.best), 0.0, _WORST))


def sampled(space: Space, rng: np.random.Generator) -> Params:
    """Return a configuration drawn uniformly, on each parameter's own scale."""
    params: Params = {}
    for parameter in space:
        if parameter not in space.active(params):
            continue
        if parameter.is_discrete:
            params[parameter.name] = parameter.values[rng.integers(len(parameter.values))]
            continue
        assert parameter.low is not None and parameter.high is not None
        low, high = (
            (np.log([parameter.low, parameter.high]))
            if parameter.log
            else (parameter.low, parameter.high)
        )
        value = rng.uniform(low, high)
        value = float(np.exp(value)) if parameter.log else float(value)
        value = round(value) if parameter.kind == "int" else value
        params[parameter.name] = parameter.snap(min(max(value, parameter.low), parameter.high))
    return params


@dataclass(frozen=True, eq=False)
class Pool:
    """Configurations that stand for a space, ranked; those that fail come last."""

    configurations: tuple[Params, ...]
    losses: np.ndarray
    """Mean losses in the same order, ascending; infinite where it fails."""

    @classmethod
    def of(cls, configurations: Sequence[Params], losses: np.ndarray) -> Pool:
        """Rank ``configurations`` by their mean ``losses``."""
        order = np.argsort(losses, kind="stable")
        return cls(tuple(configurations[i] for i in order), losses[order])

    @classmethod
    def drawn(cls, space: Space, mean: Callable[[Params], float | None]) -> Pool:
        """Draw and rank random ones; the same ones each time."""
        rng = np.random.default_rng(_POOL_SEED)
        drawn = [sampled(space, rng) for _ in range(_POOL)]
        losses = np.array([np.inf if (loss := mean(params)) is None else loss for params in drawn])
        return cls.of(drawn, losses)

    def at(self, share: float) -> Params:
        """Return the configuration at ``share`` of the ranking."""
        return self.configurations[round(share * (len(self.configurations) - 1))]

    @property
    def median(self) -> float:
        """The median loss of those that do not fail."""
        return float(np.median(self.losses[np.isfinite(self.losses)]))
