"""``agenthpo.tune``: tune a Python function, from a script or a notebook."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agenthpo.assembly import ModelChoice, replayed
from agenthpo.budget import Budget
from agenthpo.errors import StudyError
from agenthpo.events import Event, Stopped
from agenthpo.experience.log import read_meta
from agenthpo.experience.meta import OnFailure
from agenthpo.llm.default_model import choose_model
from agenthpo.records import Direction, Params, Trial
from agenthpo.session import begin, go_on
from agenthpo.studies import study_folder
from agenthpo.task import Background, Objective, Task, Train, checked_direction
from agenthpo.taskfile.reading import check_name
from agenthpo.taskfile.space import parse_space
from agenthpo.text.event_lines import TextLines

__all__ = ["Result", "tune"]


@dataclass(frozen=True)
class Result:
    """What a study found: ``best_params`` and ``best_value`` are None where no trial succeeded."""

    best_params: Params | None
    best_value: float | None
    trials: tuple[Trial, ...]
    reason: str
    """Why it ended."""
    folder: Path
    """Where the study lives; ``agenthpo show FOLDER`` shows it."""


def tune(
    objective: Callable[[Params], Any],
    space: Mapping[str, Mapping[str, Any]],
    *,
    background: str | Mapping[str, str] = "",
    metric: str = "value",
    direction: Direction = "maximize",
    trials: int = 20,
    timeout_s: float | None = None,
    target: float | None = None,
    patience: int | None = None,
    max_tokens: int | None = None,
    max_cost_usd: float | None = None,
    noisy: bool = False,
    model: str | None = None,
    base_url: str | None = None,
    study: str | None = None,
    resume: bool = False,
    proposer: str | None = None,
    on_llm_failure: OnFailure = "fallback",
    keep_going: bool = False,
    seed: int = 0,
    on_event: Callable[[Event], None] | None = None,
) -> Result:
    """Tune ``objective``, which is called in this process with a dict of parameters and returns the
    metric's value.

    It may report learning curves by ``agenthpo.report(step=…, value=…)`` and return a dict of
    several metrics; an exception is a failed trial. The study is kept in ``.agenthpo/STUDY`` of the
    working folder; ``resume=True`` resumes one until ``trials`` are done.

    :param space: as in a task file: name -> type, low, high, log, step, values, default, about,
        when.
    :param timeout_s: seconds the study may take; ``target``: a value that is good enough;
        ``patience``: trials without a new best after
        which to stop; ``max_tokens`` and ``max_cost_usd``: what the language model may use.
    :param noisy: whether the same configuration may give another value, so that it may be tried
        again.
    :param on_llm_failure: ``fallback`` to search on without the model, visibly, or ``stop`` to
        raise :class:`ModelError`.
    :param keep_going: whether to spend all trials even where ``objective`` itself is at fault:
        where its first two calls, or later three
        in a row, fail the same way, the study ends.
    :param background: the task in plain words, or a mapping with any of task, dataset, model, goal,
        notes.
    :param model: ``local:NAME``, ``PROVIDER:MODEL``, ``replay:STUDY`` (with its seed) or ``none``;
        without it ``AGENTHPO_MODEL``, else the embedded model if it is downloaded.
    :param proposer: who proposes, as for ``--proposer``; ``hybrid`` without it.
    :param on_event: called with each event of :mod:`agenthpo.events`; without it, lines are
        printed.
    :raises AgentHPOError: for a mistake in the arguments, a study that exists, or a model that
        cannot be used.
    """
    limits = Budget(
        trials=trials,
        time_s=timeout_s,
        tokens=max_tokens,
        cost_usd=max_cost_usd,
        target=target,
        patience=patience,
    )
    task = Task(
        name=_name_of(objective),
        objective=Objective(metric, checked_direction(direction), noisy=noisy),
        space=parse_space(space),
        train=Train(function=objective),
        background=Background.of(background),
        budget=limits,
    )
    folder = study_folder(check_name(study or task.name, where="study"), beside=Path())
    tell = on_event or TextLines()
    if resume:
        choice = ModelChoice(model, base_url, on_failure=on_llm_failure) if model else None
        return _result(
            go_on(
                folder,
                task=task,
                model=choice,
                proposer=proposer,
                limits=limits,
                keep_going=keep_going,
                on_event=tell,
            ),
            folder,
        )
    if read_meta(folder) is not None:
        raise StudyError(
            f"the study {folder} exists; resume it by resume=True, or name another one by study=…"
        )
    name, hint = choose_model(model)
    choice, its_seed = replayed(
        ModelChoice(name=name, base_url=base_url, hint=hint, on_failure=on_llm_failure)
    )
    seed = its_seed if its_seed is not None else seed
    return _result(
        begin(
            task,
            folder,
            model=choice,
            seed=seed,
            proposer=proposer,
            keep_going=keep_going,
            on_event=tell,
        ),
        folder,
    )


def _result(stopped: Stopped, folder: Path) -> Result:
    best = stopped.incumbent
    if best is None:
        return Result(
            best_params=None,
            best_value=None,
            trials=stopped.trials,
            reason=stopped.reason,
            folder=folder,
        )
    return Result(
        best_params=best.proposal.params,
        best_value=best.value,
        trials=stopped.trials,
        reason=stopped.reason,
        folder=folder,
    )


def _name_of(objective: Callable[..., Any]) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", getattr(objective, "__name__", "")).strip("-") or "study"
