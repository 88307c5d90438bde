import numpy as np
import pytest

from agenthpo.bench.tables.advisors import ADVISORS, STEPPING, Advisor, Alone
from agenthpo.bench.tables.continuous import load_continuous
from agenthpo.bench.tables.problems import regret
from agenthpo.optimizer import Optimizer
from agenthpo.search.engine.engine import Engine
from agenthpo.search.hybrid import Hybrid


def played(proposer, trials=14, name="kernel"):
    problem, rng = load_continuous(name), np.random.default_rng(0)
    opt = Optimizer(problem.raw, proposer=proposer, noisy=problem.noisy, direction="minimize")
    for _ in range(trials):
        params = opt.ask()
        value = problem.observe(params, rng)
        opt.tell(params, value, status="failed" if value is None else "complete")
    return problem, opt


@pytest.mark.parametrize("kind", ADVISORS)
def test_an_advisor_draws_from_its_slice(kind):
    problem, opt = played(Alone(Advisor(load_continuous("kernel"), kind, 0)))
    regrets = [
        regret(problem, t.proposal.params) for t in opt.trials if t.proposal.source == "creator"
    ]
    bound = {
        "expert": (0, 0.06),
        "good": (0, 0.26),
        "adversarial": (1.05, 2),
        "stubborn": (0, 1.5),
    }.get(kind, (0, 2))
    assert regrets and all(bound[0] <= r <= bound[1] for r in regrets)
    if kind == "late":
        assert max(regrets[5:]) < 0.06 < max(regrets[:5])
    if kind == "fading":
        assert max(regrets[:3]) < 0.06 < max(regrets[3:])
    if kind == "failing":
        assert 0 < sum(t.proposal.source == "fallback" for t in opt.trials) < 13


@pytest.mark.parametrize("kind", STEPPING)
def test_a_skilled_advisor_gains_as_often_as_it_was_measured_to(kind):
    gains = dict[int, list[bool]]()
    held = []
    for seed in range(12):
        problem = load_continuous("kernel")
        opt = Optimizer(
            problem.raw, proposer=Alone(Advisor(problem, kind, seed)), direction="minimize"
        )
        best = np.inf
        for number in range(14):
            params = opt.ask()
            loss = problem.mean(params)
            opt.tell(params, loss)
            gains.setdefault(number, []).append(loss < best)
            best = min(best, loss)
            expected = opt.trials[-1].proposal.expected
            held += [expected.holds(loss)] if expected else []
    early, later = (np.mean([gains[n] for n in span]) for span in (range(1, 6), range(9, 14)))
    assert 0.35 < early < 0.65
    assert 0.15 < later < 0.55 if kind == "skilled" else later == 0
    assert 0.5 < np.mean(held) < 0.7


@pytest.mark.parametrize("honest", [True, False])
def test_intervals_hold_where_confidence_is_true(honest):
    _, opt = played(Alone(Advisor(load_continuous("kernel"), "useless", 0, honest=honest)), 40)
    held = [t.proposal.expected.holds(t.value) for t in opt.trials if t.proposal.expected]
    assert np.mean(held) > 0.8 if honest else np.mean(held) < 0.2


def test_the_hybrid_lets_an_expert_lead_and_an_adversary_not():
    def asked(kind):
        problem = load_continuous("kernel")
        problem, opt = played(Hybrid(Advisor(problem, kind, 0), Engine(0), model=kind), 20)
        return sum(t.proposal.source == "creator" for t in opt.trials), regret(
            problem, opt.best().params
        )

    expert, adversarial = asked("expert"), asked("adversarial")
    assert expert[0] > 6 > 4 >= adversarial[0] >= 2
    assert expert[1] < 0.05 and adversarial[1] < 0.2
