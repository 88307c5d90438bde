"""Find where values stand in the text of a YAML file, so that everything else stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from agenthpo.command.config_file import Slot
from agenthpo.errors import TaskError

__all__ = ["yaml_parts"]

_Owners = dict[int, tuple[int, str]]
_PREFIX = re.compile(r"(?:[&!]\S*\s+)+")
"""An anchor or a tag before a value."""


def yaml_parts(text: str, names: Iterable[str], where: str) -> tuple[str | Slot, ...]:
    """Return the text of a YAML file with a slot at the value of each of ``names``, which it has.

    :raises TaskError: for a value that stands somewhere else: it is an alias, or merged in.
    """
    from ruamel.yaml import YAML

    root = YAML(typ="rt", pure=True).compose(text)
    owners = _owned(root, {})
    spans = list[tuple[int, int, str]]()
    for name in names:
        node = _node(owners, root, name)
        if node is None:
            raise TaskError(
                f"{where}: the value of {name} is written somewhere else (an alias, or merged in "
                "by <<); write it out"
            )
        spans.append((*_span(node, text), name))
    parts: list[str | Slot] = []
    done = 0
    for start, end, name in sorted(spans):
        if start < done:
            raise TaskError(f"{where}: {name} stands within another parameter; leave one out")
        gap = " " if start == end else ""  # nothing stands there
        parts += [text[done:start] + gap, Slot(name, text[start:end] or "null")]
        done = end
    return (*parts, text[done:])


def _node(owners: _Owners, node: Any, name: str) -> Any:
    """Return the node that ``name`` stands for below ``node``; None where it is written elsewhere,
    or not at all.
    """
    children = {
        key: child for key, child in _children(node) if owners[id(child)] == (id(node), key)
    }
    if name in children:
        return children[name]
    for i, character in enumerate(name):
        if character == "." and name[:i] in children:
            found = _node(owners, children[name[:i]], name[i + 1 :])
            if found is not None:
                return found
    return None


def _children(node: Any) -> list[tuple[str, Any]]:
    """Return the values below a node by their key or place."""
    if node.id == "mapping":
        return [(str(key.value), value) for key, value in node.value if key.id == "scalar"]
    return [(str(i), each) for i, each in enumerate(node.value)] if node.id == "sequence" else []


def _owned(node: Any, owners: _Owners) -> _Owners:
    """Return for each node where it is written: below which one, and under which key. An alias is
    the node that its anchor stands at, which comes first.
    """
    for key, child in _children(node):
        if id(child) not in owners:
            owners[id(child)] = id(node), key
            _owned(child, owners)
    return owners


def _span(node: Any, text: str) -> tuple[int, int]:
    """Return where a value begins, after its anchor or tag, and where it ends; twice the place
    after the colon or the dash for one that is not written.
    """
    start, end = node.start_mark.index, _end(node)
    if start == end:  # its mark is that of whatever comes next
        before = re.sub(r"[ \t]*#[^\n]*(?=\n|$)", lambda m: " " * len(m[0]), text[:start])
        return (len(before.rstrip()),) * 2
    if node.id == "scalar" and node.style in ("|", ">"):
        end = start + len(text[start:end].rstrip())
    prefix = _PREFIX.match(text, start, end)
    return (prefix.end() if prefix else start), end


def _end(node: Any) -> int:
    """Return where the last of a value's text stands: what follows a block is not its own."""
    if node.id == "scalar" or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)
