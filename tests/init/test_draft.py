"""Drafts of whole scripts: they are read back, checked, and their scripts run with them."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenthpo.errors import TaskError
from agenthpo.init.draft import draft
from agenthpo.taskfile.reading import load_task
from calling import agenthpo

ARGPARSE = '''"""Fit a line to points. It takes a moment."""
import argparse

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01, metavar="LR", help="step size: small")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
    parser.add_argument("--nesterov", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for epoch in range(args.epochs):
        loss = abs(args.lr - 0.02) + args.batch_size / 1e5 + args.nesterov + 1 / (epoch + 1)
        print("Epoch {}: train loss {:.4f} | val loss {:.4f}".format(epoch, loss, loss + 0.1))

if __name__ == "__main__":
    main()
'''
CONSTANTS = """# no options at all
LEARNING_RATE = 3e-3
HIDDEN, DROPOUT = 64, 0.1
USE_NESTEROV = True
DATA = "mnist"
SEED = 0
score = 1 - abs(LEARNING_RATE - 0.01) - DROPOUT / 10 + (0.1 if USE_NESTEROV is True else 0)
print(f"hidden {HIDDEN} accuracy: {score:.5f}")
"""
CONFIGURATOR = """
out_dir = 'out'
learning_rate = 6e-4
n_layer = 4
dropout = 0.0
batch_size = 12
bias = False
exec(open('configurator.py').read())
for it in range(3):
    print(f"step {it}: train loss {learning_rate:.4f}, val loss {n_layer + (bias is True):.4f}")
"""
CONFIGURES = """
import subprocess
import sys
from ast import literal_eval
for arg in sys.argv[1:]:
    key, val = arg[2:].split('=')
    globals()[key] = literal_eval(val)
"""
TYPER = """
import typer
def main(lr: float = 0.1, hidden_size: int = 32, use_bias: bool = True, verbose: bool = False):
    print("f1", lr * hidden_size, use_bias)
typer.run(main)
"""
HYDRA = """
import hydra
@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    for epoch in range(cfg.trainer.epochs):
        print(f"epoch {epoch} val/acc {1 - cfg.optimizer.lr - cfg.model.dropout / 10:.6f}")
if __name__ == "__main__":
    main()
"""
HYDRA_FILES = {
    "conf/config.yaml": "defaults:\n  - optimizer: adam\n  - _self_\n  - override hydra/job_logging: none\n"
    "model: {dropout: 0.1, name: mlp}\ntrainer:\n  epochs: 2\nseed: 3\n",
    "conf/optimizer/adam.yaml": "lr: 1e-3\nname: adam\n",
}
STRUCTURED = """
from dataclasses import dataclass, field
import hydra
from hydra.core.config_store import ConfigStore
@dataclass
class Optim:
    lr: float = 0.01
@dataclass
class Config:
    optim: Optim = field(default_factory=Optim)
    hidden_size: int = 32
ConfigStore.instance().store(name="config", node=Config)
@hydra.main(version_base=None, config_name="config")
def main(cfg):
    print("rmse", cfg.optim.lr * cfg.hidden_size)
main()
"""
OMEGA = """
from omegaconf import OmegaConf
cfg = OmegaConf.merge(OmegaConf.load("config.yaml"), OmegaConf.from_cli())
print("loss:", cfg.train.lr * cfg.train.batch_size)
"""
YAML_OPTION = """
import argparse, yaml
p = argparse.ArgumentParser()
p.add_argument("--config", default="configs/base.yaml")
p.add_argument("--verbose", action="store_true")
cfg = yaml.safe_load(open(p.parse_args().config))
print("loss %.8f" % (cfg["optim"]["lr"] * cfg["batch_size"]))
"""
ASKS = """
import agenthpo
config = agenthpo.config(learning_rate=0.1, batch_size=32, epochs=2)
for epoch in range(config["epochs"]):
    agenthpo.report(step=epoch, val_auc=config["learning_rate"] * config["batch_size"])
"""
TOML_POSITIONAL = """
import sys, tomllib, argparse
p = argparse.ArgumentParser()
p.add_argument("config")
cfg = tomllib.load(open(p.parse_args().config, "rb"))
print("mae", cfg["lr"])
"""
KEYWORDS = """
class Adam:
    def __init__(self, lr, weight_decay=0.0):
        self.lr, self.weight_decay = lr, weight_decay
def main():
    params = {"max_depth": 4, "seed": 3}
    optimizer = Adam(lr=0.1, weight_decay=1e-3)
    print("cv accuracy: %0.6f" % (1 - optimizer.lr - optimizer.weight_decay - params["max_depth"] / 99))
