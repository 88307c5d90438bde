"""Run one trial: in a process group of its own under a supervisor, or as a function in this
process; its output is read live.

A run that has an outcome on disk is not run again.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from agenthpo.command.resolve import CONFIG_YAML
from agenthpo.files import RUN_LOG, make_folder, open_regular
from agenthpo.limit import MEASURED
from agenthpo.records import Outcome, RunSpec
from agenthpo.script import ATTEMPT_VARIABLE, METRICS_FILE, PARAMS_FILE, in_trial
from agenthpo.text.redaction import redact
from agenthpo.training import supervisor
from agenthpo.training.attempts import begin_attempt, end_processes, new_token
from agenthpo.training.divergence import divergence
from agenthpo.training.found_files import FoundFiles
from agenthpo.training.lines import Lines
from agenthpo.training.metrics import MetricReader, Point
from agenthpo.training.metrics_file import TableFile
from agenthpo.training.near_misses import Likeness
from agenthpo.training.outcome import OUTCOME_FILE, judge, load_outcome, save_outcome
from agenthpo.training.patterns import PatternError, needles_of
from agenthpo.training.run_end import RunEnd, read_end
from agenthpo.training.stopping import STOP_FILE, asked_to_stop

__all__ = ["OnPoint", "Stopped", "run"]

OnPoint = Callable[[Point], None]
_OURS = (METRICS_FILE, PARAMS_FILE, CONFIG_YAML, OUTCOME_FILE, STOP_FILE)
"""Files of the trial's folder that are no results of the script's."""
_POLL_S = 0.1
_SHOWN = 12
"""Names of numbers that a sentence tells."""
_CHUNK = 1 << 20
_BEHIND, _TELL_S = 50_000_000, 1.0
"""Bytes of a log that are left to read from which on it is told how far that is, and how often, in
seconds.
"""
_HEAD_LINES, _TAIL_LINES, _TAIL_WIDTH, _LONGEST_LINE = 20, 20, 300, 4000
_WINDOW = 4 * _TAIL_LINES * _TAIL_WIDTH
"""Bytes at either end of a log that are looked through for its first and last lines."""


class Stopped(BaseException):
    """The run was to be stopped before its end, by whoever runs it."""


def run(
    spec: RunSpec,
    on_point: OnPoint = lambda point: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run the trial and return its outcome, failures included; ``on_point`` sees each report within
    a second.

    On KeyboardInterrupt, and as soon as it ``is_stopped``, the training and all its children are
    ended, nothing is recorded, and the exception is passed on.

    :raises Stopped: where it was stopped.
    """
    workdir = Path(spec.workdir)
    if (saved := load_outcome(workdir, spec.owner)) is not None:
        return saved
    token = new_token(spec)
    with open(begin_attempt(workdir, spec), "r+b", buffering=0) as log:
        reader = _Reader(spec, on_point, token, log)
        end = (
            _call(spec, reader, token=token, log=log)
            if spec.function is not None
            else _execute(spec, reader, token=token, log=log, is_stopped=is_stopped)
        )
        if is_stopped():  # what ended the training may be what stopped us
            raise Stopped
        head, ending = _ends(log)
        tail = _told(ending[-_TAIL_LINES:])
        outcome = judge(
            spec,
            reader.metrics,
            end=end,
            tail=tail,
            ending=ending,
            alike=reader.alike,
            file_problem="" if spec.metric in reader.metrics.curves else reader.file_problem,
        )
        outcome = replace(outcome, log_head=head)
    _save(outcome, workdir, spec)
    return outcome


def _save(outcome: Outcome, workdir: Path, spec: RunSpec) -> None:
    """Keep the outcome until it is recorded; a folder that the script removed or replaced is made
    anew.
    """
    make_folder(workdir)
    save_outcome(outcome, workdir, spec.owner)


