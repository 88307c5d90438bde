"""What a script's own text says of its options, read without running it: their kinds and defaults,
and how they take true, false and null.

It knows argparse, click, typer, fire, absl, tyro, Hugging Face's and simple-parsing's dataclasses,
and jsonargparse.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from agenthpo.command.annotated import any_annotated, entry_options
from agenthpo.command.option import Option
from agenthpo.command.option_style import BARE, JSON_TEXT, REPEATED, SEVERAL, WITH_COMMAS
from agenthpo.command.python_text import (
    constant,
    imports,
    keywords,
    module_constants,
    name_of,
    parsed,
    texts,
)
from agenthpo.scalars import NO_VALUE

__all__ = ["Option", "declared_options", "read_options"]

_KINDS = {"int": "int", "float": "float", "str": "str", "bool": "bool"}
_CLICK_KINDS = {
    "INT": "int",
    "IntRange": "int",
    "FLOAT": "float",
    "FloatRange": "float",
    "STRING": "str",
    "BOOL": "bool",
}
_PLAIN = "a function"
"""Instead of a type's name, where that is an expression."""


def read_options(files: Iterable[Path], names: Iterable[str]) -> dict[str, Option]:
    """Return what the first of ``files`` that knows an option says of it, for each of ``names``
    that any knows.
    """
    found: dict[str, Option] = {}
    wanted = set(names)
    for file in files:
        try:
            text = file.read_bytes()
        except OSError:
            continue
        if not any(
            spelling in text for name in wanted - set(found) for spelling in _spellings(name)
        ):
            continue
        tree = parsed(file)
        if tree is None:
            continue
        for option in [*_called(tree), *any_annotated(tree)]:
            if option.name in wanted:
                found.setdefault(option.name, option)
        if wanted <= set(found):
            break
    return found


def declared_options(tree: ast.Module, others: Iterable[ast.Module] = ()) -> list[Option]:
    """Return every option that a script declares, each once, in the order of its text.

    :param others: modules beside it, in which what it makes options of may be defined.
    """
    found = dict[str, Option]()
    places = set[tuple[int, int]]()
    for option in [*_called(tree), *entry_options(tree, others)]:
        if option.name not in found and option.place not in places:
            found[option.name] = option
            places |= {option.place} - {(0, 0)}
    return list(found.values())


def _spellings(name: str) -> set[bytes]:
    return {name.encode(), name.replace("-", "_").encode(), name.replace("_", "-").encode()}


