"""How a script takes values, found in its text: by options of the command line, by a configuration
file, or by what stands in it in plain words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from agenthpo.command.annotated import parameters_of
from agenthpo.command.option import Option
from agenthpo.command.python_text import (
    constant,
    imports,
    keywords,
    name_of,
    parsed,
)
from agenthpo.command.script_options import declared_options
from agenthpo.constants import OPTIMISERS, assignments
from agenthpo.init.configs import Config, by_option, by_overrides
from agenthpo.init.help_text import with_help
from agenthpo.init.ranges import Choice, Left, chosen
from agenthpo.init.words import words
from agenthpo.scalars import NO_VALUE

__all__ = ["Way", "hydra_main", "way_of", "way_of_function"]

_MOST_BESIDE = 200
_REPORTS = "+hydra.callbacks.agenthpo._target_=agenthpo.hydra_return.ReportReturn"
"""What makes Hydra's main report what it returns."""
_DRAWN = words("drawn")


@dataclass(frozen=True)
class Way:
    """How values go into a script."""

    command: str
    choices: Sequence[Choice]
    left: Sequence[Left]
    options: Sequence[Option]
    how: str
    """In words."""
    config: str = ""
    """The configuration file that each trial gets, beside the script."""
    to_fill: Sequence[str] = ()
    """What a person has to fill in, as it stands in the command."""
    function: str = ""
    """Instead of the command, module:function."""


def way_of(tree: ast.Module, script: Path, name: str, shown: Sequence[Option] = ()) -> Way:
    """Return how ``script`` takes values; ``name`` is how it stands in the command. Without any
    parameter where nothing was found.

    :param shown: the options that its help has shown, where it was run for that.
    """
    beside = _beside(tree, script.parent)
    options = with_help(declared_options(tree, beside), shown)
    if (config := by_overrides(tree, script, beside)) is not None:
        is_hydra = "hydra" in imports(tree)
        returns = is_hydra and hydra_main(tree) is not None
        return _by_overrides(config, name, is_hydra=is_hydra, returns=returns)
    if asked := _asked(tree):
        choices, left = chosen(asked)
        return Way(f"{{python}} {name}", choices, left, asked, "agenthpo.config()")
    choices, left = chosen(options)
    if choices:
        return _by_options(options, choices, left, name)
    if (config := by_option(options, script)) is not None:
        return _by_file(config, left, options, name)
    constants = _constants(tree)
    choices, others = chosen(constants, only_known=True)
    if not choices:
        return Way(f"{{python}} {name}", [], [*left, *others], options, "it takes no values")
    if _reads_configurator(tree):
        words = " ".join(f"--{c.option.name}={{{c.option.name}}}" for c in choices)
        how = "its configurator reads --name=value"
        return Way(f"{{python}} {name} {words}", _styled(choices, "True"), others, constants, how)
    filled, to_fill = _required(options, set())
    return Way(
        " ".join(
            [
                f"{{python}} -m agenthpo.constants {name} {{flags}}",
                *(["--"] if filled else []),
                *filled,
            ]
        ),
        _styled(choices, "true"),
        [*others, *left],
        [*constants, *options],
        "values in its text, which python -m agenthpo.constants sets without changing the file",
        to_fill=to_fill,
    )


def _asked(tree: ast.Module) -> list[Option]:
    """Return what a script asks ``agenthpo.config()`` for."""
    if "agenthpo" not in imports(tree):
        return []
    return [
        Option(key, constant(value), spelling=key, style="--name true")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and name_of(node.func) == "config"
        for key, value in keywords(node).items()
    ]


def _styled(choices: Sequence[Choice], word: str) -> list[Choice]:
    """Return the choices with how true and false are written."""
    return [
        replace(c, fields={**c.fields, "as": word}) if c.fields["type"] == "bool" else c
        for c in choices
    ]


def way_of_function(tree: ast.Module, named: str) -> tuple[Way, ast.FunctionDef] | None:
    """Return how the function ``named`` (module:function) takes values, and the function; None
    where the module defines none of that name.
    """
    wanted = named.partition(":")[2]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == wanted:
            options = [replace(o, style="--name true") for o in parameters_of(node)]
            choices, left = chosen(options)
            how = f"parameters of {wanted}()"
            return Way("", choices, left, options, how, function=named), node
    return None


