"""Lines of text out of a stream of bytes, as a terminal shows them."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["Lines"]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LONGEST_LINE = 65536


class Lines:
    """Cut a stream of bytes into lines of text, at ``\\n`` and at the ``\\r`` of progress bars, in
    bounded memory.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(
        self, chunk: bytes, *, final: bool = False, needles: Sequence[bytes] | None = None
    ) -> list[str]:
        """Return the lines that ``chunk`` completes, as a terminal shows them; with ``final``, the
        unfinished last one as well.

        With ``needles`` (in lower case), only lines that hold one of them, in any case: what no
        reader can need is not looked at.
        """
        data = self._rest + chunk
        end = len(data) if final else max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        body, self._rest = data[:end], data[end:]
        if len(self._rest) > _LONGEST_LINE:
            self._rest = self._rest[-_LONGEST_LINE:]
        whole = (
            re.split(rb"[\r\n]+", body)
            if needles is None
            else _lines_with(body, (*needles, b"\x1b", b"\b"))
        )
        return [_shown(line.decode("utf-8", "replace")) for line in whole if line]


def _lines_with(body: bytes, needles: Sequence[bytes]) -> list[bytes]:
    """Return the lines of ``body`` that hold one of ``needles``, in their order; the others cost a
    search and nothing else.
    """
    lowered = body.lower()
    spans = dict[int, int]()
    breaks = [mark for mark in (b"\n", b"\r") if mark in body]
    for needle in needles:
        end = 0
        place = lowered.find(needle)
        while place >= 0:
            start = max([end, *(body.rfind(mark, end, place) + 1 for mark in breaks)])
            end = min(
                [len(body), *(found for mark in breaks if (found := body.find(mark, place)) >= 0)]
            )
            spans[start] = end
            place = lowered.find(needle, end)
    return [body[start : spans[start]] for start in sorted(spans)]


def _shown(line: str) -> str:
    """Return ``line`` without ANSI codes, its backspaces carried out: what comes after one is
    written over what was there.
    """
    line = _ANSI.sub("", line)
    if "\b" not in line:
        return line
    cells = list[str]()
    cursor = 0
    for character in line:
        if character == "\b":
            cursor = max(0, cursor - 1)
        else:
            cells[cursor : cursor + 1] = [character]
            cursor += 1
    return "".join(cells)
