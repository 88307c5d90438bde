"""A certificate in lines for a person."""

from __future__ import annotations

from pathlib import Path

from agenthpo.certificate import Certificate
from agenthpo.text.pasting import pasted

__all__ = ["certificate_lines"]


def certificate_lines(found: Certificate, folder: Path | str) -> list[str]:
    """Return the verdict with what it rests on, in lines."""
    lines = [found.sentence]
    rows = [("default", found.default), *((f"trial {c.trial}", c) for c in found.contenders)]
    for name, row in rows:
        mean = "no value" if row.mean is None else f"mean {row.mean:.5g} of {row.runs}"
        test = "" if row.test is None else f", on the test data {row.test:.5g}"
        why = f", {row.why}" if row.why else ""
        lines.append(f"    {name}: {mean}{test}{why}")
    if found.noise is not None:
        lines.append(f"    another seed moves a value by {found.noise:.3g} (standard deviation)")
    if found.judgement == "unknown":
        lines.append(f"More runs may tell: {pasted('certify', folder)} --runs {2 * found.runs}")
    elif found.winner is not None:
        lines.append(f"Use it: {pasted('best', folder)}")
    return lines
