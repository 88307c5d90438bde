"""What stands in the text of a Python script, looked up without running it."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agenthpo.constants import top_level
from agenthpo.scalars import NO_VALUE

__all__ = [
    "constant",
    "imports",
    "keywords",
    "module_constants",
    "name_of",
    "parsed",
    "texts",
]

_LARGEST = 1e15
"""Beyond it a number in a script is no hyperparameter, and computing it might take for ever."""
_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}


def parsed(file: Path) -> ast.Module | None:
    """Return the syntax tree of ``file``, None where it is no Python that this version reads."""
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def imports(tree: ast.Module) -> set[str]:
    """Return the packages that are imported, by their first names."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def name_of(function: ast.expr | None) -> str:
    """Return the last name of what is called: ``DataLoader`` of ``torch.utils.data.DataLoader``."""
    return (
        function.attr
        if isinstance(function, ast.Attribute)
        else function.id
        if isinstance(function, ast.Name)
        else ""
    )


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """Return what is given by name."""
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def texts(call: ast.Call) -> list[str]:
    """Return the texts that are given by position."""
    return [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]


def constant(
    node: ast.expr | None, absent: Any = NO_VALUE, names: Mapping[str, Any] | None = None
) -> Any:
    """Return the value that is written there; ``absent`` where nothing is, NO_VALUE where it is no
    plain one.

    Arithmetic of numbers is carried out, and a name looked up in ``names``.

    >>> constant(ast.parse("10 * 2**10", mode="eval").body)
    10240
    """
    if node is None:
        return absent
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _computed(node, names or {})


def module_constants(tree: ast.Module) -> dict[str, tuple[Any, int]]:
    """Return the values that the script gives names at its top level, or under ``if __name__ ==
    "__main__"``, each with its line; of one that is given several, the first.
    """
    found = dict[str, tuple[Any, int]]()
    for name, (_, _, _, node) in top_level(tree):
        value = constant(node, names={n: v for n, (v, _) in found.items()})
        if value is not NO_VALUE:
            found.setdefault(name, (value, node.lineno))
    return found


def _computed(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return the number that an expression of numbers comes to, NO_VALUE for any other."""
    if isinstance(node, ast.Name):
        return names.get(node.id, NO_VALUE)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = constant(node.operand, names=names)
        return -value if _is_number(value) else NO_VALUE
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = (constant(side, names=names) for side in (node.left, node.right))
        is_small = _is_number(left) and _is_number(right) and abs(left) < _LARGEST
        if not is_small or (isinstance(node.op, ast.Pow) and abs(right) > 64):
            return NO_VALUE
        try:
            value = _OPERATORS[type(node.op)](left, right)
        except (ArithmeticError, ValueError):
            return NO_VALUE
        return value if _is_number(value) else NO_VALUE
    return NO_VALUE


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))
    )
