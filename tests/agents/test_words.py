"""Words are found while the next training runs, and no result waits for them."""

import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from agenthpo.agents.executor import Executor
from agenthpo.budget import Budget
from agenthpo.errors import LLMFailure, ModelError
from agenthpo.events import Analysed, Finished, Proposing, Started
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta
from agenthpo.llm.strict import Strict
from agenthpo.loop import run_trials
from agenthpo.records import Outcome, Usage
from agenthpo.search.engine.engine import Engine
from agenthpo.taskfile.reading import load_task
from agenthpo.testing import ScriptedLLM
from agenthpo.training.pool import InlinePool

TASK = """\
name: toy
objective: {metric: score, direction: maximize}
train: {command: "{python} -c 0"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
budget: {trials: 3}
"""
WAIT = 20.0
"""Seconds after which a test has gone wrong."""


class Given(InlinePool):
    """Trainings of which each does what it is told and takes the seconds that it is said to."""

    def __init__(self, during=lambda number: None, seconds=1.0):
        self.during, self.seconds = during, seconds

    def submit(self, spec, on_point):
        number = int(Path(spec.workdir).name)
        self.during(number)
        future = Future()
        future.set_result(Outcome("complete", 0.1 * number, duration_s=self.seconds))
        return future


@pytest.fixture
def task():
    Path("task.yaml").write_text(TASK)
    return load_task("task.yaml")


def opened(task):
    folder = Path("study")
    if folder.exists():
        return ExperienceLog.open(folder, space=task.space)
    meta = StudyMeta(
        name="toy", task_file=None, seed=0, direction="maximize", trials=3, budget=Budget(3)
    )
    return ExperienceLog.create(folder, space=task.space, meta=meta)


def run(task, llm, *, pool=None, events=None, **settings):
    with opened(task) as log:
        return run_trials(
            task,
            Engine(),
            executor=Executor(llm),
            log=log,
            pool=pool or Given(),
            on_event=(lambda event: None) if events is None else events.append,
            **settings,
        )


def told(events):
    """Return the events that count, each with its trial's number."""
    kinds = (Finished, Started, Analysed)
    return [(type(e).__name__, e.trial.number) for e in events if isinstance(e, kinds)]


def test_no_result_and_no_training_waits_for_words(task):
    events, is_trained = [], threading.Event()

    def answer(asked):
        assert is_trained.wait(WAIT), "the next training waited for words"
        return {"insight": "The x helps."}

    def during(number):
        if number == 1:
            assert ("Finished", 0) in told(events), "the result waited for words"
            is_trained.set()

    task = replace(task, budget=Budget(2))
    stopped = run(task, ScriptedLLM(answer, answer), pool=Given(during), events=events)
    assert [t.analysis.author for t in stopped.trials] == ["scripted"] * 2
    assert told(events) == [
        ("Started", 0),
        ("Finished", 0),
        ("Started", 1),
        ("Finished", 1),
        ("Analysed", 0),
        ("Analysed", 1),
    ]


def test_what_is_proposed_knows_what_was_said_of_all_trials_but_the_last(task):
    events = []
    run(task, ScriptedLLM(*[{"insight": "The x helps."}] * 3), events=events)
    kinds = (Analysed, Proposing)
    assert [type(e).__name__ for e in events if isinstance(e, kinds)] == [
        *["Proposing"] * 2,
        "Analysed",
        "Proposing",
        *["Analysed"] * 2,
    ]


def test_words_come_first_where_every_proposal_is_the_creators(task):
    events = []
    run(task, ScriptedLLM(*[{"insight": "The x helps."}] * 3), events=events, words_first=True)
    assert [n for kind, n in told(events) if kind == "Analysed"] == [0, 1, 2]
    assert told(events)[:4] == [("Started", 0), ("Finished", 0), ("Analysed", 0), ("Started", 1)]


def test_an_interruption_waits_for_no_words_and_loses_no_result(task):
    is_over = threading.Event()

    def answer(asked):
        is_over.wait(WAIT)
        return {"insight": "Too late."}

    def during(number):
        if number == 1:
            raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            run(task, ScriptedLLM(answer), pool=Given(during))
    finally:
        is_over.set()
    with ExperienceLog.open(Path("study"), space=None, read_only=True) as log:
        first, second = log.trials()
    assert (first.value, first.analysis.author, second.outcome) == (0.0, "rules", None)


def test_an_interruption_while_words_are_waited_for_leaves_no_trial_open(task):
    def interrupted(asked):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(task, ScriptedLLM(interrupted))
    with ExperienceLog.open(Path("study"), space=None, read_only=True) as log:
        assert [t.state.name for t in log._study.trials] == ["COMPLETE"] * 2


