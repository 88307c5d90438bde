"""``{flags}`` for scripts of every argument library: what is recorded is what the script had, false
and null too.
"""

import json
from pathlib import Path

import pytest

from agenthpo.command.option_style import STYLES, write_option
from agenthpo.errors import TaskError
from agenthpo.taskfile.reading import load_task
from agenthpo.training.runner import run
from calling import agenthpo

TASK = """\
name: toy
objective: {metric: acc, direction: maximize}
train: {command: "{python} train.py {flags}", metrics: {acc: "acc {number}"}}
space:
  shuffle: {type: bool, default: true}
  lr: {type: float, low: -1, high: 1, default: -2e-05}
"""
TELL = "\n    import json\n    open('got', 'w').write(json.dumps(shuffle))\n    print('acc 1')\n"
ARGPARSE = (
    "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', "
    "type=float)\n{}\nshuffle = p.parse_args().shuffle\nif True:" + TELL
)
SCRIPTS = {
    "argparse optional": ARGPARSE.format(
        "p.add_argument('--shuffle', action=argparse.BooleanOptionalAction, default=True)"
    ),
    "argparse flag": ARGPARSE.format("p.add_argument('--shuffle', action='store_true')"),
    "argparse function": ARGPARSE.format(
        "p.add_argument('--shuffle', type=lambda t: t.lower() in ('true', '1'), default=True)"
    ),
    "argparse literal": "import ast\n"
    + ARGPARSE.format("p.add_argument('--shuffle', type=ast.literal_eval, default=True)"),
    "argparse json": "import json\n"
    + ARGPARSE.format("p.add_argument('--shuffle', type=json.loads, default=7)"),
    "click": "import click\n@click.command()\n@click.option('--shuffle/--no-shuffle', "
    "default=True)\n@click.option('--lr', type=float)\n"
    f"def main(shuffle, lr):{TELL}main()",
    "click flag": "import click\n@click.command()\n@click.option('--shuffle', "
    "is_flag=True)\n@click.option('--lr', type=float)\n"
    f"def main(shuffle, lr):{TELL}main()",
    "click bool": "import click\n@click.command()\n@click.option('--shuffle', type=bool, "
    "default=True)\n@click.option('--lr', type=float)\n"
    f"def main(shuffle, lr):{TELL}main()",
    "typer": f"import typer\ndef main(shuffle: bool = True, lr: float = 0.0):{TELL}typer.run(main)",
    "fire": f"import fire\ndef main(shuffle=True, lr=0.0):{TELL}fire.Fire(main)",
    "absl": "from absl import app, flags\nflags.DEFINE_boolean('shuffle', True, "
    "'')\nflags.DEFINE_float('lr', 0.0, '')\n"
    f"def main(_):\n    shuffle = flags.FLAGS.shuffle{TELL}app.run(main)",
    "tyro": "import tyro\ndef main(shuffle: bool = True, lr: float = 0.0) -> "
    f"None:{TELL}tyro.cli(main)",
    "simple-parsing": "from dataclasses import dataclass\nimport "
    "simple_parsing\n@dataclass\nclass A:\n    shuffle: bool = True\n    lr: "
    "float = 0.0\n"
    f"shuffle = simple_parsing.parse(A).shuffle\nif True:{TELL}",
}


OF_HUGGING_FACE = (
    "from dataclasses import dataclass, field\nfrom transformers import "
    "HfArgumentParser\n@dataclass\nclass A:\n"
    "    shuffle: bool = field(default=True)\n    lr: float = 0.0\n"
    f"shuffle = HfArgumentParser(A).parse_args_into_dataclasses()[0].shuffle\nif True:{TELL}"
)
SCRIPTS |= {
    "jsonargparse": "import jsonargparse\ndef main(shuffle: bool = True, lr: float = "
    f"0.0):{TELL}jsonargparse.CLI(main)",
    "jsonargparse parser": "import jsonargparse\np = "
    "jsonargparse.ArgumentParser()\np.add_argument('--lr', type=float)\n"
    "p.add_argument('--shuffle', type=bool, default=True)\nshuffle = "
    f"p.parse_args().shuffle\nif True:{TELL}",
}


def task(script, text=TASK):
    Path("train.py").write_text(script)
    Path("task.yaml").write_text(text)
    return load_task("task.yaml")


