"""The next proposal is thought of while trainings run, where that hides more than it loses."""

import time

from agenthpo.budget import Budget
from agenthpo.exchange import Attempt, Choice
from agenthpo.records import Outcome, Proposal, Trial, Usage
from agenthpo.search.ahead import is_slow
from agenthpo.search.engine.engine import Engine
from agenthpo.search.hybrid import Hybrid
from studies import make_task

TASK = make_task(trials=10)


class Slow:
    """A Creator that takes its time, and gives as many configurations as it is asked for."""

    def __init__(self, seconds=0.0, at_once=1):
        self.seconds, self.at_once, self.asked, self.held = seconds, at_once, [], []

    def attempt(self, task, trials, view=None):
        if self.held:
            return Attempt(self.held.pop(0))
        self.asked.append([t.number for t in trials if t.outcome is None])
        time.sleep(self.seconds)
        engine = Engine(len(self.asked))
        known = list(trials)
        for _ in range(self.at_once):
            proposal = Proposal(
                engine.propose(task, known).params, "creator",
                usage=Usage(requests=1, seconds=self.seconds),
            )  # fmt: skip
            known.append(Trial(len(known), proposal))
            self.held.append(proposal)
        return Attempt(self.held.pop(0))

    def choose(self, task, trials, candidates):
        self.asked.append([t.number for t in trials if t.outcome is None])
        return Choice(0, "", Usage(requests=2, seconds=self.seconds))

    def has_next(self, task, trials):
        return bool(self.held)


def ended(number, proposal, seconds=2.0):
    outcome = Outcome("complete", number / 10, duration_s=seconds)
    return Trial(number, proposal, outcome)


def default():
    return Proposal(TASK.space.default(), "default")


def some(creator, task=TASK):
    first = ended(0, default())
    second = ended(1, creator.attempt(task, [first]).proposal)
    return [first, second, Trial(2, creator.attempt(task, [first, second]).proposal)]


def test_only_a_model_that_takes_long_beside_a_training_is_slow():
    def asked(seconds, trained):
        proposal = Proposal({}, "creator", mode="free", usage=Usage(requests=1, seconds=seconds))
        return [ended(0, proposal, trained)]

    assert is_slow(asked(2, 2)) and is_slow(asked(2, 39)) and not is_slow(asked(2, 41))
    assert not is_slow([]) and not is_slow([ended(0, default())])


def test_the_next_proposal_is_there_when_a_training_ends():
    creator = Slow(0.3)
    hybrid = Hybrid(creator, Engine(0), model="m", kind="strong", always=True)
    trials = some(creator)
    trials = [
        t if t.proposal.source == "default" else Trial(
            t.number, Proposal(t.proposal.params, "creator", mode="free", usage=t.proposal.usage),
            t.outcome,
        )
        for t in trials
    ]  # fmt: skip
    hybrid.think(TASK, trials, 2)
    thought = hybrid._idea.result(30)
    proposal = hybrid.propose(TASK, trials)
    assert proposal.params == thought.params and proposal.source == "creator"
    # and was not asked for once more
    assert len(creator.asked) == 3 and creator.asked[-1] == [2]
    # one slot alone waits for its own result
    hybrid.think(TASK, trials, 1)
    assert len(creator.asked) == 3


def test_a_thought_that_was_tried_meanwhile_is_thought_again():
    creator = Slow(0.01)
    hybrid = Hybrid(creator, Engine(0), model="m", kind="strong", always=True)
    first = [ended(0, default())]
    free = Proposal(
        creator.attempt(TASK, first).proposal.params, "creator", mode="free",
        usage=Usage(requests=1, seconds=2.0),
    )  # fmt: skip
    trials = [*first, ended(1, free)]
    hybrid.think(TASK, trials, 2)
    thought = hybrid._idea.result()
    other = Trial(2, Proposal(thought.params, "human"), Outcome("complete", 0.1))
    proposal = hybrid.propose(TASK, [*trials, other])
    assert proposal.params != thought.params and len(creator.asked) == 3


def test_a_weak_models_first_choice_is_made_while_the_default_trains():
    creator = Slow()
    hybrid = Hybrid(creator, Engine(0), model="m", kind="embedded")
    hybrid.think(TASK, [Trial(0, default())], 1)
    proposal = hybrid.propose(TASK, [ended(0, default())])
    assert proposal.mode == "choice" and creator.asked == [[0]]
    # a later one knows the result before
    hybrid.think(TASK, [ended(0, default()), Trial(1, proposal)], 1)
    assert creator.asked == [[0]]


def test_several_workers_are_thought_for_while_they_train(tmp_path, monkeypatch):
    from agenthpo import session
    from agenthpo.task import Objective, Task, Train
    from agenthpo.taskfile.space import parse_space

    def objective(params):
        time.sleep(0.3)
        return params["x"]

    task = Task(
        name="toy",
        objective=Objective("value", "maximize"),
        space=parse_space(
            {name: {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5} for name in "xy"}
        ),
        train=Train(function=objective),
        budget=Budget(14),
    )
    creator = Slow(0.3, at_once=2)
    monkeypatch.setattr(
        session, "proposer_named",
        lambda *given, **named: Hybrid(creator, Engine(0), model="m", kind="strong", always=True),
    )  # fmt: skip
    stopped = session.begin(task, tmp_path / "study", workers=2)
    assert [t.number for t in stopped.trials] == list(range(14))
    assert len({repr(t.proposal.params) for t in stopped.trials}) == 14
    # once its time is known, it is asked while both train, for two at a time
    assert all(len(running) == 2 for running in creator.asked[2:])
    assert len(creator.asked) == 7
