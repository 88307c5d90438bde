"""Why a script ended badly, in one line, from the last lines that it wrote: the exception's own,
not whatever came after it.

Text is data: nothing is executed, and what is not recognised is told by its last line that says
something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

__all__ = ["Cause", "cause_of"]

_RANK = re.compile(r"^\[(?:rank|default)(\d+)\]:\s?")
_HEADER = re.compile(
    r"^[\s+|]*(?:╭─+\s*)?(?:Exception Group |Original )?Traceback \(most recent call last\)"
)
_GROUP = re.compile(r"^\s*[|+]\s?")
_RAISED = re.compile(r"^((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?::\s?(.*))?$")
_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+)')
_RICH_FRAME = re.compile(r"^│\s*(\S+\.py):(\d+) in ")
_BOX = re.compile(r"^[╭│╰├└┌╞╘┃┏┗]")
_NOT_THEIRS = re.compile(
    r"^<(?!string)|site-packages|dist-packages|/lib/python\d|agenthpo/(?:constants|training/)"
)
_LAUNCHERS = {"ChildFailedError", "CalledProcessError", "ProcessExitedException", "SystemExit",
              "TimeoutExpired"}  # fmt: skip
"""Exceptions of programs that start others: the cause is in what those wrote."""
_OPTIONS = re.compile(
    r"(?:unrecognized arguments?|No such option|Could not consume arg|Unrecognized options?"
    r"|unknown option|no such option|unexpected argument)s?:? ['\"`]?(-[^\s'\",`]+)"
    r"|Unknown command line flag '([^']+)'",
    re.IGNORECASE,
)
_USAGE_ERROR = re.compile(r"^(?:\S+: )?error: (.+)|^Error: (.+)|^FATAL Flags parsing error: (.+)")
_USAGE = re.compile(r"^\s*usage: ", re.IGNORECASE)
_SAID = re.compile(
    r"^(?:Could not override .+|Error parsing override .+|In '.+': Could not .+"
    r"|Cannot find primary config .+|Primary config module .+)$"
)
_PYTHON = re.compile(
    r"^(?:\S*/)?python[\d.]*: (can't open file .+|No module named .+|Error while finding .+)"
)
_ABORTED = re.compile(r"^terminate called after throwing an instance of '(.+)'")
_WHAT = re.compile(r"^\s*what\(\):\s+(.+)")
_FATAL = re.compile(r"^(Fatal Python error: .+)")
_THREAD_FRAME = re.compile(r'^\s+File "([^"]+)", line (\d+) in ')
_ASSERTION = re.compile(r"^\S+: (\S+:\d+: .*Assertion .+ failed\.)")
_NAMED = re.compile(r"^((?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Interrupt)\b: .+)$")
_NOISE = re.compile(
    r"^[\W_]*$|^Set the environment variable HYDRA_FULL_ERROR|^wandb: |Find logs at"
    r"|^make(?:\[\d+\])?: |^BEGIN failed|^Aborted|^srun: error: .*Exited with|^For full helptext"
    r"|^Try '.*--help|^Pass --helpshort|^\s+at |^Node\.js v|^\s*warnings\.warn|^Simplified|^See https?://"
    r"|^For simplicity, JAX has removed|^tip: |^\s*\d+%\||^exit status \d+$|--help$"
)
"""Lines that say nothing of the cause."""
_AFTER_ALL = 6
"""Lines after a traceback from which on it may have been one that the script went on from."""


class Cause(NamedTuple):
    """Why a script ended."""

    words: str
    place: str = ""
    """The frame in the user's own code, and the rank of the process that failed first."""

    def __str__(self) -> str:
        return f"{self.words} ({self.place})" if self.place else self.words


class _Raised(NamedTuple):
    words: str
    frame: str
    rank: str
    end: int
    """The line after it."""

    @property
    def is_launchers(self) -> bool:
        return self.words.partition(":")[0] in _LAUNCHERS


def cause_of(lines: Sequence[str]) -> Cause:
    """Return why a script ended that wrote these lines last; without words where there are none.

    Of a traceback the exception's name and first line and the last frame in the user's own code,
    of several processes the first that failed with its rank, of a usage text what it complains
    about.

    >>> log = ["Traceback (most recent call last):", '  File "train.py", line 3, in <module>']
    >>> str(cause_of([*log, "ValueError: too small", "wandb: Find logs at: ./wandb"]))
    'ValueError: too small (train.py, line 3)'
    """
    lines = [line.rstrip() for line in lines]
    raised = list(_tracebacks(lines))
    failed_first = _root_cause(lines)
    theirs = [each for each in raised if not each.is_launchers]
    ranked = [each for each in theirs if each.rank]
    found = ranked[0] if ranked else theirs[-1] if theirs else None
    if found is not None and not _went_on(lines[found.end :], found):
        found = found if found.rank else found._replace(rank=failed_first)
        return _cause(found, theirs)
    plain = [_RANK.sub("", line) for line in lines]
    for read in (_usage, _native, _of_python):
        if words := read(plain):
            return Cause(words)
    if found is not None or raised:
        return _cause(found or raised[-1], theirs)
    said = [line.strip() for line in plain if line.strip()]
    return Cause(
        next((line for line in reversed(said) if not _NOISE.search(line)), (said or [""])[-1])
    )


