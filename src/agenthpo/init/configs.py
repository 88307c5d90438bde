"""Configuration files that a script reads, found in its text, and the values in them: of Hydra and
OmegaConf, or a file that one of its options names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agenthpo.command.annotated import class_options
from agenthpo.command.option import Option
from agenthpo.command.python_text import constant, imports, keywords, name_of, texts
from agenthpo.errors import TaskError
from agenthpo.taskfile.config_template import read_config

__all__ = ["Config", "by_option", "by_overrides", "values_in"]

_ENDINGS = (".yaml", ".yml", ".json", ".toml")
_DEEPEST = 8
_MOST = 300
_CONFIG_OPTIONS = ("config", "cfg", "conf", "config-file", "config_file", "config-path", "hparams",
                   "config_path", "params", "yaml", "opt", "settings")  # fmt: skip


@dataclass(frozen=True)
class Config:
    """The values that a script reads from a file."""

    options: Sequence[Option]
    file: str = ""
    """The file, as the command has it; empty where overrides are given on the command line."""
    option: Option | None = None
    """The option that names the file."""


def by_overrides(tree: ast.Module, script: Path, others: Sequence[ast.Module]) -> Config | None:
    """Return what a script of Hydra's, or of OmegaConf's that reads its command line, takes
    overrides of.
    """
    present = imports(tree)
    if "hydra" in present:
        found = _hydra(tree, script, others)
        return Config(found) if found else None
    called = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if "omegaconf" in present and any(name_of(call.func) == "from_cli" for call in called):
        options = list[Option]()
        for call in called:
            if name_of(call.func) == "load":
                for name in texts(call):
                    options += values_in(_content(script.parent / name))
        return Config(options) if options else None
    return None


def by_option(options: Sequence[Option], script: Path) -> Config | None:
    """Return the file that an option of the script names by its default, or that lies beside the
    script where the option must be given and only one file could be meant.
    """
    for option in options:
        named = option.default
        if isinstance(named, str) and named.endswith(_ENDINGS):
            file = script.parent / named
            if file.is_file() and (found := values_in(_content(file))):
                return Config(found, named, option)
    for option in options:
        if option.name.lower() in _CONFIG_OPTIONS and option.default in (None, ""):
            files = [f for f in sorted(script.parent.glob("*")) if f.suffix in _ENDINGS]
            files = [f for f in files if f.name not in ("task.yaml", "package.json")]
            if len(files) == 1 and (found := values_in(_content(files[0]))):
                return Config(found, files[0].name, option)
    return None


def values_in(content: Any, start: str = "", deep: int = 0) -> list[Option]:
    """Return the numbers, texts and switches in nested mappings, each by its path."""
    if not isinstance(content, dict) or deep > _DEEPEST:
        return []
    found = list[Option]()
    for key, value in content.items():
        name = f"{start}{key}"
        if not isinstance(key, str) or "." in key:
            continue
        if isinstance(value, dict):
            found += values_in(value, f"{name}.", deep + 1)
        elif value is None or isinstance(value, bool | int | float | str):
            found.append(Option(name, _number(value), spelling=name, style="--name=true"))
    return found[:_MOST]


def _number(value: Any) -> Any:
    """Return a number that YAML 1.1 takes for a text, such as 1e-3."""
    if isinstance(value, str) and "e" in value.lower():
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _content(file: Path) -> Any:
    try:
        return read_config(file)
    except TaskError:
        return None


def _hydra(tree: ast.Module, script: Path, others: Sequence[ast.Module]) -> list[Option]:
    """Return the values of the configuration that ``hydra.main`` names."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and name_of(decorator.func) == "main":
                given = keywords(decorator)
                folder = constant(given.get("config_path"), "")
                name = constant(given.get("config_name"), "")
                if not isinstance(name, str) or not name:
                    continue
                folder = script.parent / folder if isinstance(folder, str) else script.parent
                found = values_in(_composed(folder, name.removesuffix(".yaml")))
                return found or _structured(tree, others, name)
    return []


def _composed(folder: Path, name: str, deep: int = 0) -> dict[str, Any]:
    """Return a configuration with the files of its defaults list, as Hydra composes it: later
    entries change earlier ones, and the file itself comes where ``_self_`` stands, else last.

    https://hydra.cc/docs/advanced/defaults_list
    """
    own = _content(folder / f"{name}.yaml")
    if not isinstance(own, dict) or deep > _DEEPEST:
        return {}
    listed = own.pop("defaults", None)
    entries = listed if isinstance(listed, list) else []
    if "_self_" not in entries:
        entries = [*entries, "_self_"]
    whole = dict[str, Any]()
    for entry in entries:
        if entry == "_self_":
            _merge(whole, own)
        for path, group in _defaults(entry):
            _merge(whole, _packaged(_composed(folder, path, deep + 1), group))
    return whole


def _defaults(entry: Any) -> Iterator[tuple[str, str]]:
    """Yield the file that an entry of a defaults list names, and the package it goes into."""
    if isinstance(entry, str) and entry != "_self_":
        yield entry, entry.rpartition("/")[0]
    elif isinstance(entry, dict):
        for key, value in entry.items():
            group = str(key).removeprefix("optional ").removeprefix("override ").strip()
            if isinstance(value, str) and not group.startswith("hydra"):
                path, _, package = group.partition("@")
                yield f"{path}/{value.removesuffix('.yaml')}", package or path


def _packaged(content: dict[str, Any], package: str) -> dict[str, Any]:
    for part in reversed([p for p in package.replace("/", ".").split(".") if p]):
        if part == "_global_":
            break
        content = {part: content}
    return content


def _merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _structured(tree: ast.Module, others: Sequence[ast.Module], name: str) -> list[Option]:
    """Return the fields of the dataclass that is stored under ``name``."""
    for node in (node for each in (tree, *others) for node in ast.walk(each)):
        if isinstance(node, ast.Call) and name_of(node.func) == "store":
            given = keywords(node)
            stored = constant(given.get("name"), next(iter(texts(node)), ""))
            if stored == name and "node" in given:
                target = given["node"]
                called = target.func if isinstance(target, ast.Call) else target
                return list(class_options(name_of(called), tree, others))
    return []
