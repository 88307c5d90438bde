"""A configuration file that each trial gets: a file of the user's with the trial's values in it.

What the file says of anything else stays as it is written there, comments and spelling included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenthpo.command.resolve import literal
from agenthpo.records import Params

__all__ = ["ConfigFile", "Slot"]


@dataclass(frozen=True)
class Slot:
    """Where a parameter's value stands."""

    name: str
    before: str
    """What stands there in the user's file; it stays where the parameter is inactive."""


@dataclass(frozen=True)
class ConfigFile:
    """A file with slots."""

    to: str
    """Its path below the trial's folder."""
    parts: Sequence[str | Slot] = ()

    def text(self, params: Params) -> str:
        """Return what the file holds in a trial."""
        between = " = " if self.to.endswith(".toml") else ": "
        return "".join(
            part
            if isinstance(part, str)
            else literal(params[part.name], between=between)
            if part.name in params
            else part.before
            for part in self.parts
        )

    @property
    def names(self) -> set[str]:
        """The parameters that it holds."""
        return {part.name for part in self.parts if isinstance(part, Slot)}
