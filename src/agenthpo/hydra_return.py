"""What a Hydra main returns, reported as the metric: Hydra itself hands it to sweepers only.

    python train.py {overrides} \\
        +hydra.callbacks.agenthpo._target_=agenthpo.hydra_return.ReportReturn

https://hydra.cc/docs/experimental/callbacks
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hydra.experimental.callback import Callback

from agenthpo.script import report

__all__ = ["ReportReturn"]


class ReportReturn(Callback):
    """Report the return value of the main function: a number under the metric's name, a mapping of
    metrics as it is.
    """

    def on_job_end(self, config: Any, job_return: Any, **kwargs: Any) -> None:
        """Take what the job returned, if it ended well."""
        if getattr(job_return.status, "name", "") != "COMPLETED":
            return
        value = job_return.return_value
        metrics = value if isinstance(value, Mapping) else {_metric(): value}
        numbers = {name: float(each) for name, each in metrics.items() if _is_number(each)}
        if numbers:
            report(**numbers)


def _metric() -> str:
    return os.environ.get("AGENTHPO_METRIC", "value")


def _is_number(value: Any) -> bool:
    """Return whether it is a number, or something of one element (a tensor) that says its own."""
    if isinstance(value, bool | str) or value is None:
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
