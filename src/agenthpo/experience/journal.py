"""The journal file of a study: Optuna's own format, with a checksum in each line that we write.

A line is whole or it is damage, which is told with its line and byte; the lines around it stay
readable. A trial whose first line is damaged keeps its number, so that no later line is taken for
one of another trial. Reading writes nothing.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend

from agenthpo.files import open_regular

__all__ = [
    "DAMAGED",
    "META",
    "Damage",
    "Journal",
    "JournalFile",
    "fix_end",
    "read_journal",
    "storage_of",
    "write_repaired",
]

META = "agenthpo"
"""The attribute of an Optuna study that makes it one of ours."""
DAMAGED = "agenthpo_damaged"
"""The attribute of a trial that stands for one whose first line is damaged: which line that is."""
_CREATE_STUDY = 0
_SET_STUDY_ATTRIBUTE = 2
_CREATE_TRIAL = 4
_FIRST_OF_TRIAL = range(5, 10)
_SEAL = re.compile(rb',"crc":"([0-9a-f]{8})"\}\s*$')
_START = re.compile(rb'\{"op_code"')
_MOST_LOST = 100_000
_BLOCK = 1 << 16
_NOTHING = {"op_code": 3, "worker_id": "", "study_id": -1, "system_attr": {}}
"""An operation on a study that is not there, which Optuna passes over."""


@dataclass(frozen=True)
class Damage:
    """A place of the journal that cannot be read: its line and the byte of the file, both from 1
    on, and why.
    """

    line: int
    byte: int
    why: str

    def __str__(self) -> str:
        return f"line {self.line}, byte {self.byte} ({self.why})"


@dataclass
class Journal:
    """What a journal holds: the operations that are whole, and the places that are not."""

    operations: list[dict[str, Any]] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    end: int = 0
    """Where its last finished line ends; what follows is what a crash left unfinished."""
    is_unended: bool = False
    """Whether only the line break of the last line is missing."""


class Lock(Protocol):
    """What keeps others from writing at the same time."""

    def acquire(self) -> bool:
        """Wait for the lock and take it."""
        ...

    def release(self) -> None:
        """Let others have it."""
        ...


class JournalFile(JournalFileBackend):
    """Optuna's journal file, whose lines carry a checksum; other programs read them as they read
    any.
    """

    def __init__(self, path: Path, lock: Lock) -> None:
        if not os.path.lexists(path):
            os.close(open_regular(path, os.O_CREAT | os.O_WRONLY))
        super().__init__(str(path), lock_obj=lock)  # type: ignore[arg-type]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write ``logs`` with their checksums, after the last finished line: another driver may
        have been killed as it wrote, and what it left was never confirmed.
        """
        self._lock.acquire()
        try:
            _cut_unfinished(Path(self._file_path))
            super().append_logs([_sealed(log) for log in logs])
        finally:
            self._lock.release()