class _Reader:
    """Follow a trial's report file and log as they grow."""

    def __init__(
        self, spec: RunSpec, on_point: OnPoint, token: str = "", log: BinaryIO | None = None
    ) -> None:
        limited = {limit.metric for limit in spec.limits} - set(MEASURED)
        wanted = frozenset(filter(None, (spec.metric, spec.test_metric, *spec.others, *limited)))
        self.metrics = MetricReader(wanted, spec.patterns, on_point, attempt=token)
        self._likeness = Likeness(spec.metric)
        self._wanted = needles_of(spec.patterns, wanted)
        self._files = _files(spec, sorted(wanted, key=lambda name: name != spec.metric))
        self._spec, self._began = spec, time.time()
        self._log = log or open(open_regular(Path(spec.workdir) / RUN_LOG), "rb", buffering=0)  # noqa: SIM115 the run's own, closed with it
        self._log_end = 0
        self._log_lines = Lines()
        self._told = time.monotonic()
        self._report = _Growing(Path(spec.workdir) / METRICS_FILE)
        self._report_lines = Lines()

    def poll(self, *, final: bool = False) -> None:
        """Take in what is new."""
        for chunk in self._report.new():
            self._feed(self._report_lines.feed(chunk), self.metrics.read_report)
        for chunk in self._new_output():
            self._feed(
                self._log_lines.feed(chunk, needles=self._needles()), self.metrics.read_output
            )
        if final:
            self._feed(self._report_lines.feed(b"", final=True), self.metrics.read_report)
            self._feed(self._log_lines.feed(b"", final=True), self.metrics.read_output)
        for file in self._files:
            # what has come otherwise is not looked for in files; one that is named has a source
            if file.source or not self.metrics.is_reported(self._spec.metric):
                for row in file.new_rows(final=final):
                    self.metrics.read_row(row, file.source)

    @property
    def divergence(self) -> str:
        """Why nothing that is still reported will count; empty while it may."""
        return divergence(self._spec, self.metrics.curves.get(self._spec.metric, ()))

    @property
    def error(self) -> str:
        """Why the metric's pattern could not be read somewhere: its value would be that of another
        line.
        """
        return self.metrics.unread.get(self._likeness.metric, "") or (
            next((f.unread for f in self._files if isinstance(f, TableFile) and f.unread), "")
        )

    @property
    def file_problem(self) -> str:
        """Why a file gave no value of the metric, or which one would; empty where there is nothing
        to say.
        """
        tables = [file for file in self._files if isinstance(file, TableFile)]
        found = [file for file in self._files if isinstance(file, FoundFiles)]
        if tables and not found:
            return tables[0].problem
        if found:
            seen = {name: names for file in found for name, names in file.seen.items()}
            return _seen_words(seen, self._spec)
        late = FoundFiles(
            _roots(self._spec), [self._spec.metric], began=self._began - 1, skipped=_OURS
        )
        list(late.new_rows(final=True))
        if late.source:
            return f"{late.source} has it: set train.metrics: auto"
        return ""

    @property
    def alike(self) -> tuple[str, ...]:
        """The lines of output that are most like a report of the metric."""
        return self._likeness.lines

    def _needles(self) -> tuple[bytes, ...] | None:
        """Return what a line must hold to be looked at; while the metric has not come, what is like
        it is of interest too.
        """
        plain = self.metrics.plain_needles
        if self._wanted is None or plain is None:
            return None
        if self._likeness.metric in self.metrics.curves:
            return (*self._wanted, *plain)
        stems = self._likeness.stems
        return (
            (*self._wanted, *plain, *(stem.encode() for stem in stems))
            if all(map(str.isascii, stems))
            else None
        )

    def _feed(self, lines: list[str], read: Callable[[str], None]) -> None:
        for line in lines:
            if self._likeness.metric not in self.metrics.curves:
                self._likeness.take(line)
            with contextlib.suppress(PatternError):  # the reader keeps it
                read(line)

    def _new_output(self) -> Iterator[bytes]:
        """Yield what was written to the log that we opened, whatever has become of its name
        since.
        """
        if os.fstat(self._log.fileno()).st_size < self._log_end:
            self._log_end = 0  # the script emptied it
        while chunk := os.pread(self._log.fileno(), _CHUNK, self._log_end):
            self._log_end += len(chunk)
            yield chunk
            self._tell(os.fstat(self._log.fileno()).st_size)

    def _tell(self, size: int) -> None:
        """Say once a second how far a log is read that is far ahead of us."""
        if size - self._log_end > _BEHIND and time.monotonic() - self._told > _TELL_S:
            self._told = time.monotonic()
            self.metrics.on_point(Point(0.0, {}, (self._log_end, size)))


class _Growing:
    """What is new in a file that others write, and may remove or replace."""

    def __init__(self, path: Path) -> None:
        self._path, self._position, self._inode = path, 0, 0

    def new(self) -> Iterator[bytes]:
        """Yield what has been written since the last call."""
        try:
            file = open_regular(self._path)
        except OSError:
            return
        with open(file, "rb") as reading:
            status = os.fstat(file)
            if status.st_ino != self._inode or status.st_size < self._position:
                self._position, self._inode = 0, status.st_ino
            reading.seek(self._position)
            while chunk := reading.read(_CHUNK):
                self._position += len(chunk)
                yield chunk