def _root_cause(lines: Sequence[str]) -> str:
    """Return the rank that torchrun saw fail first, empty where it says none."""
    start = next((i for i, line in enumerate(lines) if line.startswith("Root Cause")), len(lines))
    match = re.search(r"^\s*rank\s*: (\d+)", "\n".join(lines[start : start + 8]), re.MULTILINE)
    return match[1] if match else ""


def _went_on(after: Sequence[str], found: _Raised) -> bool:
    """Return whether a script said another error after a traceback, long after it."""
    if found.rank:
        return False
    said = [line for line in after if not _NOISE.search(line) and not line.startswith(" ")]
    return len(said) > _AFTER_ALL and bool(_usage(after) or _native(after))


def _cause(found: _Raised, every: Sequence[_Raised]) -> Cause:
    """Return an exception with its place: that of the worker it came from, where another process
    raised it first.
    """
    same = [each for each in every if each.words == found.words and each.frame]
    first = found if found.rank and found.frame else (same or [found])[0]
    rank = f"rank {found.rank}" if found.rank else ""
    return Cause(found.words, "; ".join(filter(None, [first.frame, rank])))


def _tracebacks(lines: Sequence[str]) -> Iterator[_Raised]:
    """Yield what the tracebacks in ``lines`` end in."""
    # one whose heading is not among the last lines goes on with a line that is indented
    starts = [-1] if lines and lines[0].startswith(" ") else []
    starts += [i for i, line in enumerate(lines) if _HEADER.match(_RANK.sub("", line))]
    for i in starts:
        line = lines[max(i, 0)]
        rank = _RANK.match(line)
        frame = ""
        is_group = "Exception Group" in line
        for j in range(i + 1, len(lines)):
            text = _RANK.sub("", lines[j])
            text = _GROUP.sub("", text) if is_group else text
            if match := _FRAME.match(text) or _RICH_FRAME.match(text):
                if not _NOT_THEIRS.search(match[1]):
                    frame = f"{PurePath(match[1]).name}, line {match[2]}"
            elif text and not text[0].isspace() and not _BOX.match(text):
                if (words := _exception(text, lines[j + 1 :])) is not None:
                    yield _Raised(words, frame, rank[1] if rank else "", j + 1)
                break
    yield from _syntax_errors(lines)


def _exception(text: str, after: Sequence[str]) -> str | None:
    """Return an exception's name and the first line of what it says; None where ``text`` is
    none.
    """
    match = _RAISED.match(text)
    if match is None:
        return None
    name = match[1].rpartition(".")[2]
    said = (match[2] or "").strip()
    if not said and ":" in text:
        said = next((line.strip() for line in after[:3] if line.strip()), "")
    return f"{name}: {said}" if said else name


def _syntax_errors(lines: Sequence[str]) -> Iterator[_Raised]:
    """Yield the errors of Python's own parser in a script, which have no heading."""
    for i, line in enumerate(lines):
        if re.match(r"(?:SyntaxError|IndentationError|TabError): ", line):
            above = [m for each in lines[max(0, i - 5) : i] if (m := _FRAME.match(each))]
            place = f"{PurePath(above[-1][1]).name}, line {above[-1][2]}" if above else ""
            yield _Raised(line, place, "", i + 1)


def _usage(lines: Sequence[str]) -> str:
    """Return what a usage text complains about, empty where none does."""
    has_usage = any(_USAGE.match(line) for line in lines)
    for line in reversed(lines):
        text = line.strip("│┃ ")
        if match := _OPTIONS.search(text):
            option = match[1] or f"--{match[2]}"
            return f"unknown option {option.rstrip('.')}"
        match = _USAGE_ERROR.match(text)
        if match and (has_usage or match[3]):
            return str(next(filter(None, match.groups())))
    return ""


def _native(lines: Sequence[str]) -> str:
    """Return what a program in C or C++ died of, empty where none did."""
    for i in range(len(lines) - 1, -1, -1):
        if match := _ABORTED.match(lines[i]):
            what = next((m[1] for line in lines[i + 1 : i + 4] if (m := _WHAT.match(line))), "")
            return f"{match[1]}: {what}" if what else match[1]
        if match := _ASSERTION.match(lines[i]):
            return match[1]
        if match := _FATAL.match(lines[i]):
            frames = [m for line in lines[i + 1 :] if (m := _THREAD_FRAME.match(line))]
            ours = next((m for m in frames if not _NOT_THEIRS.search(m[1])), None)
            place = f" ({PurePath(ours[1]).name}, line {ours[2]})" if ours else ""
            return f"{match[1]}{place}"
    return ""


def _of_python(lines: Sequence[str]) -> str:
    """Return what Python itself, Hydra or a program without a traceback says, empty where none
    does.
    """
    for line in lines:
        if _SAID.match(line):
            return line
    for line in reversed(lines):
        if match := _PYTHON.match(line) or _NAMED.match(line):
            return match[1]
    return ""
