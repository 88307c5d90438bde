"""Read a YAML 1.2 file together with the line of each of its fields, so that a mistake in it can be
found at once.

It knows nothing of what the fields mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agenthpo.errors import TaskError

__all__ = ["Document", "read_yaml"]

_MOST_VALUES = 100_000
"""Values that a task file may stand for, its aliases written out."""


@dataclass(frozen=True)
class Document:
    """What a file holds. ``lines`` has the line (from 1 on) of each field by its path, such as
    ``space.lr.low`` and ``values[2]``.
    """

    file: Path
    data: Any
    lines: Mapping[str, int] = field(default_factory=dict)

    def located(self, message: str) -> str:
        """Return ``message``, which begins with the file and the path of a field, with the field's
        line (or its nearest parent's).
        """
        start = f"{self.file}: "
        if not message.startswith(start):
            return message
        rest = message.removeprefix(start)
        path = max((p for p in self.lines if _begins_with(rest, p)), key=len, default=None)
        return message if path is None else f"{self.file}, line {self.lines[path]}: {rest}"


def read_yaml(file: Path) -> Document:
    """Return the document in ``file``.

    :raises TaskError: if it cannot be read or is no YAML, naming line and column.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise TaskError(
            f"{file} does not exist; give the path of a task file, such as task.yaml"
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise TaskError(
            f"{file} cannot be read ({problem}); give a UTF-8 text file that you may read"
        ) from None
    try:
        yaml = YAML(typ="safe", pure=True)
        root = yaml.compose(text)
        if root is not None and (exploding := _aliases_problem(root)):
            raise TaskError(f"{file}, line {exploding[0]} {exploding[1]}")
        # of what is parsed already: parsing takes most of the time
        data = None if root is None else yaml.constructor.construct_document(root)
        lines = dict(_lines(root, "")) if root is not None else {}
    except (YAMLError, ValueError, RecursionError) as problem:
        raise TaskError(f"{file}{_yaml_problem(problem)}") from None
    return Document(file, data, lines)


def _aliases_problem(root: Any) -> tuple[int, str] | None:
    """Return the line and what is wrong there, where aliases (``*name``) lead back to themselves or
    stand for more than any task holds.
    """
    sizes: dict[int, int] = {}
    opened: set[int] = set()
    waiting = [(root, False)]
    while waiting:
        node, is_done = waiting.pop()
        children = _children(node)
        if is_done:
            opened.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in children)
            if sizes[id(node)] > _MOST_VALUES:
                return (
                    node.start_mark.line + 1,
                    f"stands for more than {_MOST_VALUES:,} values by its aliases; write "
                    "out what you mean",
                )
        elif id(node) in opened:
            return (
                node.start_mark.line + 1,
                "has an alias that leads back to itself; write out what you mean",
            )
        elif id(node) not in sizes:
            opened.add(id(node))
            waiting.append((node, True))
            waiting += [(child, False) for child in children]
    return None


def _children(node: Any) -> list[Any]:
    if isinstance(node.value, str):
        return []
    return [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]


def _yaml_problem(problem: Exception) -> str:
    mark = getattr(problem, "problem_mark", None)
    words = str(getattr(problem, "problem", None) or problem).split("\n")[0]
    if mark is None:
        return f" is not valid YAML: {words}; fix it"
    if "'\\t'" in words:
        words = "a tab, where YAML wants blanks for its indentation"
    return (
        f", line {mark.line + 1} is not valid YAML: {words} (column {mark.column + 1}); "
        f"{_fix(words)}"
    )


def _fix(words: str) -> str:
    if "duplicate key" in words:
        return "remove one of the two"
    if "tab" in words:
        return "replace the tab by blanks"
    if "mapping values are not allowed" in words:
        return "put the text that holds ': ' between quotes"
    if "got '{'" in words:
        return "put the whole text that holds { } between quotes"
    return "fix that line; text that holds any of : { } [ ] # wants quotes"


def _lines(node: Any, path: str) -> Iterator[tuple[str, int]]:
    """Yield each field's path and line. A field that is an alias is where it is named, not where
    its value stands.
    """
    if isinstance(node.value, str):
        return
    for i, item in enumerate(node.value):
        key, value = item if isinstance(item, tuple) else (None, item)
        below = f"{path}[{i}]" if key is None else f"{path}.{key.value}".removeprefix(".")
        yield below, (value if key is None else key).start_mark.line + 1
        yield from _lines(value, below)


def _begins_with(text: str, path: str) -> bool:
    return text.startswith(path) and re.match(r"[\w-]", text[len(path) :]) is None
