"""What agents and people ask of a study while it is at work: configurations to try, trials to run,
vetoes, pinned parameters, notes.

They stand in a file of their own in the study's folder, a line each, to which anybody may append at
any time; the study's driver reads it before each trial and never writes it. What has become of a
request follows from the trials, each of which names the request it came from, so that a crash can
neither lose one nor serve it twice.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from agenthpo.codec import adapter
from agenthpo.errors import StudyError
from agenthpo.files import open_regular, read_regular
from agenthpo.records import Claim, Expected, Params, Trial, Usage

__all__ = [
    "REQUESTS",
    "Asked",
    "Kind",
    "Overtaken",
    "Request",
    "add_request",
    "read_requests",
]

REQUESTS = "requests.jsonl"
Kind = Literal["try", "run", "veto", "pin", "unpin", "widen", "narrow", "note", "told"]
"""``try``: a configuration; ``run``: so many trials; ``widen``: a range, which ``narrow`` takes
back; ``told``: that the test metric was told.
"""
_MOST_BYTES, _MOST_IN_ALL = 64_000, 5_000_000
"""A request that is longer is refused, and one more where there are so many: all are read at every
trial.
"""


class Overtaken(StudyError):
    """Another request came after the study was read by which this one was decided."""


@dataclass(frozen=True)
class Request:
    """One request. Which of the fields count follows from its kind."""

    kind: Kind
    by: str
    """The name of the agent or the person."""
    is_person: bool = False
    """Whether a person asked, whose configurations need no turn."""
    id: str = ""
    """``r1``, ``r2`` … in the order in which they came; given when it is added."""
    at: float = 0.0
    """When it came, in seconds since the epoch."""
    params: Params = field(default_factory=dict)
    """Of ``try``: the configuration, a point of the space. Of ``pin``: the values. Of ``widen``:
    ``low``, ``high`` or the ``values`` to add.
    """
    rationale: str = ""
    hypothesis: str = ""
    expected: Expected | None = None
    claim: Claim | None = None
    usage: Usage = field(default_factory=Usage)
    """What an agent says that its proposal cost."""
    trials: int = 0
    """Of ``run``: how many."""
    by_engine: bool = False
    """Of ``run``: whether all of them are the engine's."""
    whose: str = ""
    """Of ``veto``: the id of the request that is not to be served. Of ``unpin``,
    ``widen`` and ``narrow``: the parameter.
    """
    trial: int | None = None
    """Of ``note``: the trial that it is on; None for the whole study."""
    text: str = ""
    """Of ``note``, ``veto``, ``pin``, ``unpin`` and ``widen``: the words."""


@dataclass(frozen=True)
class Asked:
    """All requests of a study, and what follows from them."""

    requests: tuple[Request, ...] = ()
    unread: int = 0
    """Lines that could not be read; they are left as they are, and count for nothing."""

    @property
    def vetoed(self) -> dict[str, Request]:
        """The vetoes, by the request that each is against."""
        return {r.whose: r for r in self.requests if r.kind == "veto"}

    @property
    def holding(self) -> dict[str, Request]:
        """The pins, by the parameter that each of them holds."""
        found: dict[str, Request] = {}
        for request in self.requests:
            if request.kind == "pin":
                found |= dict.fromkeys(request.params, request)
            elif request.kind == "unpin":
                found.pop(request.whose, None)
        return found

    @property
    def pins(self) -> Params:
        """The parameters that are held, and at which values."""
        return {name: pin.params[name] for name, pin in self.holding.items()}

    @property
    def widening(self) -> list[Request]:
        """The requests that widened a range, without those that were taken back."""
        found: list[Request] = []
        for request in self.requests:
            if request.kind == "widen":
                found.append(request)
            elif request.kind == "narrow":
                found = [each for each in found if each.whose != request.whose]
        return found

    @property
    def ranges(self) -> dict[str, Params]:
        """The ranges that were widened: parameter -> ``low``, ``high``, ``values`` to add."""
        found: dict[str, Params] = {}
        for request in self.widening:
            before = found.get(request.whose, {})
            lists = [each.get("values") for each in (before, request.params)]
            values = [v for each in lists if isinstance(each, list) for v in each]
            more = {"values": values} if values else {}
            found[request.whose] = before | request.params | more
        return found

    def notes(self, trial: int | None = None) -> list[Request]:
        """Return the notes on ``trial``; those on the whole study without it."""
        return [r for r in self.requests if r.kind == "note" and r.trial == trial]

    def waiting(self, trials: Sequence[Trial]) -> list[Request]:
        """Return the configurations that wait for a trial, people's first, in the order in which
        they came.
        """
        served = {t.proposal.queued for t in trials}
        left = [r for r in self.requests if r.kind == "try" and r.id not in served]
        left = [r for r in left if r.id not in self.vetoed]
        return sorted(left, key=lambda r: not r.is_person)

    def left_to_run(self, trials: Sequence[Trial]) -> list[tuple[Request, int]]:
        """Return the requests for trials that are not fully served, each with how many are left."""
        found = []
        for request in self.requests:
            if request.kind == "run" and request.id not in self.vetoed:
                begun = sum(t.proposal.asked == request.id for t in trials)
                if begun < request.trials:
                    found.append((request, request.trials - begun))
        return found

    def by_id(self, identity: str) -> Request | None:
        """Return the request of that id, None where there is none."""
        return next((r for r in self.requests if r.id == identity), None)


