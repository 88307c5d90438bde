"""``agenthpo agent OPERATION``: the operations of a study for a coding agent, one call each; and
``enqueue``, ``pin``, ``note`` and ``veto`` for the people beside it.
"""

from __future__ import annotations

import getpass
import inspect
import json as json_module
import math
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import typer

from agenthpo.codec import to_json
from agenthpo.errors import TaskError
from agenthpo.operations.answers import Waited
from agenthpo.operations.place import Place, checked_by
from agenthpo.operations.registry import FOR_PEOPLE, OPERATIONS, Input, Operation, schemas
from agenthpo.operations.running import waiting_words
from agenthpo.text.printing import say

__all__ = ["call", "fill", "for_people", "pairs"]

_EVERY_S = 2.0
_POSITIONAL = ("script", "task", "study", "trial", "what")
"""What is given by its place, where it has to be given."""


def fill(group: typer.Typer) -> None:
    """Give ``group`` a command for each operation, and one that prints their schemas."""
    for operation in OPERATIONS:
        group.command(operation.name.replace("_", "-"))(_command(operation))

    @group.command("schema")
    def schema() -> None:
        """Print the JSON schemas of what each operation is given and answers."""
        print(json_module.dumps(schemas(), indent=2, ensure_ascii=False))


def _command(operation: Operation) -> Any:
    """Return what typer makes a command of: the operation with its inputs as arguments and
    options.
    """
    parameters = [_parameter(each) for each in operation.inputs]
    by = typer.Option("--by", help="The agent's name.", envvar="AGENTHPO_AGENT")
    shown = typer.Option("--json", help="Print JSON instead of text.")
    parameters += [
        _keyword("by", Annotated[str, by], "agent"),
        _keyword("json", Annotated[bool, shown], False),
    ]

    def command(**given: Any) -> None:
        name, as_json = given.pop("by"), given.pop("json")
        called = {each.name: _value(each, given[each.name]) for each in operation.inputs}
        call(operation, Place(Path.cwd(), checked_by(name)), called, as_json=as_json)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__doc__ = operation.about
    command.__annotations__ = {}
    return command


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _parameter(each: Input) -> inspect.Parameter:
    kind = _plain(each.kind)
    about = f"{each.about[:1].upper()}{each.about[1:]}"
    if each.is_required and each.name in _POSITIONAL:
        argument = typer.Argument(metavar=each.name.upper(), help=about)
        return _keyword(each.name, Annotated[kind, argument], inspect.Parameter.empty)
    is_object = get_origin(each.kind) is dict
    option = typer.Option(
        f"--{each.name.replace('_', '-')}",
        help=f"{about}{' As JSON.' * is_object}",
        metavar="JSON" if is_object else None,
    )
    default = inspect.Parameter.empty if each.is_required else each.default
    return _keyword(each.name, Annotated[kind, option], default)


def _plain(kind: Any) -> Any:
    """Return the type that a command line can give: text for an object."""
    if get_origin(kind) is dict:
        return str
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = (each for each in get_args(kind) if each is not type(None))
        return inner | None
    return kind


def _value(each: Input, given: Any) -> Any:
    if get_origin(each.kind) is not dict:
        return given
    try:
        value = json_module.loads(given)
    except (ValueError, RecursionError) as problem:
        raise TaskError(f"--{each.name} is no JSON ({problem}); give an object") from None
    if not isinstance(value, dict):
        raise TaskError(f"--{each.name} is {given[:60]}, but must be a JSON object")
    return value


def for_people(
    name: str, study: str, given: dict[str, Any], *, by: str | None, as_json: bool
) -> None:
    """Call the operation ``name`` for a person and print its answer."""
    operation = next(each for each in FOR_PEOPLE if each.name == name)
    place = Place(Path.cwd(), checked_by(by or _user()), is_person=True)
    call(operation, place, {"study": study, **given}, as_json=as_json)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "person"


def call(operation: Operation, at: Place, given: dict[str, Any], *, as_json: bool) -> None:
    """Call an operation and print its answer."""
    if operation.name == "wait":
        given = {**given, "on_wait": _Telling()}
    try:
        answer = operation.call(at, **given)
    except KeyboardInterrupt:
        if operation.name == "wait":
            say("The trials go on; wait again, or stop one by agenthpo veto STUDY N.", error=True)
        raise
    if as_json:
        print(to_json(answer))
    elif operation.name == "briefing":
        say(answer["text"])
    else:
        say(*_lines(answer))


class _Telling:
    """Tell now and then how far the trials have come."""

    def __init__(self) -> None:
        self._last = -math.inf

    def __call__(self, waited: Waited) -> None:
        if time.monotonic() - self._last >= _EVERY_S:
            self._last = time.monotonic()
            say(waiting_words(waited), error=True)


def _lines(answer: dict[str, Any], indent: str = "") -> list[str]:
    """Return an answer as lines for people; what is empty is left out."""
    lines = []
    for key, value in answer.items():
        name = key.replace("_", " ")
        if value is None or value == "" or value == [] or value == {}:
            continue
        if isinstance(value, dict) and key not in ("params", "default"):
            lines += [f"{indent}{name}:", *_lines(value, f"{indent}    ")]
        elif isinstance(value, list) and isinstance(value[0], dict):
            lines.append(f"{indent}{name}:")
            for one in value:
                first, *rest = _lines(one, f"{indent}    ")
                lines += [f"{indent}  - {first.strip()}", *rest]
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            lines += [f"{indent}{name}:", *(f"{indent}    {one}" for one in value)]
        else:
            lines.append(f"{indent}{name}: {_words(value)}")
    return lines


def _words(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value)


def pairs(texts: Sequence[str]) -> dict[str, Any]:
    """Return the parameters in words such as ``lr=0.1``.

    :raises TaskError: for a word that is none.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not mark or not name:
            raise TaskError(f"'{text}' is not NAME=VALUE, such as lr=0.1")
        try:
            found[name] = json_module.loads(value)
        except (ValueError, RecursionError):
            found[name] = value
    return found
