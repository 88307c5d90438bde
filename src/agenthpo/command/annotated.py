"""Options that libraries make of annotations: of a function's parameters, of a class's fields."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from agenthpo.command.option import Option
from agenthpo.command.option_style import JSON_TEXT, REPEATED, SEVERAL
from agenthpo.command.python_text import constant, imports, keywords, name_of, texts
from agenthpo.scalars import NO_VALUE

__all__ = ["any_annotated", "class_options", "entry_options", "parameters_of"]

_ANNOTATED = {
    "fire": ("--name=True", "--name=None"),
    "tyro": ("--name/--no-name", "--name None"),
    "jsonargparse": ("--name=true", "--name=null"),
    "lightning": ("--name=true", "--name=null"),
    "pytorch_lightning": ("--name=true", "--name=null"),
    "transformers": ("--name=True", ""),
    "simple_parsing": ("--name=true", ""),
    "typer": ("--name/--no-name", ""),
}
"""By the library that makes options of annotations: how true and false are written, and null, where
it has a word for it.
"""
_LISTS = {
    "fire": JSON_TEXT,
    "tyro": SEVERAL,
    "jsonargparse": JSON_TEXT,
    "lightning": JSON_TEXT,
    "pytorch_lightning": JSON_TEXT,
    "transformers": SEVERAL,
    "simple_parsing": SEVERAL,
    "typer": REPEATED,
}
"""How each takes a list; typer takes a tuple as several words."""
_DASHED = {"tyro", "typer"}
"""Those that write a name's underscores as dashes."""
_NESTED = {"tyro", "jsonargparse", "lightning", "pytorch_lightning"}
"""Those that give a field of a field a name with a dot."""
_ENTRIES = {
    "Fire": "fire",
    "cli": "tyro",
    "CLI": "jsonargparse",
    "auto_cli": "jsonargparse",
    "LightningCLI": "lightning",
    "add_class_arguments": "jsonargparse",
    "add_function_arguments": "jsonargparse",
    "HfArgumentParser": "transformers",
    "parse": "simple_parsing",
    "add_arguments": "simple_parsing",
    "run": "typer",
}
"""What is called with the function or class that options are made of, and whose call that is."""
_KINDS = ("int", "float", "str", "bool")
_LIST_NAMES = ("list", "List", "Tuple", "tuple", "Sequence")
_DEEPEST = 4
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class _Field(NamedTuple):
    name: str
    annotation: ast.expr | None
    default: ast.expr | None


def any_annotated(tree: ast.Module) -> Iterator[Option]:
    """Yield the parameters of every function and the fields of every class, in each spelling, where
    a library is imported that makes options of some.
    """
    library = next((name for name in _ANNOTATED if name in imports(tree)), "")
    if not library:
        return
    style, null = _ANNOTATED[library]
    for node in ast.walk(tree):
        if isinstance(node, _Definition):
            for field in _fields(node, {}):
                for spelling in {field.name, field.name.replace("_", "-")}:
                    yield Option(
                        spelling,
                        _default_in(field.default),
                        style=style,
                        null=null,
                        list_style=_list_style(field.annotation, library),
                    )


def entry_options(tree: ast.Module, others: Iterable[ast.Module] = ()) -> Iterator[Option]:
    """Yield the options of the functions and classes that a script hands to such a library.

    :param others: modules in which they may be defined.
    """
    known = _definitions(tree, others)
    present = imports(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            library = _ENTRIES.get(name_of(node.func), "")
            if library == "lightning" and library not in present:
                library = "pytorch_lightning"
            if library in present or (library == "jsonargparse" and "lightning" in present):
                yield from _of_entry(node, library, known)
        elif isinstance(node, ast.FunctionDef) and "typer" in present:
            if any(_is_command(decorator) for decorator in node.decorator_list):
                yield from _options(node, "typer", known)


def class_options(
    name: str, tree: ast.Module, others: Iterable[ast.Module] = ()
) -> Iterator[Option]:
    """Yield the fields of the class ``name``, those of a field that is a class by names with a
    dot.
    """
    known = _definitions(tree, others)
    if name in known:
        yield from _options(known[name], "jsonargparse", known)


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Option]:
    """Return a function's parameters with their kinds and defaults."""
    return [_option(field, "", None) for field in _fields(function, {})]


def _is_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return name_of(called) in ("command", "callback")


def _definitions(tree: ast.Module, others: Iterable[ast.Module]) -> dict[str, _Definition]:
    found = dict[str, _Definition]()
    for each in (tree, *others):
        for node in each.body:
            if isinstance(node, _Definition):
                found.setdefault(node.name, node)
    return found


