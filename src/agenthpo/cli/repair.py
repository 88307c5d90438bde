"""Studies of which not all can be read: they are shown with a warning, and ``agenthpo repair``
writes a repaired copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from agenthpo.codec import to_json
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.repair import Repaired, repair
from agenthpo.text.printing import say

__all__ = ["opened_to_read", "print_repaired"]


@contextmanager
def opened_to_read(folder: Path) -> Iterator[ExperienceLog]:
    """Open the study in ``folder`` to show it; what of it cannot be read is reported on
    standard error.
    """
    with ExperienceLog.open(folder, space=None, read_only=True) as log:
        if log.damage:
            say(f"Warning: {log.damage}.", error=True)
        yield log


def print_repaired(folder: Path, *, as_json: bool) -> None:
    """Repair the study in ``folder`` and print the result."""
    repaired = repair(folder)
    if as_json:
        print(to_json({**asdict(repaired), "folder": repaired.folder and str(repaired.folder)}))
    else:
        say(*_words(folder, repaired))


def _words(folder: Path, repaired: Repaired) -> Iterator[str]:
    if repaired.folder is None:
        yield f"{folder} is whole; there is nothing to repair."
        return
    for damage in repaired.damages:
        yield f"Damaged: {damage}"
    yield f"Lost: {_numbers(repaired.lost)}" if repaired.lost else "No trial is lost."
    if repaired.unfinished:
        yield f"Without a result, and run again by resume: {_numbers(repaired.unfinished)}"
    yield f"The repaired copy is {repaired.folder}; {folder} is as it was."


def _numbers(trials: tuple[int, ...]) -> str:
    return f"trial{'s' * (len(trials) > 1)} {', '.join(map(str, trials))}"