main()
"""


def drafted(folder, text, **files):
    """Write the scripts, draft a task file, and return the task."""
    for name, other in files.items():
        file = folder / (name if "." in name else f"{name}.py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(other)
    (folder / "train.py").write_text(text)
    done = agenthpo("init", folder / "train.py")
    assert done.returncode == 0, done.stderr
    return load_task(folder / "task.yaml"), done.stdout


@pytest.mark.parametrize(
    ("text", "files", "metric", "names"),
    [
        (ARGPARSE, {}, "val_loss", ["lr", "batch-size", "optimizer", "nesterov"]),
        (CONSTANTS, {}, "accuracy", ["LEARNING_RATE", "HIDDEN", "DROPOUT", "USE_NESTEROV"]),
        (CONFIGURATOR, {"configurator": CONFIGURES}, "val_loss",
         ["learning_rate", "n_layer", "dropout", "batch_size", "bias"]),
        (TYPER, {}, "f1", ["lr", "hidden-size", "use-bias"]),
        (HYDRA, HYDRA_FILES, "val_acc", ["optimizer.lr", "model.dropout"]),
        (STRUCTURED, {}, "rmse", ["optim.lr", "hidden_size"]),
        (OMEGA, {"config.yaml": "train: {lr: 1e-3, batch_size: 32}\nseed: 1\n"}, "loss",
         ["train.lr", "train.batch_size"]),
        (YAML_OPTION, {"configs/base.yaml": "# x\noptim: {lr: 0.001}\nbatch_size: 32\n"}, "loss",
         ["optim.lr", "batch_size"]),
        (ASKS, {}, "val_auc", ["learning_rate", "batch_size"]),
        (TOML_POSITIONAL, {"settings.toml": "lr = 0.1\nseed = 1\n"}, "mae", ["lr"]),
        (KEYWORDS, {}, "cv_accuracy", ["params.max_depth", "Adam.lr", "Adam.weight_decay"]),
    ],
    ids=["argparse", "constants", "configurator", "typer", "hydra", "structured", "omegaconf",
         "yaml by an option", "config()", "toml by its place", "keywords"],
)  # fmt: skip
def test_a_drafted_file_runs_as_it_is(tmp_path, text, files, metric, names):
    task, said = drafted(tmp_path, text, **files)
    assert task.objective.metric == metric
    assert list(task.space.names) == names
    assert task.space.default() is not None
    assert "Look at what is guessed" in said
    ran = agenthpo("run", tmp_path, "--model", "none", "--trials", "3", "--json")
    trials = [json.loads(line) for line in ran.stdout.splitlines()]
    values = [t["trial"]["value"] for t in trials if t.get("event") == "finished"] or [
        t["trial"]["value"] for t in trials if "trial" in t and isinstance(t["trial"], dict)
    ]
    assert ran.returncode == 0, ran.stderr
    assert len({v for v in values if v is not None}) > 1, "the values do not reach the script"


def test_the_draft_says_what_it_left_and_why(tmp_path):
    drafted(tmp_path, ARGPARSE)
    text = (tmp_path / "task.yaml").read_text()
    assert "#   epochs 3: trains longer; raise it for the winner" in text
    assert "#   seed 1: no hyperparameter" in text
    assert "step size: small" in text
    assert "Fit a line to points." in text
    assert "train_loss" in text


@pytest.mark.parametrize(
    ("text", "metric", "names"),
    [
        ("def fit(lr: float = 0.1, *, hidden_size: int = 32, seed: int = 0):\n"
         "    val_loss = lr * hidden_size\n    return val_loss\n", "val_loss",
         ["lr", "hidden_size"]),
        ("def fit(lr=0.1, nesterov=True):\n    return {'auc': lr + nesterov, 'epoch': 3}\n", "auc",
         ["lr", "nesterov"]),
        ("def fit(dropout=0.1):\n    return 1 - dropout\n", "value", ["dropout"]),
    ],
)  # fmt: skip
def test_a_function_is_drafted_from_its_signature(tmp_path, monkeypatch, text, metric, names):
    (tmp_path / "model.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    done = agenthpo("init", "--function", "model:fit", code=0)
    assert "parameters of fit()" in done.stdout
    task = load_task(tmp_path / "task.yaml")
    assert (task.objective.metric, list(task.space.names)) == (metric, names)
    tried = json.loads(agenthpo("check", ".", "--try", "--json").stdout)["try"]
    assert tried["ok"], tried
    missing = agenthpo("init", "--function", "model:nothing", "--out", "other.yaml")
    assert (missing.returncode, "defines no function nothing" in missing.stderr) == (2, True)
    assert not (tmp_path / "other.yaml").exists()


def test_no_file_is_overwritten_and_another_may_be_named(tmp_path):
    drafted(tmp_path, ARGPARSE)
    before = (tmp_path / "task.yaml").read_bytes()
    again = agenthpo("init", tmp_path / "train.py")
    assert again.returncode == 2
    assert "is not overwritten" in again.stderr
    assert (tmp_path / "task.yaml").read_bytes() == before
    other = agenthpo("init", tmp_path / "train.py", "--out", tmp_path / "second.yaml", "--json")
    assert json.loads(other.stdout)["metric"] == "val_loss"
    assert load_task(tmp_path / "second.yaml").objective.metric == "val_loss"
    away = agenthpo("init", tmp_path / "train.py", "--out", tmp_path.parent / "x.yaml")
    assert (away.returncode, "not beside" in away.stderr) == (2, True)


def test_a_metric_may_be_named(tmp_path):
    (tmp_path / "train.py").write_text(ARGPARSE)
    assert draft(tmp_path / "train.py", "train_loss").metric == "train_loss"
    unknown = draft(tmp_path / "train.py", "auc")
    assert "nothing in train.py prints it" in unknown.guessed[0]
    assert "metrics:" not in unknown.text, "by its name, in any usual form"


def test_a_metric_is_found_in_a_longer_label_too(tmp_path):
    (tmp_path / "train.py").write_text(
        ARGPARSE + "\nacc = 0.5\nprint(f'Baseline accuracy on test data: {acc:.2}')\n"
        "print(f'Number of samples with a loss of any kind: {acc}')\n"
    )
    found = draft(tmp_path / "train.py", "test_accuracy")
    assert "Baseline accuracy on test data: {number}" in found.text
    assert "Number of samples" not in found.text


def test_what_a_script_requires_is_to_be_filled_in(tmp_path):
    (tmp_path / "train.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('data')\n"
        "p.add_argument('--out-dir', required=True)\np.add_argument('--lr', type=float)\n"
    )
    found = draft(tmp_path / "train.py")
    assert found.to_fill == ["DATA", "OUT_DIR"]
    assert "train.py DATA --out-dir OUT_DIR {flags}" in found.text
    assert "DATA, OUT_DIR" in found.guessed[0]
    assert any("prints or logs" in each for each in found.guessed)


def test_what_a_configuration_or_a_script_of_constants_requires_is_to_be_filled_in(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("lr: 0.1\ndata:\n  path: ???\n")
    (tmp_path / "train.py").write_text(HYDRA)
    found = draft(tmp_path / "train.py")
    assert found.to_fill == ["DATA_PATH"]
    assert "{overrides} hydra.run.dir={trial_dir}/hydra data.path=DATA_PATH" in found.text
    (tmp_path / "fit.py").write_text(
        "import argparse\nLR = 0.1\np = argparse.ArgumentParser()\np.add_argument('data')\n"
        "print('loss', LR, p.parse_args().data)\n"
    )
    found = draft(tmp_path / "fit.py")
    assert found.to_fill == ["DATA"]
    assert "agenthpo.constants fit.py {flags} -- DATA" in found.text
    (tmp_path / "task.yaml").write_text(found.text.replace("-- DATA", "-- here"))
    tried = json.loads(agenthpo("check", tmp_path, "--try", "--json").stdout)["try"]
    assert tried["value"] == 0.1


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("train.py", "print('hello')", "shows no hyperparameter"),
        ("train.py", "def f(:", "cannot be read as Python"),
        ("nb.ipynb", "{}", "is a notebook"),
        ("none.py", None, "does not exist"),
    ],
)
def test_what_cannot_be_drafted_is_said_in_one_sentence(tmp_path, name, text, sentence):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(TaskError, match=sentence):
        draft(tmp_path / name)
    done = agenthpo("init", tmp_path / name)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "task.yaml").exists()


def test_running_a_script_says_how_to_draft(tmp_path):
    (tmp_path / "train.py").write_text(ARGPARSE)
    done = agenthpo("run", tmp_path / "train.py")
    assert done.returncode == 2
    assert "agenthpo init" in done.stderr


def test_the_template_is_a_task_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = agenthpo("init")
    assert done.returncode == 0, done.stderr
    (tmp_path / "train.py").write_text(ARGPARSE)
    assert load_task(tmp_path / "task.yaml").space.names == ("lr", "batch_size", "dropout")


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["lr", "batch-size", "dropout", "n_layers", "weight_decay", "seed"]),
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS),
            WORDS,
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda each: each[0],
    ),
    WORDS,
    WORDS,
)
def test_whatever_a_script_holds_the_draft_reads_back(tmp_path_factory, options, about, shown):
    folder = tmp_path_factory.mktemp("drafted")
    lines = [f'"""x{about!r}"""'.replace("\\", ""), "import argparse",
             "p = argparse.ArgumentParser()"]  # fmt: skip
    for name, default, help_text in options:
        value = repr(default) if default == default and abs(
            default if isinstance(default, float) else 0) < 1e300 else "1.0"  # fmt: skip
        lines.append(f"p.add_argument('--{name}', default={value}, help={help_text!r})")
    lines.append(f"print({shown!r} + ' val loss', 1)")
    script = folder / "train.py"
    script.write_text("\n".join(lines), encoding="utf-8")
    try:
        found = draft(script)
    except TaskError as problem:
        assert "train.py" in str(problem)
        return
    (folder / "task.yaml").write_text(found.text, encoding="utf-8")
    if not found.to_fill:
        task = load_task(folder / "task.yaml")
        assert list(task.space.names) == list(found.tuned)


def test_values_within_a_script_may_be_set_too(tmp_path):
    from subprocess import run

    (tmp_path / "train.py").write_text(
        "import json\ndef Model(lr=1, depth=2, act='relu'): return [lr, depth, act]\n"
        "def fit():\n    rate = 0.5\n    params = {'eta': 0.1, 'max_depth': 3}\n"
        "    more = dict(alpha=1.0)\n"
        "    return [rate, params, more, Model(lr=0.1), Model(lr=0.1, depth=4), Model(depth=5)]\n"
        "print(json.dumps(fit()))\n"
    )
    words = ["--fit.rate", "2", "--params.eta", "0.3", "--more.alpha=7", "--Model.lr", "9"]
    command = [sys.executable, "-m", "agenthpo.constants", "train.py"]
    done = run([*command, *words], cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(done.stdout) == [
        2.0, {"eta": 0.3, "max_depth": 3}, {"alpha": 7.0},
        [9.0, 2, "relu"], [9.0, 4, "relu"], [1, 5, "relu"],
    ], done.stderr  # fmt: skip
    # it is called with two depths, so that one value is not meant
    wrong = run([*command, "--Model.depth", "3"], cwd=tmp_path, capture_output=True, text=True)
    assert "gives 'Model.depth' no value" in wrong.stderr


def test_constants_take_other_values_without_a_change_to_the_file(tmp_path):
    from subprocess import run

    script = tmp_path / "train.py"
    script.write_text(
        "import json, sys\nA = 1\nB, C = 2.0, 'x'\nD = True\nE = A + 1\nif __name__ == '__main__':\n"
        "    F = None\n    print(json.dumps([A, B, C, D, E, F, sys.argv[1:], __file__]))\n"
    )
    before = script.read_bytes()

    def called(*words):
        command = [sys.executable, "-m", "agenthpo.constants", "train.py", *words]
        return run(command, cwd=tmp_path, capture_output=True, text=True)

    done = called("--A", "3", "--B=4", "--C", "007", "--D", "false", "--F", "0.5", "--", "-v")
    assert json.loads(done.stdout) == [3, 4.0, "007", False, 4, 0.5, ["-v"], "train.py"]
    wrong = called("--Z", "1")
    assert wrong.returncode != 0
    assert "gives 'Z' no value in plain words; it gives A, B, C, D, E, F" in wrong.stderr
    assert script.read_bytes() == before


def test_what_a_logger_keeps_is_read_from_its_files(tmp_path):
    (tmp_path / "train.py").write_text(
        "import argparse\n"
        "from tensorboardX import SummaryWriter\n"
        "p = argparse.ArgumentParser()\n"
        "p.add_argument('--lr', type=float, default=0.1)\n"
        "lr = p.parse_args().lr\n"
        "with SummaryWriter('runs/now') as writer:\n"
        "    for epoch in range(3):\n"
        "        writer.add_scalar('val/accuracy', lr * epoch, epoch)\n"
    )
    drafted = draft(tmp_path / "train.py")
    assert "metrics: auto  # looks for the files of TensorBoard" in drafted.text
    assert "the metric val/accuracy, which line 8 of train.py gives to TensorBoard" in (
        drafted.guessed
    )
    (tmp_path / "task.yaml").write_text(drafted.text)
    tried = json.loads(agenthpo("check", tmp_path, "--try", "--json").stdout)["try"]
    assert tried["ok"] and tried["values"] == [0.0, 0.1, 0.2], tried["error"]
    assert tried["read_from"]["val/accuracy"].startswith("TensorBoard events: ")


POSITIONAL = """
import optax
from torch.optim import SGD
class BernoulliRBM: pass
rbm = BernoulliRBM()
rbm.learning_rate = 0.06
rbm.n_components = 100
tx = optax.adamw(1e-2)
other = SGD(params, 0.5)
print("score", rbm.learning_rate * tx.rate + other.rate)
"""
STAND_INS = (
    "class Made:\n    def __init__(self, *values): self.rate = values[-1]\n"
    "adamw = SGD = Made\nparams = None\n"
)


def test_attributes_and_learning_rates_by_their_place_are_values_too(tmp_path):
    text = POSITIONAL.replace("import optax\nfrom torch.optim import SGD\n", "import optax\nfrom optax import SGD, params\n")  # fmt: skip
    (tmp_path / "train.py").write_text(text)
    (tmp_path / "optax.py").write_text(STAND_INS)
    (tmp_path / "task.yaml").write_text(draft(tmp_path / "train.py").text)
    task = load_task(tmp_path / "task.yaml")
    assert task.space.default() == {
        "rbm.learning_rate": 0.06,
        "rbm.n_components": 100,
        "adamw.learning_rate": 0.01,
        "SGD.learning_rate": 0.5,
    }
    tried = json.loads(agenthpo("check", tmp_path, "--try", "--json").stdout)["try"]
    assert tried["value"] == 0.06 * 0.01 + 0.5, tried["error"]
    given = {"rbm.learning_rate": 0.1, "adamw.learning_rate": 1.0, "SGD.learning_rate": 2.0}
    command = [f"--{name}={value}" for name, value in given.items()]
    done = subprocess.run(
        [sys.executable, "-m", "agenthpo.constants", "train.py", *command],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "score 2.1\n", done.stderr


def test_sklearns_report_gives_the_accuracy(tmp_path):
    (tmp_path / "train.py").write_text(
        "from sklearn.datasets import load_iris\n"
        "from sklearn.metrics import classification_report\n"
        "from sklearn.svm import SVC\n"
        "X, y = load_iris(return_X_y=True)\n"
        "print(classification_report(y, SVC(C=0.01).fit(X, y).predict(X), zero_division=0))\n"
    )
    (tmp_path / "task.yaml").write_text(draft(tmp_path / "train.py").text)
    tried = json.loads(agenthpo("check", tmp_path, "--try", "--json").stdout)["try"]
    assert tried["ok"] and 0.3 <= tried["value"] <= 1, tried["error"]


def test_what_hydras_main_returns_is_the_metric(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/config.yaml").write_text("lr: 0.1\nbatch_size: 32\n")
    script = (
        "import hydra\n"
        "@hydra.main(version_base=None, config_path='conf', config_name='config')\n"
        "def main(cfg):\n"
        "    {body}\n"
        "main()\n"
    )
    for body, metric, value in (
        ("val_loss = cfg.lr / 2; return val_loss", "val_loss", 0.05),
        ("return {'val_acc': cfg.lr, 'name': 'x', 'epochs': 3}", "val_acc", 0.1),
    ):
        (tmp_path / "task.yaml").unlink(missing_ok=True)
        (tmp_path / "train.py").write_text(script.replace("{body}", body))
        found = draft(tmp_path / "train.py")
        assert found.metric == metric and "agenthpo.hydra_return.ReportReturn" in found.text
        (tmp_path / "task.yaml").write_text(found.text)
        tried = json.loads(agenthpo("check", tmp_path, "--try", "--json").stdout)["try"]
        assert tried["value"] == value, tried["error"]
    (tmp_path / "train.py").write_text(script.replace("{body}", "print('val_acc', cfg.lr)"))
    assert "ReportReturn" not in draft(tmp_path / "train.py").text


@pytest.mark.parametrize(
    ("prints", "tested"),
    [
        ("acc = 1; print('val_acc:', acc); t = 2; print('test_acc:', t)", "test_acc"),
        ("acc = 1; print('val_acc:', acc); t = 2; print('test_loss:', t)", None),
        ("t = 2; print('test_acc:', t)", None),
        ("acc = 1; print('val_acc:', acc); t = 2; print('train_acc:', t)", None),
    ],
)
def test_the_same_metric_on_the_test_data_is_kept_from_agents(tmp_path, prints, tested):
    (tmp_path / "train.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, "
        f"default=0.1)\np.parse_args()\n{prints}\n"
    )
    (tmp_path / "task.yaml").write_text(draft(tmp_path / "train.py").text)
    assert load_task(tmp_path / "task.yaml").objective.test_metric == tested