def got(loaded, params):
    outcome = run(loaded.spec(0, params, seed=0, workdir=Path("trial").resolve()))
    assert outcome.status == "complete", (outcome.error, outcome.log_tail)
    return json.loads(Path("got").read_text())


@pytest.mark.parametrize("kind", SCRIPTS)
def test_true_and_false_reach_a_script_of_every_library(kind):
    loaded = task(SCRIPTS[kind])
    for value in (False, True):
        assert got(loaded, {"shuffle": value, "lr": -2e-05}) is value


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (
            "p.add_argument('--shuffle', type=bool, default=True)",
            "type=bool reads every text that is not empty",
        ),
        (
            "p.add_argument('--shuffle', action='store_true', default=True)",
            "has no way to say false",
        ),
        ("p.add_argument('--shuffle', action='store_false')", "makes it false where it is given"),
        ("p.add_argument('--shuffle')", "does not show how its option takes them"),
        ("exec('')", "does not show how its option takes them"),
    ],
)
def test_a_script_that_cannot_take_both_is_refused(option, why):
    with pytest.raises(
        TaskError, match=f"space.shuffle is true or false, but .*{why}.*; set space.shuffle.style"
    ):
        task(ARGPARSE.format(option))


@pytest.mark.parametrize(
    "style", [s for s in STYLES if not s.endswith(("null", "None", "none", "/--noname"))]
)
def test_a_style_of_the_task_or_the_parameter_goes_before(style):
    script = (
        "import sys, json\nwords = ' '.join(sys.argv[1:]).replace('=', ' "
        "').split()\nnext_word = (words + [''])[words.index('--shuffle') + 1] "
        "if '--shuffle' in words else 'false'\nshuffle = next_word.lower() not in "
        "('false', '0', 'no', 'off')\nif True:" + TELL
    )
    for text in (
        TASK.replace("default: true", f"default: true, style: '{style}'"),
        TASK.replace("train: {", f"train: {{style: '{style}', "),
    ):
        loaded = task(script, text)
        assert [got(loaded, {"shuffle": value, "lr": 0.1}) for value in (False, True)] == [
            False,
            True,
        ]


def test_a_bare_option_for_a_script_whose_own_default_is_true_is_refused():
    with pytest.raises(
        TaskError, match="says nothing for false, but the script's own default is True"
    ):
        task(
            ARGPARSE.format("p.add_argument('--shuffle', action='store_true', default=True)"),
            TASK.replace("true}", "true, style: --name}"),
        )


NULL = TASK.replace(
    "{type: bool, default: true}", "{type: categorical, values: [null, balanced], default: null}"
)


@pytest.mark.parametrize(
    ("option", "style", "value"),
    [
        ("p.add_argument('--shuffle')", "", None),
        (
            "p.add_argument('--shuffle', default='x', type=lambda t: None if t == 'None' else t)",
            "--name None",
            None,
        ),
        (
            "p.add_argument('--shuffle', default='x', type=lambda t: None if t == 'none' else t)",
            "--name=none",
            None,
        ),
    ],
)
def test_null_is_left_out_if_it_is_the_default(option, style, value):
    loaded = task(
        ARGPARSE.format(option),
        NULL.replace("default: null", f"default: null, style: '{style}'") if style else NULL,
    )
    assert got(loaded, {"shuffle": None, "lr": 0.1}) is value
    assert got(loaded, {"shuffle": "balanced", "lr": 0.1}) == "balanced"


