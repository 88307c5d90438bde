"""What a trial costs beside its training, and what the driver holds in memory, as a study grows:
``python benchmarks/overhead.py``.

A function that returns at once is tuned by random search and by the engine, in a journal file. The
time is the mean over the last hundred trials before each mark.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import psutil

from agenthpo.budget import Budget
from agenthpo.events import Event, Finished
from agenthpo.session import begin
from agenthpo.task import Objective, Task, Train
from agenthpo.taskfile.space import parse_space

MARKS = (100, 1000, 5000)
SPACE = {name: {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5} for name in "abcdef"}


def measured(proposer: str, marks: tuple[int, ...]) -> list[dict[str, float]]:
    """Return seconds a trial and megabytes of the driver at each mark."""
    ends: list[float] = [time.monotonic()]
    rows: list[dict[str, float]] = []

    def seen(event: Event) -> None:
        if isinstance(event, Finished):
            ends.append(time.monotonic())
            if len(ends) - 1 in marks:
                held = psutil.Process().memory_info().rss / 1e6
                each = (ends[-1] - ends[-101]) / 100
                rows.append({"trials": len(ends) - 1, "seconds": each, "mb": held})
                print(proposer, rows[-1], file=sys.stderr, flush=True)

    task = Task(
        name="nothing",
        objective=Objective("value", "maximize"),
        space=parse_space(SPACE),
        train=Train(function=lambda params: params["a"] - params["b"] ** 2),
        budget=Budget(max(marks)),
    )
    begin(task, Path(tempfile.mkdtemp()) / "study", proposer=proposer, on_event=seen)
    return rows


def main() -> None:
    """Print the rows as JSON."""
    found = {"random": measured("random", MARKS), "engine": measured("engine", MARKS[:2])}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
