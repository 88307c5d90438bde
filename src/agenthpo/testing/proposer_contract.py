"""What every proposer promises, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from agenthpo.records import Analysis, Outcome, Params, Proposal, Stop, Trial
from agenthpo.search import Proposer
from agenthpo.task import Background, Objective, Task, Train
from agenthpo.taskfile.space import parse_space

__all__ = ["check_proposer"]

Make = Callable[[int], Proposer]
Space = dict[str, dict[str, Any]]
_MIXED: Space = {
    "lr": {"type": "float", "low": 1e-5, "high": 0.1, "log": True, "default": 1e-3},
    "width": {"type": "int", "values": [8, 16, 32], "default": 16},
    "optimizer": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
    "momentum": {
        "type": "float",
        "low": 0.0,
        "high": 0.99,
        "default": 0.9,
        "when": {"optimizer": "sgd"},
    },
    "nesterov": {"type": "bool", "default": False},
    "epochs": {"type": "int", "low": 1, "high": 50, "default": 10},
}
_ORDERED: Space = {
    "x": {"type": "float", "low": -1.0, "high": 2.0},
    "y": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.25},
}
_SMALL: Space = {"a": {"type": "bool"}, "b": {"type": "categorical", "values": ["p", "q", "r"]}}
_SMALL_SIZE = 6
_SOURCES = ("default", "creator", "engine", "knowledge", "fallback")


def check_proposer(make: Make, *, trials: int = 12) -> None:
    """Check that what ``make`` returns keeps the promises of a ``agenthpo.search.Proposer``.

    - Each proposal is a point of the space, on three spaces and in both directions.
    - A configuration is not proposed again, whether it succeeded, failed or is still running.
    - It stands on the task and the trials alone: another one, made with the same seed and shown the
      same trials, proposes the same. So a study can be resumed.
    - It changes neither the task nor the trials.
    - It ends with a ``agenthpo.records.Stop`` when all of a small space has been tried.

    :param make: from a seed to a new proposer.
    :param trials: how many trials to propose on each space, at least 3.
    :raises AssertionError: naming the promise that is broken.
    """
    for name, space in (("mixed", _MIXED), ("ordered", _ORDERED)):
        for direction in ("minimize", "maximize"):
            _check_course(make, _task(name, space, direction), trials)
    _check_exhausted(make, _task("small", _SMALL, "maximize"))


def _check_course(make: Make, task: Task, count: int) -> None:
    proposer = make(1)
    trials: list[Trial] = []
    for number in range(count):
        before = deepcopy(trials)
        proposal = proposer.propose(task, tuple(trials))
        assert trials == before, f"it changed the trials it was shown ({_of(task)})"
        assert isinstance(proposal, Proposal), (
            f"it stopped after {number} trials, and the space is not exhausted ({_of(task)})"
        )
        _check_proposal(proposal, task, trials)
        trials.append(_trial(number, proposal, task))
    again = make(1).propose(task, tuple(trials))
    first = proposer.propose(task, tuple(trials))
    assert _params(again) == _params(first), (
        f"another one with the same seed and trials proposes {_params(again)}, "
        f"this one {_params(first)} ({_of(task)})"
    )


def _check_proposal(proposal: Proposal, task: Task, trials: Sequence[Trial]) -> None:
    wrong = task.space.violations(proposal.params)
    assert not wrong, f"it left the space: {'; '.join(wrong)} ({_of(task)})"
    known = {task.space.key(t.proposal.params) for t in trials}
    assert task.space.key(proposal.params) not in known, (
        f"it proposed {proposal.params} again ({_of(task)})"
    )
    assert proposal.source in _SOURCES, f"its source is {proposal.source!r}, not one of {_SOURCES}"
    assert isinstance(proposal.rationale, str), "its rationale is no text"


def _check_exhausted(make: Make, task: Task) -> None:
    proposer = make(2)
    trials: list[Trial] = []
    for number in range(_SMALL_SIZE):
        proposal = proposer.propose(task, tuple(trials))
        assert isinstance(proposal, Proposal), (
            f"it stopped after {number} of the {_SMALL_SIZE} configurations that there are"
        )
        _check_proposal(proposal, task, trials)
        trials.append(_trial(number, proposal, task))
    end = proposer.propose(task, tuple(trials))
    assert isinstance(end, Stop), "all has been tried, and it does not return a Stop"
    assert end.reason, "its Stop has no reason"


def _task(name: str, space: Space, direction: Any) -> Task:
    return Task(
        name=name,
        objective=Objective("value", direction),
        space=parse_space(space),
        train=Train(),
        background=Background(task="A made-up objective."),
    )


def _trial(number: int, proposal: Proposal, task: Task) -> Trial:
    """Return the trial of ``proposal``: the third is still running, each fourth has failed."""
    if number == 2:
        return Trial(number, proposal)
    if number % 4 == 3:
        outcome = Outcome("failed", error="exit code 1")
        return Trial(number, proposal, outcome, analysis=Analysis("crashed"))
    outcome = Outcome("complete", _value(proposal.params))
    return Trial(number, proposal, outcome, analysis=Analysis("completed"))


def _value(params: Params) -> float:
    numbers = [float(v) for v in params.values() if isinstance(v, (int, float))]
    return sum(number / (1 + abs(number)) for number in numbers)


def _params(answer: Proposal | Stop) -> Params | str:
    return answer.params if isinstance(answer, Proposal) else answer.reason


def _of(task: Task) -> str:
    return f"the {task.name} space, {task.objective.direction}"