class _Fixed(BaseJournalBackend):
    """Operations that were read already; nothing can be added."""

    def __init__(self, operations: Sequence[dict[str, Any]]) -> None:
        self.operations = list(operations)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        yield from self.operations[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        raise RuntimeError("a study that was opened to be read is written to")


def storage_of(journal: Journal) -> JournalStorage:
    """Return what ``journal`` holds as an Optuna storage that can only be read."""
    return JournalStorage(_Fixed(journal.operations))


def read_journal(path: Path) -> Journal:
    """Read the journal file ``path``.

    :raises OSError: if it cannot be read at all.
    """
    with open(open_regular(path), "rb") as file:
        data = file.read()
    lines = data.split(b"\n")
    last = lines.pop()
    journal = Journal(end=len(data) - len(last))
    reading = _Reading()
    byte = 0
    for number, line in enumerate(lines, start=1):
        reading.take(line, number, byte)
        byte += len(line) + 1
    if last:
        whole = _whole_at_start(last)
        journal.is_unended = whole == len(last)
        if whole:  # all of it was written: what is wrong is its end
            journal.end = len(data)
            reading.take(last, len(lines) + 1, byte)
    reading.close()
    journal.operations, journal.damages = reading.operations, reading.damages
    _apply_all(journal, reading)
    return journal


def fix_end(path: Path, journal: Journal) -> None:
    """Cut what a crash left unfinished at the end of ``path``, which was never confirmed: the next
    line would be glued to it.
    """
    if journal.is_unended:
        with open(open_regular(path, os.O_WRONLY | os.O_APPEND), "ab") as file:
            file.write(b"\n")
    elif path.stat().st_size > journal.end:
        os.truncate(path, journal.end)


def _cut_unfinished(path: Path) -> None:
    """Cut an unfinished line off the end of ``path``."""
    with open(open_regular(path, os.O_RDWR), "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        if not end:
            return
        file.seek(end - 1)
        if file.read(1) == b"\n":
            return
        place = 0
        while end and not place:
            start = max(0, end - _BLOCK)
            file.seek(start)
            place = file.read(end - start).rfind(b"\n") + 1
            place, end = (start + place if place else 0), start
        file.truncate(place)


def write_repaired(journal: Journal, path: Path) -> None:
    """Write what ``journal`` holds into the new file ``path``.

    :raises OSError: if it exists or cannot be written.
    """
    with open(open_regular(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY), "wb") as file:
        file.write(
            b"".join(_line(_sealed(o)) + b"\n" for o in journal.operations if o is not _NOTHING)
        )


def _sealed(log: dict[str, Any]) -> dict[str, Any]:
    body = {name: value for name, value in log.items() if name != "crc"}
    return {**body, "crc": f"{zlib.crc32(_line(body)):08x}"}


def _line(log: dict[str, Any]) -> bytes:
    """Return a line as Optuna writes it, without its end."""
    return json.dumps(log, separators=(",", ":")).encode()


class _Reading:
    """Collect the operations of a journal, line by line."""

    def __init__(self) -> None:
        self.operations: list[dict[str, Any]] = []
        self.places: list[tuple[int, int]] = []
        self.damages: list[Damage] = []
        self._trials = 0
        self._lost_studies: list[int] = []
        # a damaged line without its end, whose rest may be the next line
        self._cut = b""
        self._cut_at = (0, 0)

    def take(self, line: bytes, number: int, byte: int) -> None:
        """Take in line ``number``, which begins at offset ``byte``."""
        if not line.strip():
            return
        operation, why, at = _operation(line)
        starts = [match.start() for match in _START.finditer(line)]
        if operation is None and self._cut and not starts:
            # a line break came into the middle of a line: both parts are one lost line
            self.damages.append(Damage(number, byte + at + 1, why))
            self._cut += line
            if _SEAL.search(line):
                self._close_cut()
            return
        self._close_cut()
        if operation is not None:
            misplaced = self._misplaced(operation)
            if misplaced is None:
                self._add(operation, number, byte)
                return
            why = misplaced
        self.damages.append(Damage(number, byte + at + 1, why))
        starts = starts or [0]
        # where a line break was lost, both lines are whole
        for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
            if whole := _whole_at_start(line[start:end]):
                found, _, _ = _operation(line[start : start + whole])
                if found is not None and self._misplaced(found) is None:
                    self._add(found, number, byte + start)
            elif end == len(line) and not _SEAL.search(line):
                self._cut, self._cut_at = line[start:], (number, byte + start)
            else:
                self._lost(line[start:end], number, byte + start)

    def close(self) -> None:
        """Take note that nothing follows."""
        self._close_cut()
        self._studies_of_meta()

    def _close_cut(self) -> None:
        if self._cut:
            self._lost(self._cut, *self._cut_at)
            self._cut = b""

    def _add(self, operation: dict[str, Any], number: int, byte: int) -> None:
        if operation["op_code"] == _CREATE_TRIAL:
            attributes = operation.get("user_attrs")
            known = attributes.get("number") if isinstance(attributes, dict) else None
            if (
                isinstance(known, int)
                and self.damages
                and self._trials < known < self._trials + _MOST_LOST
            ):
                # trials whose damaged line did not even show that it began one
                while self._trials < known:
                    self._stand_in(self.damages[-1].line, number, byte)
            self._trials += 1
        self.operations.append(operation)
        self.places.append((number, byte))

    def _lost(self, line: bytes, number: int, byte: int) -> None:
        """Put something instead of a damaged line that began a study or a trial: what follows
        counts on it.
        """
        if re.search(rb'"op_code":\s*0\b|"study_name"', line):
            self._lost_studies.append(len(self.operations))
            maximize = re.search(rb'"directions":\s*\[\s*2', line)
            self.operations.append(
                {
                    "op_code": 0,
                    "worker_id": "",
                    "study_name": "damaged",
                    "directions": [2 if maximize else 1],
                }
            )
            self.places.append((number, byte))
        elif re.search(rb'"op_code":\s*4\b|"distributions":', line):
            self._stand_in(number, number, byte)

    def _stand_in(self, damaged: int, number: int, byte: int) -> None:
        attributes = {DAMAGED: damaged}
        create = {
            "op_code": 4,
            "worker_id": "",
            "study_id": 0,
            "datetime_start": None,
            "user_attrs": attributes,
        }
        self._trials += 1
        self.operations.append(create)
        self.places.append((number, byte))

    def _misplaced(self, operation: dict[str, Any]) -> str | None:
        """Return why ``operation`` cannot follow what came before it, else None."""
        trial = operation.get("trial_id")
        if operation["op_code"] not in _FIRST_OF_TRIAL or not isinstance(trial, int):
            return None
        if trial >= self._trials and self.damages:  # it speaks of a trial whose first line was lost
            while trial >= self._trials and trial < self._trials + _MOST_LOST:
                self._stand_in(self.damages[-1].line, 0, 0)
        return None if trial < self._trials else f"it speaks of trial {trial}, which nothing began"

    def _studies_of_meta(self) -> None:
        """Take a lost study's direction from our words about it, where they are whole."""
        for at in self._lost_studies:
            for operation in self.operations:
                meta = (
                    operation.get("user_attr", {}).get(META)
                    if operation["op_code"] == _SET_STUDY_ATTRIBUTE
                    else None
                )
                if isinstance(meta, dict) and meta.get("direction") in ("minimize", "maximize"):
                    goals = meta.get("goals") or ()
                    ways = [meta["direction"], *(goal.get("direction") for goal in goals)]
                    self.operations[at]["directions"] = [
                        2 if way == "maximize" else 1 for way in ways
                    ]


def _operation(line: bytes) -> tuple[dict[str, Any] | None, str, int]:
    """Return the operation of a line, or None with the reason and the offset where it shows."""
    seal = _SEAL.search(line)
    try:
        read = json.loads(line)
    except json.JSONDecodeError as problem:
        return (
            None,
            "it is no JSON",
            len(problem.doc[: problem.pos].encode("utf-8", "surrogatepass")),
        )
    except UnicodeDecodeError as problem:
        return None, "it is no text", problem.start
    except (ValueError, RecursionError):
        return None, "it is no JSON", 0
    if (
        not isinstance(read, dict)
        or not isinstance(read.get("op_code"), int)
        or isinstance(read.get("op_code"), bool)
    ):
        return None, "it is no operation", 0
    if seal and int(seal[1], 16) != zlib.crc32(line[: seal.start()] + b"}"):
        return None, "it was changed", 0
    # a checksum, but for a letter
    if not seal and any(name not in _KNOWN and len(name) <= len("crc") for name in read):
        return None, "it was changed", 0
    read.pop("crc", None)
    return read, "", 0


_KNOWN = frozenset(
    [
        "op_code",
        "worker_id",
        "study_name",
        "directions",
        "study_id",
        "user_attr",
        "system_attr",
        "datetime_start",
        "datetime_complete",
        "state",
        "value",
        "values",
        "params",
        "distributions",
        "distribution",
        "user_attrs",
        "system_attrs",
        "intermediate_values",
        "trial_id",
        "param_name",
        "param_value_internal",
        "step",
        "intermediate_value",
    ]
)


def _whole_at_start(line: bytes) -> int:
    """Return how many bytes of ``line`` are a whole operation with its checksum, from its start on;
    0 where none is.
    """
    end = line.find(b',"crc":"')
    while end >= 0:
        stop = end + len(b',"crc":"00000000"}')
        if _SEAL.search(line[:stop]) and _operation(line[:stop])[0] is not None:
            return stop
        end = line.find(b',"crc":"', end + 1)
    return 0


def _apply_all(journal: Journal, reading: _Reading) -> None:
    """Let Optuna replay the operations; what it cannot is damage too."""
    try:
        storage_of(journal)
    except Exception:  # a foreign line may hold anything
        good = _Fixed([])
        storage = JournalStorage(good)
        for operation, (line, byte) in zip(reading.operations, reading.places, strict=True):
            good.operations.append(operation)
            try:
                storage.get_all_studies()
            except Exception as problem:
                good.operations[-1] = _NOTHING  # in its place, so that the count stays
                journal.damages.append(
                    Damage(line, byte + 1, f"it cannot be replayed: {type(problem).__name__}")
                )
        journal.operations = good.operations
        journal.damages.sort(key=lambda damage: damage.line)