def hydra_main(tree: ast.Module) -> ast.FunctionDef | None:
    """Return the function that Hydra calls, if it returns something."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(each, ast.Call) and ast.unparse(each.func).endswith("hydra.main")
            for each in node.decorator_list
        ):
            returns = (n for n in ast.walk(node) if isinstance(n, ast.Return))
            return node if any(each.value is not None for each in returns) else None
    return None


def _by_overrides(config: Config, name: str, *, is_hydra: bool, returns: bool) -> Way:
    choices, left = chosen(config.options)
    words = f"{{python}} {name} {{overrides}}"
    if is_hydra:  # else every trial makes a folder of its own in the script's
        words += " hydra.run.dir={trial_dir}/hydra"
    if returns:
        words += f" {_REPORTS}"
    missing = [o.name for o in config.options if o.default == "???"]  # as both have them
    to_fill = [_blank(name) for name in missing]
    words = " ".join([words, *(f"{n}={b}" for n, b in zip(missing, to_fill, strict=True))])
    how = f"{'Hydra' if is_hydra else 'OmegaConf'}'s overrides"
    return Way(words, choices, left, config.options, how, to_fill=to_fill)


def _by_file(config: Config, others: Sequence[Left], options: Sequence[Option], name: str) -> Way:
    choices, left = chosen(config.options)
    assert config.option is not None, "it was found by an option"
    path = f"{{trial_dir}}/{PurePosixPath(config.file).name}"
    spelling = config.option.spelling
    words = [f"{{python}} {name}", spelling if spelling.startswith("-") else "", path]
    filled, to_fill = _required([o for o in options if o is not config.option], set())
    return Way(
        " ".join(filter(None, [*words, *filled])),
        choices,
        [*left, *others],
        options,
        f"a copy of {config.file} with the values in it",
        config.file,
        to_fill,
    )


def _blank(name: str) -> str:
    """Return what stands in the command for a value that a person has to fill in."""
    return re.sub(r"\W", "_", name).upper()


def _required(options: Sequence[Option], tuned: set[str]) -> tuple[list[str], list[str]]:
    """Return the words that give the options which must be given and are not tuned, and what in
    them a person is to fill in.
    """
    words, to_fill = list[str](), list[str]()
    for option in options:
        if option.is_required and option.name not in tuned and option.kind != "none":
            blank = _blank(option.name)
            to_fill.append(blank)
            is_option = option.spelling.startswith("-")
            words.append(f"{option.spelling} {blank}" if is_option else blank)
    return words, to_fill


def _by_options(
    options: Sequence[Option], choices: Sequence[Choice], left: Sequence[Left], name: str
) -> Way:
    """Return the way of a script with options: ``{flags}`` where every one that is tuned is a long
    one, else each by itself.
    """
    filled, to_fill = _required(options, {c.option.name for c in choices})
    words = [f"{{python}} {name}", *filled]
    if all(c.option.spelling == f"--{c.option.name}" for c in choices):
        words.append("{flags}")
    else:
        choices, dropped = _without_switches(choices)
        left = [*left, *dropped]
        for c in choices:
            place = f"{{{c.option.name}}}"
            is_option = c.option.spelling.startswith("-")
            words.append(f"{c.option.spelling} {place}" if is_option else place)
    return Way(" ".join(words), choices, left, options, "options of its command line", "", to_fill)


def _without_switches(choices: Sequence[Choice]) -> tuple[list[Choice], list[Left]]:
    """Return the choices that a placeholder of their own can carry, and the others."""
    kept = [c for c in choices if c.fields["type"] != "bool"]
    return kept, [Left(c.option, "on or off") for c in choices if c not in kept]


def _constants(tree: ast.Module) -> list[Option]:
    """Return the numbers, texts and switches that the script has in plain words, those at its top
    first.
    """
    found = dict[str, Any]()
    places_of = assignments(tree)
    for name, places in places_of.items():
        value = constant(places[0][3], names=found)
        if value is not NO_VALUE and isinstance(value, bool | int | float | str):
            found[name] = value
    names = sorted((n for n in found if not n.startswith("_")), key=lambda n: "." in n)
    return [
        Option(name, found[name], spelling=f"--{name}", style="--name true")
        for name in names
        if not isinstance(places_of[name][0][0], ast.keyword) or _is_model(name)
    ]


def _is_model(name: str) -> bool:
    """Return whether a value that is handed to a call is one of a model's, an optimiser's or a data
    loader's: ``alpha`` of ``Ridge``, not of ``plot``, and ``dim`` of no call.
    """
    holder, _, own = name.rpartition(".")
    is_made = holder[:1].isupper() or holder.lower() in OPTIMISERS
    return is_made and holder not in _DRAWN and own not in ("dim", "bias", "size")


def _reads_configurator(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "exec"
        and "configurator" in ast.unparse(node)
        for node in ast.walk(tree)
    )


def _beside(tree: ast.Module, folder: Path) -> list[ast.Module]:
    """Return the modules in the script's folder that it imports from."""
    names = [
        node.module.split(".")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
    ]
    found = []
    for parts in names[:_MOST_BESIDE]:
        file = folder.joinpath(*parts).with_suffix(".py")
        if file.is_file() and (module := parsed(file)) is not None:
            found.append(module)
    return found
