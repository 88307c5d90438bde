import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.command.python_text import constant, module_constants
from agenthpo.command.script_options import declared_options
from agenthpo.scalars import NO_VALUE

SCRIPTS = {
    "argparse": """
import argparse
WIDTH = 4 * 16
p = argparse.ArgumentParser(description="Train")
g = p.add_argument_group("model")
g.add_argument("-l", "--lr", type=float, default=1e-3, help="step size of "
               "Adam")
g.add_argument("--width", type=int, default=WIDTH)
g.add_argument("--opt", choices=["adam", "sgd"], default="adam")
g.add_argument("--nesterov", action="store_true")
args = p.parse_args()
""",
    "click": """
import click
@click.command()
@click.option("--lr", "-l", type=float, default=1e-3, help="step size of Adam")
@click.option("--width", type=click.IntRange(1, 512), default=64)
@click.option("--opt", type=click.Choice(["adam", "sgd"]), default="adam")
@click.option("--nesterov", is_flag=True)
def main(lr, width, opt, nesterov): pass
""",
    "typer": """
import typer
from typing import Annotated, Literal
app = typer.Typer()
@app.command()
def main(lr: Annotated[float, typer.Option(help="step size of Adam")] = 1e-3, width: int = 64,
         opt: Literal["adam", "sgd"] = "adam", nesterov: bool = typer.Option(False)): pass
app()
""",
    "fire": """
import fire
def other(unrelated=7): pass
def train(lr=1e-3, width=64, opt="adam", nesterov=False): pass
fire.Fire(train)
""",
    "absl": """
from absl import app, flags
flags.DEFINE_float("lr", 1e-3, "step size of Adam")
flags.DEFINE_integer("width", 64, "")
flags.DEFINE_enum("opt", "adam", ["adam", "sgd"], "")
flags.DEFINE_boolean("nesterov", False, "")
""",
    "tyro": """
import tyro
from dataclasses import dataclass
from typing import Literal
@dataclass
class Args:
    lr: float = 1e-3
    width: int = 64
    opt: Literal["adam", "sgd"] = "adam"
    nesterov: bool = False
tyro.cli(Args)
""",
    "simple-parsing": """
from dataclasses import dataclass, field
from simple_parsing import ArgumentParser
@dataclass
class Args:
    lr: float = 1e-3
    width: int = field(default=64)
    opt: str = "adam"
    nesterov: bool = False
parser = ArgumentParser()
parser.add_arguments(Args, dest="args")
""",
    "transformers": """
from dataclasses import dataclass, field
from typing import Optional
from transformers import HfArgumentParser
@dataclass
class Args:
    lr: float = field(default=1e-3, metadata={"help": "step size of Adam"})
    width: Optional[int] = field(default=64)
    opt: str = field(default="adam")
    nesterov: bool = field(default=False)
HfArgumentParser((Args,)).parse_args_into_dataclasses()
""",
    "jsonargparse": """
from jsonargparse import CLI
def train(lr: float = 1e-3, width: int = 64, opt: str = "adam", nesterov: bool = False): pass
CLI(train)
""",
}


@pytest.mark.parametrize("library", SCRIPTS)
def test_a_scripts_options_have_their_kinds_and_defaults(library):
    found = {o.name: o for o in declared_options(ast.parse(SCRIPTS[library]))}
    assert list(found) == ["lr", "width", "opt", "nesterov"]
    assert [o.default for o in found.values()] == [1e-3, 64, "adam", False]
    assert [o.spelling for o in found.values()] == ["--lr", "--width", "--opt", "--nesterov"]
    assert (found["lr"].kind, found["width"].kind) == ("float", "int")
    assert found["nesterov"].kind == "bool"
    assert found["nesterov"].style
    assert found["opt"].choices in ((), ("adam", "sgd"))
    assert found["lr"].about in ("", "step size of Adam")
    assert not any(o.is_required for o in found.values())


def test_what_is_nested_is_written_as_its_library_writes_it():
    text = """
from dataclasses import dataclass, field
import tyro
@dataclass
class Optim:
    learning_rate: float = 0.1
@dataclass
class Base:
    seed: int = 0
@dataclass
class Args(Base):
    optim: Optim = field(default_factory=Optim)
tyro.cli(Args)
"""
    found = declared_options(ast.parse(text))
    assert [o.spelling for o in found] == ["--seed", "--optim.learning-rate"]
    lightning = """
from lightning.pytorch.cli import LightningCLI
class Model:
    def __init__(self, lr: float = 0.1, hidden: int = 8): ...
class Data:
    def __init__(self, batch_size: int = 32): ...
LightningCLI(Model, Data)
"""
    names = [o.name for o in declared_options(ast.parse(lightning))]
    assert names == ["model.lr", "model.hidden", "data.batch_size"]


def test_what_the_options_are_made_of_may_be_defined_beside_the_script():
    script = ast.parse("import tyro\nfrom settings import Args\ntyro.cli(Args)")
    beside = ast.parse(
        "from dataclasses import dataclass\n@dataclass\nclass Args:\n  lr: float = 0.1"
    )
    assert [o.default for o in declared_options(script, [beside])] == [0.1]


def test_what_a_script_must_be_given_is_said():
    text = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("data")
p.add_argument("out", nargs="?", default="here")
p.add_argument("--lr", type=float, required=True)
p.add_argument("-v", action="count")
p.add_argument("--sizes", type=int, nargs="+", default=[1, 2])
p.add_argument("-bs", type=int, default=8)
"""
    found = {o.name: o for o in declared_options(ast.parse(text))}
    assert [n for n, o in found.items() if o.is_required] == ["data", "lr"]
    assert found["data"].spelling == "data"
    assert found["v"].kind == "none"
    assert found["sizes"].is_list
    assert found["bs"].spelling == "-bs"


def test_constants_are_read_as_far_as_they_are_plain():
    text = "A = 10\nB: float = 1e-3\nC, D = 2 * A, 'x'\nE = f()\nA = 3\nG = 2 ** 10 ** 10\nH = -A"
    found = {name: value for name, (value, _) in module_constants(ast.parse(text)).items()}
    assert found == {"A": 10, "B": 1e-3, "C": 20, "D": "x", "H": -10}


@given(st.recursive(
    st.integers(-9, 10**20).map(str) | st.floats(allow_nan=False, allow_infinity=False).map(repr),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "*", "/", "**", "//", "-"]), inner).map(
        lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
    ),
    max_leaves=6,
))  # fmt: skip
def test_no_arithmetic_in_a_script_raises_or_takes_long(text):
    value = constant(ast.parse(text, mode="eval").body)
    assert value is NO_VALUE or isinstance(value, int | float)
