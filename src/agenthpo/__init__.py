"""Tune a training script with two language-model agents and an optimisation engine.

``config`` and ``report`` are for training scripts; importing the package for them costs next to
nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import would be most of the cost of ours
if TYPE_CHECKING:
    from typing import Any

    from agenthpo.api import tune
    from agenthpo.budget import Budget
    from agenthpo.errors import AgentHPOError
    from agenthpo.optimizer import Optimizer
    from agenthpo.result import Result
    from agenthpo.script import config, report
    from agenthpo.sklearn import AgentSearchCV as AgentSearchCV  # not in __all__: needs sklearn
    from agenthpo.study import Study

__version__ = "0.1.0"
__all__ = [
    "AgentHPOError",
    "Budget",
    "Optimizer",
    "Result",
    "Study",
    "__version__",
    "config",
    "report",
    "tune",
]

_HOME = {
    "Budget": "budget",
    "Optimizer": "optimizer",
    "Result": "result",
    "Study": "study",
    "tune": "api",
    "config": "script",
    "report": "script",
    "AgentHPOError": "errors",
    "AgentSearchCV": "sklearn",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'agenthpo' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"agenthpo.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
