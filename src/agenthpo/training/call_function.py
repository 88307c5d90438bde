"""Call ``module:function`` with the trial's parameters and report what it returns: ``python -m
agenthpo.training.call_function train:main``.

It runs in the trial's own process, in the task's folder.
"""

from __future__ import annotations

import importlib
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
    returned = called(config())
    if returned is not None:
        report(
            **returned
            if isinstance(returned, Mapping)
            else {os.environ.get("AGENTHPO_METRIC", "value"): returned}
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
