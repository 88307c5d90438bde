"""Ask and tell: the search without the loop, for those who have one of their own.

It lives in memory: a study that outlives its process is ``agenthpo.tune``.
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Self, get_args

from agenthpo.agents.executor import Executor
from agenthpo.assembly import ModelChoice, check_priced, opened_model, proposer_named
from agenthpo.budget import Budget, Spent
from agenthpo.errors import StudyError, TaskError
from agenthpo.known import hints_of
from agenthpo.llm.names import NONE
from agenthpo.llm.redact import Redacting
from agenthpo.parts import checked_parts
from agenthpo.records import Direction, Outcome, Params, Proposal, Status, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.structured import plain
from agenthpo.task import Background, Objective, Task, Train, checked_direction
from agenthpo.taskfile.space import parse_space, with_defaults
from agenthpo.trials import best_measured, mean_value

__all__ = ["Best", "Optimizer"]

_FAILURES: tuple[str, ...] = tuple(status for status in get_args(Status) if status != "complete")


@dataclass(frozen=True)
class Best:
    """The configuration to use, its objective value, and the numbers of the trials that measured
    it.
    """

    params: Params
    """The configuration to use."""
    value: float
    """Its objective value; the mean, if it was measured more than once."""
    trials: tuple[int, ...]
    """The numbers of the trials that measured it."""


class Optimizer:
    """Propose configurations and learn from their values; any number may be pending.

        >>> import agenthpo
        >>> lr = {"type": "float", "low": 1e-5, "high": 0.1, "log": True, "default": 0.001}
        >>> opt = agenthpo.Optimizer({"lr": lr}, direction="minimize")
        >>> for _ in range(8):
        ...     params = opt.ask()
        ...     trial = opt.tell(params, abs(params["lr"] - 0.01))
        >>> opt.best().value < 0.009
        True

    :param space: as in a task file: name -> type, low, high, log, step, values, default, about,
        when.
    :param direction: ``minimize`` or ``maximize``; there is no default.
    :param defaults: the configuration to begin with. It comes before the defaults in ``space``.
    :param proposer: who proposes: a name as for ``--proposer``, or any
        ``agenthpo.search.Proposer``.
    :param earlier: earlier studies to begin with, as for ``agenthpo.tune``.
    :param without: parts to go without, as for ``agenthpo.tune``.
    :param model: the language model, ``none`` for no model; see ``agenthpo.tune``.
    :param base_url: an OpenAI-compatible server that has the model.
    :param background: the task in plain words, or a mapping with any of task, dataset, model, goal,
        notes.
    :param metric: what the value is called, for the language model.
    :param noisy: whether the same configuration may give another value, so that it may be proposed
        again.
    :param budget: when ``ask`` stops to answer; there is no limit without it.
    :param seed: of the search.
    :raises AgentHPOError: for a mistake in the arguments or a model that cannot be used.
    """

    def __init__(
        self,
        space: Mapping[str, Mapping[str, Any]],
        *,
        direction: Direction,
        defaults: Mapping[str, Any] | None = None,
        proposer: str | Proposer = "hybrid",
        earlier: Sequence[str] = (),
        without: Sequence[str] = (),
        model: str = NONE,
        base_url: str | None = None,
        background: str | Mapping[str, str] = "",
        metric: str = "value",
        noisy: bool = False,
        budget: Budget | None = None,
        seed: int = 0,
    ) -> None:
        objective = Objective(metric, checked_direction(direction), noisy=noisy)
        parsed = with_defaults(parse_space(space), defaults or {})
        self.task = Task(
            name="ask-and-tell",
            objective=objective,
            space=parsed,
            train=Train(),
            background=Background.of(background),
            budget=budget or Budget(),
        )
        self._stack = ExitStack()
        # Whoever does not close it: before the interpreter takes away what closing needs.
        self._closing = weakref.finalize(self, self._stack.close)
        self._executor = Executor()
        self._proposer: Proposer
        if isinstance(proposer, str):
            choice = ModelChoice(model, base_url)
            parts = checked_parts(without)
            check_priced(self.task, choice)
            llm = self._stack.enter_context(opened_model(choice))
            self._proposer = proposer_named(
                proposer,
                llm and Redacting(llm),
                seed=seed,
                hints=hints_of(self.task, earlier=earlier, without=parts, proposer=proposer),
                without=parts,
            )
        elif earlier:
            raise TaskError("a proposer of your own makes no use of earlier=; leave it out")
        else:
            self._proposer = proposer
        self._trials: list[Trial] = []

    def ask(self) -> Params:
        """Return the next configuration to evaluate; it is pending until its result is told.

        :raises StudyError: if the budget is spent, or every configuration of the space has been
            tried.
        """
        pending = sum(trial.outcome is None for trial in self._trials)
        direction = self.task.objective.direction
        spent = Spent.of(self._trials, direction).with_running(pending)
        if reason := self.task.reason(spent):
            raise StudyError(f"there is nothing more to ask: {reason}")
        proposal = self._proposer.propose(self.task, self._trials)
        if isinstance(proposal, Stop):
            raise StudyError(f"there is nothing more to ask: {proposal.reason}")
        self._trials.append(Trial(len(self._trials), proposal, started_at=time.time()))
        return self.task.space.given(proposal.params)

    def tell(
        self,
        params: Mapping[str, Any],
        value: float | None = None,
        *,
        status: str = "complete",
        seconds: float = 0.0,
        peak_mb: float | None = None,
    ) -> Trial:
        """Record the result of ``params``, and return the trial.

        Configurations that were never asked for are welcome. A value that is not finite counts as
        ``diverged``.

        :param params: a configuration, as ``ask`` returns it.
        :param value: its value of the objective; None for a trial without one.
        :param status: ``complete`` with a value; ``failed``, ``timeout``, ``oom``, ``diverged`` or
            ``interrupted`` without.
        :param seconds: how long it took. Where some hit a time limit, the engine learns from it
            what takes too long.
        :param peak_mb: the most memory that it held, in 10^6 bytes, for the same reason.
        :raises InvalidParams: if they do not lie in the space.
        :raises StudyError: if value and status contradict each other.
        """
        known = self.task.space.snap(plain(dict(params)))
        self.task.space.check(known)
        place = self._place(known)
        trial = self._trials[place]
        outcome = replace(_outcome(value, status), duration_s=seconds, peak_mb=peak_mb)
        analysis = self._executor.analyse(self.task, trial, outcome=outcome, trials=self._trials)
        self._trials[place] = replace(
            trial, outcome=outcome, analysis=analysis, finished_at=time.time()
        )
        return self._trials[place]

    def best(self) -> Best | None:
        """Return the best configuration so far, or None while nothing has a value.

        One that was measured more than once counts by the mean of its values.
        """
        found = best_measured(self._trials, self.task.objective.direction)
        if not found:
            return None
        return Best(
            self.task.space.given(found[0].proposal.params),
            mean_value(found),
            tuple(t.number for t in found),
        )

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials so far, pending ones too."""
        return tuple(self._trials)

    def close(self) -> None:
        """Free the language model."""
        self._closing()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _place(self, params: Params) -> int:
        """Return where the pending trial of ``params`` stands, the oldest of several; a new one
        where there is none.
        """
        key = self.task.space.key(params)
        pending = (
            i
            for i, t in enumerate(self._trials)
            if t.outcome is None and self.task.space.key(t.proposal.params) == key
        )
        place = next(pending, None)
        if place is not None:
            return place
        self._trials.append(
            Trial(len(self._trials), Proposal(params, "human"), started_at=time.time())
        )
        return len(self._trials) - 1


def _outcome(value: float | None, status: str) -> Outcome:
    if status == "complete":
        if value is None:
            raise StudyError(
                "a complete trial needs a value; tell status='failed' where there is none"
            )
        number = float(value)
        return (
            Outcome("complete", number)
            if math.isfinite(number)
            else Outcome("diverged", error=f"the value is {number}")
        )
    if status not in _FAILURES:
        raise StudyError(
            f"status is {status!r}, but must be complete, {', '.join(_FAILURES[:-1])} or "
            f"{_FAILURES[-1]}"
        )
    if value is not None:
        raise StudyError(
            f"a trial that is {status} has no value; leave it out, or leave out the status"
        )
    return Outcome(status, error=status)  # type: ignore[arg-type]
