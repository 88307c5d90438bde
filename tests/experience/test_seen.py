"""A study's own trials tell its space, with what depends on what."""

import random
from pathlib import Path

import optuna
import pytest

from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta
from agenthpo.experience.seen import conditions, seen_space
from agenthpo.records import Analysis, Outcome, Proposal
from agenthpo.search.importance import importances
from agenthpo.taskfile.space import parse_space

FLOAT = {"type": "float", "low": 0.0, "high": 1.0}
RAW = {
    "kind": {"type": "categorical", "values": ["forest", "svm", "mlp"]},
    "deep": {"type": "bool", "when": {"kind": "mlp"}},
    "layers": {"type": "int", "low": 1, "high": 3, "when": {"kind": "mlp", "deep": True}},
    "second": {**FLOAT, "when": {"layers": [2, 3]}},
    "depth": {"type": "int", "low": 1, "high": 9, "when": {"kind": "forest"}},
    "C": {**FLOAT, "when": {"kind": ["svm", "mlp"]}},
    "width": {"type": "int", "values": [0, 1, 2]},
}
DONE = Analysis("completed")
META = StudyMeta(id="1", name="toy", metric="acc", direction="maximize")


def drawn(draw, space):
    values = {}
    for p in space:
        choices = p.values or ([1, 2, 3] if p.kind == "int" else [draw.random()])
        values[p.name] = draw.choice(choices)
    return space.restrict(values)


def study(space, count, value=lambda params: params.get("C", 0.1)):
    draw = random.Random(1)
    with ExperienceLog.create(Path("toy"), space=space, meta=META) as log:
        for _ in range(count):
            params = drawn(draw, space)
            log.finish(
                log.start(Proposal(params, "engine")), Outcome("complete", value(params)), DONE
            )


def test_what_depends_on_what_is_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = parse_space(RAW)
    study(space, 60)
    with ExperienceLog.open(Path("toy"), space=None, read_only=True) as log:
        seen, trials = seen_space(log), log.trials()
    assert [seen.violations(t.proposal.params) for t in trials] == [[]] * 60
    when = {p.name: dict(p.when) for p in seen}
    assert set(when["C"]) == {"kind"} and set(when["C"]["kind"]) == {"svm", "mlp"}
    assert when["depth"] == {"kind": ("forest",)} and when["deep"] == {"kind": ("mlp",)}
    assert when["layers"] == {"deep": (True,)} and when["width"] == {}
    assert set(when["second"]["layers"]) == {2, 3}
    # what it is for: no trial is left out of what is said of them
    found = importances(seen, trials, "maximize")
    assert {m.name for m in found} == set(RAW) and found[0].name in ("C", "kind")


@pytest.mark.parametrize("seed", range(20))
def test_every_trial_fits_whatever_was_drawn(seed):
    draw, space = random.Random(seed), parse_space(RAW)
    rows = [drawn(draw, space) for _ in range(draw.randint(2, 12))]
    flat = {n: {k: v for k, v in raw.items() if k != "when"} for n, raw in RAW.items()}
    flat = {n: raw for n, raw in flat.items() if any(n in row for row in rows)}
    for name, when in conditions(flat, rows).items():
        flat[name]["when"] = when
    seen = parse_space(flat)
    assert [seen.violations(row) for row in rows] == [[]] * len(rows)


def test_two_parents_that_tell_it_together():
    raw = {name: {"type": "bool"} for name in "abc"} | {"x": FLOAT}
    rows = [dict(zip("abc", bits, strict=True)) for bits in
            [(i & 1 > 0, i & 2 > 0, i & 4 > 0) for i in range(8)]]  # fmt: skip
    rows = [{**row, "x": 0.5} if row["a"] and row["b"] else row for row in rows]
    assert conditions(raw, rows) == {"x": {"a": [True], "b": [True]}}


def test_true_is_not_one_and_what_nothing_tells_has_no_condition():
    raw = {"n": {"type": "int"}, "x": FLOAT, "y": FLOAT}
    assert conditions(raw, [{"n": 1, "x": 0.1}, {"n": 1}, {"n": 2, "x": 0.1}]) == {}
    assert conditions(raw, [{"n": 1, "x": 0.1}, {"n": True}]) == {"x": {"n": [1]}}
    assert conditions(raw, [{"n": n, "x": 0.1} for n in range(20)] + [{"n": 50}]) == {}


def test_a_study_of_optuna_that_names_units_by_layer():
    def objective(trial):
        layers = trial.suggest_int("layers", 1, 3)
        return sum(trial.suggest_float(f"units_{i}", 0, 1) for i in range(layers))

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=0)
    made = optuna.create_study(sampler=sampler)
    made.optimize(objective, n_trials=20)
    rows = [t.params for t in made.trials]
    raw = {"layers": {"type": "int"}, **{f"units_{i}": FLOAT for i in range(3)}}
    found = conditions(raw, rows)
    assert set(found) == {"units_1", "units_2"}
    assert sorted(found["units_1"]["layers"]) == [2, 3] and found["units_2"] == {"layers": [3]}