OPTIONAL = (
    "from typing import Optional\n{}\ndef main(shuffle: Optional[str] = {}, lr: float = 0.0):"
    + TELL
    + "{}"
)
LIBRARIES = {
    "fire": ("import fire", "fire.Fire(main)"),
    "tyro": ("import tyro", "tyro.cli(main)"),
    "jsonargparse": ("import jsonargparse", "jsonargparse.CLI(main)"),
    "typer": ("import typer", "typer.run(main)"),
    "simple-parsing": (
        "import simple_parsing\nfrom dataclasses import dataclass",
        "\n@dataclass\nclass A:\n    shuffle: Optional[str] = {}\n    lr: float = "
        "0.0\na = simple_parsing.parse(A)\nmain(a.shuffle)",
    ),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("default", ["None", "'x'"])
def test_null_reaches_a_script_of_every_library_or_is_refused(library, default):
    imports, call = LIBRARIES[library]
    script = OPTIONAL.format(imports, default, call.replace("{}", default))
    if default != "None" and library in ("typer", "simple-parsing"):
        with pytest.raises(TaskError, match=r"space.shuffle.values holds null, but"):
            task(script, NULL)
        return
    loaded = task(script, NULL)
    assert [got(loaded, {"shuffle": value, "lr": 0.1}) for value in (None, "balanced")] == [
        None,
        "balanced",
    ]


def test_hugging_faces_options_are_known():
    loaded = task(OF_HUGGING_FACE)
    assert loaded.spec(0, {"shuffle": False, "lr": 0.1}, seed=0, workdir=Path("t")).command[
        -3:
    ] == ("--shuffle=False", "--lr", "0.1")
    with pytest.raises(TaskError, match=r"space.shuffle.values holds null, but"):
        task(OF_HUGGING_FACE, NULL)


@pytest.mark.parametrize(
    "option",
    [
        "p.add_argument('--shuffle', default='x')",
        "p.add_argument('--shuffle', default=f())",
        "exec('')",
    ],
)
def test_null_without_a_way_to_say_it_is_refused(option):
    with pytest.raises(
        TaskError, match=r"space.shuffle.values holds null, but \{flags\} has no word for it"
    ):
        task(ARGPARSE.format(option), NULL)


def test_fire_and_absl_take_null():
    loaded = task(f"import fire\ndef main(shuffle='x', lr=0.0):{TELL}fire.Fire(main)", NULL)
    assert got(loaded, {"shuffle": None, "lr": 0.1}) is None
    absl = (
        "from absl import app, flags\nflags.DEFINE_string('shuffle', None, "
        "'')\nflags.DEFINE_float('lr', 0.0, '')\ndef main(_):\n    shuffle = "
        f"flags.FLAGS.shuffle{TELL}"
    )
    assert got(task(absl + "app.run(main)", NULL), {"shuffle": None, "lr": 0.1}) is None


def test_a_launcher_and_a_module_are_looked_into():
    Path("tools").mkdir()
    Path("tools/options.py").write_text(
        "def add(p):\n    import argparse\n    p.add_argument('--shuffle', "
        "action=argparse.BooleanOptionalAction)\n"
    )
    script = (
        "import argparse\nfrom tools.options import add\np = "
        "argparse.ArgumentParser()\np.add_argument('--lr')\nadd(p)\nshuffle = "
        "p.parse_args().shuffle\nif True:"
    )
    loaded = task(script + TELL, TASK.replace("{python} train.py", "{python} -m train"))
    assert got(loaded, {"shuffle": False, "lr": 0.5}) is False
    loaded = task(script + TELL, TASK.replace("{python} train.py", "env X=1 {python} train.py"))
    assert got(loaded, {"shuffle": False, "lr": 0.5}) is False


def test_a_nested_option_is_negated_at_its_last_part():
    assert write_option("optim.nesterov", False, "--name/--no-name") == ["--optim.no-nesterov"]
    assert write_option("optim.nesterov", True, "--name/--no-name") == ["--optim.nesterov"]


NUMBERS = (
    "import argparse, json\np = argparse.ArgumentParser()\n{}\na = "
    "vars(p.parse_args())\nopen('got', 'w').write(json.dumps(a)); print('acc 1')"
)
PAIR = (
    "name: t\nobjective: {{metric: acc, direction: maximize}}\ntrain: "
    "{{command: '{{python}} train.py {}', metrics: {{acc: 'acc {{number}}'}}}}\nspace:\n  "
    "a: {{type: float, low: -9, high: 9}}\n  b: {{type: float, low: -9, high: 9}}\n"
)


@pytest.mark.parametrize("value", [-2e-05, -1.0, -0.5, -3e-300, 2e-05, -1.2345678901234567e-08])
@pytest.mark.parametrize(
    ("words", "options"),
    [
        (
            "-s {a} -t{b}",
            "p.add_argument('-s', type=float, dest='a'); p.add_argument('-t', "
            "type=float, dest='b')",
        ),
        ("{a} {b}", "p.add_argument('a', type=float); p.add_argument('b', type=float)"),
        ("--betas {a} {b}", "p.add_argument('--betas', type=float, nargs=2)"),
        ("--a {a} -b={b}", "p.add_argument('--a', type=float); p.add_argument('-b', type=float)"),
    ],
)
def test_negative_and_tiny_numbers_survive_argparse_wherever_they_stand(value, words, options):
    loaded = task(NUMBERS.format(options), PAIR.format(words))
    read = got(loaded, {"a": value, "b": value})
    assert (read.get("betas") or [read["a"], read["b"]]) == [value, value]


TEXTS = (
    "name: t\nobjective: {{metric: acc, direction: maximize}}\ntrain: "
    "{{command: '{{python}} train.py {}', metrics: {{acc: 'acc {{number}}'}}}}\n"
)
TEXTS += "space:\n  a: {{type: categorical, values: ['-x', 'y']}}\n"


def test_a_text_with_a_dash_goes_by_an_option_or_is_refused():
    for words, options in (
        ("--a {a}", "p.add_argument('--a')"),
        ("-a {a}", "p.add_argument('-a')"),
        ("--a={a}", "p.add_argument('--a')"),
    ):
        assert got(task(NUMBERS.format(options), TEXTS.format(words)), {"a": "-x"}) == {"a": "-x"}
    with pytest.raises(
        TaskError,
        match=r"space.a.values holds '-x', which the script would take for an option where "
        r"\{a\} stands",
    ):
        task(NUMBERS.format("p.add_argument('a')"), TEXTS.format("{a}"))
    assert task("import sys; print('acc', sys.argv[1])", TEXTS.format("{a}")).space["a"].values == (
        "-x",
        "y",
    )


def test_check_shows_both_values_and_what_the_scripts_own_defaults_are():
    task(SCRIPTS["argparse optional"].replace("type=float", "type=float, default=0.3"))
    said = agenthpo("check", "task.yaml", code=0).stdout
    assert "shuffle: true by --shuffle, false by --no-shuffle" in said
    assert "lr: the script's own default is 0.3, the task's -2e-05" in said
    facts = json.loads(agenthpo("check", "task.yaml", "--json", code=0).stdout)
    assert facts["switches"] == {"shuffle": {"true": "--shuffle", "false": "--no-shuffle"}}
    assert facts["own_defaults"] == {"shuffle": True, "lr": 0.3}


PLACEHOLDERS = """\
objective: {metric: acc, direction: maximize}
train: {STYLE command: "{python} train.py --bias={bias} --w {w}", metrics: {acc: "acc {number}"}}
space:
  bias: {type: bool, default: false BIAS}
  w: {type: categorical, values: [null, balanced], default: null WEIGHT}
"""


@pytest.mark.parametrize(
    ("style", "bias", "weight", "words"),
    [
        ("", "", "", ["--bias=false", "--w", "null"]),
        ("", ", as: 'True'", ", as: None", ["--bias=False", "--w", "None"]),
        ("", ", as: 1", ", style: none", ["--bias=0", "--w", "none"]),
        ("style: 'yes',", "", "", ["--bias=no", "--w", "null"]),
        ("style: 'True',", ", as: 'on'", "", ["--bias=off", "--w", "null"]),
    ],
)
def test_true_false_and_null_are_written_in_the_tasks_words(tmp_path, style, bias, weight, words):
    text = PLACEHOLDERS.replace("STYLE", style).replace(" BIAS", bias).replace(" WEIGHT", weight)
    (tmp_path / "task.yaml").write_text(text)
    (tmp_path / "train.py").write_text("print('acc 1')")
    task = load_task(tmp_path / "task.yaml")
    spec = task.spec(0, {"bias": False, "w": None}, seed=0, workdir=tmp_path)
    assert list(spec.command[2:]) == words


def test_a_word_that_yaml_reads_as_a_switch_is_to_be_quoted(tmp_path):
    text = PLACEHOLDERS.replace("STYLE", "").replace(" BIAS", ", as: True").replace(" WEIGHT", "")
    (tmp_path / "task.yaml").write_text(text)
    (tmp_path / "train.py").write_text("print('acc 1')")
    with pytest.raises(
        TaskError, match=r"space.bias.as is True: must be in quotes, such as 'True'"
    ):
        load_task(tmp_path / "task.yaml")