def _of_entry(call: ast.Call, library: str, known: dict[str, _Definition]) -> Iterator[Option]:
    name = name_of(call.func)
    if name == "LightningCLI":
        given = [*call.args, *(v for k, v in keywords(call).items() if k.endswith("_class"))]
        for prefix, node in zip(("model", "data"), given, strict=False):
            yield from _prefixed(prefix, _named(node, known), library, known)
        return
    first: ast.expr | None = call.args[0] if call.args else None
    if name in ("add_class_arguments", "add_function_arguments"):
        nested = constant(call.args[1] if len(call.args) > 1 else None, "")
        nested = constant(keywords(call).get("nested_key"), nested)
        yield from _prefixed(nested if isinstance(nested, str) else "", _named(first, known),
                             library, known)  # fmt: skip
        return
    for each in first.elts if isinstance(first, ast.Tuple | ast.List) else (first,):
        definition = _named(each, known)
        if definition is not None:
            yield from _options(definition, library, known)


def _named(node: ast.expr | None, known: dict[str, _Definition]) -> _Definition | None:
    return known.get(name_of(node.func if isinstance(node, ast.Call) else node))


def _prefixed(
    prefix: str, definition: _Definition | None, library: str, known: dict[str, _Definition]
) -> Iterator[Option]:
    if definition is not None:
        yield from _options(definition, library, known, prefix=f"{prefix}." if prefix else "")


