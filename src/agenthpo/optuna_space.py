"""The search space as Optuna distributions, and configurations as the values these hold.

Two views: what is *stored* holds real values (a dashboard shows ``hidden_size = 32``), while what
an optimiser *models* holds the index of an ordered value, so that 32 lies between 16 and 64.
"""

from __future__ import annotations

from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from agenthpo.records import Params
from agenthpo.space import Parameter, Space, same

__all__ = ["from_model", "model_distribution", "stored_distribution", "to_model"]


def stored_distribution(parameter: Parameter) -> BaseDistribution:
    """Return the distribution whose values are the parameter's own."""
    if parameter.is_discrete:
        return CategoricalDistribution(parameter.values)
    return _range(parameter)


def model_distribution(parameter: Parameter) -> BaseDistribution:
    """Return the distribution an optimiser should see: ordered values as their index."""
    if parameter.is_discrete and parameter.is_ordered:
        return IntDistribution(0, len(parameter.values) - 1)
    return stored_distribution(parameter)


def to_model(space: Space, params: Params) -> dict[str, Any]:
    """Return the active values of ``params`` as an optimiser sees them."""
    return {
        p.name: _index(p, params[p.name]) if p.is_discrete and p.is_ordered else params[p.name]
        for p in space.active(params)
    }


def from_model(parameter: Parameter, value: Any) -> Any:
    """Return the parameter's own value for what an optimiser suggested."""
    own = parameter.values[int(value)] if parameter.is_discrete and parameter.is_ordered else value
    return parameter.snap(own)


def _index(parameter: Parameter, value: Any) -> int:
    return next(i for i, v in enumerate(parameter.values) if same(v, value))


def _range(parameter: Parameter) -> BaseDistribution:
    low, high = parameter.low, parameter.high
    assert low is not None and high is not None
    if parameter.kind == "int":
        return IntDistribution(
            int(low), int(high), log=parameter.log, step=int(parameter.step or 1)
        )
    return FloatDistribution(float(low), float(high), log=parameter.log, step=parameter.step)
