"""What a script's own text says of its options, read without running it: their defaults, and how
they take true, false and null.

It knows argparse, click, typer, fire, absl, tyro, Hugging Face's and simple-parsing's dataclasses,
and jsonargparse.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agenthpo.command.option_style import BARE
from agenthpo.scalars import NO_VALUE

__all__ = ["Option", "read_options"]

_ANNOTATED = {
    "fire": ("--name=True", "--name=None"),
    "tyro": ("--name/--no-name", "--name None"),
    "jsonargparse": ("--name=true", "--name=null"),
    "lightning": ("--name=true", "--name=null"),
    "transformers": ("--name=True", ""),
    "simple_parsing": ("--name=true", ""),
    "typer": ("--name/--no-name", ""),
}
"""By the library that makes options of annotations: how true and false are written, and null, where
it has a word for it.
"""


@dataclass(frozen=True)
class Option:
    """What a script says of one option. ``default`` is :data:`NO_VALUE` where that is not plain."""

    default: Any = NO_VALUE
    style: str = ""
    """How it takes true and false; empty where that is not known."""
    null: str = ""
    """How it takes null, where it has a word for it."""
    problem: str = ""
    """Why it cannot take both true and false."""


def read_options(files: Iterable[Path], names: Iterable[str]) -> dict[str, Option]:
    """Return what the first of ``files`` that knows an option says of it, for each of ``names``
    that any knows.
    """
    found: dict[str, Option] = {}
    wanted = set(names)
    for file in files:
        try:
            text = file.read_bytes()
            if not any(
                spelling in text for name in wanted - set(found) for spelling in _spellings(name)
            ):
                continue
            tree = ast.parse(text)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for name, option in _options(tree):
            if name in wanted:
                found.setdefault(name, option)
        if wanted <= set(found):
            break
    return found


def _spellings(name: str) -> set[bytes]:
    return {name.encode(), name.replace("-", "_").encode(), name.replace("_", "-").encode()}


def _options(tree: ast.Module) -> Iterator[tuple[str, Option]]:
    imported = _imports(tree)
    readers = dict(_READERS)
    if "jsonargparse" in imported:
        readers["add_argument"] = partial(_of_argparse, by_yaml=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            reader = readers.get(_name_of(node.func))
            yield from reader(node) if reader else ()
    for library, (style, null) in _ANNOTATED.items():
        if library in imported:
            yield from _annotated(tree, style, null)
            break


def _imports(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def _name_of(function: ast.expr) -> str:
    return (
        function.attr
        if isinstance(function, ast.Attribute)
        else function.id
        if isinstance(function, ast.Name)
        else ""
    )


def _constant(node: ast.expr | None, absent: Any = NO_VALUE) -> Any:
    """Return the value that is written there; ``absent`` where nothing is, NO_VALUE where it is no
    plain one.
    """
    if node is None:
        return absent
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return NO_VALUE


def _keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _texts(call: ast.Call) -> list[str]:
    return [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]


def _of_argparse(call: ast.Call, *, by_yaml: bool = False) -> Iterator[tuple[str, Option]]:
    given = _keywords(call)
    action = _constant(given.get("action"), "store")
    if isinstance(given.get("action"), ast.Attribute | ast.Name):
        action = _name_of(given["action"])
    kind = (
        _name_of(given["type"])
        if "type" in given and not isinstance(given["type"], ast.Lambda)
        else "a function"
        if "type" in given
        else ""
    )
    default = _constant(
        given.get("default"), {"store_true": False, "store_false": True}.get(action)
    )
    choices = _constant(given.get("choices"), ())
    option = _argparse_option(str(action), kind, default=default, choices=choices, by_yaml=by_yaml)
    for text in _texts(call):
        if text.startswith("--"):
            yield text.removeprefix("--"), option


def _argparse_option(
    action: str, kind: str, *, default: Any, choices: Any, by_yaml: bool
) -> Option:
    if action == "store_true":
        problem = (
            ""
            if default is False
            else "action='store_true' with that default has no way to say false"
        )
        return Option(default, BARE, problem=problem)
    if action == "store_false":
        return Option(default, problem="action='store_false' makes it false where it is given")
    if action == "BooleanOptionalAction":
        return Option(default, "--name/--no-name")
    if kind == "bool" and by_yaml:  # as jsonargparse reads every type
        return Option(default, "--name=true", null="--name=null")
    if kind == "bool":
        return Option(
            default, problem="type=bool reads every text that is not empty, 'False' too, as true"
        )
    if isinstance(choices, list | tuple | set) and "True" in choices:
        return Option(default, "--name True")
    if kind in ("literal_eval", "eval"):
        return Option(default, "--name True", null="--name None")
    if kind == "loads":
        return Option(default, "--name true", null="--name null")
    return Option(default, "--name true" if kind and kind not in ("str", "int", "float") else "")


def _of_click(call: ast.Call) -> Iterator[tuple[str, Option]]:
    given = _keywords(call)
    is_flag = _constant(given.get("is_flag"), False) is True
    default = _constant(given.get("default"), False if is_flag else None)
    for text in _texts(call):
        yes, slash, no = (part.strip() for part in text.partition("/"))
        if not yes.startswith("--"):
            continue
        name = yes.removeprefix("--")
        if slash:
            style = {f"--no-{name}": "--name/--no-name", f"--no{name}": "--name/--noname"}.get(
                no, ""
            )
            yield (
                name,
                Option(
                    _constant(given.get("default"), False),
                    style,
                    problem="" if style else f"its false is {no}",
                ),
            )
        elif is_flag:
            yield (
                name,
                Option(
                    default,
                    BARE,
                    problem=""
                    if default is False
                    else "is_flag with that default has no way to say false",
                ),
            )
        else:
            yield name, Option(default, "--name true")


def _of_absl(call: ast.Call) -> Iterator[tuple[str, Option]]:
    if len(call.args) > 1 and (texts := _texts(call)):
        yield texts[0], Option(_constant(call.args[1]), "--name/--noname")


_READERS: Mapping[str, Callable[[ast.Call], Iterator[tuple[str, Option]]]] = {
    "add_argument": _of_argparse,
    "option": _of_click,
    **dict.fromkeys(
        (
            "DEFINE_bool",
            "DEFINE_boolean",
            "DEFINE_string",
            "DEFINE_float",
            "DEFINE_integer",
            "DEFINE_enum",
        ),
        _of_absl,
    ),
}


def _annotated(tree: ast.Module, style: str, null: str) -> Iterator[tuple[str, Option]]:
    """Yield the parameters of functions and the fields of classes, which these libraries make
    options of.
    """
    for node in ast.walk(tree):
        pairs: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args]
            first: list[ast.expr | None] = [None] * (len(arguments) - len(node.args.defaults))
            pairs = [
                (a.arg, d) for a, d in zip(arguments, [*first, *node.args.defaults], strict=True)
            ]
            pairs += [
                (a.arg, d) for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            ]
        elif isinstance(node, ast.ClassDef):
            pairs = [
                (s.target.id, s.value)
                for s in node.body
                if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
            ]
        for name, default in pairs:
            value = _default_in(default)
            for spelling in {name, name.replace("_", "-")}:
                yield spelling, Option(value, style, null)


def _default_in(node: ast.expr | None) -> Any:
    """Return a default that may be wrapped: ``field(default=…)``, ``typer.Option(…)``."""
    if isinstance(node, ast.Call):
        given = _keywords(node)
        return _constant(given.get("default", node.args[0] if node.args else None))
    return _constant(node)
