"""Which lines of a log come nearest to a report of a metric: what to show to someone whose metric
never came.

Constant memory, and little time on a line that shares no word with the metric.
"""

from __future__ import annotations

import difflib
import re

from agenthpo.text.redaction import redact

__all__ = ["Likeness"]

_MOST, _WIDTH = 3, 120
_WORDS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"[-+]?\d[\d.,e+-]*%?")
_SYNONYMS = {
    "acc": "accuracy",
    "val": "validation",
    "valid": "validation",
    "err": "error",
    "prec": "precision",
}


class Likeness:
    """The three lines with a number that are most like ``metric``, each of another shape, the best
    first.
    """

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self._words = _words(metric)
        # Three letters of a word find `acc` in `Accuracy` and `validation` for `val`, at the price
        # of a substring search.
        self._stems = tuple({word[:3] for word in self._words})
        self._found: dict[str, tuple[float, str]] = {}

    @property
    def stems(self) -> tuple[str, ...]:
        """Texts one of which every line holds that is looked at."""
        return self._stems

    def take(self, line: str) -> None:
        """Take in a line of output."""
        lowered = line[:500].lower()
        if not any(stem in lowered for stem in self._stems):
            return
        line = " ".join(line[:500].split())
        shape = _DIGITS.sub("0", line)
        if shape == line or shape in self._found:  # no number, or the same line of another epoch
            return
        self._found[shape] = (self._score(line), redact(line, quick=True)[:_WIDTH])
        if len(self._found) > _MOST:
            del self._found[min(self._found, key=lambda s: self._found[s][0])]

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that were found."""
        return tuple(line for _, line in sorted(self._found.values(), key=lambda found: -found[0]))

    def _score(self, line: str) -> float:
        """Return how many of the metric's words the line has, then how close the nearest name in it
        is.
        """
        there = _words(line)
        names = re.findall(r"[\w.-]+", line)
        nearest = max(
            (
                difflib.SequenceMatcher(None, self.metric.lower(), name.lower()).ratio()
                for name in names[:40]
            ),
            default=0.0,
        )
        return len(self._words & there) / len(self._words or {""}) + nearest


def _words(text: str) -> set[str]:
    return {_SYNONYMS.get(word, word) for word in _WORDS.findall(text.lower())}
