import sys

import pytest

from agenthpo.assembly import proposer_named
from agenthpo.errors import TaskError
from agenthpo.optimizer import Optimizer
from agenthpo.search.stateful_samplers import Stateful
from studies import SPACE, make_task, make_trial

NUMBERS = {name: {"type": "float", "low": 0.0, "high": 1.0, "default": 0.2} for name in "xyz"}


def far(params):
    return sum((v - 0.7) ** 2 for v in params.values())


def play(task, score, trials, anew=()):
    """Play, with a new sampler (as after a resume) at the trials ``anew``."""
    proposer, history = Stateful(0, "cmaes"), []
    for number in range(trials):
        if number in anew:
            proposer = Stateful(0, "cmaes")
        proposal = proposer.propose(task, history)
        task.space.check(proposal.params)
        history.append(make_trial(number, proposal.params, score(proposal.params), proposal.source))
    return history


def test_cma_es_begins_at_the_default_and_converges():
    found = play(make_task(NUMBERS, direction="minimize"), far, 80)
    assert found[0].proposal.source == "default"
    assert sum(t.value for t in found[-10:]) / 10 < sum(t.value for t in found[1:11]) / 30


def test_after_a_resume_it_stands_where_it_stood():
    task = make_task(NUMBERS, direction="minimize")
    score = lambda p: None if p["x"] > 0.95 else far(p)  # noqa: E731
    whole, resumed = play(task, score, 40), play(task, score, 40, anew=(1, 7, 20, 33))
    assert [t.proposal.params for t in whole] == [t.proposal.params for t in resumed]


@pytest.mark.parametrize(
    "name", ["cmaes", "qmc", "gp", "random", "tpe", "optuna.samplers:NSGAIISampler"]
)
def test_any_sampler_can_be_named_and_stays_in_the_space(name):
    pytest.importorskip("torch") if name == "gp" else None
    opt = Optimizer(SPACE, proposer=name, direction="minimize")
    for _ in range(8):
        params = opt.ask()
        assert opt.task.space.violations(params) == []
        opt.tell(params, params["epochs"], status="complete")
    assert len({str(t.proposal.params) for t in opt.trials}) == 8


def test_several_may_be_pending():
    opt = Optimizer(NUMBERS, proposer="cmaes", direction="minimize")
    asked = [opt.ask() for _ in range(6)]
    for params in reversed(asked):
        opt.tell(params, far(params))
    assert opt.tell(opt.ask(), 1.0).number == 6


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("optuna.samplers:Nothing", "cannot be loaded"),
        ("no_such_module:Sampler", "cannot be loaded"),
        ("json:JSONDecoder", "is not a sampler of Optuna's"),
        ("cma", "there is no proposer 'cma'; known are hybrid, creator, engine"),
        ("creator", "is a language model; name one by --model"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_fix(name, words):
    with pytest.raises(TaskError, match=words):
        proposer_named(name, None, seed=0)


def test_a_package_of_the_hub_is_asked_for_by_name(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "optunahub", raising=False)
    if __import__("importlib.util").util.find_spec("optunahub") is None:
        with pytest.raises(TaskError, match="pip install optunahub"):
            proposer_named("hub:samplers/auto_sampler", None, seed=0)
    (tmp_path / "optunahub.py").write_text(
        "import types, optuna\n"
        "def load_module(name):\n"
        "    if name != 'samplers/mine': raise OSError('no route to host')\n"
        "    return types.SimpleNamespace(Mine=optuna.samplers.RandomSampler)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert (
        proposer_named("hub:samplers/mine", None, seed=0).propose(make_task(NUMBERS), []).source
        == "default"
    )
    with pytest.raises(TaskError, match=r"cannot be had from OptunaHub \(no route to host\)"):
        proposer_named("hub:samplers/other", None, seed=0)
    sys.modules.pop("optunahub")
