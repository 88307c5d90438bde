import math
from pathlib import Path

import numpy as np
import pytest

import agenthpo
from agenthpo.cli.tables import print_study
from agenthpo.search.engine.shadow import shadow_of
from agenthpo.shadow import Shadow
from agenthpo.studies import meta_of
from loopback import message, model_server
from studies import make_task, make_trial

DEFAULT = {"lr": 0.001, "size": 16, "opt": "adam", "epochs": 10}
TASK = make_task(direction="minimize")


def study(count, loss, seed=0, sign=1):
    """The default, and configurations drawn at random, with their losses."""
    rng = np.random.default_rng(seed)
    drawn = [DEFAULT]
    for _ in range(count - 1):
        lr, epochs = 10 ** rng.uniform(-5, -1), int(rng.integers(1, 51))
        drawn.append({"lr": float(lr), "size": 16, "opt": "adam", "epochs": epochs})
    values = [loss(p) for p in drawn]
    return [
        make_trial(i, p, None if v is None else sign * v, "creator" if i else "default")
        for i, (p, v) in enumerate(zip(drawn, values, strict=True))
    ]


def valley(params):
    return (math.log10(params["lr"]) + 2) ** 2 + abs(params["epochs"] - 30) / 50


def test_it_is_between_the_default_and_what_is_possible():
    trials = study(12, valley)
    found = shadow_of(TASK, trials)
    assert (found.trials, found.repeats) == (12, 5)
    assert found.low <= found.value <= found.high
    assert found.value < trials[0].value
    assert found.value > -0.5  # the optimum is 0


def test_it_is_the_same_for_a_mirrored_objective():
    down = shadow_of(TASK, study(10, valley))
    up = shadow_of(make_task(direction="maximize"), study(10, valley, sign=-1))
    assert up.value == pytest.approx(-down.value, abs=1e-6)
    assert up.low == pytest.approx(-down.high, abs=1e-6)


def test_it_is_the_same_each_time_and_another_one_with_another_seed():
    trials = study(10, valley)
    assert shadow_of(TASK, trials, 3) == shadow_of(TASK, trials, 3)
    assert shadow_of(TASK, trials, 3) != shadow_of(TASK, trials, 4)


def test_where_too_little_or_too_much_is_known_it_says_nothing():
    assert shadow_of(TASK, study(4, valley)) is None
    assert shadow_of(TASK, study(9, lambda p: None)) is None
    assert shadow_of(TASK, study(101, valley)) is None


def test_failures_are_expected_of_the_engine_too():
    trials = study(14, lambda p: None if p["epochs"] > 25 else valley(p))
    assert sum(t.value is None for t in trials) > 3
    found = shadow_of(TASK, trials)
    assert found is not None and math.isfinite(found.value)


def answer(body, number):
    if not body.get("tools"):
        return message("OK")
    return message(
        arguments={
            "rationale": "Up.",
            "params": {"x": number / 40},
            "hypothesis": "More is more.",
            "expected": {"value": 0.5, "low": 0, "high": 2},
        }
    )


def test_a_study_with_a_creator_has_one_and_one_without_has_none(capsys):
    space = {"x": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.5}}

    def tuned(**given):
        seen = []
        agenthpo.tune(
            lambda params: params["x"],
            space,
            direction="maximize",
            trials=7,
            on_event=seen.append,
            **given,
        )
        return seen[-1]

    with model_server(answer) as (url, _):
        ended = tuned(study="both", model="toy", base_url=url, without=["analysis"])
    assert isinstance(ended.shadow, Shadow) and ended.shadow.trials == 7
    folder = Path(".agenthpo/both")
    assert meta_of(folder).shadow == ended.shadow
    print_study(folder, as_json=False)
    assert "engine alone (an estimate): " in capsys.readouterr().out
    assert tuned(study="alone", model="none").shadow is None
