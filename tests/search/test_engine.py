import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from threadpoolctl import threadpool_info

from agenthpo.assembly import proposer_named
from agenthpo.exchange import Attempt
from agenthpo.optimizer import Optimizer
from agenthpo.records import Expected, Proposal, Stop
from agenthpo.search.engine import engine as engine_module
from agenthpo.search.engine.acquisition import log_expected_improvement
from agenthpo.search.engine.engine import HANDOVER, Engine, Knobs
from agenthpo.search.engine.gp import fit
from agenthpo.search.engine.threads import one_thread
from agenthpo.search.hybrid import Hybrid
from spaces import spaces
from studies import SPACE, make_task, make_trial


def play(task, score, trials, seed=0, engine=None):
    engine, history = engine or Engine(seed), []
    for number in range(trials):
        proposal = engine.propose(task, history)
        if isinstance(proposal, Stop):
            assert len(history) == task.space.size()
            break
        task.space.check(proposal.params)
        history.append(make_trial(number, proposal.params, score(proposal.params), proposal.source))
    return history


def test_it_begins_with_the_default_and_closes_in_on_the_optimum():
    task = make_task(direction="minimize")
    found = play(
        task,
        lambda p: abs(p["epochs"] - 30) / 50 + (p["opt"] == "sgd") + (np.log10(p["lr"]) + 2) ** 2,
        20,
    )
    assert found[0].proposal.source == "default"
    assert min(t.value for t in found) < 0.05
    assert sum(t.proposal.params["opt"] == "adam" for t in found[8:]) >= 10


@settings(max_examples=25, deadline=None)
@given(spaces(), st.integers(0, 3))
def test_every_proposal_lies_in_the_space(raw, seed):
    play(make_task(raw), lambda p: len(str(p)) % 7, 6, seed)


def test_the_same_seed_and_history_give_the_same_proposal():
    task = make_task()
    history = play(task, lambda p: p["epochs"], 6)
    assert Engine(0).propose(task, history) == Engine(0).propose(task, history)
    assert Engine(0).propose(task, history[:1]) != Engine(1).propose(task, history[:1])


def test_failures_teach_where_not_to_go():
    task = make_task(
        {
            "x": {"type": "float", "low": 0.0, "high": 1.0},
            "y": {"type": "float", "low": 0.0, "high": 1.0},
        },
        direction="minimize",
    )
    games = [
        play(task, lambda p: None if p["x"] > 0.5 else (p["x"] - 0.45) ** 2 + p["y"], 25, seed)
        for seed in range(4)
    ]
    failed = [t.value is None for found in games for t in found[12:]]
    assert np.mean(failed) < 0.35  # half of the space, and the optimum is at its border
    best = sorted(min(t.value for t in found if t.value is not None) for found in games)
    # one game in some twenty-four never leaves the failures' side of a first guess
    assert best[-2] < 0.01


MEMORY = {
    "batch": {"type": "int", "low": 8, "high": 512, "log": True, "default": 32},
    "width": {"type": "int", "low": 64, "high": 2048, "log": True, "default": 256},
    "depth": {"type": "int", "low": 2, "high": 24, "default": 4},
}


@pytest.mark.parametrize("seed", range(4))
def test_failures_teach_before_two_trials_have_run(seed):
    """The default fits into the memory, and what lies in the middle of the ranges does not."""
    opt = Optimizer(MEMORY, proposer="engine", seed=seed, direction="minimize")
    for _ in range(14):
        params = opt.ask()
        if params["batch"] * params["width"] * params["depth"] > 50_000:
            opt.tell(params, status="oom")
        else:
            opt.tell(params, abs(np.log2(params["width"]) - 10) + abs(params["depth"] - 10) / 5)
    default = opt.trials[0].value
    ran = [t for t in opt.trials if t.value is not None]
    assert len(ran) >= 3 and opt.best().value < default
    early = [t.proposal.rationale for t in opt.trials[2:4]]
    assert any("failed" in rationale for rationale in early)


def test_failures_alone_send_the_search_elsewhere():
    opt = Optimizer(
        {"x": {"type": "float", "low": 0.0, "high": 1.0}}, proposer="engine", direction="minimize"
    )
    for _ in range(12):
        params = opt.ask()
        opt.tell(
            params,
            None if params["x"] < 0.9 else 1.0,
            status="failed" if params["x"] < 0.9 else "complete",
        )
    assert sum(t.value is not None for t in opt.trials) >= 3


