"""The briefing is short however long the study is, and has what a Creator needs."""

import math
from pathlib import Path

import pytest

from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.requests import Request, add_request
from agenthpo.operations.briefing import briefing
from agenthpo.operations.place import Place
from agenthpo.records import Analysis, Expected, Outcome, Proposal
from agenthpo.search.engine.engine import Engine
from agenthpo.session import create
from agenthpo.task import Task
from agenthpo.taskfile.reading import load_task

TASK = """\
name: transformer
background:
  task: "Translate sentences from German into English. {words}"
  dataset: "29,000 pairs of captions, 1,014 to validate. {words}"
  model: "A transformer with an encoder and a decoder. {words}"
  goal: Highest BLEU on the validation set within a budget of minutes.
objective: {{metric: val_bleu, direction: maximize, test_metric: test_bleu}}
train: {{command: "{{python}} train.py {{flags}}"}}
space:
  learning_rate: {{type: float, low: 1e-5, high: 0.1, log: true, default: 1e-3, about: "step size of Adam after its warm-up"}}
  batch_size: {{type: int, values: [16, 32, 64, 128, 256], default: 64, about: "sentences in a batch"}}
  layers: {{type: int, low: 1, high: 8, default: 3, about: "layers of the encoder and of the decoder"}}
  width: {{type: int, values: [64, 128, 256, 512], default: 256}}
  dropout: {{type: float, low: 0.0, high: 0.6, default: 0.1}}
  warmup: {{type: int, low: 100, high: 8000, log: true, default: 1000, about: "steps until the rate is at its largest"}}
  optimizer: {{type: categorical, values: [adam, adamw, sgd], default: adam}}
  momentum: {{type: float, low: 0.0, high: 0.99, default: 0.9, when: {{optimizer: sgd}}}}
budget: {{trials: 120}}
"""
WORDS = "Sentences that are long are cut after 128 words, and rare words are split. " * 6


def value_of(params):
    return 30 - abs(math.log10(params["learning_rate"]) + 3) * 5 + params["layers"] / 4


def study_of(count: int) -> str:
    """A study of so many trials that were never run."""
    Path("train.py").write_text("")
    Path("task.yaml").write_text(TASK.format(words=WORDS))
    task: Task = load_task("task.yaml")
    folder = Path(".agenthpo/long").absolute()
    create(task, folder)
    engine = Engine(0)
    with ExperienceLog.open(folder, space=task.space) as log:
        for number in range(count):
            params = (
                engine.propose(task, log.trials()).params
                if number < 12
                else {**log.trials()[number - 12].proposal.params, "dropout": number / 300}
            )
            value = value_of(params)
            proposal = Proposal(
                params,
                "default" if number == 0 else "agent" if number % 2 else "engine",
                rationale="A larger step may learn faster. " * 4,
                hypothesis="It will be better than before. " * 3,
                expected=Expected(value, value - 1, value + 1),
            )
            trial = log.start(proposal)
            curve = tuple((float(s), value - 8 / (s + 1)) for s in range(30))
            curves = {"val_bleu": curve, "train_loss": curve}
            outcome = Outcome("complete", value, curves=curves, duration_s=61.0, peak_mb=2000.0)
            log.finish(
                trial, outcome, Analysis("plateau", ("it stood still",), advice="raise layers")
            )
    for number in range(12):
        add_request(
            folder,
            Request("note", "ann", is_person=True, text=f"Note {number}. " + "Do mind this. " * 20),
        )
    return "long"


@pytest.mark.parametrize(("trials", "most"), [(0, 6000), (10, 6000), (100, 8000)])
def test_a_briefing_is_short_and_whole(trials, most):
    at = Place(Path.cwd(), "claude")
    told = briefing(at, study_of(trials))
    assert len(told.text) < most
    parts = ["maximize val_bleu", "learning_rate: float from", "optimizer: categorical", "left"]
    if trials:
        parts += ["## The engine", "candidate A", "uncertain by about", "ann noted: Note 11"]
        parts += ["best third", f"{trials} trials, 0 failed", "curve: ", "# Trials"]
        assert told.text.count("\ntrial ") >= 8
    for part in parts:
        assert part in told.text, part
    assert "test_bleu" not in told.text
    for limit in (2000, 4000, 20_000):
        assert len(briefing(at, "long", most=limit).text) <= limit
