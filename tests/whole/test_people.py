"""What people do beside a study reaches the model that proposes in it."""

import json
from pathlib import Path

import pytest

from calling import agenthpo as command
from loopback import message, model_server

TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py {x} {k}"}
space:
  x: {type: float, low: 0.0, high: 1.0, default: 0.5}
  k: {type: int, low: 1, high: 9, default: 5}
budget: {trials: 3}
"""


def answer(body, number):
    if not body.get("tools"):
        return message("OK")
    if body["tools"][0]["function"]["name"] == "analysis":
        said = {"diagnosis": "completed", "evidence": ["acc"], "insight": "It pays."}
        return message(arguments={**said, "advice": {}}, tool="analysis")
    params = {"x": 0.9 - number / 100, "k": 1 + number % 9}
    return message(arguments={"rationale": "Up.", "params": params})


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("import sys; print('acc:', float(sys.argv[1]) * int(sys.argv[2]))")
    Path("task.yaml").write_text(TASK)


def test_a_creator_is_told_of_ranges_vetoes_pins_and_notes_with_the_reasons(toy):
    with model_server(answer) as (url, asked):
        model = ("--model", "openai:toy", "--base-url", url)
        command("run", "task.yaml", *model, "--proposer", "creator", code=0)
        command("widen", "toy", "x", "--high", "4", "--why", "it rises to the end", code=0)
        command("pin", "toy", "k=7", "--why", "the server wants seven", code=0)
        said = command("enqueue", "toy", "x=2.5", "k=7", "--json", code=0).stdout
        queued = json.loads(said)["id"]
        command("veto", "toy", queued, "--why", "it needs too much memory", code=0)
        command("note", "toy", "the GPU was shared", "--trial", "1", code=0)
        before = len(asked)
        command("resume", "toy", "--trials", "5", code=0)
    proposing = [
        "\n".join(m["content"] for m in body["messages"])
        for body in asked[before:]
        if body.get("tools") and body["tools"][0]["function"]["name"] == "proposal"
    ]
    assert proposing
    for text in proposing:
        assert "x: float from 0 to 4" in text
        assert "widened x: high=4: it rises to the end." in text
        assert "A person holds k=7" in text and "pinned k=7: the server wants seven." in text
        assert f"took back {queued} (x=2.5 k=7): it needs too much memory." in text
        assert "noted on trial 1: the GPU was shared." in text
    report = json.loads(command("report", "toy", "--format", "json", code=0).stdout)
    told = report["people"]
    assert report["made"]["is_begun_there"] and "optuna" in report["made"]["made_with"]
    assert len(told) == 5 and told[3].endswith(
        f"took back {queued} (x=2.5 k=7): it needs too much memory"
    )