def test_pending_trials_are_not_proposed_again_and_spread():
    opt = Optimizer(SPACE, proposer="engine", direction="minimize")
    for _ in range(5):
        opt.tell(params := opt.ask(), params["epochs"])
    asked = [opt.ask() for _ in range(4)]
    assert len({str(a) for a in asked}) == 4


@pytest.mark.parametrize("mean", [-1.0, 0.0, 2.0, 5.0])
def test_log_expected_improvement_is_the_logarithm_of_the_integral(mean):
    exact = quad(lambda y: -y * norm.pdf(y, mean, 0.7), -12, 0, limit=200)[0]
    assert log_expected_improvement(np.array([mean]), np.array([0.7]), 0.0)[0] == pytest.approx(
        np.log(exact), abs=1e-3
    )


def test_it_is_finite_and_falls_however_far_away():
    means = np.array([1.0, 10.0, 50.0, 1e3, 9e3, 2e4, 1e6])
    found = log_expected_improvement(means, np.ones(7), 0.0)
    assert np.isfinite(found).all() and (np.diff(found) < 0).all()


def test_no_configuration_is_tried_twice_while_others_are_left():
    task = make_task({"a": {"type": "int", "low": 1, "high": 3}, "b": {"type": "bool"}})
    history = play(task, lambda p: p["a"], 9)
    assert len({task.space.key(t.proposal.params) for t in history}) == len(history) == 6


def test_its_proposals_say_what_they_expect_and_most_hold():
    judged = list[bool]()
    for seed in range(3):
        opt, rng = (
            Optimizer(SPACE, proposer="engine", seed=seed, direction="minimize"),
            np.random.default_rng(seed),
        )
        for _ in range(40):
            opt.tell(params := opt.ask(), (np.log10(params["lr"]) + 3) ** 2 + 0.1 * rng.normal())
        found = opt.trials
        judged += [t.proposal.expected.holds(t.value) for t in found if t.proposal.expected]
        assert "expected" in found[10].proposal.rationale
    assert len(judged) >= 105 and np.mean(judged) > 0.75


def test_past_some_hundreds_of_results_tpe_goes_on():
    task = make_task()
    trials = [
        make_trial(
            i,
            {"lr": 10 ** (-5 + 4 * i / 400), "size": 8, "opt": "adam", "epochs": 1 + i % 50},
            i / 400,
        )
        for i in range(HANDOVER)
    ]
    assert "TPE" not in Engine(0).propose(task, trials[:-1]).rationale
    assert "TPE" in Engine(0).propose(task, trials).rationale
    assert Engine(0).view(task, trials) is None


def test_its_view_has_candidates_importance_and_gaps():
    task = make_task(
        {
            "x": {"type": "float", "low": 0.0, "high": 1.0},
            "k": {"type": "categorical", "values": ["a", "b", "c"]},
        },
        direction="minimize",
    )
    rng = np.random.default_rng(0)
    params = [
        {"x": float(x), "k": k} for x, k in zip(rng.uniform(0, 0.5, 12), "ab" * 6, strict=True)
    ]
    trials = [make_trial(i, p, 5 * (p["x"] - 0.3) ** 2) for i, p in enumerate(params)]
    view = Engine(0).view(task, trials)
    assert 1 <= len(view.candidates) <= 3 and all(
        task.space.violations(c.params) == [] for c in view.candidates
    )
    assert next(iter(view.importance)) == "x" and abs(sum(view.importance.values()) - 1) < 1e-9
    assert view.gaps[0].startswith("x between") and view.gaps[1:] == ("k c",)
    assert Engine(0).view(task, trials[:2]) is None


def test_its_candidates_are_near_the_best_and_far_from_it():
    task = make_task(direction="minimize")
    history = play(task, lambda p: (np.log10(p["lr"]) + 3) ** 2 + p["epochs"] / 50, 9)
    found = Engine(0).view(task, history).candidates
    assert {c.is_near for c in found} == {True, False}
    best = min(history, key=lambda t: t.value).proposal.params
    near = next(c.params for c in found if c.is_near)
    assert near["opt"] == best["opt"]
    assert abs(near["epochs"] - best["epochs"]) <= 0.2 * 49 + 1e-9


def viewed(fields, values):
    task = make_task(
        {"x": {"type": "float", "low": 0.0, "high": 1.0}, "p": fields}, direction="minimize"
    )
    rng = np.random.default_rng(0)
    params = [{"x": float(rng.random()), "p": value} for value in values * 3]
    trials = [make_trial(i, p, 5 * (p["x"] - 0.3) ** 2) for i, p in enumerate(params)]
    return Engine(0).view(task, trials)


