"""The task: background B, objective, search space, how to train, budget; and what one trial of it
runs.

Reading a task from a file is ``task_file``; a task may as well be built in Python, as ``tune()``
does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agenthpo.budget import DEFAULT_BUDGET, Budget, Spent
from agenthpo.command.config_file import ConfigFile
from agenthpo.command.programs import digest_of
from agenthpo.command.resolve import RUN_FOLDER, resolve_command, resolve_env
from agenthpo.errors import TaskError
from agenthpo.fidelity import CHECKPOINT_VARIABLE, CHECKPOINTS, Fidelity
from agenthpo.known_best import best_there_is
from agenthpo.limit import Limit
from agenthpo.pareto import Goal
from agenthpo.records import Direction, Params, RunFolder, RunSpec, Trial
from agenthpo.space import Key, Space, format_number, same
from agenthpo.stop_rule import StopRule
from agenthpo.trials import upward

__all__ = ["TEMPLATES", "Background", "Objective", "Task", "Train", "checked_direction"]

TEMPLATES = (
    "head",
    "creator",
    "creator_row",
    "executor",
    "executor_role",
    "analyse",
    "analyse_role",
    "propose",
    "choose",
)
"""The prompt templates that a task may replace, by a Markdown file of that name in the folder
``prompts`` beside the task file.
"""


@dataclass(frozen=True)
class Background:
    """The task in plain words, for the agents: what is learnt, from which data, by which model, to
    which end.
    """

    task: str = ""
    dataset: str = ""
    model: str = ""
    goal: str = ""
    notes: str = ""

    def describe(self) -> str:
        """Return one Markdown list item for each part that was given."""
        return "\n".join(
            f"- {name.capitalize()}: {text}" for name, text in vars(self).items() if text
        )

    def noted(self, said: str) -> Background:
        """Return it with one more note."""
        return replace(self, notes=" ".join(filter(None, [self.notes, said])))

    @classmethod
    def of(cls, given: str | Mapping[str, str]) -> Background:
        """Return the background that a caller gives as one text or by its parts.

        :raises TaskError: for a part that is not known.
        """
        if isinstance(given, str):
            return cls(task=" ".join(given.split()))
        known = list(vars(cls()))
        for key in given:
            if key not in known:
                raise TaskError(
                    f"background.{key} is not a known key; known are {', '.join(known)}"
                )
        return cls(**{key: " ".join(str(text).split()) for key, text in given.items()})


@dataclass(frozen=True)
class Objective:
    """What is tuned (``metric``), which way, and what is only shown (``test_metric``). ``at`` picks
    the point of the curve.
    """

    metric: str
    direction: Direction = "maximize"
    test_metric: str | None = None
    at: str = "last"
    """``last``, ``best``, ``mean of last N`` or ``median of last N``."""
    perfect: float | None = None
    """The value that nothing can beat, where the task says one."""
    noisy: bool = False
    """Whether the same configuration may give another value, so that trying it again is allowed."""

    def best_possible(self, value: float | None) -> float | None:
        """Return what nothing can beat, as the task says or the metric's name does; None where
        neither is known.

        :param value: the best so far, which tells percents from shares.
        """
        if self.perfect is not None:
            return self.perfect
        return best_there_is(self.metric, self.direction, value)


def checked_direction(direction: str) -> Direction:
    """Return a direction that a caller gave.

    :raises TaskError: if it is none.
    """
    if direction not in ("minimize", "maximize"):
        raise TaskError(f"direction is {direction!r}, but must be 'minimize' or 'maximize'")
    return direction  # type: ignore[return-value]


@dataclass(frozen=True)
class Train:
    """How to train: a command or a Python callable; its time limit; how metrics are read from the
    output.
    """

    command: tuple[str, ...] = ()
    """Words with placeholders; for ``shell`` a single one, the line for ``sh -c``."""
    shell: bool = False
    styles: Mapping[str, str] = field(default_factory=dict)
    """Parameter -> how ``{flags}`` writes its true, false and null; the bare option for true alone
    where it says nothing.
    """
    function: Callable[[Params], Any] | None = None
    cwd: str | None = None
    run_folder: RunFolder | None = None
    """What a folder of each trial's own holds, in which the command runs; without it that is
    ``cwd``.
    """
    env: Mapping[str, str] = field(default_factory=dict)
    pty: bool = False
    """Whether the command writes to a terminal."""
    timeout_s: float | None = None
    silence_s: float | None = None
    ignores_exit_code: bool = False
    memory_mb: float | None = None
    """What the training and its children may hold in memory together, in 10^6 bytes of resident
    memory.
    """
    gpus: float = 0.0
    """How many GPUs a trial sees; below 1 several share one."""
    cpus: int | None = None
    """How many processors a trial gets; None for an even share of this machine's."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    finds_metrics: bool = False
    """Whether metrics are looked for in the files of known loggers."""
    metrics_file: str | None = None
    """A CSV or JSON-lines file that the script writes; with placeholders, relative to ``cwd``."""
    config: ConfigFile | None = None
    """A configuration file of the script's, with the trial's values in it."""


