"""The forms in which scripts print a metric by its name: ``acc: 0.9``, ``acc=0.9``, ``acc 0.9``,
``'acc': 0.9``, ``| acc | 0.9 |``, or a column of a table. They are read where nothing else gives
the metric.
"""

from __future__ import annotations

import re

__all__ = ["Columns", "plain_pattern"]

_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?(?:nan|inf(?:inity)?)\b"
_OTHERS = (
    *("train", "training", "val", "valid", "validation", "test", "testing", "eval", "evaluation"),
    *("dev", "best", "min", "max", "minimum", "maximum", "lowest", "highest", "previous", "old"),
    *("target", "expected", "running", "batch", "smoothed", "ema", "no", "not"),
)
"""Words before a name that make it that of another metric."""
_FEWEST_COLUMNS = 3
_BETWEEN = re.compile(r"[|│┃]")
_TIME = re.compile(r"\d+:\d\d(?::\d\d)?|\d+(?:\.\d+)?s")
_WHOLE = re.compile(_NUMBER, re.IGNORECASE)


def plain_pattern(name: str) -> str | None:
    """Return a regular expression, whose group is the value, for a metric that is printed by its
    name: its words may be joined by blanks, dots, dashes or slashes, in any case. None for a name
    without a word.

    A name after another word of its kind is another metric: ``val loss`` is no ``loss``.

    >>> import re
    >>> re.search(plain_pattern("val_acc"), "epoch 3 | Val acc: 0.9 | val loss 0.2")[1]
    '0.9'
    >>> re.search(plain_pattern("loss"), "val loss: 0.2") is None
    True
    """
    words = re.findall(r"[^\W_]+", name)
    if not words:
        return None
    joined = r"[ _./-]?".join(re.escape(word) for word in words)
    own = {word.lower() for word in words}
    others = "".join(
        rf"(?<!\b{word}{between})"
        for word in _OTHERS
        if word not in own
        for between in (" ", ": ", "-", "_", "/", r"\.")
    )
    between = r"[\"']?(?:\s*[:=|│┃]\s*|\s+is\s+|\s+)"
    # looked behind only where the name stands
    return rf"(?i:(?={joined})(?<![\w@])(?<!\w[./-]){others}{joined}{between})({_NUMBER})"


class Columns:
    """A metric's column in a table whose heading has its name: rows of as many numbers."""

    def __init__(self, name: str) -> None:
        self._name = _plain(name)
        self._places = dict[int, int]()
        """For each number of columns that the heading may mean, the metric's."""

    @property
    def is_open(self) -> bool:
        """Whether its heading was seen, so that rows may follow."""
        return bool(self._places)

    def value(self, line: str) -> str | None:
        """Return the metric's number in ``line`` as it is written; None where it is no row of such
        a table.
        """
        line = line[:2000].strip()
        cells = _cells(line)
        if len(cells) < _FEWEST_COLUMNS:
            return None
        if not any(_WHOLE.fullmatch(cell) for cell in cells):
            self._read_heading(line, cells)
            return None
        place = self._places.get(len(cells))
        if place is None or not _WHOLE.fullmatch(cells[place]):
            return None
        is_row = all(_WHOLE.fullmatch(c) or _TIME.fullmatch(c) or c in ("-", "—") for c in cells)
        return cells[place] if is_row else None

    def _read_heading(self, line: str, cells: list[str]) -> None:
        """Note where the metric stands. A name of two words (``LOSS TOK2VEC``) is one column where
        columns are two blanks apart.
        """
        found = dict[int, int]()
        for names in ([_plain(c) for c in cells], [_plain(c) for c in re.split(r"\s{2,}", line)]):
            if self._name in names and len(names) >= _FEWEST_COLUMNS:
                found[len(names)] = names.index(self._name)
        if found:
            self._places = found
        elif all(re.search(r"[A-Za-z]", cell) for cell in cells):
            self._places = {}  # another heading, or a sentence


def _cells(line: str) -> list[str]:
    if _BETWEEN.search(line):
        return [cell for each in _BETWEEN.split(line) if (cell := each.strip())]
    return line.split()


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
