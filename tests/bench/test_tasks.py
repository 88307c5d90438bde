"""The twelve tasks: each can be trained, on real data, and says whose they are."""

import importlib.util
import json
import os

import pytest

from agenthpo.bench.data.sources import FILE, data_file, found
from agenthpo.taskfile.reading import load_task
from agenthpo.training.runner import run
from studies import ROOT

FOLDER = ROOT / "benchmarks/tasks"
TASKS = sorted(path.parent.name for path in FOLDER.glob("*/task.yaml"))
NEEDS = {
    "graph": ("sklearn", "torch"),
    "language": ("sacrebleu", "torch"),
    "recommendation": ("recbole", "sklearn", "torch"),
    "tabular": ("pandas", "sklearn", "xgboost"),
    "vision": ("torch",),
}
LEAST = {
    "graph": {"num_epochs": 20, "hidden_size": 8, "latent_size": 4, "num_layers": 1},
    "language": {
        "num_epochs": 2,
        "batch_size": 128,
        "max_length": 12,
        "model_size": 32,
        "num_heads": 1,
    },
    "recommendation": {
        "num_epochs": 2,
        "embedding_size": 16,
        "num_layers": 1,
        "use_history": False,
    },
    "tabular": {"n_estimators": 20, "subsample": 0.5},
    "vision": {"num_epochs": 2, "batch_size": 32, "width": 4, "depth": 1, "patch_size": 14},
}
"""What makes a task's training short, by field."""


def short(task):
    """Return the default, made short; that of Cora is short."""
    least = {} if task.name == "graph-node-classification" else LEAST[task.name.split("-")[0]]
    changed = {name: value for name, value in least.items() if name in task.space.names}
    if "batch_size" in changed:
        changed["batch_size"] = max(task.space["batch_size"].values)  # the fewest steps
    return task.space.restrict({**task.space.default(), **changed})


def lacking(field):
    """Return why the tasks of a field cannot run here, or nothing."""
    packages = [name for name in NEEDS[field] if importlib.util.find_spec(name) is None]
    if packages:
        return f"{', '.join(packages)} not installed: pip install 'agenthpo[tasks]'"
    return "" if "AGENTHPO_DATA" in os.environ else "AGENTHPO_DATA names no folder with the data"


@pytest.mark.parametrize("name", TASKS)
def test_a_task_reports_every_step_and_its_data(name, tmp_path):
    task = load_task(FOLDER / name)
    assert (
        task.objective.test_metric
        and task.background.dataset
        and 4 <= len(task.space.parameters) <= 10
    )
    outcome = trained(task, short(task), seed=1, cache=tmp_path)
    assert outcome.test_value is not None
    assert {len(curve) for curve in outcome.curves.values()} == {
        len(outcome.curves[task.objective.metric])
    }
    assert len(outcome.curves[task.objective.metric]) > 1
    source = json.loads((tmp_path / FILE).read_text())
    assert source["data"] and f"`{source['source']}`" in (FOLDER / name / "README.md").read_text()
    if name == "graph-node-classification":  # Cora's default, whole: what a practitioner gets
        assert outcome.value > 0.77 and outcome.test_value > 0.77
    if name == "tabular-regression":
        again, other = (
            trained(task, short(task), seed=seed, cache=tmp_path / str(seed)).value
            for seed in (1, 2)
        )
        assert outcome.value == again != other


def trained(task, params, seed, cache):
    """Return the outcome of a task's training, or skip where its packages or data are not here."""
    if reason := lacking(task.name.split("-")[0]):
        pytest.skip(reason)
    cache.mkdir(exist_ok=True)
    outcome = run(task.spec(0, params, seed=seed, workdir=cache))
    if outcome.status == "failed" and "no data: " in outcome.log_tail:
        pytest.skip(outcome.log_tail)
    assert outcome.status == "complete", outcome.log_tail
    return outcome


@pytest.mark.parametrize("name", TASKS)
def test_a_task_says_what_is_known_of_it(name):
    script = (FOLDER / name / "train.py").read_text()
    assert len(script.splitlines()) < 150
    text = (FOLDER / name / "README.md").read_text()
    assert "reconstructed" in text


def test_the_first_way_that_works_is_taken_and_written_down(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENTHPO_TRIAL_DIR", str(tmp_path))
    monkeypatch.delenv("AGENTHPO_SOURCE", raising=False)
    monkeypatch.delenv("AGENTHPO_DATA", raising=False)
    ways = {
        "online": ("all of it", lambda: 1),
        "local": ("a part", lambda: data_file("part.csv")),
        "package": ("another", lambda: 2),
    }
    assert found(None, **ways) == 2
    assert json.loads((tmp_path / FILE).read_text()) == {"source": "package", "data": "another"}
    monkeypatch.setenv("AGENTHPO_SOURCE", "online")
    assert found(None, **ways) == 1


def test_a_script_without_data_says_what_each_way_lacks(monkeypatch):
    monkeypatch.setenv("AGENTHPO_DATA", "/nowhere")
    monkeypatch.delenv("AGENTHPO_SOURCE", raising=False)
    with pytest.raises(SystemExit, match=r"local \(a part\): there is no /nowhere/part.csv"):
        found(None, local=("a part", lambda: data_file("part.csv")))
    with pytest.raises(SystemExit, match=r"AGENTHPO_SOURCE is 'cloud': this task has local"):
        found("cloud", local=("a part", lambda: 1))