def test_what_never_varied_explains_nothing():
    view = viewed({"type": "int", "low": 1, "high": 9}, [4, 4])
    assert view.importance == {"x": 1.0}


@pytest.mark.parametrize(
    ("fields", "tried", "gap"),
    [
        ({"type": "int", "values": [16, 32, 64]}, [16, 32, 64], ""),
        ({"type": "int", "values": [16, 32, 64]}, [16, 64], "p 32"),
        ({"type": "float", "values": [0.1, 0.2]}, [0.1, 0.2], ""),
        ({"type": "float", "values": [0.1, 0.2]}, [0.1, 0.1], "p 0.2"),
        ({"type": "int", "low": 1, "high": 3}, [1, 2, 3], ""),
        ({"type": "int", "low": 1, "high": 3}, [1, 2], "p between 2 and 3"),
        ({"type": "int", "low": 1, "high": 9}, [1, 9, 4], "p between 4 and 9"),
        ({"type": "bool"}, [True, False], ""),
    ],
)
def test_never_tried_is_said_of_what_can_be_tried(fields, tried, gap):
    assert [words for words in viewed(fields, tried).gaps if words[0] == "p"] == [gap][: bool(gap)]


def test_every_other_trial_of_a_noisy_objective_looks_for_more():
    task, rng = make_task(direction="minimize"), np.random.default_rng(0)
    history = play(task, lambda p: (np.log10(p["lr"]) + 3) ** 2 + rng.normal(), 11)
    noisy = replace(task, objective=replace(task.objective, noisy=True))
    engine = Engine(0, Knobs(inside=0))
    assert [engine.belief(noisy, history[:n]).margin for n in (8, 9, 10, 11)] == [0, 0.5, 0, 0.5]
    assert engine.belief(task, history).margin == 0
    rows = engine.belief(task, history).encoding.drawn(rng, 300)
    spread = [
        engine.belief(t, history)
        .at(rows)[1][np.argsort(-engine.belief(t, history).score(rows))[:20]]
        .mean()
        for t in (task, noisy)
    ]
    assert spread[1] > spread[0]  # less is known there
    quiet = play(task, lambda p: (np.log10(p["lr"]) + 3) ** 2, 21)
    sure = Engine(0, Knobs(inside=0, margin=0))
    best = [np.argmax(each.belief(noisy, quiet).score(rows)) for each in (sure, engine)]
    assert best[0] == best[1]  # nothing to doubt


def test_in_a_long_study_so_does_every_other_trial_whatever_people_say_of_the_noise():
    task, rng = make_task(direction="minimize"), np.random.default_rng(0)
    history = play(task, lambda p: (np.log10(p["lr"]) + 3) ** 2 + rng.normal(), 22)
    beliefs = [Engine(0).belief(task, history[:n]) for n in (19, 20, 21, 22)]
    assert [belief.margin for belief in beliefs] == [0, 0, 0.5, 0]


def test_the_same_trials_are_fitted_once(monkeypatch):
    fits = []
    monkeypatch.setattr(engine_module, "fit", lambda *a, **k: (fits.append(1), fit(*a, **k))[1])
    task = make_task(direction="minimize")
    history = play(task, lambda p: (np.log10(p["lr"]) + 3) ** 2, 8)
    engine = Engine(0)
    engine.view(task, history)
    once = len(fits)
    engine.forecast(task, history, history[0].proposal.params)
    engine.options(task, list(history))
    assert len(fits) == once > 0
    assert engine.belief(task, history[:7]) is not engine.belief(task, history)
    assert engine.propose(task, history).params == Engine(0).propose(task, history).params


def test_its_algebra_takes_one_thread_and_leaves_the_number_as_it_was():
    def threads():
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    before = threads()
    with one_thread():
        assert set(threads()) == {1}
    assert threads() == before


def test_losses_with_a_wide_tail_are_taken_as_logarithms():
    task, rng = make_task(direction="minimize"), np.random.default_rng(0)
    drawn = [
        {
            "lr": float(10 ** rng.uniform(-5, -1)),
            "size": 16,
            "opt": "adam",
            "epochs": int(rng.integers(1, 50)),
        }
        for _ in range(20)
    ]

    def belief(score):
        return Engine(0).belief(task, [make_trial(i, p, score(p)) for i, p in enumerate(drawn)])

    even = belief(lambda p: np.log10(p["lr"]) + p["epochs"] / 25)
    wide = belief(lambda p: float(np.exp(3 * abs(np.log10(p["lr"]) + 3) + p["epochs"] / 50)))
    assert even.warp.width is None and wide.warp.width is not None
    for row in wide.known:
        expected = wide.expected(row)
        assert expected.low <= expected.value <= expected.high and expected.low > -100


