"""Run one trial: in a process group of its own under a supervisor, or as a function in this process; its output is read live.

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agenthpo.records import Outcome, RunSpec
from agenthpo.script import METRICS_FILE, PARAMS_FILE, in_trial
from agenthpo.training import supervisor
from agenthpo.training.likeness import Likeness
from agenthpo.training.metrics import Lines, MetricReader, PatternError, Point
from agenthpo.training.outcome import OUTCOME_FILE, judge, load_outcome, save_outcome
from agenthpo.training.table_file import TableFile
from agenthpo.ways_in import CONFIG_YAML, config_text

__all__ = ["OnPoint", "run"]

OnPoint = Callable[[Point], None]
LOG_FILE = "run.log"
_POLL_S = 0.1
_CHUNK = 1 << 20
_TAIL_LINES, _TAIL_WIDTH = 20, 300


def run(spec: RunSpec, on_point: OnPoint = lambda point: None) -> Outcome:
    """Run the trial and return its outcome, failures included; ``on_point`` sees each report within a second.

    On KeyboardInterrupt the training and all its children are ended, nothing is recorded, and the exception goes on.
    """
    workdir = Path(spec.workdir)
    if (saved := load_outcome(workdir, spec.owner)) is not None:
        return saved
    _prepare(workdir, spec)
    reader = _Reader(spec, on_point)
    end = _call(spec, reader) if spec.function is not None else _execute(spec, reader)
    curves = {name: reader.metrics.curve(name) for name in reader.metrics.curves}
    outcome = judge(spec, curves, end, _tail(workdir / LOG_FILE), alike=reader.alike, counted=reader.metrics.counted)
    save_outcome(outcome, workdir, spec.owner)
    return outcome


def _prepare(workdir: Path, spec: RunSpec) -> None:
    workdir.mkdir(parents=True, exist_ok=True)
    for name in (METRICS_FILE, OUTCOME_FILE, LOG_FILE):  # of a run that was interrupted
        (workdir / name).unlink(missing_ok=True)
    (workdir / LOG_FILE).touch()
    for name in (PARAMS_FILE, CONFIG_YAML):
        (workdir / name).write_text(config_text(spec.params), encoding="utf-8")


class _Reader:
    """Follow a trial's report file and log as they grow."""

    def __init__(self, spec: RunSpec, on_point: OnPoint) -> None:
        wanted = frozenset(name for name in (spec.metric, spec.test_metric) if name)
        self.metrics = MetricReader(wanted, spec.patterns, on_point)
        self.error = ""
        folder = Path(spec.workdir)
        self._likeness = Likeness(spec.metric)
        self._table = _table(spec)
        self._sources = ((folder / METRICS_FILE, self.metrics.read_report), (folder / LOG_FILE, self.metrics.read_output))
        self._positions = [0, 0]
        self._lines = [Lines(), Lines()]

    def poll(self, *, final: bool = False) -> None:
        """Take in what is new."""
        for i, (path, read) in enumerate(self._sources):
            for chunk in self._new(i, path):
                self._feed(self._lines[i].feed(chunk), read)
            if final:
                self._feed(self._lines[i].feed(b"", final=True), read)
        for row in self._table.new_rows(final=final) if self._table else ():
            self.metrics.read_row(row)

    @property
    def alike(self) -> tuple[str, ...]:
        """The lines of output that are most like a report of the metric."""
        return self._likeness.lines

    def _feed(self, lines: list[str], read: Callable[[str], None]) -> None:
        for line in lines:
            if self._likeness.metric not in self.metrics.curves:
                self._likeness.take(line)
            try:
                read(line)
            except PatternError as problem:
                self.error = self.error or str(problem)

    def _new(self, i: int, path: Path) -> Iterator[bytes]:
        try:
            with path.open("rb") as file:
                file.seek(self._positions[i])
                while chunk := file.read(_CHUNK):
                    self._positions[i] += len(chunk)
                    yield chunk
        except FileNotFoundError:
            return


def _table(spec: RunSpec) -> TableFile | None:
    if spec.metrics_file is None:
        return None
    path = Path(spec.metrics_file)
    return TableFile(path, own=path.is_relative_to(spec.workdir))


def _execute(spec: RunSpec, reader: _Reader) -> dict[str, Any]:
    """Run the command and return how it ended."""
    folder = Path(spec.workdir)
    settings = {
        "log": str(folder / LOG_FILE),
        "watched": [str(folder / METRICS_FILE), *([spec.metrics_file] if spec.metrics_file else [])],
        "timeout_s": spec.timeout_s,
        "silence_s": spec.silence_s,
        "memory_mb": spec.memory_mb,
    }
    # -I -S: only the standard library, and nothing of the user's environment between us and the process that must not fail.
    arguments = [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(settings), *spec.command]
    with _supervised(arguments, spec) as process:
        assert process.stdout is not None
        while not select.select([process.stdout], [], [], _POLL_S)[0]:
            reader.poll()
        said = process.stdout.read()
    reader.poll(final=True)
    end = json.loads(said) if said.strip() else {"reason": "unsupervised", "error": "its supervisor was killed"}
    return {**end, "reason": "pattern", "error": reader.error} if reader.error and end["reason"] == "exit" else end


@contextlib.contextmanager
def _supervised(arguments: list[str], spec: RunSpec) -> Iterator[subprocess.Popen[bytes]]:
    env = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        **spec.env,
        "AGENTHPO_TRIAL_DIR": spec.workdir,
        "AGENTHPO_SEED": str(spec.seed),
        "AGENTHPO_METRIC": spec.metric,
    }
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=spec.cwd, env=env, start_new_session=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()  # asks for the end, where it has not come by itself
        try:
            process.wait(supervisor.GRACE_S + 5)
        finally:
            process.stdout.close()


def _call(spec: RunSpec, reader: _Reader) -> dict[str, Any]:
    """Call the function with the parameters and return how it ended; what it returns is reported under the metric's name."""
    assert spec.function is not None
    started = time.monotonic()
    end: dict[str, Any] = {"reason": "exit", "exit_code": 0}
    try:
        with in_trial(spec.workdir):
            returned = spec.function(dict(spec.params))
        if returned is not None:
            reader.poll()
            _take(returned, spec, reader)
    except Exception as problem:  # the worker's border: a user's code may raise anything, and that is an outcome
        (Path(spec.workdir) / LOG_FILE).write_text(traceback.format_exc(), encoding="utf-8")
        end = {"reason": "exit", "exit_code": 1, "error": f"{type(problem).__name__}: {problem}".splitlines()[0][:300]}
    reader.poll(final=True)
    return {**end, "duration_s": time.monotonic() - started}


def _take(returned: Any, spec: RunSpec, reader: _Reader) -> None:
    values = returned if isinstance(returned, dict) else {spec.metric: returned}
    reader.metrics.read_report(json.dumps({name: float(value) for name, value in values.items()}))


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4 * _TAIL_LINES * _TAIL_WIDTH))
        lines = Lines().feed(file.read(), final=True)
    return "\n".join(line[:_TAIL_WIDTH] for line in lines[-_TAIL_LINES:])