@dataclass(frozen=True)
class Task:
    """All that the agents and the loop know before the first trial."""

    name: str
    objective: Objective
    space: Space
    train: Train
    background: Background = field(default_factory=Background)
    budget: Budget = DEFAULT_BUDGET
    written_budget: Budget | None = None
    """The budget as the task file has it, whatever the command line made of it."""
    file: str | None = None
    """The task file (absolute), where there is one."""
    prompts: Path | None = None
    """A folder with Markdown templates that go before AgentHPO's own."""
    goals: tuple[Goal, ...] = ()
    """The objectives beside the first."""
    limits: tuple[Limit, ...] = ()
    """What the results have to keep, such as ``latency_ms <= 20``."""
    stop: StopRule | None = None
    """Which trainings are stopped before their end; none without it, but those that diverge."""
    fidelity: Fidelity | None = None
    """The parameter that says how much of a training a trial is; None where all are whole."""
    repeats: int = 1
    """How many runs a trial has, each with another seed; its value is their mean."""
    certify: int = 0
    """Trials of the budget that are kept to certify the winner."""
    written_space: Space | None = None
    """The space as the task file has it, where people have widened a range."""
    pins: Params = field(default_factory=dict)
    """Parameters that are held at a value while the study runs: what is proposed has it."""

    def spec(
        self, number: int, params: Params, *, seed: int, workdir: Path, study: str = ""
    ) -> RunSpec:
        """Return what to run for trial ``number`` of the study whose identity is ``study``."""
        train = self.train
        cwd = str(workdir / RUN_FOLDER) if train.run_folder else train.cwd
        given = self.space.given(params)
        file = None
        if train.metrics_file:
            file = resolve_env({"file": train.metrics_file}, given, seed=seed, workdir=workdir)[
                "file"
            ]
        command = resolve_command(
            train.command,
            self.space,
            given,
            shell=train.shell,
            styles=train.styles,
            seed=seed,
            workdir=workdir,
        )
        return RunSpec(
            trial=number,
            params=params,
            objects={p.name: given[p.name] for p in self.space.active(params) if p.objects},
            workdir=str(workdir),
            metric=self.objective.metric,
            direction=self.objective.direction,
            at=self.objective.at,
            test_metric=self.objective.test_metric,
            seed=seed,
            command=command,
            cwd=cwd,
            run_folder=train.run_folder,
            env={
                **resolve_env(train.env, given, seed=seed, workdir=workdir),
                **self._checkpoints(params, seed=seed, workdir=workdir),
            },
            function=train.function,
            pty=train.pty,
            timeout_s=train.timeout_s,
            silence_s=train.silence_s,
            memory_mb=train.memory_mb,
            limits=self.limits,
            others=tuple(goal.metric for goal in self.goals),
            ignores_exit_code=train.ignores_exit_code,
            patterns=train.patterns,
            finds_metrics=train.finds_metrics,
            metrics_file=file and str(Path(cwd or ".", file)),
            study=study,
            files={train.config.to: train.config.text(given)} if train.config else {},
            script=digest_of(
                (
                    *train.command,
                    *(f"{k}={v}" for k, v in train.env.items()),
                    *((train.config.text({}),) if train.config else ()),
                ),
                Path(train.cwd or "."),
                train.function,
            ),
        )

    def _checkpoints(self, params: Params, *, seed: int, workdir: Path) -> dict[str, str]:
        """Return the variable that names where a script may keep its checkpoints: one folder for a
        configuration with a seed, whatever its fidelity.
        """
        if self.fidelity is None:
            return {}
        said = f"{self.space.key(self.fidelity.rest(params))} {seed}".encode()
        folder = workdir.parent.parent / CHECKPOINTS / hashlib.sha256(said).hexdigest()[:16]
        return {CHECKPOINT_VARIABLE: str(folder)}

    def reason(self, spent: Spent) -> str | None:
        """Return in words why the study ends when ``spent`` is used up: its budget, or that nothing
        can be better; None while it goes on.
        """
        goal, best = self.objective, spent.best
        if reason := self.budget.reason(spent, goal.direction):
            return reason
        if self.goals:  # the best in one may be the worst in another
            return None
        # where values are noisy, one lucky value is no proof
        known = goal.perfect if goal.noisy else goal.best_possible(best)
        if known is None or best is None or (best - known) * upward(goal.direction) < 0:
            return None
        return f"{goal.metric} is {format_number(best)}, which nothing can beat"

    def is_pinned(self, params: Params) -> bool:
        """Return whether ``params`` has what is pinned, as far as it is active in it."""
        return not self.off_pins(params)

    def off_pins(self, params: Params) -> list[str]:
        """Return the pinned parameters that ``params`` has at another value."""
        pins = self.pins.items()
        return [name for name, value in pins if name in params and not same(params[name], value)]

    def barred(self, trials: Sequence[Trial]) -> set[Key]:
        """Return the keys of the configurations that are not to be tried again: all that were, or
        where values are noisy, those that failed.
        """
        keys = {
            self.space.key(t.proposal.params)
            for t in trials
            if not self.objective.noisy or (t.outcome is not None and t.value is None)
        }
        return keys - {
            self.space.key(t.proposal.params)
            for t in trials
            if self.objective.noisy and t.value is not None
        }

    def tried_in(self, params: Params, trials: Sequence[Trial]) -> Trial | None:
        """Return the trial that bars ``params`` from being tried again; None where none does."""
        key = self.space.key(params)
        if key not in self.barred(trials):
            return None
        return next(t for t in trials if self.space.key(t.proposal.params) == key)

    def with_budget(self, limits: Budget) -> Task:
        """Return the task with each limit of its budget replaced that ``limits`` sets."""
        return replace(self, budget=self.budget.changed_by(limits))
