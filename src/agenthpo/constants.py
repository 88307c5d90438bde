"""Run a script with other values for the constants at its top: ``python -m agenthpo.constants
train.py --LEARNING_RATE 0.01``. The script's file stays as it is.

It is for scripts that take no options. Standard library only.
"""

from __future__ import annotations

import ast
import json
import os
import sys

TYPE_CHECKING = False  # as typing has it, whose import would be most of the cost of ours
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

__all__ = ["assignments", "main", "with_values"]


def main(words: Sequence[str]) -> None:
    """Run the script that the first of ``words`` names as Python would; the others are pairs
    ``--NAME value`` or ``--NAME=value``, and, after ``--``, arguments of the script's own.
    """
    if not words or words[0].startswith("-"):
        raise SystemExit(
            "usage: python -m agenthpo.constants SCRIPT.py --NAME VALUE ... [-- ARG ...]"
        )
    script, *given = words
    own = given[given.index("--") + 1 :] if "--" in given else []
    values = _pairs(given[: given.index("--")] if "--" in given else given)
    try:
        with open(script, "rb") as file:
            tree = ast.parse(file.read(), script)
    except (OSError, SyntaxError, ValueError) as problem:
        raise SystemExit(f"{script} cannot be read: {problem}") from None
    code = compile(with_values(tree, values, script), script, "exec")
    sys.argv = [script, *own]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    module = type(sys)("__main__")
    module.__file__ = script
    sys.modules["__main__"] = module
    exec(code, module.__dict__)


def with_values(tree: ast.Module, values: Mapping[str, str], script: str = "") -> ast.Module:
    """Return the script's tree with these values, given as texts, where the names are first
    assigned.

    :raises SystemExit: for a name that is not assigned at the top of the script.
    """
    places = assignments(tree)
    for name, text in values.items():
        if name not in places:
            known = ", ".join(places) or "nothing"
            raise SystemExit(f"{script} assigns no '{name}' at its top; it assigns {known}")
        holder, field, node = places[name]
        new = ast.copy_location(ast.Constant(_value(text, node)), node)
        if isinstance(holder, ast.Tuple):
            holder.elts[field] = new
        else:
            holder.value = new
    return ast.fix_missing_locations(tree)


def assignments(tree: ast.Module) -> dict[str, tuple[Any, int, ast.expr]]:
    """Return for each name that the script assigns at its top, or under ``if __name__ ==
    "__main__"``, where its first value stands: in which node, at which place, and the value.
    """
    found: dict[str, tuple[Any, int, ast.expr]] = {}
    for statement in _top(tree):
        value = getattr(statement, "value", None)
        if value is None:
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]  # type: ignore[attr-defined]
        for target in targets:
            if isinstance(target, ast.Name):
                found.setdefault(target.id, (statement, 0, value))
            elif (
                isinstance(target, ast.Tuple)
                and isinstance(value, ast.Tuple)
                and len(target.elts) == len(value.elts)
            ):
                for place, each in enumerate(target.elts):
                    if isinstance(each, ast.Name):
                        found.setdefault(each.id, (value, place, value.elts[place]))
    return found


def _top(tree: ast.Module) -> list[ast.stmt]:
    body = list(tree.body)
    for statement in tree.body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            body += statement.body
    return [each for each in body if isinstance(each, ast.Assign | ast.AnnAssign)]


def _pairs(words: Sequence[str]) -> dict[str, str]:
    values = dict[str, str]()
    left = iter(words)
    for word in left:
        name, joined, value = word.removeprefix("--").partition("=")
        given = value if joined else next(left, None)
        if not word.startswith("--") or given is None:
            raise SystemExit(f"'{word}' is no pair --NAME VALUE")
        values[name] = given
    return values


def _value(text: str, before: ast.expr) -> Any:
    """Return what ``text`` stands for where ``before`` stood: a text where that is one."""
    old = before.value if isinstance(before, ast.Constant) else None
    if isinstance(old, str):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return text if isinstance(value, list | dict) else value


if __name__ == "__main__":
    main(sys.argv[1:])
