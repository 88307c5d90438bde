"""What reaches a terminal: every face prints by these, so that no text of a log, a model or a study
can move more than its own words.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from agenthpo.text.cleaning import clean

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["clean_console", "say"]


def say(*lines: str, error: bool = False, end: str = "\n") -> None:
    """Print ``lines`` cleaned, on standard error if they report an ``error``."""
    print(clean("\n".join(lines)), file=sys.stderr if error else sys.stdout, end=end, flush=True)


def clean_console(**options: Any) -> Console:
    """Return a rich console for which brackets and colons in data are characters as any other, and
    whose words are cleaned.
    """
    from collections.abc import Iterable

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Clean(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(clean(segment.text), segment.style)

    return Clean(highlight=False, markup=False, emoji=False, **options)
