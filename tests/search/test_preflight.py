"""What a configuration takes is foretold, and what cannot fit its limit is not tried as it is."""

import math
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.agents.executor import Executor
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta
from agenthpo.experience.requests import Asked, Request
from agenthpo.loop import run_trials
from agenthpo.records import Expected, Needs, Outcome, Proposal, Stop
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.heeding import Heeding
from agenthpo.search.preflight import Preflight, checked
from agenthpo.task import Train
from agenthpo.taskfile.space import with_constraints
from agenthpo.text.story import needs_words, story
from agenthpo.training.pool import InlinePool
from studies import make_task, make_trial

RAW = {
    "batch_size": {"type": "int", "low": 8, "high": 512, "log": True, "default": 32},
    "width": {"type": "int", "low": 64, "high": 2048, "log": True, "default": 256},
    "lr": {"type": "float", "low": 1e-4, "high": 1.0, "log": True, "default": 1e-3},
    "epochs": {"type": "int", "low": 1, "high": 50, "default": 10},
    "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
}
LARGE = {"batch_size": 512, "width": 2048, "lr": 0.01, "epochs": 50, "opt": "adam"}


def used(params):
    """Seconds and megabytes."""
    megabytes = 100 + params["batch_size"] * params["width"] / 100
    return params["epochs"] * params["width"] / 50, megabytes


def ended(number, params, task):
    seconds, megabytes = used(params)
    trial = make_trial(number, params, 0.5)
    train = task.train
    status = "complete"
    if train.timeout_s and seconds > train.timeout_s:
        status, seconds = "timeout", train.timeout_s
    if train.memory_mb and megabytes > train.memory_mb:
        status, megabytes = "oom", train.memory_mb
    value = 0.5 if status == "complete" else None
    outcome = Outcome(status, value, duration_s=seconds, peak_mb=megabytes)
    return replace(trial, outcome=outcome)


def limited(count=8, raw=RAW, seed=0, constraints=(), pins=None, **limits):
    """A task and its first trials, which are random ones of the smaller half."""
    import numpy as np

    task = replace(make_task(raw), train=Train(command=("true",), **limits), pins=pins or {})
    if constraints:
        task = replace(task, space=with_constraints(task.space, constraints))
    encoding = Encoding(task.space, task.pins)
    rows = encoding.drawn(np.random.default_rng(seed), count, width=0.8)
    return task, [ended(i, encoding.params(row), task) for i, row in enumerate(rows)]


def creators(params, **fields):
    return Proposal(params, "creator", expected=Expected(0.5, 0.4, 0.6), **fields)


def test_time_and_memory_are_foretold():
    task, trials = limited(20, timeout_s=1e6, memory_mb=1e6)
    params = {"batch_size": 64, "width": 256, "lr": 0.01, "epochs": 20, "opt": "sgd"}
    needs = checked(task, trials, creators(params)).needs
    seconds, megabytes = used(params)
    assert needs.seconds.holds(seconds) and needs.memory_mb.holds(megabytes)
    assert needs.seconds.high < 4 * needs.seconds.low


def test_a_limit_on_memory_shrinks_what_names_say_takes_it():
    task, trials = limited(12, memory_mb=3000.0)
    found = checked(task, trials, creators(LARGE, note="repaired"))
    assert found.params["batch_size"] < 512 and used(found.params)[1] < 3000
    # neither the rate nor the epochs take memory
    assert [found.params[n] for n in ("lr", "epochs", "opt")] == [0.01, 50, "adam"]
    assert found.note.startswith("repaired. batch_size ")
    assert "instead of 512, since it would take about " in found.note
    assert found.note.endswith("and train.memory is 3.0 GB")
    # what was said was said of another configuration
    assert found.expected is None and found.source == "creator"


def test_a_limit_on_time_shrinks_the_length_or_the_size():
    task, trials = limited(12, timeout_s=600.0)
    found = checked(task, trials, creators(LARGE))
    assert used(found.params)[0] < 600 and found.params["batch_size"] == 512
    assert "train.timeout is 10m 00s" in found.note


def test_what_fits_and_what_is_not_limited_stays():
    small = {**LARGE, "batch_size": 16, "width": 128}
    task, trials = limited(12, memory_mb=3000.0)
    assert checked(task, trials, creators(small)).params == small
    task, trials = limited(12)
    found = checked(task, trials, creators(LARGE))
    # long trainings are worth a prediction all the same
    assert found.params == LARGE and found.needs.seconds.value > 60 and not found.note


@pytest.mark.parametrize("source", ["default", "human", "agent"])
def test_a_persons_and_an_agents_configuration_are_run_as_they_are(source):
    task, trials = limited(12, memory_mb=3000.0)
    found = checked(task, trials, replace(creators(LARGE), source=source))
    assert found.params == LARGE and found.needs.memory_mb.low > 3000


def test_nothing_is_foretold_from_few_or_short_trainings():
    task, trials = limited(3, memory_mb=3000.0)
    assert checked(task, trials, creators(LARGE)) == creators(LARGE)
    task, trials = limited(8)
    quick = [replace(t, outcome=replace(t.outcome, duration_s=0.5)) for t in trials]
    assert checked(task, quick, creators(LARGE)) == creators(LARGE)


