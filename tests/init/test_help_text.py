"""What a script's help shows, as real libraries print it."""

import json
import subprocess
import sys

import pytest

from agenthpo.errors import TaskError
from agenthpo.init.help_text import help_of, options_in_help, with_help
from agenthpo.scalars import NO_VALUE
from calling import agenthpo

ARGPARSE = """
import argparse
OPTIONS = {"lr": (float, 0.1), "batch-size": (int, 64), "weight_decay": (float, 1e-4)}
p = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
for name, (kind, default) in OPTIONS.items():
    p.add_argument("--" + name, type=kind, default=default, help=f"the {name}")
add = p.add_argument
add("--optimizer", choices=["adam", "sgd"], default="adam", help="a very long text about it " * 9)
add("--no-cuda", action="store_true", help="off")
add("--fast", action=argparse.BooleanOptionalAction, default=True, help="soon")
add("--units", type=int, nargs="+", default=[64])
add("-e", "--epochs", type=int, default=3, metavar="N", help="how long")
a = p.parse_args()
print("acc", a.lr)
"""
CLICK = """
import click
@click.command()
@click.option("--lr", default=0.1, show_default=True, help="Learning rate.")
@click.option("--layers", type=int, default=2, show_default=True)
@click.option("--opt", type=click.Choice(["adam", "sgd"]), default="adam", show_default=True)
@click.option("--shout/--no-shout", default=False, show_default=True)
def main(lr, layers, opt, shout): pass
main()
"""
TYPER = """
import typer
def main(lr: float = 0.1, layers: int = 2, shout: bool = False, name: str = "x"):
    pass
typer.run(main)
"""
ABSL = """
from absl import app, flags
flags.DEFINE_float("lr", 0.1, "Learning rate.")
flags.DEFINE_integer("layers", 2, "How many.")
flags.DEFINE_bool("shout", False, "Loud.")
flags.DEFINE_enum("opt", "adam", ["adam", "sgd"], "Which.")
app.run(lambda argv: None)
"""


def shown(tmp_path, script):
    (tmp_path / "train.py").write_text(script)
    return {o.name: o for o in options_in_help(help_of(tmp_path / "train.py"))}


def test_argparses_help_is_read(tmp_path):
    found = shown(tmp_path, ARGPARSE)
    assert [n for n in found] == ["lr", "batch-size", "weight_decay", "optimizer", "no-cuda",
                                  "fast", "units", "epochs"]  # fmt: skip
    assert (found["lr"].default, found["lr"].about) == (0.1, "the lr")
    assert found["weight_decay"].default == 1e-4
    assert found["optimizer"].choices == ("adam", "sgd")
    assert found["optimizer"].default == "adam"
    assert (found["no-cuda"].kind, found["no-cuda"].style) == ("bool", "--name")
    assert (found["fast"].default, found["fast"].style) == (True, "--name/--no-name")
    assert found["units"].is_list and found["epochs"].kind == "int"


@pytest.mark.parametrize("script", [CLICK, TYPER, ABSL], ids=["click", "typer", "absl"])
def test_other_libraries_help_is_read(script, tmp_path):
    found = shown(tmp_path, script)
    assert found["lr"].default == 0.1 and found["layers"].default == 2
    assert found["layers"].kind in ("int", "")
    assert found["shout"].kind == "bool" and found["shout"].style.startswith("--name/--no")
    if "opt" in found:
        assert found["opt"].choices in (("adam", "sgd"), ())
    assert not {"help", "version"} & set(found)


def test_the_text_goes_before_the_help_and_the_help_completes_it():
    from agenthpo.command.option import Option

    text = [Option("lr", 0.5, kind="float"), Option("size", NO_VALUE, kind="int")]
    help_ = options_in_help(
        "  --lr LR  (default: 0.1)\n  --size N  (default: 8)\n  --x X  (default: 1)"
    )
    found = {o.name: o.default for o in with_help(text, help_)}
    assert found == {"lr": 0.5, "size": 8, "x": 1}


def test_init_reads_options_that_only_a_run_can_show(tmp_path):
    (tmp_path / "train.py").write_text(ARGPARSE)
    plain = agenthpo("init", tmp_path / "train.py", "--json", "--out", tmp_path / "a.yaml")
    assert '"lr"' not in plain.stdout
    out = tmp_path / "other.yaml"
    done = agenthpo("init", tmp_path / "train.py", "--run-help", "--out", out, "--json")
    drafted = json.loads(done.stdout)
    assert {"lr", "batch-size", "weight_decay", "optimizer"} <= set(drafted["tuned"])
    tried = json.loads(agenthpo("check", out, "--try", "--json").stdout)["try"]
    assert tried["ok"] and tried["value"] == 0.1, tried["error"]


@pytest.mark.parametrize("script", ["print('hello')", "import no_such_module"])
def test_a_script_without_help_is_one_sentence(script, tmp_path):
    (tmp_path / "train.py").write_text(script)
    with pytest.raises(TaskError, match=r"--run-help: train.py --help shows no options"):
        help_of(tmp_path / "train.py")
    done = subprocess.run(
        [sys.executable, "-m", "agenthpo", "init", "train.py", "--run-help"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr
