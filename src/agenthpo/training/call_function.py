"""Call ``module:function`` with the trial's parameters and report what it returns: ``python -m
agenthpo.training.call_function train:main``.

It runs in the trial's own process, in the task's folder.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from functools import reduce
from typing import Any

from agenthpo.script import config, report

__all__ = ["main"]


def main(text: str) -> None:
    """Import the module, call the function, report a number under the metric's name or a mapping of
    metrics as it is.
    """
    sys.path.insert(0, os.getcwd())
    module, _, function = text.partition(":")
    called: Any = reduce(getattr, function.split("."), importlib.import_module(module))
    returned = _called(called, config())
    if returned is not None:
        report(
            **returned
            if isinstance(returned, Mapping)
            else {os.environ.get("AGENTHPO_METRIC", "value"): returned}
        )


def _called(function: Any, params: dict[str, Any]) -> Any:
    """Call ``function`` with its parameters by name where it has them, else with all as a dict."""
    try:
        inspect.signature(function).bind(**params)
        names = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return function(params)
    # f(**everything) and f(config=None) alike take any dict
    return function(**params) if set(params) <= set(names) else function(params)


if __name__ == "__main__":
    main(*sys.argv[1:])