def test_a_lucky_incumbent_of_a_noisy_objective_is_measured_again():
    def measured(noisy):
        opt, rng = (
            Optimizer(SPACE, proposer="engine", noisy=noisy, direction="minimize"),
            np.random.default_rng(0),
        )
        for _ in range(24):
            opt.tell(params := opt.ask(), (np.log10(params["lr"]) + 3) ** 2 + rng.normal())
        return opt

    noisy, quiet = measured(True), measured(False)
    assert len(noisy.best().trials) >= 3 and "Measured again" in " ".join(
        t.proposal.rationale for t in noisy.trials[12:]
    )
    assert noisy.best().value == pytest.approx(
        np.mean([noisy.trials[n].value for n in noisy.best().trials])
    )
    assert len({str(t.proposal.params) for t in quiet.trials}) == 24


@pytest.mark.parametrize("proposer", ["engine", "tpe", "random", "cmaes", "qmc"])
def test_a_range_of_very_many_steps_stays_on_them(proposer):
    space = {
        "x": {"type": "float", "low": 0.0, "high": 3.0, "step": 0.0001, "default": 1.0},
        "n": {"type": "int", "low": 0, "high": 7_000_000, "step": 7, "default": 70},
        "y": {"type": "float", "low": -1.0, "high": 1.0, "step": 1e-8},
    }
    task = make_task(space)
    turn, trials = proposer_named(proposer, None, seed=3), []
    for number in range(8):
        proposal = turn.propose(task, trials)
        assert task.space.violations(proposal.params) == []
        trials.append(make_trial(number, proposal.params, -((proposal.params["x"] - 2) ** 2)))


def test_values_beyond_what_can_be_squared_are_gone_on_from():
    task, trials = make_task({"x": {"type": "float", "low": 0, "high": 1}}), []
    engine = Engine(0)
    for number, value in enumerate([1e308, -1e308, 1.7e308, 5.0, 1e-320, -3e307]):
        trials.append(make_trial(number, engine.propose(task, trials).params, value))
    expected = engine.propose(task, trials).expected
    assert all(map(math.isfinite, vars(expected).values()))


@pytest.mark.parametrize("proposer", ["engine", "tpe", "random"])
def test_what_failed_is_not_offered_again_even_where_values_are_noisy(proposer):
    task = make_task({"x": {"type": "int", "low": 0, "high": 3}})
    task = replace(task, objective=replace(task.objective, noisy=True))
    turn, trials, bad = proposer_named(proposer, None, seed=1), [], []
    for number in range(14):
        proposal = turn.propose(task, trials)
        assert proposal.params not in bad
        bad += [proposal.params] * (proposal.params["x"] == 2)
        trials.append(
            make_trial(
                number, proposal.params, None if proposal.params["x"] == 2 else float(number % 3)
            )
        )
    assert bad


def test_it_forecasts_what_others_propose():
    task = make_task(direction="minimize")
    history = play(task, lambda p: (np.log10(p["lr"]) + 3) ** 2, 8)
    params = {"lr": 0.001, "size": 16, "opt": "adam", "epochs": 10}
    far = {**params, "lr": 0.1}
    near, bad = (Engine(0).forecast(task, history, p) for p in (params, far))
    assert near.low <= near.value <= near.high
    assert near.value < bad.value
    assert Engine(0).forecast(task, history[:2], params) is None


def test_a_creators_trial_carries_the_engines_forecast():
    task = make_task(direction="minimize")
    history = play(task, lambda p: (np.log10(p["lr"]) + 3) ** 2, 8)

    class Creating:
        def attempt(self, task, trials, view=None):
            params = {"lr": 0.002, "size": 16, "opt": "adam", "epochs": 11}
            return Attempt(Proposal(params, "creator", expected=Expected(0.1, 0.0, 0.2)))

    proposal = Hybrid(Creating(), Engine(0), model="toy", always=True).propose(task, history)
    assert proposal.mode == "free"
    assert proposal.forecast == Engine(0).forecast(task, history, proposal.params)
