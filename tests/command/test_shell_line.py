import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenthpo.command.shell_line import split_line
from agenthpo.errors import TaskError
from agenthpo.taskfile.reading import load_task
from calling import agenthpo


@pytest.mark.parametrize(
    ("text", "words", "env"),
    [
        ("python t.py \\\n  --lr {lr} \\\r\n --x 1", ["python", "t.py", "--lr", "{lr}", "--x", "1"], {}),
        ("python t.py\n  --lr {lr}\n  {flags}\n", ["python", "t.py", "--lr", "{lr}", "{flags}"], {}),
        ("A=1 B='x y' python t.py", ["python", "t.py"], {"A": "1", "B": "x y"}),
        ("python t.py '$HOME' 'a|b;c' '*.csv'", ["python", "t.py", "$HOME", "a|b;c", "*.csv"], {}),
        ("python t.py a=[1,2] x={{y}}  # why", ["python", "t.py", "a=[1,2]", "x={{y}}"], {}),
        ("python t.py a#b none*.csv", ["python", "t.py", "a#b", "none*.csv"], {}),
        (r"python t.py a\ b \$HOME \>", ["python", "t.py", "a b", "$HOME", ">"], {}),
        ("~/bin/train x~y", [str(Path.home() / "bin/train"), "x~y"], {}),
    ],
)  # fmt: skip
def test_a_command_is_split_as_a_shell_would(tmp_path, text, words, env):
    line = split_line(text, tmp_path)
    assert (list(line.words), line.env) == (words, env)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("python a.py\npython b.py --lr {lr}", "two commands, the second 'python b.py --lr {lr}'"),
        ("python a.py > out", "'>'"),
        ("python a.py >out", "'>'"),
        ("python a.py 2>&1", "'2>&1'"),
        ("python a.py &> x", "'&>'"),
        ("cat x|python a.py", "'|'"),
        ("python a.py;python b.py", "';'"),
        ("cd sub && python a.py", "'&&'"),
        ("python a.py &", "'&'"),
        ("python a.py $HOME/x", r"\$HOME"),
        ('python a.py "${DATA}"', r"\$\{DATA\}"),
        ("python a.py $(pwd)", r"\$\(pwd\)"),
        ("python a.py `pwd`", "`pwd`"),
        ("python a.py *.csv", r"\*\.csv"),
        ("python a.py \\ \n --lr 1", "a blank after its backslash"),
        ("python a.py 'x", "balance its quotes"),
    ],
)
def test_what_only_a_shell_knows_is_refused_by_name(tmp_path, text, named):
    (tmp_path / "data.csv").write_text("")
    (tmp_path / "a.py").write_text("import argparse")
    task = tmp_path / "task.yaml"
    command = "".join(
        f"    {line}\n" for line in text.replace("python a.py", "python a.py {{x}}").splitlines()
    )
    task.write_text(
        "objective: {metric: a, direction: maximize}\nspace: {lr: {type: float, low: 0, high: 1}}\n"
        f"train:\n  command: |\n{command}"
    )
    with pytest.raises(TaskError, match=named):
        load_task(task)
    assert agenthpo("check", task).returncode == 2


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
                min_size=1, max_size=4))  # fmt: skip
def test_what_is_quoted_stays_as_it_is(words):
    text = "x " + " ".join(shlex.quote(word) for word in words)
    if "\r" not in text and "\\" not in text:
        assert list(split_line(text, Path()).words) == ["x", *words]


def test_variables_before_the_command_reach_the_script(tmp_path):
    (tmp_path / "train.py").write_text(
        "import os, sys\nprint('acc', float(os.environ['BONUS']) + float(sys.argv[1]))\n"
    )
    (tmp_path / "task.yaml").write_text(
        "objective: {metric: acc, direction: maximize}\n"
        "train: {command: 'BONUS=2 python train.py {lr}', metrics: {acc: 'acc {number}'}}\n"
        "space: {lr: {type: float, low: 0, high: 1, default: 0.5}}\n"
    )
    done = agenthpo("check", tmp_path, "--try")
    assert "acc 2.5" in done.stdout, done.stderr


def test_a_wrapper_with_windows_line_ends_is_named(tmp_path):
    wrapper = tmp_path / "run.sh"
    wrapper.write_bytes(b"#!/bin/sh\r\necho acc 1 $1\r\n")
    wrapper.chmod(0o755)
    assert subprocess.run(["sh", "-n", wrapper]).returncode == 0  # it looks fine
    for command in ("./run.sh {lr}", "sh run.sh {lr}"):
        (tmp_path / "task.yaml").write_text(
            "objective: {metric: acc, direction: maximize}\n"
            f"train: {{command: '{command}', metrics: {{acc: 'acc {{number}}'}}}}\n"
            "space: {lr: {type: float, low: 0, high: 1, default: 0.5}}\n"
        )
        with pytest.raises(TaskError, match=r"run.sh has Windows line ends \(CRLF\)"):
            load_task(tmp_path / "task.yaml")
