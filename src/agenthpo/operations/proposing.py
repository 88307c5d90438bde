"""Ask for a configuration to be tried, and what else agents and people may ask for while a study is
at work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from agenthpo.agents.reply.extras import read_extras
from agenthpo.agents.reply.repair import meant_params
from agenthpo.agents.reply.validate import Draft, applicable, read_creator, words_of
from agenthpo.errors import SpaceError, StudyError, TaskError
from agenthpo.experience.requests import Request
from agenthpo.experience.storage import latest_folder
from agenthpo.operations.answers import Interval, Proposed, Queued, Stopping
from agenthpo.operations.asking import ask
from agenthpo.operations.opening import is_over
from agenthpo.operations.place import Place, Standing
from agenthpo.ranges import widened
from agenthpo.records import Claim, Expected, Params, Trial, Usage
from agenthpo.search.heeding import hindrance, turn_of
from agenthpo.search.preflight import Preflight
from agenthpo.space import differing
from agenthpo.task import Task
from agenthpo.text.cleaning import clean_line
from agenthpo.text.phrases import params_words
from agenthpo.text.story import changes, nearest
from agenthpo.training.stopping import ask_to_stop
from agenthpo.trials import incumbent, upward

__all__ = ["enqueue", "note", "pin", "propose", "stop", "veto", "widen"]

_MANY = 3
"""Parameters that may change at once before it is warned of."""
_MOST_WAITING = 20
_LONGEST = 800


def propose(
    at: Place,
    study: str,
    params: dict[str, Any],
    rationale: str,
    hypothesis: str,
    expected: dict[str, float],
    base: int | None = None,
    tokens: int = 0,
) -> Proposed:
    """Propose a configuration with its reason and a prediction; it waits until ``run`` is asked.

    :param study: as ``open_study`` calls it.
    :param params: parameters and their values; with ``base`` only what changes.
    :param rationale: why it is worth a trial.
    :param hypothesis: what it is to show.
    :param expected: the metric's expected ``value``, and ``low`` and ``high`` about it.
    :param base: the number of the trial whose other values are kept.
    :param tokens: what it took to come to it, as far as that is known.
    :raises StudyError: with every reason why it is refused.
    """
    notes = list[str]()

    def decided(opened: Standing) -> Request:
        if over := is_over(opened):
            raise StudyError(f"no further trial is run: {over}")
        given = _based(opened, params, base)
        reply = dict(rationale=rationale, params=given, hypothesis=hypothesis, expected=expected)
        read = read_creator(reply, opened.task, opened.trials)
        if not isinstance(read, Draft):
            is_partial = base is None and any(said.endswith(" is missing") for said in read)
            hint = "; or name a trial to base it on (base)" * is_partial
            raise StudyError(f"refused: {'; '.join(read)}{hint}")
        notes[:] = read.repairs
        near = _compared(opened, read.params, base)
        request = Request(
            "try",
            at.by,
            params=read.params,
            rationale=clean_line(read.rationale),
            hypothesis=clean_line(read.hypothesis),
            expected=read.expected,
            claim=_claim(opened.task, read, near, opened.trials),
            usage=_usage(tokens),
        )
        if why := hindrance(opened.task, opened.trials, request):
            raise StudyError(f"refused: {why}")
        if why := Preflight(opened.task, opened.trials).hint(read.params):
            raise StudyError(f"refused: {why}")
        return _once(opened, request)

    request, opened = ask(at.study(study), decided)
    return _proposed(opened, request, _compared(opened, request.params, base), notes)


def enqueue(at: Place, study: str, params: dict[str, Any], why: str = "") -> Queued:
    """Have a person's configuration tried next, whoever proposes otherwise.

    :param params: parameters and their values; the others are as in the best so far, else as in
        the default.
    :param why: the reason, for the record.
    :raises StudyError: where it is no point of the space, or was tried.
    """

    def decided(opened: Standing) -> Request:
        best = incumbent(opened.trials, opened.task.objective.direction)
        rest = best.proposal.params if best else opened.task.space.default() or {}
        kept = {**rest, **opened.task.pins}
        given = applicable(opened.task.space, {**kept, **_spelt(opened.task, params)})
        request = Request(
            "try", at.by, is_person=True, params=given, rationale=words_of(clean_line(why))
        )
        if why_not := hindrance(opened.task, opened.trials, request):
            raise StudyError(f"refused: {why_not}")
        return _once(opened, request)

    request, opened = ask(at.study(study), decided)
    best = incumbent(opened.trials, opened.task.objective.direction)
    kept = "" if best is None else f" The rest is as in trial {best.number}, the best so far."
    return Queued(request.id, f"{request.id} is tried next: {params_words(request.params)}.{kept}")


def veto(at: Place, study: str, what: str, why: str = "") -> Queued:
    """Take back a configuration or a run that waits, or have a trial stopped that trains.

    :param what: the id of a request, such as r3, or the number of a trial.
    :param why: the reason, for the record.
    :raises StudyError: where there is no such thing.
    """
    folder = at.study(study)
    if what.isdecimal():
        stopping = stop(at, study, int(what[:9]), why)
        return Queued("", stopping.says)

    def decided(opened: Standing) -> Request:
        target = opened.asked.by_id(what)
        waiting = {r.id for r in opened.asked.waiting(opened.trials)}
        waiting |= {r.id for r, _ in opened.asked.left_to_run(opened.trials)}
        if target is None or what not in waiting:
            known = ", ".join(sorted(waiting)) or "nothing"
            raise StudyError(f"{what[:20]!r} does not wait for a trial; what waits: {known}")
        if target.is_person and not at.is_person:
            raise StudyError(f"{what} is {target.by}'s, and only a person takes it back")
        return Request("veto", at.by, is_person=at.is_person, whose=what, text=clean_line(why))

    request, _ = ask(folder, decided)
    return Queued(request.id, f"{what} is taken back.")


def pin(at: Place, study: str, params: dict[str, Any], off: str = "", why: str = "") -> Queued:
    """Hold parameters at a value from the next trial on, or let one go again.

    :param params: parameters and their values.
    :param off: a parameter that is no longer held.
    :param why: the reason.
    :raises StudyError: where a value is none of the space.
    """

    def decided(opened: Standing) -> Request:
        if off:
            if off not in opened.asked.pins:
                held = ", ".join(opened.asked.pins) or "nothing"
                raise StudyError(f"{off[:60]} is not pinned; what is: {held}")
            return Request("unpin", at.by, is_person=True, whose=off, text=clean_line(why))
        if not params:
            raise StudyError("nothing is named to pin; say NAME=VALUE")
        space, given = opened.task.space, _spelt(opened.task, params)
        fidelity = opened.task.fidelity
        if fidelity is not None and fidelity.parameter in given:
            raise StudyError(
                f"{fidelity.parameter} is the fidelity, which the study raises by itself; change "
                "fidelity in the task file, or pin something else"
            )
        unknown = [name for name in given if name not in space.names]
        snapped = {n: space[n].snap(v) for n, v in given.items() if n in space.names}
        problems = [f"there is no parameter {name}" for name in unknown]
        problems += [wrong for n, v in snapped.items() if (wrong := space[n].violation(v))]
        if problems:
            raise StudyError(f"refused: {'; '.join(problems)}")
        return Request("pin", at.by, is_person=True, params=snapped, text=clean_line(why))

    request, _ = ask(at.study(study), decided)
    said = f"{off} is free again" if off else f"{params_words(request.params)} is held"
    return Queued(request.id, f"From the next trial on {said}.")


def widen(
    at: Place,
    study: str,
    parameter: str,
    low: float | None = None,
    high: float | None = None,
    values: list[Any] | None = None,
    why: str = "",
    undo: bool = False,
) -> Queued:
    """Widen a parameter's range from the next trial on; the task file stays as it is.

    :param parameter: its name.
    :param low: the new lower end of a range.
    :param high: the new upper end of a range.
    :param values: values to add to a list.
    :param why: the reason.
    :param undo: whether its range is the task file's again; trials beyond it stay in the record.
    :raises StudyError: where that is no wider range.
    """

    def decided(opened: Standing) -> Request:
        if parameter not in opened.task.space.names:
            known = ", ".join(opened.task.space.names)
            raise StudyError(f"there is no parameter {parameter[:60]}; there are {known}")
        fidelity = opened.task.fidelity
        if fidelity is not None and fidelity.parameter == parameter:
            raise StudyError(
                f"{parameter} is the fidelity, which the study raises by itself; change fidelity "
                "in the task file"
            )
        if undo:
            if parameter not in opened.asked.ranges:
                raise StudyError(f"{parameter} was not widened")
            return Request("narrow", at.by, is_person=True, whose=parameter)
        change: dict[str, Any] = {"low": low, "high": high, "values": values or None}
        change = {name: value for name, value in change.items() if value is not None}
        try:
            wide = widened(opened.task.space[parameter], change)
        except SpaceError as problem:
            raise StudyError(f"refused: {problem}") from None
        if not wide.is_discrete:
            change = {name: getattr(wide, name) for name in change}
        said = clean_line(why)
        return Request("widen", at.by, is_person=True, whose=parameter, params=change, text=said)

    request, _ = ask(at.study(study), decided)
    if undo:
        return Queued(request.id, f"From the next trial on {parameter} is as in the task file.")
    said = params_words(request.params)
    return Queued(request.id, f"From the next trial on {parameter} is widened: {said}.")


def note(at: Place, study: str, text: str, trial: int | None = None) -> Queued:
    """Leave a note for whoever works in the study.

    :param text: the note.
    :param trial: the trial that it is on; the whole study without it.
    :raises StudyError: where it is empty, or there is no such trial.
    """
    said = words_of(clean_line(text), _LONGEST)

    def decided(opened: Standing) -> Request:
        if not said:
            raise StudyError("the note is empty; say something")
        if trial is not None:
            opened.trial(trial)
        return Request("note", at.by, is_person=at.is_person, text=said, trial=trial)

    request, _ = ask(at.study(study), decided)
    return Queued(request.id, f"Noted: {said}")


def stop(at: Place, study: str, trial: int, why: str = "") -> Stopping:
    """End the training of a trial that is hopeless; it is recorded as pruned, and costs its place
    in the budget.

    :param trial: its number.
    :param why: the reason, for the record.
    :raises StudyError: where it does not train.
    """
    opened = Standing.at(at.study(study))
    found = opened.trial(trial)
    if found.outcome is not None:
        raise StudyError(f"trial {trial} has ended already, as {found.outcome.status}")
    if opened.task.train.function is not None:
        raise StudyError("a function runs within its driver's process, and cannot be stopped alone")
    workdir = latest_folder(opened.folder, trial)
    try:
        ask_to_stop(workdir, by=at.by, why=clean_line(why))
    except OSError:
        raise StudyError(f"trial {trial} has not begun to train; ask again") from None
    return Stopping(trial, f"trial {trial} is asked to stop; wait shows when it has")


def _once(opened: Standing, request: Request) -> Request:
    """Return the request that asks for the same configuration already, since a call that was cut
    may come again; else ``request``.
    """
    key = opened.task.space.key(request.params)
    waiting = opened.asked.waiting(opened.trials)
    known = next((r for r in waiting if opened.task.space.key(r.params) == key), None)
    if known is None and len(waiting) >= _MOST_WAITING:
        raise StudyError(f"{_MOST_WAITING} configurations wait already; run or veto some")
    return known or request


def _based(opened: Standing, params: Mapping[str, Any], base: int | None) -> Any:
    if base is None or not isinstance(params, Mapping):
        return params
    kept = _kept(opened, base)
    merged = {**kept, **_spelt(opened.task, params)}
    space = opened.task.space
    # a value of the base whose condition no longer holds is nobody's wish
    active = {p.name for p in space.active(merged)}
    return {n: v for n, v in merged.items() if n in active or n in params or n not in space.names}


def _kept(opened: Standing, base: int) -> Params:
    """Return the configuration of a trial; that of the default before it has run."""
    default = opened.task.space.default()
    if base == 0 and not opened.trials and default is not None:
        return default
    return opened.trial(base).proposal.params


def _spelt(task: Task, params: Mapping[str, Any]) -> dict[str, Any]:
    meant, _ = meant_params({"params": dict(params)}, task.space)
    return dict(meant) if isinstance(meant, Mapping) else {}


def _claim(task: Task, read: Draft, near: Trial | None, trials: list[Trial]) -> Claim | None:
    """Return what a configuration that moves one parameter says, in a form that code tests."""
    if near is None or near.value is None:
        return None
    before, after = near.proposal.params, read.params
    moved = differing(before, after)
    if len(moved) != 1:
        return None
    (name,) = moved
    old, new = before.get(name), after.get(name)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (old, new))
    change = "change" if not numbers else "raise" if new > old else "lower"  # type: ignore[operator]
    is_better = upward(task.objective.direction) * (read.expected.value - near.value) > 0
    raw = {"parameter": name, "change": change, "than": near.number, "is_better": is_better}
    return read_extras({"claim": raw}, task, trials, read.params).claim


def _usage(tokens: int) -> Usage:
    if not 0 <= tokens < 10**9:
        raise TaskError(f"tokens is {tokens}, but must be 0 or more")
    return Usage(requests=1, input_tokens=tokens, cost_usd=None) if tokens else Usage()


def _compared(opened: Standing, params: Params, base: int | None) -> Trial | None:
    """Return the trial that a configuration is to be seen beside."""
    if base is not None and opened.trials:
        return opened.trial(base)
    return nearest(params, opened.trials, opened.task.objective.direction)


def _proposed(opened: Standing, request: Request, near: Trial | None, notes: list[str]) -> Proposed:
    task, trials = opened.task, opened.trials
    is_agents, why = turn_of(task, trials)
    before = near.proposal.params if near else task.space.default()
    moved = [] if before is None else differing(before, request.params)
    warning = ""
    if len(moved) > _MANY:
        warning = (
            f"{len(moved)} parameters change at once, so that the result will not say which of "
            "them mattered; change one to three"
        )
    words = "" if before is None else changes(before, request.params)
    expects = opened.engine.forecast(task, trials, request.params)
    return Proposed(
        id=request.id,
        params=request.params,
        # the default is trial 0, whether or not it has run
        compared_with=near.number if near else None if before is None else 0,
        changed=words.split(", ") if words else [],
        warning=warning,
        notes=notes,
        turn="agent" if is_agents else "engine",
        why=why,
        engine_expects=_interval(expects),
        next="run"
        if is_agents
        else f"run: the engine has the next trial by what it has earned, and {request.id} waits",
    )


def _interval(expected: Expected | None) -> Interval | None:
    return None if expected is None else Interval(**asdict(expected))
