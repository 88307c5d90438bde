"""What a script's ``--help`` prints, as its options: for those that its text does not show."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agenthpo.command.option import Option
from agenthpo.command.option_style import BARE, SEVERAL
from agenthpo.errors import TaskError
from agenthpo.scalars import NO_VALUE, as_number, as_switch
from agenthpo.text.cleaning import clean

__all__ = ["help_of", "options_in_help", "with_help"]

HELP_S = 60.0
"""How long a script may take to print its help: it may import a framework first."""
_LONGEST = 200_000
_BEGINS = re.compile(r"^\s{0,8}(?:-{1,2}[A-Za-z\[]|\* --)")
_NAMES = re.compile(r"(?<![\w-])--(\[no-?\])?([A-Za-z][\w.-]*)")
_HEAD = re.compile(r"(?:-{1,2}[\w\[\].-]+(?:\s*[,/]\s*|\s+(?=-{1,2}[A-Za-z])|))+")
"""The names of an option, as far as they stand one after the other."""
_COLUMN = re.compile(
    r"\s+(<[\w.|-]+>|INTEGER|FLOAT|TEXT|BOOLEAN|PATH|FILE|\[[\w.-]+\|[^\]]*\])(?::|\s|$)"
)
_DASHED = "--name/--no-name"
_CHOICES = re.compile(r"\{([^{}]+)\}|\[([\w.-]+(?:\|[\w.-]+)+)\]|<([\w.-]+(?:\|[\w.-]+)+)>")
_DEFAULT = re.compile(r"[(\[] ?default(?:s to)?[ :=]{1,3}([^()\[\]]{0,200})[)\]]", re.IGNORECASE)
_KINDS = {
    "int": "int",
    "integer": "int",
    "n": "int",
    "float": "float",
    "number": "float",
    "text": "str",
    "str": "str",
    "path": "str",
    "file": "str",
    "boolean": "bool",
    "bool": "bool",
}
_SAID = {"(an integer)": "int", "(a number)": "float"}
"""What absl writes below an option."""
_IGNORED = {"help", "helpfull", "helpshort", "version", "install-completion", "show-completion"}


def help_of(script: Path) -> str:
    """Run ``script --help`` in its folder and return what it prints.

    :raises TaskError: if it prints no help in a minute.
    """
    words = [sys.executable, script.name, "--help"]
    env = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    try:
        done = subprocess.run(
            words, cwd=script.parent, env=env, capture_output=True, stdin=subprocess.DEVNULL,
            timeout=HELP_S, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TaskError(
            f"--run-help: {script.name} --help printed nothing in {HELP_S:.0f} s; leave --run-help "
            "out"
        ) from None
    said = clean(done.stdout[:_LONGEST].decode("utf-8", "replace"))
    if "--" not in said:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
        raise TaskError(
            f"--run-help: {script.name} --help shows no options"
            f"{f' ({clean(last)[:120]})' if last else ''}; leave --run-help out"
        )
    return said


def options_in_help(text: str) -> list[Option]:
    """Return the options that a help text lists, as argparse, click, typer and absl write it."""
    found = dict[str, Option]()
    for head, rest in _entries(text):
        for option in _options(head, rest):
            found.setdefault(option.name, option)
    return list(found.values())


def with_help(options: Sequence[Option], shown: Sequence[Option]) -> list[Option]:
    """Return ``options`` of a script's text, completed by those that its help has shown: what is
    only there, and defaults that the text does not say.
    """
    by_name = {option.name: option for option in shown}
    known = {option.name for option in options}
    completed = [
        replace(
            option,
            default=by_name[option.name].default,
            kind=option.kind or by_name[option.name].kind,
            choices=option.choices or by_name[option.name].choices,
        )
        if option.name in by_name and option.default is NO_VALUE
        else option
        for option in options
    ]
    return [*completed, *(option for option in shown if option.name not in known)]


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Yield the line of each option that names it, and the words below it."""
    head, words = "", list[str]()
    for raw in text.splitlines():
        # typer draws boxes, and marks what is required
        line = re.sub(r"^\s*\*\s", "  ", re.sub("[│┃]", " ", raw)).rstrip()
        if _BEGINS.match(line):
            if head:
                yield head, " ".join(words)
            head, words = line.strip(), []
        elif head and line.strip():
            words.append(line.strip())
        elif head:
            yield head, " ".join(words)
            head, words = "", []
    if head:
        yield head, " ".join(words)


def _options(head: str, below: str) -> Iterator[Option]:
    """Yield the option of an entry, which may have several names."""
    head = re.sub(r"^(-\w) \S+, (?=--)", r"\1, ", head)  # -e N, --epochs N
    match = _HEAD.match(head)
    if match is None:
        return
    names = _NAMES.findall(match[0])
    if not names or names[0][1] in _IGNORED:
        return
    prefix, first = names[0]
    after = head[match.end() :]
    is_absl = after.startswith(":")
    metavar, words = _metavar(after[1:] if is_absl else after)
    rest = f"{words} {below}".strip()
    both = [name for _, name in names if name in (f"no-{first}", f"no{first}")]
    choices = next((m for m in _CHOICES.finditer(metavar)), None)
    values = re.split(r"[,|]", next(filter(None, choices.groups()))) if choices else []
    default = _default(rest)
    kind = next((k for word, k in _SAID.items() if word in rest), "")
    made = Option(
        name=first,
        spelling=f"--{first}",
        default=default,
        kind=kind or _KINDS.get(metavar.strip("<>[]").split(" ")[0].lower(), ""),
        choices=tuple(as_number(value) for value in values),
        about=" ".join(_DEFAULT.sub("", rest).split())[:200],
        is_required="required" in rest.lower() and default is NO_VALUE,
    )
    if prefix or both:
        style = "--name/--noname" if prefix == "[no]" or f"no{first}" in both else _DASHED
        if isinstance(default, str):  # click writes the name of the switch that is set
            default = default == first if default in (first, *both) else as_switch(default)
        yield replace(made, kind="bool", style=style, choices=(), default=default)
    elif not metavar and not is_absl:
        yield replace(made, kind="bool", style=BARE, default=False)
    elif "..." in metavar:
        yield replace(made, is_list=True, list_style=SEVERAL)
    else:
        yield made


def _metavar(after: str) -> tuple[str, str]:
    """Return what stands for an option's value, and the words after it: behind one blank, or in a
    column of its own.
    """
    beside = re.match(r"[ =](\S+(?: \S+)*?)(?:\s{2,}|$)", after)
    column = _COLUMN.match(after)
    found = column or beside
    if found is None:
        return "", after.strip()
    return found[1], after[found.end() :].strip()


def _default(rest: str) -> Any:
    match = _DEFAULT.search(rest)
    if match is None:
        return NO_VALUE
    text = match[1].strip().strip("'\"")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return as_switch(text) if text else NO_VALUE
    return value if isinstance(value, int | float | str | bool | None) else NO_VALUE