def test_what_cannot_be_shrunk_is_another_one():
    # only a name says how large the model is
    raw = {
        "model": {"type": "categorical", "values": ["small", "large"], "default": "small"},
        "lr": RAW["lr"],
    }
    task = replace(make_task(raw), train=Train(command=("true",), memory_mb=3000.0))
    sizes = {"small": 500.0, "large": 2900.0}
    trials = []
    for i, (model, lr) in enumerate(
        [("small", 0.1), ("small", 0.01), ("small", 0.002), ("small", 0.5), ("small", 0.05)]
        + [("large", 10**-k) for k in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 0.7, 1.7)]
    ):
        is_beyond = model == "large"
        outcome = Outcome(
            "oom" if is_beyond else "complete",
            None if is_beyond else 0.5,
            duration_s=1.0,
            peak_mb=sizes[model],
        )
        trials.append(replace(make_trial(i, {"model": model, "lr": lr}, 0.5), outcome=outcome))
    flight = Preflight(task, trials)
    params = {"model": "large", "lr": 0.02}
    assert flight.shrunk(params) is None or not flight.refusal(params)
    if flight.refusal(params):
        found = checked(task, trials, creators(params, model="m"))
        assert (found.source, found.model) == ("fallback", "m")
        assert found.note.startswith("instead of one of the creator's, since it would take")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["time", "memory"]), st.booleans())
def test_what_is_shrunk_is_a_new_point_of_the_space(seed, kind, is_pinned):
    limits = {"timeout_s": 300.0} if kind == "time" else {"memory_mb": 1500.0}
    pins = {"batch_size": 512} if is_pinned else {}
    task, trials = limited(10, seed=seed, constraints=["epochs * 4 <= width"], pins=pins, **limits)
    trials = [t for t in trials if t.value is not None] + [t for t in trials if t.value is None]
    found = checked(task, trials, creators({**LARGE, "width": 1500}))
    assert not isinstance(found, Stop)
    assert not task.space.violations(found.params)
    assert task.tried_in(found.params, trials) is None
    assert task.is_pinned(found.params)
    for expected in filter(None, [found.needs and found.needs.seconds]):
        assert 0 < expected.low <= expected.value <= expected.high < math.inf


def test_words_say_what_is_foretold():
    needs = Needs(Expected(125.0, 60.0, 240.0), Expected(2100.0, 800.0, 4000.0))
    assert needs_words(needs) == "2m 05s (1m 00s to 4m 00s), 2.1 GB (800 MB to 4.0 GB)"
    assert needs_words(None) == ""
    trial = replace(make_trial(3, LARGE, 0.5), proposal=replace(creators(LARGE), needs=needs))
    lines = story(trial, [], metric="acc", direction="maximize")
    assert f"Foretold: {needs_words(needs)}" in lines


class _Fixed:
    """A Creator of large ideas."""

    def __init__(self, proposals):
        self.proposals = list(proposals)

    def propose(self, task, trials):
        return self.proposals[len(trials)]


class _Used(InlinePool):
    """Trainings that take what ``used`` says."""

    def __init__(self, task):
        self.task = task

    def submit(self, spec, on_point):
        future = Future()
        future.set_result(ended(spec.trial, spec.params, self.task).outcome)
        return future


def test_a_study_runs_what_fits(tmp_path):
    task, trials = limited(7, memory_mb=3000.0)
    task = replace(task, budget=replace(task.budget, trials=9))
    fixed = _Fixed([*(t.proposal for t in trials), creators(LARGE), creators({**LARGE, "lr": 0.1})])
    meta = StudyMeta(seed=0, direction="maximize", metric="acc", trials=9, budget=task.budget)
    with ExperienceLog.create(Path(tmp_path, "study"), space=task.space, meta=meta) as log:
        stopped = run_trials(
            task,
            Heeding(fixed, lambda: Asked()),
            executor=Executor(None),
            log=log,
            pool=_Used(task),
            seed=0,
        )
    with ExperienceLog.open(Path(tmp_path, "study"), space=None, read_only=True) as log:
        kept = log.trials()
    assert [t.outcome.status for t in stopped.trials[-2:]] == ["complete", "complete"]
    assert all("since it would take" in t.proposal.note for t in kept[-2:])
    assert kept[-1].proposal.needs.memory_mb.low < 3000


def test_what_a_person_pins_is_not_shrunk():
    task, trials = limited(14, memory_mb=3000.0)
    pinned = Asked((Request("pin", "ann", is_person=True, params={"batch_size": 512}),))
    fixed = _Fixed([*[None] * 14, creators({**LARGE, "width": 2000})])
    found = Heeding(fixed, lambda: pinned).propose(task, trials)
    assert found.params["batch_size"] == 512 and found.params["width"] < 2000
    free = Heeding(fixed, Asked).propose(task, trials)
    assert free.params["batch_size"] < 512 and free.params["width"] == 2000


def test_what_goes_on_stays_the_configuration_that_it_was():
    task, trials = limited(14, memory_mb=3000.0)
    found = checked(task, trials, creators(LARGE, promoted_from=3))
    assert found.params == LARGE and not found.note
