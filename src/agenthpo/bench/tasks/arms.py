"""Who plays a run: a proposer, with the parts that it goes without and a temperature, by one name.

``paper``, ``paper-without-history``, ``hybrid-without-analysis+knowledge``, ``creator-at-0.5``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agenthpo.assembly import check_proposer, checked_temperature
from agenthpo.bench.tasks.opro import OPRO
from agenthpo.errors import TaskError
from agenthpo.parts import PARTS, checked_parts
from agenthpo.search.hybrid import ASKING

__all__ = ["WITHOUT", "Arm", "arm_named"]

WITHOUT = "-without-"
"""What stands between a proposer and the parts."""
_NAME = re.compile(rf"(?P<who>.+?)(?:{WITHOUT}(?P<parts>[a-z+]+))?(?:-at-(?P<heat>[0-9.]+))?")


@dataclass(frozen=True)
class Arm:
    """What a name means."""

    proposer: str
    without: frozenset[str] = frozenset()
    temperature: float | None = None

    @property
    def asks(self) -> bool:
        """Whether it asks a language model."""
        return self.proposer in (*ASKING, OPRO)


def arm_named(name: str) -> Arm:
    """Return the arm ``name``: ``PROPOSER[-without-PART+PART][-at-TEMPERATURE]``.

    :raises TaskError: for a proposer or part that is not known, or that cannot go together.
    """
    found = _NAME.fullmatch(name)
    assert found is not None or not name
    who = found["who"] if found else name
    parts = found["parts"] if found else None
    heat = found["heat"] if found else None
    arm = Arm(
        who,
        checked_parts(parts.split("+")) if parts else frozenset(),
        checked_temperature(heat) if heat else None,
    )
    if arm.proposer != OPRO:
        check_proposer(arm.proposer, has_model=arm.asks, without=arm.without)
    elif arm.without:
        raise TaskError(f"'{name}': {OPRO} has none of {', '.join(PARTS)}; leave the parts out")
    return arm