def test_a_failure_that_is_to_stop_the_study_stops_it_and_loses_no_result(task):
    llm = Strict(ScriptedLLM(LLMFailure("no network")), "resume")
    with pytest.raises(ModelError, match="no network"):
        run(task, llm)
    with opened(task) as log:
        assert [t.value for t in log.trials() if t.outcome] == [0.0, 0.1]
        states = [t.state.name for t in log._study.trials]
    assert states == ["COMPLETE"] * 2


def test_a_result_that_was_recorded_is_kept_whatever_happened_then(task):
    with opened(task) as log:
        trial = log.start(Engine().propose(task, []))
        analysis = Executor().analyse(task, trial, outcome=Outcome("complete", 0.3), trials=[])
        log.record(trial, Outcome("complete", 0.3), analysis)
        assert log._study.trials[0].state.name == "RUNNING"
    with ExperienceLog.open(Path("study"), space=None, read_only=True) as log:
        assert log.trials()[0].value == 0.3
    with opened(task) as log:
        assert log._study.trials[0].state.name == "COMPLETE"
        assert log.trials()[0].analysis == analysis


class Slow(ScriptedLLM):
    """A weak model whose sentences are said to take five seconds."""

    def __init__(self, *answers):
        super().__init__(*answers, holds_to_grammar=True)

    def ask(self, messages, form, *, seed=0):
        reply = super().ask(messages, form, seed=seed)
        return replace(reply, usage=Usage(requests=1, seconds=5.0))


@pytest.mark.parametrize(
    # the default changed nothing to speak of
    ("seconds", "asked"),
    [(1.0, 1), (2.4, 1), (2.6, 2), (5.0, 5)],
)
def test_a_weak_model_that_is_slower_than_the_trainings_is_not_asked_again(task, seconds, asked):
    task = replace(task, budget=Budget(6))
    llm = Slow(*[{"insight": "The x helps."}] * 6)
    stopped = run(task, llm, pool=Given(lambda _: time.sleep(0.05), seconds=seconds))
    assert len(llm.asked) == asked
    analyses = [t.analysis for t in stopped.trials]
    assert [a.author for a in analyses] == [
        "rules",
        *["scripted"] * asked,
        *["rules"] * (5 - asked),
    ]
    assert [a.note for a in analyses if a.note] == [
        "in the rules' words from here on: a sentence of scripted takes 5 s, longer than a "
        f"training ({seconds:.2g} s)"
    ] * (asked < 5)


def test_what_is_proposed_waits_for_no_weak_models_words(task):
    is_over = threading.Event()
    events = []

    def answer(asked):
        assert is_over.wait(WAIT), "a proposal waited for a weak model's words"
        return {"insight": "The x helps."}

    def during(number):
        if number == 3:
            is_over.set()

    task = replace(task, budget=Budget(4))
    llm = ScriptedLLM(*[answer] * 3, holds_to_grammar=True)
    stopped = run(task, llm, pool=Given(during), events=events)
    assert told(events).index(("Started", 3)) < told(events).index(("Analysed", 1))
    assert [t.analysis.author for t in stopped.trials] == ["rules", *["scripted"] * 3]


@pytest.mark.parametrize(("may_earn", "manner"), [(True, True), (False, True), (True, False)])
def test_a_weak_model_is_asked_now_and_then_what_a_training_will_come_to(task, may_earn, manner):
    asked_for = []

    def answer(asked):
        asked_for.append(asked.form.name)
        if asked.form.name == "forecast":
            return {"expected": {"value": 0.3, "low": 0.2, "high": 0.4}}
        return {"insight": "The x helps."}

    def during(number):
        # a training takes longer than what is asked meanwhile
        for thread in threading.enumerate():
            if thread.name == "agenthpo-words":
                thread.join(20)

    task = replace(task, budget=Budget(8))
    llm = ScriptedLLM(*[answer] * 30, holds_to_grammar=manner)
    events = []
    stopped = run(task, llm, pool=Given(during, seconds=9.0), events=events, may_earn=may_earn)
    foreseen = [t.number for t in stopped.trials if t.analysis.foreseen]
    # from the fourth trial on the engine has a forecast, too
    assert foreseen == ([4, 6] if may_earn and manner else [])
    assert asked_for.count("forecast") == len(foreseen)
    for number in foreseen:
        analysis = stopped.trials[number].analysis
        assert analysis.foreseen.value == 0.3
        assert analysis.usage.requests == 2
