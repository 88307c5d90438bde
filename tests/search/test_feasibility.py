import numpy as np
import pytest

from agenthpo.optimizer import Optimizer
from agenthpo.records import Analysis, Outcome, Proposal, Trial
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.engine.engine import Engine
from agenthpo.search.engine.feasibility import feasible_of
from agenthpo.task import Train
from agenthpo.taskfile.space import parse_space

RAW = {
    "batch": {"type": "int", "low": 8, "high": 512, "log": True, "default": 32},
    "width": {"type": "int", "low": 64, "high": 2048, "log": True, "default": 256},
    "rate": {"type": "float", "low": 1e-4, "high": 1.0, "log": True, "default": 1e-3},
}
ENCODING = Encoding(parse_space(RAW))
LIMIT_MB = 1000.0


def megabytes(params):
    return 100 + params["batch"] * params["width"] / 50


def trial(number, params, status="complete", **outcome):
    value = 0.5 if status == "complete" else None
    return Trial(
        number, Proposal(params, "engine"), Outcome(status, value, **outcome), Analysis("completed")
    )


def shown(trials, train=None):
    rows = ENCODING.rows([t.proposal.params for t in trials])
    return feasible_of(ENCODING, rows, trials, train or Train())


def probability(feasible, **params):
    row = ENCODING.rows([{"batch": 32, "width": 256, "rate": 1e-3, **params}])
    return float(np.exp(feasible.log_probability(row))[0])


def measured(params, number=0):
    used = megabytes(params)
    status = "complete" if used < LIMIT_MB else "oom"
    return trial(number, params, status, peak_mb=min(used, LIMIT_MB))


def test_what_finished_says_how_far_to_go_back():
    seen = [
        {"batch": batch, "width": width, "rate": 1e-3}
        for batch, width in ((32, 256), (16, 512), (64, 256), (512, 2048))
    ]
    feasible = shown([measured(params, i) for i, params in enumerate(seen)])
    assert probability(feasible, batch=16, width=1024) > 0.5  # 428 MB
    assert probability(feasible, batch=512, width=1024) < 0.1  # 10 GB
    alone = shown(
        [trial(i, t.proposal.params, t.outcome.status) for i, t in enumerate(map(measured, seen))]
    )
    # without amounts, only what is near the failure is avoided
    assert probability(alone, batch=512, width=1024) > probability(feasible, batch=512, width=1024)


def test_a_time_limit_that_is_given_is_the_limit():
    trials = [
        trial(i, {"batch": 32, "width": width, "rate": 1e-3}, duration_s=width / 10)
        for i, width in enumerate((64, 128, 256))
    ]
    late = trial(3, {"batch": 32, "width": 2048, "rate": 1e-3}, "timeout", duration_s=100.0)
    feasible = shown([*trials, late], Train(timeout_s=100.0))
    assert probability(feasible, width=512) > 0.5 > probability(feasible, width=1500)


def test_memory_that_does_not_explain_the_failure_is_not_believed():
    # a device ran out, while the measured memory was less than others had
    params = {"batch": 512, "width": 256, "rate": 1e-3}
    trials = [
        trial(0, {"batch": 32, "width": 256, "rate": 1e-3}, peak_mb=900.0),
        trial(1, params, "oom", peak_mb=300.0),
    ]
    feasible = shown(trials)
    assert probability(feasible) > probability(feasible, batch=512)
    nothing = shown([trial(0, {"batch": 32, "width": 256, "rate": 1e-3}), trial(1, params, "oom")])
    assert probability(nothing, batch=512) == pytest.approx(probability(feasible, batch=512))


def test_what_is_larger_in_all_that_takes_memory_is_avoided_at_once():
    ran = trial(0, {"batch": 32, "width": 256, "rate": 1e-3})
    out = trial(1, {"batch": 64, "width": 512, "rate": 1e-3}, "oom")
    feasible = shown([ran, out])
    larger, mixed = (
        probability(feasible, batch=128, width=512),
        probability(feasible, batch=16, width=2048),
    )
    assert larger < 0.1 < mixed
    slow = shown([ran, trial(1, out.proposal.params, "timeout")])
    # a larger batch takes no longer
    assert probability(slow, batch=512, width=256) > probability(slow, batch=512, width=2048)


def test_each_kind_of_failure_has_its_own_border():
    trials = [
        trial(0, {"batch": 32, "width": 256, "rate": 1e-3}),
        trial(1, {"batch": 32, "width": 256, "rate": 1.0}, "diverged"),
        trial(2, {"batch": 512, "width": 256, "rate": 1e-3}, "failed"),
    ]
    assert len(shown(trials).kinds) == 2
    assert len(shown([*trials, trial(3, trials[2].proposal.params, "oom")]).kinds) == 4
    assert shown(trials[:1]) is None
    both = shown(trials)
    assert probability(both, rate=0.7) < probability(both) > probability(both, batch=400)


def test_an_interruption_teaches_nothing():
    trials = [
        trial(0, {"batch": 32, "width": 256, "rate": 1e-3}),
        trial(1, {"batch": 64, "width": 256, "rate": 1e-3}, "interrupted"),
    ]
    assert shown(trials) is None


def test_amounts_spare_failures():
    def failed(with_amounts, seed):
        opt = Optimizer(RAW, proposer=Engine(seed), direction="minimize")
        for _ in range(20):
            params = opt.ask()
            used = megabytes(params) if with_amounts else None
            if megabytes(params) > LIMIT_MB:
                opt.tell(params, status="oom", peak_mb=used and LIMIT_MB)
            else:
                loss = abs(np.log10(params["rate"]) + 1) - np.log2(params["width"]) / 20
                opt.tell(params, loss, peak_mb=used)
        said = [t.proposal.rationale for t in opt.trials[5:]]
        assert any(
            "By what failed so far, it runs with a probability of" in words for words in said
        )
        return sum(t.value is None for t in opt.trials)

    seeds = range(4)
    assert sum(failed(True, s) for s in seeds) < sum(failed(False, s) for s in seeds)
