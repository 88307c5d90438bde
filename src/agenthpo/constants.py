"""Run a script with other values for what it has in plain words: ``python -m agenthpo.constants
train.py --LEARNING_RATE 0.01 --SGD.momentum 0.9``. The script's file stays as it is.

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

    _Place = tuple[ast.AST, str, int, ast.expr]
    """In which node a value stands, in which field, at which place of it (-1: it is the field), and
    the value.
    """

OPTIMISERS = {
    *("sgd", "adam", "adamw", "adamax", "adagrad", "adadelta", "adafactor", "rmsprop", "nadam"),
    *("radam", "lamb", "lars", "lion", "noisy_sgd", "adabelief", "yogi", "rprop", "muon"),
}
"""Optimisers whose first number is the learning rate, with capitals or without: Keras', optax's,
and PyTorch's after the parameters.
"""
__all__ = ["OPTIMISERS", "assignments", "main", "top_level", "with_values"]


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
    """Return the script's tree with these values, given as texts, where the names have theirs.

    :raises SystemExit: for a name that the script gives no value.
    """
    places = assignments(tree)
    for name, text in values.items():
        if name not in places:
            known = ", ".join(places) or "nothing"
            raise SystemExit(f"{script} gives '{name}' no value in plain words; it gives {known}")
        for holder, field, place, node in places[name]:
            new = ast.copy_location(ast.Constant(_value(text, node)), node)
            if place < 0:
                setattr(holder, field, new)
            else:
                getattr(holder, field)[place] = new
    return ast.fix_missing_locations(tree)


def assignments(tree: ast.Module) -> dict[str, list[_Place]]:
    """Return for each name that the script gives a value where that stands: ``LR`` for ``LR = 0.1``
    at its top (the first time), ``main.lr`` for the same in a function, ``params.lr`` for a key of
    a mapping, ``model.lr`` for an attribute that is set, and ``SGD.lr`` for ``SGD(lr=0.1)``
    wherever it is called, always with that value. A learning rate that an optimiser is given by its
    place, as in ``adam(1e-3)``, is ``adam.learning_rate``.
    """
    found: dict[str, list[_Place]] = {}
    for name, place in top_level(tree):
        found.setdefault(name, [place])
    inner: dict[str, list[_Place]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for name, place in _assigned(_blocks(node.body)):
                inner.setdefault(f"{node.name}.{name}", [place])
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for name, place in (*_keyed(node), *_set_on(node)):
                inner.setdefault(name, [place])
    called: dict[str, list[_Place]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            callee = getattr(node.func, "attr", getattr(node.func, "id", ""))
            for keyword in node.keywords:
                if callee and keyword.arg and isinstance(keyword.value, ast.Constant):
                    place = keyword, "value", -1, keyword.value
                    called.setdefault(f"{callee}.{keyword.arg}", []).append(place)
            for place in _steps(node) if callee.lower() in OPTIMISERS else ():
                called.setdefault(f"{callee}.learning_rate", []).append(place)
    for name, places in called.items():
        if len({repr(node.value) for *_, node in places}) == 1:  # type: ignore[attr-defined]
            inner.setdefault(name, places)
    return {**inner, **found}


def top_level(tree: ast.Module) -> list[tuple[str, _Place]]:
    """Return what the script assigns at its top, then under ``if __name__ == "__main__"``."""
    body = list(tree.body)
    for statement in tree.body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            body += statement.body
    return _assigned(body)


def _blocks(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a function, those within its ``with`` and ``if`` among them."""
    found: list[ast.stmt] = []
    for statement in body:
        found.append(statement)
        if isinstance(statement, ast.With | ast.If | ast.Try):
            found += _blocks(statement.body)
    return found


def _assigned(body: Sequence[ast.stmt]) -> list[tuple[str, _Place]]:
    found: list[tuple[str, _Place]] = []
    for statement in body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        value = statement.value
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                found.append((target.id, (statement, "value", -1, value)))
            elif (
                isinstance(target, ast.Tuple)
                and isinstance(value, ast.Tuple)
                and len(target.elts) == len(value.elts)
            ):
                for place, each in enumerate(target.elts):
                    if isinstance(each, ast.Name):
                        found.append((each.id, (value, "elts", place, value.elts[place])))
    return found


def _set_on(statement: ast.Assign | ast.AnnAssign) -> list[tuple[str, _Place]]:
    """Return the attribute of something with a name that is set: ``model.lr = 0.1``."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    if (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id not in ("self", "cls")
        and statement.value is not None
    ):
        return [(f"{target.value.id}.{target.attr}", (statement, "value", -1, statement.value))]
    return []


def _steps(call: ast.Call) -> list[_Place]:
    """Return the learning rate that an optimiser is given by its place: the first number."""
    if any(keyword.arg in ("lr", "learning_rate") for keyword in call.keywords):
        return []
    for i, each in enumerate(call.args[:2]):
        if isinstance(each, ast.Constant) and isinstance(each.value, float):
            return [(call, "args", i, each)]
    return []


def _keyed(statement: ast.Assign | ast.AnnAssign) -> list[tuple[str, _Place]]:
    """Return the values of a mapping that a name is given: ``params = {"eta": 0.1}``."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    value = statement.value
    if not isinstance(target, ast.Name):
        return []
    if isinstance(value, ast.Dict):
        return [
            (f"{target.id}.{key.value}", (value, "values", place, value.values[place]))
            for place, key in enumerate(value.keys)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        ]
    if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "dict":
        return [
            (f"{target.id}.{each.arg}", (each, "value", -1, each.value))
            for each in value.keywords
            if each.arg
        ]
    return []


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
