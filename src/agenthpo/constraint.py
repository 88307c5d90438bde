"""What must hold between parameters: ``warmup < epochs``, ``num_heads divides width``.

A constraint is read by Python's parser and worked out by this module: it is never executed.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Constraint", "parse_constraint"]

_LONGEST, _DEEPEST = 500, 50
_LARGEST_POWER = 1000
_OPERAND = r"([\w.-]+|\([^()]*\))"
_DIVIDES = re.compile(rf"{_OPERAND}\s+divides\s+{_OPERAND}")
_ARITHMETIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda a, b: _power(a, b),
}
_COMPARISONS: dict[type[ast.AST], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: lambda a, b: _is_same(a, b),
    ast.NotEq: lambda a, b: not _is_same(a, b),
    ast.In: lambda a, b: any(_is_same(a, each) for each in b),
    ast.NotIn: lambda a, b: not any(_is_same(a, each) for each in b),
}
_CALLS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "log": math.log,
    "log2": math.log2,
    "sqrt": math.sqrt,
}
_CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Constraint:
    """A statement about parameters that every configuration must keep."""

    text: str
    """As the task has it."""
    names: frozenset[str]
    """The parameters in it."""
    tree: ast.expr = field(compare=False, repr=False)

    def holds(self, params: Mapping[str, Any]) -> bool:
        """Return whether it holds for a configuration; where one of its parameters is not active
        in that, it says nothing and holds. What cannot be worked out (a division by 0) does not.
        """
        if not self.names <= params.keys():
            return True
        try:
            return bool(_worked_out(self.tree, params))
        except (ArithmeticError, ValueError, TypeError):
            return False

    def problem(self, params: Mapping[str, Any]) -> str:
        """Return why it cannot be worked out for values of these kinds at all; empty where it
        can.
        """
        if not self.names <= params.keys():
            return ""
        try:
            _worked_out(self.tree, params)
        except (ArithmeticError, ValueError):
            pass  # of these values, not of their kinds
        except TypeError as problem:
            return str(problem)
        return ""


def parse_constraint(text: str, names: frozenset[str]) -> Constraint:
    """Return the constraint that ``text`` states about parameters, whose ``names`` may hold dots.

    Comparisons, arithmetic, ``and``, ``or``, ``not``, ``in [..]``, ``min``, ``max``, ``abs``,
    ``log``, ``log2``, ``sqrt``, and ``a divides b``.

    :raises ValueError: saying what is wrong, where it is none.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    written = " ".join(text.split())
    written = _DIVIDES.sub(r"((\2) % (\1) == 0)", written)
    found: set[str] = set()
    stand_ins: dict[str, str] = {}

    # a name need not be one of Python's: optim.lr, dropout-rate
    def stand_in(match: re.Match[str]) -> str:
        word = stand_ins.setdefault(match[0], f"p{len(stand_ins)}_")
        found.add(match[0])
        return word

    known = sorted(names, key=len, reverse=True)
    if known:
        pattern = "|".join(map(re.escape, known))
        written = _outside_quotes(
            written, lambda part: re.sub(rf"(?<![\w.])(?:{pattern})(?![\w.]|\s*\()", stand_in, part)
        )
    try:
        tree = ast.parse(written, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("cannot be read; write it like warmup < epochs") from None
    back = {word: name for name, word in stand_ins.items()}
    _check(tree, back, names)
    if not found:
        raise ValueError(f"names no parameter; known are {', '.join(sorted(names))}")
    if not _is_statement(tree):
        raise ValueError("is no statement; compare something, like warmup < epochs")
    return Constraint(text, frozenset(found), _Named(back).visit(tree))


class _Named(ast.NodeTransformer):
    """Put the parameters' own names back."""

    def __init__(self, back: Mapping[str, str]) -> None:
        self._back = back

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._back.get(node.id, node.id), ast.Load())


def _outside_quotes(text: str, change: Callable[[str], str]) -> str:
    parts = re.split(r"('[^']*'|\"[^\"]*\")", text)
    return "".join(part if i % 2 else change(part) for i, part in enumerate(parts))


def _is_statement(tree: ast.expr) -> bool:
    if isinstance(tree, ast.BoolOp):
        return all(map(_is_statement, tree.values))
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return True
    return isinstance(tree, (ast.Compare, ast.Name))


def _check(node: ast.AST, back: Mapping[str, str], names: frozenset[str], depth: int = 0) -> None:
    """Raise ``ValueError`` at what a constraint may not hold."""
    if depth > _DEEPEST:
        raise ValueError("is nested too deeply")
    depth += 1
    match node:
        case ast.Name(id=name):
            if name not in back and name not in _CONSTANTS:
                raise ValueError(
                    f"names '{name}', which is no parameter; known are {', '.join(sorted(names))}"
                )
        case ast.Constant(value=value):
            if not isinstance(value, (int, float, str, bool)) and value is not None:
                raise ValueError(f"holds {value!r}, which is no number or word")
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            _check(left, back, names, depth)
            _check(right, back, names, depth)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not(), operand=operand):
            _check(operand, back, names, depth)
        case ast.BoolOp(values=values):
            for each in values:
                _check(each, back, names, depth)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            if any(type(how) not in _COMPARISONS for how in ops):
                raise ValueError("compares by something else than <, <=, >, >=, ==, !=, in")
            for how, right in zip(ops, comparators, strict=True):
                if isinstance(how, (ast.In, ast.NotIn)) and not isinstance(
                    right, (ast.List, ast.Tuple, ast.Set)
                ):
                    raise ValueError("has 'in' without a list after it, such as in [1, 2]")
            for each in (left, *comparators):
                _check(each, back, names, depth)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            for each in elements:
                _check(each, back, names, depth)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS and args:
            for each in args:
                _check(each, back, names, depth)
        case _:
            raise ValueError(
                "holds more than comparisons, arithmetic, and, or, not, in, divides, "
                f"{', '.join(_CALLS)}"
            )


def _worked_out(node: ast.AST, params: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return params[name] if name in params else _CONSTANTS[name]
        case ast.Constant(value=value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            pair = _worked_out(left, params), _worked_out(right, params)
            return _ARITHMETIC[type(op)](*map(_number, pair))
        case ast.UnaryOp(op=op, operand=operand):
            value = _worked_out(operand, params)
            if isinstance(op, ast.Not):
                return not value
            return -_number(value) if isinstance(op, ast.USub) else _number(value)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_worked_out(each, params) for each in values)
        case ast.BoolOp(values=values):
            return any(_worked_out(each, params) for each in values)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            before = _worked_out(left, params)
            for how, right in zip(ops, comparators, strict=True):
                after = _worked_out(right, params)
                if not _COMPARISONS[type(how)](before, after):
                    return False
                before = after
            return True
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return [_worked_out(each, params) for each in elements]
        case ast.Call(func=ast.Name(id=name), args=args):
            return _CALLS[name](*(_number(_worked_out(each, params)) for each in args))
    raise TypeError(f"{type(node).__name__} cannot be worked out")  # checked when it was read


def _number(value: Any) -> Any:
    if isinstance(value, (str, bool)) or value is None:
        raise TypeError(f"{value!r} is no number")
    return value


def _power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > _LARGEST_POWER:
        raise OverflowError("the power is too large")
    return base**exponent


def _is_same(a: Any, b: Any) -> bool:
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, float) or isinstance(b, float):
        try:
            return math.isclose(a, b, rel_tol=1e-9)
        except TypeError:
            return False
    return bool(a == b)
