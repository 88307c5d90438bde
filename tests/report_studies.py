"""Studies whose reports are looked at: of any size, and with texts that want to be markup."""

import math
import random
from dataclasses import replace
from pathlib import Path

from agenthpo.budget import Budget
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta
from agenthpo.records import Analysis, Claim, Expected, Outcome, Proposal, Struck
from agenthpo.taskfile.space import parse_space

SPACE = {
    "lr": {"type": "float", "low": 1e-4, "high": 1.0, "log": True, "default": 0.01},
    "width": {"type": "int", "values": [16, 32, 64, 128], "default": 32},
    "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
    "momentum": {"type": "float", "low": 0.0, "high": 0.99, "default": 0.9, "when": {"opt": "sgd"}},
    "epochs": {"type": "int", "low": 1, "high": 50, "default": 10},
}
EVIL = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</script><script>fetch('http://example.com/owned')</script>",
    "[click](javascript:alert(1)) ![x](http://example.com/x.png) | `code` <b>bold</b>",
    "😀 ünïcödé \x1b[31mred\x1b]0;owned\x07 \u202egnp.exe 'single' & \"double\" {{ 7*7 }} %{x}",
)


def accuracy(params):
    away = (math.log10(params["lr"]) + 1.5) ** 2 / 9
    return 0.9 - 0.3 * away + 0.0005 * params["width"] + 0.001 * params["epochs"]


def drawn(draw, number):
    if number == 0:
        return {"lr": 0.01, "width": 32, "opt": "adam", "epochs": 10}
    opt = draw.choice(["adam", "sgd"])
    more = {"momentum": draw.uniform(0, 0.99)} if opt == "sgd" else {}
    return {
        "lr": 10 ** draw.uniform(-4, 0),
        "width": draw.choice([16, 32, 64, 128]),
        "opt": opt,
        **more,
        "epochs": draw.randint(1, 50),
    }


def make_study(folder, trials, *, failing=lambda i: i % 7 == 3, texts=(), long=0, meta=None,
               space=SPACE, worse=lambda i, value: 0.01, named=lambda params, number: params, others=lambda params: {}):  # fmt: skip
    """Write a study of so many trials into ``folder``; ``texts`` are said in them by turns,
    ``worse`` is by how much the test's value is, ``named`` what the parameters are recorded as.
    """
    folder, draw = Path(folder), random.Random(trials)
    told = StudyMeta(
        id="1", name="toy", metric="acc", direction="maximize", model="local:smollm2",
        test_metric="test_acc", proposer="hybrid", version="0.1.0", trials=trials,
        budget=Budget(trials=trials),
    )  # fmt: skip
    with ExperienceLog.create(folder, space=parse_space(space), meta=meta or told) as log:
        for i in range(trials):
            params = drawn(draw, i)
            words = texts[i % len(texts)] if texts else f"Try lr {params['lr']:.3g}."
            words = (
                (words + " ") * (1 + long // (len(words) + 1)) if long and i % 100 == 1 else words
            )
            value = accuracy(params) + draw.gauss(0, 0.003)
            source = "default" if i == 0 else "creator" if i % 3 == 1 else "engine"
            proposal = Proposal(
                named(params, i), source, rationale=words, hypothesis=words if source == "creator" else "",
                expected=Expected(value + 0.01, value - 0.02, value + 0.03) if i else None,
                claim=Claim("lr", "raise", 0) if source == "creator" else None,
                model="local:smollm2" if source == "creator" else "", note=words if i % 5 == 4 else "",
            )  # fmt: skip
            trial = log.start(proposal)
            if failing(i):
                outcome = Outcome("failed", error=f"RuntimeError: {words}", duration_s=0.5)
                analysis = Analysis("crashed", insight=words)
            else:
                curve = tuple((float(s), value * s / 10) for s in range(1, 11))
                outcome = Outcome(
                    "complete", value, test_value=value - worse(i, value), curves={"acc": curve},
                    duration_s=1.5, peak_mb=100.0, others=others(params),
                )  # fmt: skip
                analysis = Analysis("still_improving", ("it rose to the end",), words, "raise epochs",
                                    expectation_met=True if i else None)  # fmt: skip
                if i % 4 == 2:
                    crossed = (Struck(f"{words} came to 77.", "77 is not in the evidence"),)
                    analysis = replace(analysis, said=2, struck=1, crossed_out=crossed)
            log.finish(trial, outcome, analysis)
    return folder