def _files(spec: RunSpec, wanted: Sequence[str]) -> list[TableFile | FoundFiles]:
    """Return what reads the files that the task names, or those that are to be looked for."""
    found: list[TableFile | FoundFiles] = []
    if spec.finds_metrics:
        found.append(FoundFiles(_roots(spec), wanted, skipped=_OURS))
    if spec.metrics_file is None:
        return found
    path = Path(spec.metrics_file)
    parts = path.parts
    place = next((i for i, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    base, pattern = Path(*parts[:place]), "/".join(parts[place:])
    if pattern or not path.suffix or path.is_dir():
        found.append(FoundFiles([base], wanted, pattern=pattern))
    if not pattern and not path.is_dir():
        own = path.is_relative_to(spec.workdir)
        found.append(TableFile(path, own=own, metric=spec.metric))
    return found


def _roots(spec: RunSpec) -> list[Path]:
    """Return the folders in which a training's files are looked for."""
    workdir, cwd = Path(spec.workdir), Path(spec.cwd or ".")
    return [workdir] if cwd.is_relative_to(workdir) else [workdir, cwd]


def _seen_words(seen: Mapping[str, Sequence[str]], spec: RunSpec) -> str:
    if not seen:
        where = spec.metrics_file or "the folders where it ran"
        return f"no file of a known logger was written in {where}"
    told = [f"{file} has {', '.join(names[:_SHOWN])}" for file, names in seen.items()]
    return f"{'; '.join(told[:3])}; name one of them as objective.metric"


def _execute(
    spec: RunSpec,
    reader: _Reader,
    *,
    token: str,
    log: BinaryIO,
    is_stopped: Callable[[], bool],
) -> RunEnd:
    """Run the command and return how it ended."""
    settings = {
        "log": log.fileno(),
        "watched": [
            str(Path(spec.workdir) / METRICS_FILE),
            *([spec.metrics_file] if spec.metrics_file else []),
        ],
        "pty": spec.pty,
        "timeout_s": spec.timeout_s,
        "silence_s": spec.silence_s,
        "memory_mb": spec.memory_mb,
        "cpus": list(spec.cpus),
    }
    # -I -S: only the standard library, and nothing of the user's environment between us and the
    # process that must not fail.
    arguments = [
        sys.executable,
        "-I",
        "-S",
        supervisor.__file__,
        json.dumps(settings),
        *spec.command,
    ]
    with _supervised(arguments, spec, token=token, log=log) as process:
        assert process.stdin is not None and process.stdout is not None
        pruned = diverged = ""
        while not select.select([process.stdout], [], [], _POLL_S)[0]:
            reader.poll()
            if is_stopped():
                raise Stopped
            if pruned or diverged:
                continue
            pruned, diverged = asked_to_stop(Path(spec.workdir)), reader.divergence
            if pruned or diverged:
                process.stdin.close()  # which asks the supervisor to end it
        said = process.stdout.read()
    if not said.strip():
        end_processes(token)  # the supervisor was killed, and cannot end what a launcher started
    reader.poll(final=True)
    end = read_end(said)
    if diverged and end.reason == "stop":
        return replace(end, reason="diverged", error=f"{diverged}, and it was stopped")
    if pruned and end.reason == "stop":
        return replace(end, reason="pruned", error=pruned)
    if reader.error and end.reason == "exit":
        return replace(end, reason="pattern", error=reader.error)
    return end


@contextlib.contextmanager
def _supervised(
    arguments: list[str], spec: RunSpec, *, token: str, log: BinaryIO
) -> Iterator[subprocess.Popen[bytes]]:
    env = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        **({"TERM": "dumb"} if spec.pty else {}),
        **spec.env,
        "AGENTHPO_TRIAL_DIR": spec.workdir,
        "AGENTHPO_SEED": str(spec.seed),
        "AGENTHPO_METRIC": spec.metric,
        ATTEMPT_VARIABLE: token,
    }
    process = subprocess.Popen(
        arguments,
        cwd=spec.cwd,
        env=env,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(log.fileno(),),
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()  # asks for the end, where it has not come by itself
        try:
            process.wait(supervisor.GRACE_S + 5)
        finally:
            process.stdout.close()


def _call(spec: RunSpec, reader: _Reader, *, token: str, log: BinaryIO) -> RunEnd:
    """Call the function with the parameters and return how it ended; what it returns is reported
    under the metric's name.
    """
    assert spec.function is not None
    started = time.monotonic()
    end = RunEnd("exit", 0)
    try:
        with in_trial(spec.workdir, token):
            returned = spec.function(dict(spec.given))
        if returned is not None:
            reader.poll()
            _take(returned, spec, reader)
    # The worker's border: a user's code may raise anything, and that is an outcome.
    except (Exception, SystemExit) as problem:
        log.write(traceback.format_exc().encode("utf-8", "replace"))
        line = f"{type(problem).__name__}: {problem}".splitlines()[0]
        end = RunEnd("exit", 1, error=redact(line, quick=True)[:300])
    reader.poll(final=True)
    return replace(end, duration_s=time.monotonic() - started)


def _take(returned: Any, spec: RunSpec, reader: _Reader) -> None:
    values = returned if isinstance(returned, dict) else {spec.metric: returned}
    reader.metrics.read_report(json.dumps({name: float(value) for name, value in values.items()}))


def _ends(log: BinaryIO) -> tuple[str, list[str]]:
    """Return the first lines of the log, redacted and without any of the last, and all that were
    looked through at its end, as they were written.
    """
    size = os.fstat(log.fileno()).st_size
    behind = max(0, size - _WINDOW)
    last = Lines().feed(os.pread(log.fileno(), _WINDOW, behind), final=True)
    if behind:
        first = Lines().feed(os.pread(log.fileno(), min(_WINDOW, behind), 0))
    else:
        first = last[: max(0, len(last) - _TAIL_LINES)]
    return _told(first[:_HEAD_LINES]), last


def _told(lines: Sequence[str]) -> str:
    return "\n".join(redact(line[:_LONGEST_LINE], quick=True)[:_TAIL_WIDTH] for line in lines)