def _options(
    definition: _Definition,
    library: str,
    known: dict[str, _Definition],
    *,
    prefix: str = "",
    deep: int = 0,
) -> Iterator[Option]:
    """Yield the options of a function or class; of a field that is such a class itself, its own."""
    if isinstance(definition, ast.ClassDef) and not _is_dataclass(definition):
        made = next(
            (n for n in definition.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"),
            None,
        )
        if made is None:
            return
        definition = made
    for field in _fields(definition, known):
        inner = known.get(name_of(field.annotation))
        if isinstance(inner, ast.ClassDef) and _is_dataclass(inner) and deep < _DEEPEST:
            nested = f"{prefix}{field.name}." if library in _NESTED else prefix
            yield from _options(inner, library, known, prefix=nested, deep=deep + 1)
        else:
            yield _option(field, library, known, prefix)


def _is_dataclass(definition: ast.ClassDef) -> bool:
    names = [name_of(d.func if isinstance(d, ast.Call) else d) for d in definition.decorator_list]
    bases = [name_of(base) for base in definition.bases]
    return any(n in ("dataclass", "define", "attrs", "s") for n in names) or any(
        n in ("BaseModel", "NamedTuple", "TrainingArguments", "TypedDict") for n in bases
    )


def _fields(definition: _Definition, known: dict[str, _Definition]) -> list[_Field]:
    if isinstance(definition, ast.ClassDef):
        found = dict[str, _Field]()
        for base in definition.bases:  # what is inherited comes first
            parent = known.get(name_of(base))
            if isinstance(parent, ast.ClassDef) and parent is not definition:
                found |= {field.name: field for field in _fields(parent, known)}
        for statement in definition.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                name = statement.target.id
                found[name] = _Field(name, statement.annotation, statement.value)
        return list(found.values())
    arguments = [*definition.args.posonlyargs, *definition.args.args]
    first: list[ast.expr | None] = [None] * (len(arguments) - len(definition.args.defaults))
    pairs = [
        *zip(arguments, [*first, *definition.args.defaults], strict=True),
        *zip(definition.args.kwonlyargs, definition.args.kw_defaults, strict=True),
    ]
    return [
        _Field(a.arg, a.annotation, default) for a, default in pairs if a.arg not in ("self", "cls")
    ]


def _option(
    field: _Field, library: str, known: dict[str, _Definition] | None, prefix: str = ""
) -> Option:
    style, null = _ANNOTATED.get(library, ("", ""))
    annotation, extra = _unwrapped(field.annotation)
    wrapped = field.default if isinstance(field.default, ast.Call) else extra
    given = keywords(wrapped) if isinstance(wrapped, ast.Call) else {}
    default = NO_VALUE if field.default is None else _default_in(field.default)
    if default is Ellipsis:
        default = NO_VALUE
    kind, choices = _kind_of(annotation, known or {}, library)
    if not kind and not choices:
        kind = _kind_of_value(default)
    written = field.name.replace("_", "-") if library in _DASHED else field.name
    names = (
        [t for t in texts(wrapped) if t.startswith("--")]
        if isinstance(wrapped, ast.Call) and _is_typer(wrapped)
        else []
    )
    spelling = (names[0].partition("/")[0] if names else "") or f"--{prefix}{written}"
    about = constant(given.get("help"), "")
    metadata = given.get("metadata")
    if isinstance(metadata, ast.Dict):
        pairs = zip(metadata.keys, metadata.values, strict=True)
        about = next((constant(v) for k, v in pairs if constant(k) == "help"), "")
    return Option(
        name=spelling.removeprefix("--"),
        default=default,
        style=style,
        null=null,
        kind=kind,
        choices=choices,
        about=" ".join(about.split()) if isinstance(about, str) else "",
        spelling=spelling if not _is_argument(field, wrapped, library) else field.name,
        is_required=field.default is None or (default is NO_VALUE and _is_typer(field.default)),
        is_list=name_of(_origin(annotation)) in _LIST_NAMES,
        list_style=_list_style(field.annotation, library),
    )


def _list_style(annotation: ast.expr | None, library: str) -> str:
    """Return how an option of this type takes a list; empty where it takes none, or where nothing
    is said and the library goes by types.
    """
    name = name_of(_origin(_unwrapped(annotation)[0]))
    if library == "fire":  # it reads every value as Python does
        return JSON_TEXT
    if name not in _LIST_NAMES:
        return ""
    return SEVERAL if library == "typer" and name in ("Tuple", "tuple") else _LISTS.get(library, "")


def _is_typer(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and name_of(node.func) in ("Option", "Argument")


def _is_argument(field: _Field, wrapped: ast.expr | None, library: str) -> bool:
    """Return whether typer takes it by its place: it has no default, or is said to be one."""
    if library != "typer":
        return False
    if isinstance(wrapped, ast.Call) and name_of(wrapped.func) in ("Option", "Argument"):
        return name_of(wrapped.func) == "Argument"
    return field.default is None


def _unwrapped(annotation: ast.expr | None) -> tuple[ast.expr | None, ast.expr | None]:
    """Return the type within ``Annotated[…]`` and ``Optional[…]``, and what else the first
    holds.
    """
    extra: ast.expr | None = None
    while isinstance(annotation, ast.Subscript):
        name = name_of(annotation.value)
        inner = annotation.slice
        if name == "Annotated" and isinstance(inner, ast.Tuple):
            extra = next((e for e in inner.elts[1:] if isinstance(e, ast.Call)), extra)
            annotation = inner.elts[0]
        elif name in ("Optional", "Final", "ClassVar"):
            annotation = inner
        elif name == "Union" and isinstance(inner, ast.Tuple):
            annotation = next((e for e in inner.elts if not _is_none(e)), None)
        else:
            break
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides: Sequence[ast.expr] = (annotation.left, annotation.right)
        return _unwrapped(next((side for side in sides if not _is_none(side)), None))
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return _unwrapped(ast.parse(annotation.value, mode="eval").body)
        except SyntaxError:
            return None, extra
    return annotation, extra


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _origin(annotation: ast.expr | None) -> ast.expr | None:
    return annotation.value if isinstance(annotation, ast.Subscript) else annotation


def _kind_of(
    annotation: ast.expr | None, known: dict[str, _Definition], library: str
) -> tuple[str, tuple[Any, ...]]:
    """Return the kind that an annotation names, or the choices of a literal or an enumeration."""
    name = name_of(_origin(annotation))
    if name in _KINDS:
        return name, ()
    if name in ("PositiveInt", "NonNegativeInt"):
        return "int", ()
    if name in ("PositiveFloat", "NonNegativeFloat", "ClosedUnitInterval", "OpenUnitInterval"):
        return "float", ()
    if name == "Literal" and isinstance(annotation, ast.Subscript):
        values = constant(annotation.slice)
        return "", tuple(values) if isinstance(values, tuple) else (values,)
    defined = known.get(name)
    if isinstance(defined, ast.ClassDef) and any("Enum" in name_of(b) for b in defined.bases):
        members = [
            (statement.targets[0].id, constant(statement.value))
            for statement in defined.body
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        ]
        by_value = library in ("typer", "transformers")
        values = tuple(value if by_value else key for key, value in members)
        return "", values if all(isinstance(v, str) for v in values) else ()
    return ("none" if name else ""), ()


def _kind_of_value(value: Any) -> str:
    return next(
        (kind.__name__ for kind in (bool, int, float, str) if isinstance(value, kind)),
        "none" if isinstance(value, list | tuple | dict) else "",
    )


def _default_in(node: ast.expr | None) -> Any:
    """Return a default that may be wrapped: ``field(default=…)``, ``typer.Option(…)``."""
    if isinstance(node, ast.Call):
        given = keywords(node)
        return constant(given.get("default", node.args[0] if node.args else None))
    return constant(node)