def read_requests(folder: Path) -> Asked:
    """Return what has been asked of the study in ``folder``; nothing where nobody has asked.

    :raises StudyError: if the file is there and cannot be read.
    """
    try:
        text = read_regular(folder / REQUESTS)
    except FileNotFoundError:
        return Asked()
    except OSError as problem:
        raise StudyError(
            f"{folder / REQUESTS} cannot be read ({problem.strerror}); make it a file that you "
            "may read, or move it away"
        ) from None
    return _parsed(text)


def add_request(folder: Path, request: Request, *, known: Asked | None = None) -> Request:
    """Append ``request`` to what is asked of the study in ``folder``, whoever is at work in it, and
    return it with its id.

    :param known: what had been asked when the caller decided; without it nothing is compared.
    :raises StudyError: if it cannot be written, or is too long.
    :raises Overtaken: if another request came in between.
    """
    try:
        with _locked(folder) as file:
            size = os.fstat(file).st_size
            if size > _MOST_IN_ALL:
                raise StudyError(
                    f"{folder / REQUESTS} has {size:,} bytes of requests and takes no more; begin "
                    "another study"
                )
            before = _parsed(_whole(file))
            if known is not None and before != known:
                raise Overtaken("another request came at the same time; ask again")
            # a torn line counts: no id is given twice
            number = len(before.requests) + before.unread + 1
            added = replace(request, id=f"r{number}", at=time.time())
            line = json.dumps(_plain(added), allow_nan=False).encode()
            if len(line) > _MOST_BYTES:
                raise StudyError(
                    f"a request of {len(line):,} bytes is too long; it may have {_MOST_BYTES:,}"
                )
            is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            _write(file, (b"\n" if is_torn else b"") + line + b"\n")
            return added
    except OSError as problem:
        raise StudyError(
            f"{folder / REQUESTS} cannot be written ({problem.strerror}); make its folder "
            "writable, and ask again"
        ) from None


def _plain(request: Request) -> dict[str, Any]:
    """Return what of a request says anything."""
    empty = asdict(Request(request.kind, request.by))
    return {
        name: value
        for name, value in asdict(request).items()
        if name in ("kind", "by") or value != empty[name]
    }


def _parsed(text: bytes) -> Asked:
    requests, unread = list[Request](), 0
    for number, line in enumerate(filter(None, text.split(b"\n")), 1):
        request = _request(line)
        # a line in another's place is nobody's
        if request is None or request.id != f"r{number}":
            unread += 1
        else:
            requests.append(request)
    return Asked(tuple(requests), unread)


def _request(line: bytes) -> Request | None:
    try:
        raw = json.loads(line)
        found: Request = adapter(Request).validate_python(_known(raw))
    except (ValueError, TypeError, RecursionError):
        return None
    return found


def _known(raw: Any) -> Mapping[str, Any]:
    """Return the fields of a line that this version knows."""
    if not isinstance(raw, dict):
        raise ValueError("no request")
    return {name: value for name, value in raw.items() if name in Request.__dataclass_fields__}


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    file = open_regular(folder / REQUESTS, os.O_CREAT | os.O_RDWR | os.O_APPEND)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)  # held for milliseconds, and gone with its holder
        yield file
    finally:
        os.close(file)


def _whole(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)
