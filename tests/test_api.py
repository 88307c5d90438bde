import asyncio
import functools
import re
from pathlib import Path

import pytest

import agenthpo
from agenthpo.errors import AgentHPOError
from agenthpo.events import ignore
from studies import ROOT

SPACE = {
    "x": {"type": "float", "low": -5.0, "high": 5.0, "default": 2.0},
    "kind": {"type": "categorical", "values": ["a", "b"], "default": "b"},
}


def hill(params):
    if params["kind"] == "b" and params["x"] < -4:
        raise ValueError("too far")
    return -((params["x"] - 1) ** 2) - (params["kind"] == "b")


def tune(**fields):
    return agenthpo.tune(
        hill, SPACE, **{"direction": "maximize", "trials": 6, "on_event": ignore, **fields}
    )


def test_a_function_is_tuned_from_its_default_on():
    result = tune(background="Climb a hill.")
    assert (len(result.trials), result.reason) == (6, "all 6 trials of the budget are done")
    assert result.trials[0].proposal.params == {"x": 2.0, "kind": "b"}
    assert result.best_value == max(t.value for t in result.trials if t.value is not None)
    assert hill(result.best_params) == result.best_value
    assert result.folder == Path(".agenthpo/hill")


def test_its_study_can_be_shown_and_resumed(capsys):
    from agenthpo.cli.tables import print_study

    tune(trials=2)
    with pytest.raises(AgentHPOError, match="go on with it by resume=True"):
        tune()
    result = tune(trials=4, resume=True)
    assert [t.number for t in result.trials] == [0, 1, 2, 3]
    print_study(result.folder, as_json=False)
    assert "4 of 4 trials" in capsys.readouterr().out


def test_it_works_in_a_running_event_loop_with_a_model(smollm2):
    async def notebook():
        return tune(trials=2, model="local:smollm2", study="notebook")

    result = asyncio.run(notebook())
    assert result.trials[0].proposal.source == "default"
    # it was asked, whether or not its choice stood
    assert result.trials[1].proposal.mode in ("choice", "by position")
    assert result.trials[-1].analysis.said >= 1
    assert (result.folder / "llm.jsonl").read_text().count("\n") >= 3


class Trainer:
    def __call__(self, params):
        return params["x"]

    def score(self, params):
        return params["x"]


@pytest.mark.parametrize(
    ("objective", "name"),
    [
        (functools.partial(functools.partial(lambda params, n: params["x"], n=1)), "lambda"),
        (functools.partial(hill), "hill"),
        (Trainer(), "Trainer"),
        (Trainer().score, "score"),
        (lambda params: params["x"], "lambda"),
    ],
)
def test_a_study_is_named_after_what_is_called(objective, name):
    result = agenthpo.tune(
        objective, SPACE, direction="maximize", trials=1, model="none", on_event=ignore
    )
    assert result.folder == Path(".agenthpo", name)


def test_lines_are_printed_without_a_listener(capsys):
    tune(trials=1, on_event=None)
    said = capsys.readouterr().out
    assert "[0] default: x=2 kind=b" in said
    assert "Study: .agenthpo/hill" in said


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"direction": "up"}, "direction is 'up', but must be 'minimize' or 'maximize'"),
        ({"study": "a/b"}, "study is 'a/b'"),
        ({"background": {"goals": "x"}}, "background.goals is not a known key"),
        ({"model": "gpt"}, "the model 'gpt' cannot be used"),
        ({"model": "local:nothing"}, "there is no embedded model 'local:nothing'"),
        ({"resume": True}, "there is no study in"),
    ],
)
def test_a_mistake_is_one_sentence_and_begins_nothing(fields, words):
    with pytest.raises(AgentHPOError, match=re.escape(words)):
        tune(**fields)
    assert not Path(".agenthpo/hill/journal.log").exists()


def test_the_readmes_example_is_short():
    readme = (ROOT / "README.md").read_text()
    example = re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]
    assert len(example.splitlines()) <= 12


SVM = {
    "C": {"type": "float", "low": 0.001, "high": 1000.0, "log": True, "default": 1.0},
    "gamma": {"type": "float", "low": 1e-5, "high": 10.0, "log": True, "default": 0.1},
    "epsilon": {"type": "float", "low": 0.001, "high": 1.0, "log": True, "default": 0.1},
}


def tuned_svm(**given):
    return agenthpo.tune(
        lambda params: params["epsilon"],
        SVM,
        background="A support vector machine, regression of a price.",
        direction="minimize",
        model="none",
        study="svm",
        on_event=lambda event: None,
        **given,
    )


def test_what_was_good_on_other_data_sets_gets_the_trial_after_the_default():
    first = tuned_svm(trials=1)
    resumed = tuned_svm(trials=4, resume=True)
    sources = [t.proposal.source for t in resumed.trials]
    assert len(first.trials) == 1 and sources[:2] == ["default", "knowledge"]
    hint = resumed.trials[1].proposal
    assert hint.rationale.startswith("Better than the default on ")
    assert "other data sets for support vector machines: C " in hint.rationale
    assert hint.params != resumed.trials[0].proposal.params


def test_a_study_can_go_without_what_is_known():
    with pytest.raises(AgentHPOError, match=r"no part 'luck' .* known are background, .*knowledge"):
        tuned_svm(trials=3, without=["luck"])
    found = tuned_svm(trials=3, without=["knowledge"])
    assert [t.proposal.source for t in found.trials] == ["default", "engine", "engine"]
