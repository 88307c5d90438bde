"""Read the configuration file that a task's ``train.config`` begins from, and find the places of
its parameters.

Text is kept: a file is read so that what is not replaced is written back as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from agenthpo.command.config_file import ConfigFile, Slot
from agenthpo.command.resolve import RUN_FOLDER, literal
from agenthpo.errors import TaskError
from agenthpo.files import RUN_LOG
from agenthpo.taskfile.form import ConfigForm
from agenthpo.taskfile.pydantic_errors import did_you_mean
from agenthpo.taskfile.yaml_slots import yaml_parts

__all__ = ["read_config", "read_template"]

_MARK = "AGENTHPO{}SLOT"
_MARKS = re.compile(r"\"AGENTHPO(\d+)SLOT\"")
_OWN = {"params.json", "params.yaml", RUN_LOG, "metrics.jsonl", "outcome.json", RUN_FOLDER}
_LARGEST = 5_000_000
_KINDS = {".yaml": "YAML", ".yml": "YAML", ".json": "JSON", ".toml": "TOML"}


def read_template(
    form: ConfigForm, names: Iterable[str], *, required: set[str], folder: Path, where: str
) -> ConfigFile:
    """Return the file that a trial gets, with a slot for each of ``names`` that it has.

    :param required: the names that have no other way into the script.
    :raises TaskError: where it cannot be read, has no place for a required one, or would be
        written outside the trial's folder.
    """
    source = folder / form.source
    text = _text(source, f"{where}.from")
    to = _target(form, where)
    if _KINDS[source.suffix] != _KINDS.get(PurePosixPath(to).suffix):
        raise TaskError(
            f"{where}.to is '{to}', but the file is written as it is read, as {source.suffix}; "
            "give both the same ending"
        )
    content = _parsed(source, text, f"{where}.from")
    found = list[str]()
    for name in names:
        if _place(content, name) is not None:
            found.append(name)
        elif name in required:
            raise TaskError(
                f"{where}.from: {source.name} has no '{name}'; "
                f"{did_you_mean(name, _paths(content))}, or hand {name} over in the command"
            )
    if _KINDS[source.suffix] == "YAML":
        return ConfigFile(to, yaml_parts(text, found, f"{where}.from: {source.name}"))
    return ConfigFile(to, _marked(content, found, is_toml=source.suffix == ".toml"))


def read_config(file: Path) -> Any:
    """Return what a YAML, JSON or TOML file holds.

    :raises TaskError: where it cannot be read, or holds no mapping.
    """
    return _parsed(file, _text(file, str(file)), str(file))


def _parsed(file: Path, text: str, where: str) -> Any:
    content = _READERS[_KINDS[file.suffix]](text, f"{where}: {file.name}")
    if not isinstance(content, dict | list):
        raise TaskError(
            f"{where}: {file.name} holds no mapping, so that nothing could be set in it"
        )
    return content


def _target(form: ConfigForm, where: str) -> str:
    to = form.to or f"{{trial_dir}}/{PurePosixPath(form.source).name}"
    start, _, rest = to.partition("/")
    parts = PurePosixPath(rest).parts
    if start != "{trial_dir}" or not parts or ".." in parts or parts[0] in _OWN:
        raise TaskError(
            f"{where}.to is '{to}', but a trial writes into its own folder only; write "
            f"{{trial_dir}}/{PurePosixPath(form.source).name}, and hand that to the script"
        )
    return str(PurePosixPath(rest))


def _text(file: Path, where: str) -> str:
    if file.suffix not in _KINDS:
        raise TaskError(f"{where}: {file.name} is no {', '.join(_KINDS)} file; name one that is")
    try:
        if file.stat().st_size > _LARGEST:
            raise TaskError(f"{where}: {file.name} is larger than 5 MB; name a smaller file")
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", "") or "it is not UTF-8"
        raise TaskError(
            f"{where}: {file} cannot be read ({why}); paths are relative to the task file's folder"
        ) from None


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise TaskError(f"{where} is not valid JSON ({problem}); fix it") from None


def _yaml(text: str, where: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as problem:
        line = getattr(getattr(problem, "problem_mark", None), "line", None)
        at = "" if line is None else f" at line {line + 1}"
        raise TaskError(f"{where} is not valid YAML{at}; fix it") from None


def _toml(text: str, where: str) -> Any:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError) as problem:
        raise TaskError(f"{where} is not valid TOML ({problem}); fix it") from None


_READERS: Mapping[str, Callable[[str, str], Any]] = {"YAML": _yaml, "JSON": _json, "TOML": _toml}


def _marked(content: Any, names: Iterable[str], *, is_toml: bool) -> tuple[str | Slot, ...]:
    """Return the parts of a JSON or TOML file, whose writers keep what is not replaced; its content
    is changed.
    """
    import tomlkit

    slots = list[Slot]()
    for name in names:
        place = _place(content, name)
        assert place is not None, "it was found before"
        holder, key = place
        slots.append(Slot(name, _before(holder[key])))
        holder[key] = _MARK.format(len(slots) - 1)
    written = tomlkit.dumps(content) if is_toml else json.dumps(content, indent=2) + "\n"
    parts: list[str | Slot] = []
    end = 0
    for match in _MARKS.finditer(written):
        parts += [written[end : match.start()], slots[int(match[1])]]
        end = match.end()
    return (*parts, written[end:])


def _place(content: Any, name: str) -> tuple[Any, Any] | None:
    """Return the mapping or list, and the key or index, that ``name`` stands for: a key of that
    name, else a path of keys with dots between.
    """
    if isinstance(content, dict):
        if name in content:
            return content, name
        for i, character in enumerate(name):
            if character == "." and name[:i] in content:
                found = _place(content[name[:i]], name[i + 1 :])
                if found is not None:
                    return found
    elif isinstance(content, list):
        first, _, rest = name.partition(".")
        if first.isdigit() and int(first) < len(content):
            return _place(content[int(first)], rest) if rest else (content, int(first))
    return None


def _paths(content: Any, start: str = "") -> list[str]:
    """Return the paths of all values that are neither mapping nor list."""
    pairs = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    found = list[str]()
    for key, value in pairs:
        path = f"{start}{key}"
        found += _paths(value, f"{path}.") if isinstance(value, dict | list) else [path]
    return found


def _before(value: Any) -> str:
    """Return what stands for a value that was there, on one line."""
    unwrapped = value.unwrap() if hasattr(value, "unwrap") else value
    if isinstance(unwrapped, dict | list):
        return json.dumps(unwrapped, default=str)
    if unwrapped is None or isinstance(unwrapped, bool):
        return literal(unwrapped)
    for plain in (str, float, int):  # libraries wrap them
        if isinstance(unwrapped, plain):
            return literal(plain(unwrapped))
    return str(unwrapped)
