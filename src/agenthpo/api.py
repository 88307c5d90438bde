"""``agenthpo.tune``: tune a Python function, from a script or a notebook."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from agenthpo.assembly import ModelChoice, replayed
from agenthpo.budget import Budget
from agenthpo.errors import StudyError
from agenthpo.events import Event, Stopped
from agenthpo.experience.finding import read_meta
from agenthpo.experience.meta import OnFailure
from agenthpo.llm.default_model import choose_model
from agenthpo.notebook import listener
from agenthpo.pool_choice import PoolChoice
from agenthpo.records import Direction, Params
from agenthpo.result import Result
from agenthpo.session import begin, go_on
from agenthpo.studies import study_folder
from agenthpo.task import Background, Objective, Task, Train, checked_direction
from agenthpo.taskfile.reading import check_name
from agenthpo.taskfile.space import limits_of, parse_space, with_constraints
from agenthpo.text.pasting import pasted
from agenthpo.text.phrases import nothing_kept
from agenthpo.text.printing import say

__all__ = ["Result", "tune"]


def tune(
    objective: Callable[[Params], Any],
    space: Mapping[str, Mapping[str, Any]],
    *,
    constraints: Sequence[str] = (),
    background: str | Mapping[str, str] = "",
    metric: str = "value",
    direction: Direction,
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
    storage: str | None = None,
    resume: bool | Literal["auto"] = False,
    proposer: str | None = None,
    earlier: Sequence[str] = (),
    without: Sequence[str] = (),
    on_llm_failure: OnFailure = "fallback",
    llm_timeout_s: float | None = None,
    temperature: float | None = None,
    workers: int | None = None,
    pool: str | None = None,
    address: str | None = None,
    keep_going: bool = False,
    seed: int = 0,
    on_event: Callable[[Event], None] | None = None,
) -> Result:
    """Tune a Python function, which is called in this process, or on a Ray cluster.

    The study is kept in the folder ``.agenthpo/STUDY`` of the working folder, and survives a crash:
    call again with ``resume=True``. In a notebook a table of the trials grows below the cell, and a
    cell with ``resume="auto"`` can be run again and again.

        >>> import agenthpo
        >>> result = agenthpo.tune(
        ...     lambda params: (params["x"] - 1) ** 2,
        ...     {"x": {"type": "float", "low": 0.0, "high": 4.0, "default": 3.0}},
        ...     direction="minimize", trials=8, model="none", on_event=lambda event: None,
        ... )
        >>> len(result.trials)
        8
        >>> result.best_value < 4.0
        True

    :param objective: called with a dict of parameters. It returns the metric's value, or a dict of
        several metrics. It may report learning curves by ``agenthpo.report(step=…, value=…)``. An
        exception is a failed trial.
    :param space: as in a task file: name -> type, low, high, log, step, values, default, about,
        when.
    :param constraints: what must hold between parameters, such as ``warmup < epochs``, and what
        results have to keep, such as ``latency_ms <= 20`` of a metric that ``objective`` returns
        beside the other.
    :param background: the task in plain words, or a mapping with any of task, dataset, model, goal,
        notes.
    :param metric: the name of the metric to tune, if ``objective`` returns or reports several.
    :param direction: ``maximize`` or ``minimize``; there is no default.
    :param trials: how many trials in all, those of a resumed study included.
    :param timeout_s: seconds that the study may take, with the time for thinking.
    :param target: a value of the metric that is good enough to stop.
    :param patience: stop after so many trials without a new best.
    :param max_tokens: how many tokens the language model may read and write in all.
    :param max_cost_usd: how many US dollars the language model may cost in all.
    :param noisy: whether the same configuration may give another value, so that it may be tried
        again.
    :param model: ``local:NAME``, ``PROVIDER:MODEL``, ``replay:STUDY`` (with its seed) or ``none``.
        Without it ``AGENTHPO_MODEL``, else the embedded model if it is downloaded.
    :param base_url: an OpenAI-compatible server that has the model.
    :param study: the study's name; the objective's name without it.
    :param storage: an Optuna storage for the trials of a new study, such as
        ``sqlite:///study.db``; a journal file in the study's folder without it.
    :param resume: True to continue the study of that name until ``trials`` are done; ``"auto"`` to
        begin it where there is none yet.
    :param proposer: who proposes, as for ``--proposer``; ``hybrid`` without it.
    :param earlier: studies whose best configurations are tried after the default: names or folders,
        CSV files, files or URLs of Optuna storages. Their spaces may differ.
    :param without: parts to go without: ``knowledge`` (what was good on other data sets for the
        same kind of model, of which one configuration is tried after the default), ``engine``, and
        what a language model is told: ``background``, ``history``, ``analysis``. A resumed study
        keeps what it began with.
    :param on_llm_failure: what a failed request does: ``fallback`` continues with the engine, and
        each trial says so; ``stop`` raises ``ModelError``, and the study can be resumed.
    :param llm_timeout_s: seconds that a remote model has to answer; 120 without it, and 600 for one
        that is known to think first.
    :param temperature: how freely the model draws its words, from 0 to 2; the model's own without
        it.
    :param workers: how many calls of ``objective`` run at once, each in a thread; one without it,
        and as many as there is room for on a Ray cluster.
    :param pool: ``local`` (the default) or ``ray``, where the cluster's processes call
        ``objective``.
    :param address: the Ray cluster, such as ``10.0.0.1:6379``; without it one is begun here.
    :param keep_going: whether to spend all trials even if ``objective`` itself is at fault. Without
        it the study ends when the first two calls, or later three in a row, fail the same way.
    :param seed: of the search; a function that draws at random seeds itself.
    :param on_event: called with each event of ``agenthpo.events``; without it lines are printed,
        or a table is shown in a notebook.
    :returns: the best configuration, its value, all trials, and why the study ended.
    :raises StudyError: if no trial gave a value; its words hold the last trial's error.
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
        space=(parsed := with_constraints(parse_space(space), constraints)),
        train=Train(function=objective),
        limits=limits_of(parsed, constraints, test_metric=None),
        background=Background.of(background),
        budget=limits,
    )
    folder = study_folder(check_name(study or task.name, where="study"), beside=Path())
    where = PoolChoice.of(pool, address)
    tell = on_event or listener()
    exists = read_meta(folder) is not None
    if exists and not resume:
        raise StudyError(
            f"the study {folder} exists; go on with it by resume=True (or resume='auto', which "
            "also begins one), or name another one by study=…"
        )
    choice = functools.partial(
        ModelChoice,
        base_url=base_url,
        on_failure=on_llm_failure,
        timeout_s=llm_timeout_s,
        temperature=temperature,
    )
    try:
        if exists or resume is True:
            stopped = go_on(
                folder,
                task=task,
                model=choice(model) if model else None,
                proposer=proposer,
                limits=limits,
                workers=workers,
                pool=where,
                keep_going=keep_going,
                on_event=tell,
            )
        else:
            name, hint = choose_model(model)
            chosen, its_seed = replayed(choice(name, hint=hint))
            stopped = begin(
                task,
                folder,
                model=chosen,
                seed=its_seed if its_seed is not None else seed,
                storage=storage,
                proposer=proposer,
                earlier=earlier,
                without=without,
                workers=workers,
                pool=where,
                keep_going=keep_going,
                on_event=tell,
            )
    except KeyboardInterrupt:
        if read_meta(folder) is not None:
            say(f"Interrupted; the trials so far are in {folder}. Go on by resume=True.")
        raise
    return _result(stopped, task, folder)


