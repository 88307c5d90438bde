"""The operations as every door offers them: a name, what it does, what goes in, what comes out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints

from agenthpo.codec import adapter
from agenthpo.operations.before import check_task, draft_task
from agenthpo.operations.briefing import briefing
from agenthpo.operations.hiding import plain
from agenthpo.operations.opening import open_study
from agenthpo.operations.place import Place
from agenthpo.operations.proposing import enqueue, note, pin, propose, stop, veto, widen
from agenthpo.operations.running import run, wait
from agenthpo.operations.telling import analyse, verdict

__all__ = ["FOR_PEOPLE", "OPERATIONS", "Input", "Operation", "schemas"]

_PARAM = re.compile(r"^ *:param (\w+): (.+?)(?=^ *:|\Z)", re.MULTILINE | re.DOTALL)
_OURS = ("at", "on_wait")
"""What the caller does not give."""


@dataclass(frozen=True)
class Input:
    """One thing that an operation is given."""

    name: str
    kind: Any
    """Its type."""
    default: Any
    """``inspect.Parameter.empty`` where it has to be given."""
    about: str

    @property
    def is_required(self) -> bool:
        """Whether it has to be given."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Operation:
    """A function whose first argument is the place it works in, and how it is offered."""

    function: Callable[..., Any]
    only_reads: bool = False

    @property
    def name(self) -> str:
        """What it is called everywhere."""
        return self.function.__name__

    @cached_property
    def about(self) -> str:
        """What it does: the docstring's words before its fields, in one paragraph."""
        text = inspect.getdoc(self.function) or ""
        return _plain(re.split(r"^:", text, maxsplit=1, flags=re.MULTILINE)[0])

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """What the caller gives."""
        hints = get_type_hints(self.function)
        doc = inspect.getdoc(self.function) or ""
        about = {name: _plain(text) for name, text in _PARAM.findall(doc)}
        signature = inspect.signature(self.function)
        return tuple(
            Input(name, hints[name], each.default, about.get(name, _SAID.get(name, "")))
            for name, each in signature.parameters.items()
            if name not in _OURS
        )

    def call(self, at: Place, **given: Any) -> dict[str, Any]:
        """Return its answer as plain values, without secrets: whoever reads them may be on another
        machine.
        """
        return plain(self.function(at, **given))

    @property
    def answer(self) -> type:
        """The dataclass that it returns."""
        answer: type = get_type_hints(self.function)["return"]
        return answer

    def schema(self) -> dict[str, Any]:
        """Return the JSON schemas of what goes in and what comes out."""
        properties = {}
        for each in self.inputs:
            properties[each.name] = {
                **adapter(each.kind).json_schema(),
                "description": each.about,
                **({} if each.is_required else {"default": each.default}),
            }
        return {
            "name": self.name,
            "description": self.about,
            "input": {
                "type": "object",
                "properties": properties,
                "required": [each.name for each in self.inputs if each.is_required],
                "additionalProperties": False,
            },
            "output": adapter(self.answer).json_schema(mode="serialization"),
        }


_SAID = {"study": "As open_study calls it.", "trial": "Its number."}
"""What is said of an input where its operation says nothing."""
OPERATIONS = (
    Operation(draft_task),
    Operation(check_task),
    Operation(open_study),
    Operation(briefing, only_reads=True),
    Operation(propose),
    Operation(run),
    Operation(wait, only_reads=True),
    Operation(stop),
    Operation(analyse),
    Operation(veto),
    Operation(verdict),
)
"""Those of an agent, in the order in which it needs them."""
FOR_PEOPLE = (
    Operation(enqueue),
    Operation(pin),
    Operation(widen),
    Operation(note),
    Operation(veto),
)
"""Those of a person beside it."""


def _plain(text: str) -> str:
    """Return a docstring's words in one paragraph, without the marks of names."""
    return " ".join(text.replace("``", "").split())


def schemas() -> list[dict[str, Any]]:
    """Return the JSON schemas of every operation of an agent."""
    return [operation.schema() for operation in OPERATIONS]
