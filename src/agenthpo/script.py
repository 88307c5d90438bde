"""What a training script may import: ``config()`` for its hyperparameters and ``report()`` for its
metrics.

Standard library only, and little of it at import, so that importing it costs nothing. Run by hand,
outside a study, ``config`` returns the defaults it is given and ``report`` prints.
"""

from __future__ import annotations

import contextvars
import os

TYPE_CHECKING = False  # as typing has it, whose import would be most of the cost of ours
if TYPE_CHECKING:
    from typing import Any

__all__ = ["config", "in_trial", "report"]

PARAMS_FILE, METRICS_FILE = "params.json", "metrics.jsonl"
PARAMS_VARIABLE, ATTEMPT_VARIABLE = "AGENTHPO_PARAMS", "AGENTHPO_ATTEMPT"
ATTEMPT_KEY = "agenthpo_attempt"
"""What a reported line says which attempt it is of by: a training that outlived its trial does not
speak for the next.
"""
_here: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar(
    "trial", default=None
)


def config(**defaults: Any) -> dict[str, Any]:
    """Return this trial's hyperparameters.

    Outside a study it returns ``defaults``, or the content of the JSON file that the environment
    variable ``AGENTHPO_PARAMS`` names; ``agenthpo best`` prints such a line. Values have the types
    of the search space. An inactive parameter is absent, or keeps its default.

        >>> config(learning_rate=0.01)
        {'learning_rate': 0.01}

    :param defaults: values for the parameters that the trial does not set.
    """
    import json

    folder = _folder()
    path = os.environ.get(PARAMS_VARIABLE) if folder is None else os.path.join(folder, PARAMS_FILE)
    if path is None:
        return dict(defaults)
    with open(path, encoding="utf-8") as file:
        return {**defaults, **json.load(file)}


def report(*, step: float | None = None, **metrics: Any) -> None:
    """Report metrics, such as ``report(step=epoch, val_accuracy=acc)``.

    Outside a study it prints them as JSON.

        >>> report(step=3, val_accuracy=0.75)
        {"step": 3.0, "val_accuracy": 0.75}

    :param step: the epoch or iteration; a metric's points are counted 0, 1, 2 … without it.
    :param metrics: name -> number, or anything that ``float()`` reads (a 0-d tensor).
    """
    import json

    point: dict[str, Any] = {} if step is None else {"step": float(step)}
    point |= {name: float(value) for name, value in metrics.items()}
    folder = _folder()
    if folder is None:
        print(json.dumps(point), flush=True)
        return
    if attempt := _attempt():
        point[ATTEMPT_KEY] = attempt
    with open(os.path.join(folder, METRICS_FILE), "a", encoding="utf-8") as file:
        file.write(json.dumps(point) + "\n")


class in_trial:
    """Make ``config`` and ``report`` in this process work for the trial in ``folder``, and its
    ``attempt``.
    """

    def __init__(self, folder: str, attempt: str = "") -> None:
        self._wanted = folder, attempt

    def __enter__(self) -> None:
        self._token = _here.set(self._wanted)

    def __exit__(self, *_: object) -> None:
        _here.reset(self._token)


def _folder() -> str | None:
    here = _here.get()
    return here[0] if here else os.environ.get("AGENTHPO_TRIAL_DIR")


def _attempt() -> str:
    here = _here.get()
    return here[1] if here else os.environ.get(ATTEMPT_VARIABLE, "")