def _called(tree: ast.Module) -> Iterator[Option]:
    """Yield the options that calls declare, each as often as it has long names."""
    names = {name: value for name, (value, _) in module_constants(tree).items()}
    readers = {name: partial(reader, names=names) for name, reader in _READERS.items()}
    if "jsonargparse" in imports(tree):
        readers["add_argument"] = partial(_of_argparse, names=names, by_yaml=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            reader = readers.get(name_of(node.func))
            yield from reader(node) if reader else ()


def _about(given: Mapping[str, ast.expr]) -> str:
    """Return the words about an option, written as one text or as several."""
    text = constant(given.get("help"), "")
    return " ".join(text.split()) if isinstance(text, str) else ""


def _of_argparse(
    call: ast.Call, *, names: Mapping[str, Any], by_yaml: bool = False
) -> Iterator[Option]:
    given = keywords(call)
    action = constant(given.get("action"), "store")
    if isinstance(given.get("action"), ast.Attribute | ast.Name):
        action = name_of(given["action"])
    kind = (
        name_of(given["type"]) or _PLAIN
        if "type" in given and not isinstance(given["type"], ast.Lambda)
        else _PLAIN
        if "type" in given
        else ""
    )
    default = constant(
        given.get("default"), {"store_true": False, "store_false": True}.get(action), names
    )
    choices = constant(given.get("choices"), (), names)
    count = constant(given.get("nargs"), None)
    for text in texts(call):
        is_long = text.startswith("--")
        if not is_long and (text.startswith("-") and any(t.startswith("--") for t in texts(call))):
            continue  # its long name says it
        yield _argparse_option(
            text.removeprefix("--") if is_long else text.removeprefix("-"),
            str(action),
            kind,
            default=default,
            choices=choices,
            by_yaml=by_yaml,
            spelling=text,
            about=_about(given),
            place=(call.lineno, call.col_offset),
            count=count,
            is_required=constant(given.get("required"), not text.startswith("-")) is True
            and count not in ("?", "*"),
        )


def _argparse_option(
    name: str,
    action: str,
    kind: str,
    *,
    default: Any,
    choices: Any,
    by_yaml: bool,
    spelling: str,
    about: str,
    place: tuple[int, int],
    count: Any,
    is_required: bool,
) -> Option:
    made = partial(
        Option,
        name=name,
        default=default,
        spelling=spelling,
        about=about,
        place=place,
        is_required=is_required,
        kind=_KINDS.get(kind, ""),
        choices=tuple(choices) if isinstance(choices, list | tuple | range) else (),
        is_list=(count is not None and count != "?") or action == "append",
        list_style=REPEATED
        if action == "append"
        else SEVERAL
        if count is not None and count != "?"
        else JSON_TEXT
        if kind in ("loads", "literal_eval", "eval") or by_yaml
        else "",
    )
    if action == "store_true":
        problem = (
            ""
            if default is False
            else "action='store_true' with that default has no way to say false"
        )
        return made(style=BARE, problem=problem, kind="bool")
    if action == "store_false":
        return made(problem="action='store_false' makes it false where it is given", kind="bool")
    if action == "BooleanOptionalAction":
        return made(style="--name/--no-name", kind="bool")
    if action in ("version", "help", "count", "append", "store_const", "append_const"):
        return made(kind="none")
    if kind == "bool" and by_yaml:  # as jsonargparse reads every type
        return made(style="--name=true", null="--name=null")
    if kind == "bool":
        return made(problem="type=bool reads every text that is not empty, 'False' too, as true")
    if isinstance(choices, list | tuple | set) and "True" in choices:
        return made(style="--name True")
    if kind in ("literal_eval", "eval"):
        return made(style="--name True", null="--name None")
    if kind == "loads":
        return made(style="--name true", null="--name null")
    is_read = bool(kind) and kind not in ("str", "int", "float")
    return made(
        style="--name true" if is_read else "",
        kind=made.keywords["kind"] or ("bool" if is_read and isinstance(default, bool) else ""),
    )


def _of_click(call: ast.Call, *, names: Mapping[str, Any]) -> Iterator[Option]:
    given = keywords(call)
    is_flag = constant(given.get("is_flag"), False) is True
    default = constant(given.get("default"), False if is_flag else None, names)
    kind, choices = _click_kind(given.get("type"))
    made = partial(
        Option,
        about=_about(given),
        place=(call.lineno, call.col_offset),
        is_required=constant(given.get("required"), False) is True,
        choices=choices,
        is_list=constant(given.get("multiple"), False) is True or "nargs" in given,
        list_style=REPEATED
        if constant(given.get("multiple"), False) is True
        else SEVERAL
        if "nargs" in given
        else "",
    )
    for text in texts(call):
        yes, slash, no = (part.strip() for part in text.partition("/"))
        if not yes.startswith("--"):
            continue
        name = yes.removeprefix("--")
        if slash:
            style = {f"--no-{name}": "--name/--no-name", f"--no{name}": "--name/--noname"}.get(
                no, ""
            )
            yield made(
                name=name,
                spelling=yes,
                default=constant(given.get("default"), False),
                style=style,
                problem="" if style else f"its false is {no}",
                kind="bool",
            )
        elif is_flag:
            problem = (
                "" if default is False else "is_flag with that default has no way to say false"
            )
            yield made(
                name=name, spelling=yes, default=default, style=BARE, problem=problem, kind="bool"
            )
        else:
            yield made(name=name, spelling=yes, default=default, style="--name true", kind=kind)


def _click_kind(node: ast.expr | None) -> tuple[str, tuple[Any, ...]]:
    """Return the kind that ``type=`` names, and its choices where it is a choice."""
    called = node.func if isinstance(node, ast.Call) else node
    name = name_of(called)
    if name == "Choice" and isinstance(node, ast.Call) and node.args:
        values = constant(node.args[0])
        return "", tuple(values) if isinstance(values, list | tuple) else ()
    return _KINDS.get(name) or _CLICK_KINDS.get(name, ""), ()


def _of_absl(call: ast.Call, *, names: Mapping[str, Any]) -> Iterator[Option]:
    if len(call.args) > 1 and (found := texts(call)):
        kind = _ABSL_KINDS[name_of(call.func)]
        choices = constant(call.args[2], ()) if kind == "enum" and len(call.args) > 2 else ()
        place = 3 if kind == "enum" else 2
        about = constant(call.args[place], "") if len(call.args) > place else ""
        default = constant(call.args[1], NO_VALUE, names)
        yield Option(
            name=found[0],
            spelling=f"--{found[0]}",
            default=default,
            style="--name/--noname",
            kind="" if kind in ("enum", "list", "several") else kind,
            choices=tuple(choices) if isinstance(choices, list | tuple) else (),
            about=" ".join(about.split()) if isinstance(about, str) else "",
            is_list=kind in ("list", "several"),
            list_style={"list": WITH_COMMAS, "several": REPEATED}.get(kind, ""),
        )


_ABSL_KINDS = {
    "DEFINE_bool": "bool",
    "DEFINE_boolean": "bool",
    "DEFINE_string": "str",
    "DEFINE_float": "float",
    "DEFINE_integer": "int",
    "DEFINE_enum": "enum",
    "DEFINE_list": "list",
    "DEFINE_multi_string": "several",
    "DEFINE_multi_integer": "several",
    "DEFINE_multi_float": "several",
}
_READERS: Mapping[str, Callable[..., Iterator[Option]]] = {
    "add_argument": _of_argparse,
    "option": _of_click,
    **dict.fromkeys(_ABSL_KINDS, _of_absl),
}
