"""The task: background B, objective, search space, how to train, budget; and what one trial of it runs.

Reading a task from a file is ``task_file``; a task may as well be built in Python, as ``tune()`` does.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from agenthpo.budget import Budget
from agenthpo.records import Direction, Params, RunSpec
from agenthpo.space import Space, format_number

__all__ = ["Background", "Objective", "Task", "Train", "fill", "placeholders", "resolve_command"]

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_.-]*)\}")


@dataclass(frozen=True)
class Background:
    """The task in plain words, for the agents: what is learnt, from which data, by which model, to which end."""

    task: str = ""
    dataset: str = ""
    model: str = ""
    goal: str = ""
    notes: str = ""

    def describe(self) -> str:
        """Return one Markdown list item for each part that was given."""
        return "\n".join(f"- {name.capitalize()}: {text}" for name, text in vars(self).items() if text)


@dataclass(frozen=True)
class Objective:
    """What is tuned (``metric``), which way, and what is only shown (``test_metric``). ``at`` picks the point of the curve."""

    metric: str
    direction: Direction = "maximize"
    test_metric: str | None = None
    at: Literal["last", "best"] = "last"


@dataclass(frozen=True)
class Train:
    """How to train: a command or a Python callable; its time limit; how metrics are read from the output."""

    command: tuple[str, ...] = ()
    """Words with placeholders; for ``shell`` a single one, the line for ``sh -c``."""
    shell: bool = False
    function: Callable[[Params], Any] | None = None
    cwd: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    patterns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """All that the agents and the loop know before the first trial."""

    name: str
    objective: Objective
    space: Space
    train: Train
    background: Background = field(default_factory=Background)
    budget: Budget = field(default_factory=Budget)
    file: str | None = None
    """The task file (absolute), where there is one."""

    def spec(self, number: int, params: Params, *, seed: int, workdir: Path) -> RunSpec:
        """Return what to run for trial ``number``."""
        values = _values(params, seed=seed, workdir=workdir)
        return RunSpec(
            trial=number,
            params=params,
            workdir=str(workdir),
            metric=self.objective.metric,
            direction=self.objective.direction,
            at=self.objective.at,
            test_metric=self.objective.test_metric,
            seed=seed,
            command=resolve_command(self.train, self.space, params, seed=seed, workdir=workdir),
            cwd=self.train.cwd,
            env={name: fill(text, values) for name, text in self.train.env.items() if set(placeholders(text)) <= set(values)},
            function=self.train.function,
            timeout_s=self.train.timeout_s,
            patterns=self.train.patterns,
        )

    def with_budget(self, *, trials: int | None = None, time_s: float | None = None) -> Task:
        """Return the task with those limits changed that are not None."""
        changes = {k: v for k, v in (("trials", trials), ("time_s", time_s)) if v is not None}
        return replace(self, budget=replace(self.budget, **changes))


def resolve_command(train: Train, space: Space, params: Params, *, seed: int, workdir: Path) -> tuple[str, ...]:
    """Return the command's words with the placeholders filled in, each value within one word whatever it holds.

    A parameter that is inactive vanishes together with its option: both ``--momentum {momentum}`` and ``--momentum={momentum}`` do.
    """
    values = _values(params, seed=seed, workdir=workdir)
    inactive = set(space.names) - set(params)
    if train.shell:
        quoted = {name: shlex.quote(value) for name, value in values.items()} | dict.fromkeys(inactive, "''")
        return ("sh", "-c", fill(train.command[0], quoted | {"flags": shlex.join(_flags(params))}))
    resolved: list[str] = []
    for word in train.command:
        if word == "{flags}":
            resolved += _flags(params)
        elif not inactive & set(placeholders(word)):
            resolved.append(fill(word, values))
        elif word.startswith("{") and resolved and resolved[-1].startswith("-"):
            resolved.pop()
    return tuple(resolved)


def placeholders(text: str) -> list[str]:
    """Return the names in braces; doubled braces stand for themselves."""
    return [match[1] for match in _PLACEHOLDER.finditer(text) if match[1]]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with its placeholders replaced once: what a value holds is never read again."""
    return _PLACEHOLDER.sub(lambda m: values[m[1]] if m[1] else m[0][0], text)


def _values(params: Params, *, seed: int, workdir: Path) -> dict[str, str]:
    own = {"config_file": str(workdir / "params.json"), "trial_dir": str(workdir), "seed": str(seed), "python": sys.executable}
    return {name: _exact(value) for name, value in params.items()} | own


def _exact(value: Any) -> str:
    """Return a value as a command line shows it, floats without loss."""
    return format_number(value) if isinstance(value, bool) else str(value)


def _flags(params: Params) -> list[str]:
    """Return ``--name value`` for every parameter; a true bool is the bare flag, a false one is left out."""
    words: list[str] = []
    for name, value in params.items():
        if isinstance(value, bool):
            words += [f"--{name}"] * value
        else:
            # `--lr=-1` rather than `--lr -1`: a value that starts with a dash must not be read as an option.
            words += [f"--{name}={_exact(value)}"] if _exact(value).startswith("-") else [f"--{name}", _exact(value)]
    return words
