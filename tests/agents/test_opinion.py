"""What a model that is not weak makes of a trial, and what of it stands."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.agents.claims import Shown
from agenthpo.agents.executor import Executor
from agenthpo.agents.prompt.log_lines import informative
from agenthpo.agents.prompt.seen import seen_words
from agenthpo.agents.reply.opinion import OF_CURVES, read_opinion
from agenthpo.errors import LLMFailure
from agenthpo.records import Outcome
from agenthpo.task import Objective
from agenthpo.testing import ScriptedLLM
from studies import make_task, make_trial

TASK = make_task()
PARAMS = {"lr": 0.01, "size": 16, "opt": "adam", "epochs": 50}
CURVE = tuple((float(i), v) for i, v in enumerate([0.1, 0.5, *[0.8] * 20]))
OUTCOME = Outcome(
    "complete",
    0.8,
    curves={"acc": CURVE, "loss": ((0.0, 2.5), (21.0, 0.125))},
    duration_s=3.25,
    peak_mb=512.4,
    log_tail="using 2 workers\nepoch 1 acc 0.1\nepoch 2 acc 0.5\nUserWarning: slow\nsaved\n",
)
TRIAL = make_trial(1, PARAMS, 0.8)
BEFORE = make_trial(0, {**PARAMS, "lr": 0.001}, 0.7, "default")
GOOD = {
    "diagnosis": "underfitting",
    "evidence": ["loss still at 0.125", 'the log says "UserWarning: slow"'],
    "insight": "It stood at 0.8 from step 2 on. A larger lr gained 0.1 over trial 0.",
    "advice": {"parameter": "size", "direction": "raise", "reason": "It stood at 0.8."},
}


def judged(reply, *, outcome=OUTCOME, task=TASK, **manner):
    llm = ScriptedLLM(reply, **manner)
    trial = replace(TRIAL, outcome=None, analysis=None)
    analysis = Executor(llm).analyse(task, trial, outcome=outcome, trials=[BEFORE, trial])
    return analysis, llm.asked[0].messages[-1].text if llm.asked else ""


def test_an_opinion_stands_beside_the_rules():
    analysis, told = judged(GOOD)
    assert (analysis.diagnosis, analysis.second) == ("underfitting", "plateau")
    assert analysis.evidence == ("loss still at 0.125", 'the log says "UserWarning: slow"')
    assert analysis.insight == GOOD["insight"].replace("step 2", "step 2")
    assert analysis.advice == "raise size above 16: It stood at 0.8"
    assert (analysis.author, analysis.said, analysis.struck, analysis.note) == (
        "scripted",
        5,
        0,
        "",
    )
    assert "acc by step: 0.1 at 0" in told
    assert "loss by step: 2.5 at 0, 0.125 at 21" in told
    assert "    took: 3.25 s, 512 MB at most" in told
    assert "    | UserWarning: slow" in told
    assert "The rules say plateau" in told


def test_the_same_diagnosis_is_no_disagreement():
    analysis, _ = judged({**GOOD, "diagnosis": "plateau"})
    assert (analysis.diagnosis, analysis.second) == ("plateau", None)


@pytest.mark.parametrize(
    "change",
    [
        {"evidence": []},
        {"evidence": ["the loss rose to 7.75"]},
        {"evidence": None},
        {"diagnosis": "out_of_memory"},
        {"diagnosis": "cursed"},
        {"diagnosis": ["plateau"]},
    ],
)
def test_a_diagnosis_without_evidence_or_of_its_own_making_is_not_taken(change):
    analysis, _ = judged({**GOOD, **change})
    assert (analysis.diagnosis, analysis.second) == ("plateau", None)
    assert analysis.author == "scripted"


@pytest.mark.parametrize(
    ("advice", "words"),
    [
        ({"parameter": "epochs", "direction": "raise"}, "raise size above 16"),
        ({"parameter": "opt", "direction": "raise"}, "raise size above 16"),
        ({"parameter": "momentum", "direction": "lower"}, "raise size above 16"),
        ({"parameter": "lr", "direction": "sideways"}, "raise size above 16"),
        ({"parameter": "lr", "direction": ["raise"]}, "raise size above 16"),
        ("rm -rf /", "raise size above 16"),
        ({"parameter": "lr", "direction": "lower", "reason": 3}, "lower lr below 0.01"),
        (
            {"parameter": "lr", "direction": "lower", "reason": "It rose to 9.5."},
            "lower lr below 0.01",
        ),
    ],
)
def test_advice_that_the_space_cannot_grant_leaves_the_rules(advice, words):
    assert judged({**GOOD, "diagnosis": "plateau", "advice": advice})[0].advice == words


def test_the_rules_advice_falls_with_their_diagnosis():
    assert judged({**GOOD, "advice": None})[0].advice == ""


def test_how_a_trial_failed_is_no_matter_of_opinion():
    failed = Outcome("oom", error="out of memory: 8 GB", log_tail="CUDA error\n")
    analysis, told = judged({**GOOD, "insight": "It needs 8 GB."}, outcome=failed)
    assert (analysis.diagnosis, analysis.second) == ("out_of_memory", None)
    assert analysis.insight == "It needs 8 GB."
    assert "oom (out of memory: 8 GB)" in told


@pytest.mark.parametrize("reply", [None, [], "plateau", {}, {"insight": 3}, LLMFailure("no net")])
def test_what_is_no_opinion_leaves_the_rules(reply):
    analysis, _ = judged(reply)
    assert (analysis.author, analysis.diagnosis) == ("rules", "plateau")
    assert analysis.note.startswith("in the rules' words: ")


def test_no_agent_sees_the_test_metric_in_the_log():
    task = replace(TASK, objective=Objective("acc", "maximize", test_metric="holdout_acc"))
    outcome = replace(OUTCOME, log_tail="a\nHOLDOUT_ACC = 0.77\nTest score: 0.77\nend\n")
    _, told = judged(GOOD, outcome=outcome, task=task)
    assert "0.77" not in told
    assert "    | end" in told


def test_a_model_reads_how_a_long_log_began():
    outcome = replace(OUTCOME, log_head="7 rows for training\nHOLDOUT_ACC = 0.77", log_tail="end")
    task = replace(TASK, objective=Objective("acc", "maximize", test_metric="holdout_acc"))
    _, told = judged(GOOD, outcome=outcome, task=task)
    assert "    | 7 rows for training\n    | end" in told
    assert "0.77" not in told


def test_the_informative_lines_of_a_log():
    log = "\n".join(
        ["start", *(f"epoch {i} loss {1 / (i + 1):.3f}" for i in range(500)), "WARNING: x", "done"]
    )
    lines = informative(log, most=200)
    assert lines[:2] == ["start", "epoch 0 loss 1.000"]
    assert lines[-2:] == ["WARNING: x", "done"]
    assert sum(map(len, lines)) <= 200
    # with no room for all, a warning goes before the rest
    assert informative(log, most=12) == ["WARNING: x"]
    assert informative("", most=100) == []


@given(st.text(max_size=400), st.integers(0, 300))
def test_any_log_can_be_read(log, most):
    lines = informative(log, most=most, hidden="secret")
    assert sum(len(line) + 1 for line in lines) <= most + 1
    assert not any("secret" in line for line in lines)


@given(st.integers(10, 3000))
def test_what_is_seen_keeps_to_its_allowance(allowance):
    outcome = replace(OUTCOME, curves={}, log_tail="\n".join(f"{i} new{i}" for i in range(900)))
    seen = seen_words(TASK, replace(TRIAL, outcome=outcome), allowance=allowance)
    assert len(seen) <= 3 * allowance * 1.7 + 100


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.sampled_from(OF_CURVES),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, JSON)) | JSON)
def test_any_reply_can_be_read(data):
    found = read_opinion(data, TASK.space, PARAMS, Shown("0.8", [0]))
    assert len(found.struck) <= found.said
    assert found.diagnosis is None or found.evidence