def _result(stopped: Stopped, task: Task, folder: Path) -> Result:
    best = stopped.incumbent
    if best is None and any(t.outcome is not None for t in stopped.trials):
        raise StudyError(_all_failed(stopped, folder))
    return Result(
        best_params=None if best is None else task.space.given(best.proposal.params),
        best_value=None if best is None else best.value,
        trials=stopped.trials,
        reason=stopped.reason,
        folder=folder,
        metric=task.objective.metric,
        direction=task.objective.direction,
    )


def _all_failed(stopped: Stopped, folder: Path) -> str:
    if stopped.fault:
        return f"no trial gave a value; {stopped.fault}"
    if nothing := nothing_kept(stopped.trials):
        return nothing.rstrip(".")
    last = next(t for t in reversed(stopped.trials) if t.outcome is not None)
    error = (last.outcome and last.outcome.error) or "it gave no value"
    number = len(stopped.trials)
    none = f"none of {number} trials gave a value" if number > 1 else "the trial gave no value"
    return f"{none} (the last one: {error}); see what they wrote by: {pasted('show', folder)}"


def _name_of(objective: Callable[..., Any]) -> str:
    """Return the name of a function, of what a partial calls, or of a callable's class."""
    while isinstance(objective, functools.partial):
        objective = objective.func
    name = getattr(objective, "__name__", type(objective).__name__)
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "study"
