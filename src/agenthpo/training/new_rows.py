"""Which rows of a file that is read anew each time were not told yet."""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.training.readers import Row

__all__ = ["NewRows"]


class NewRows:
    """Remember how many rows were told, and what the last one was."""

    def __init__(self) -> None:
        self.told = 0
        self._last = ""

    def of(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return those of ``rows`` that are new: what stands behind the told ones, or the last one
        again where it has changed, as in a result that is written anew.
        """
        told = self.told
        last = repr(rows[-1]) if rows else ""  # nan is the same as nan here
        if rows and told == len(rows) and last != self._last:
            told -= 1
        self.told, self._last = len(rows), last
        return rows[told:]
