"""The command line called in this process: a second less than a process of its own."""

import io
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def agenthpo(*words, code=None):
    """What ``agenthpo WORDS`` prints and ends with; ``code`` is what it has to end with."""
    from agenthpo.cli import main

    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    handlers = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    }
    sys.argv = ["agenthpo", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as ended:
        done = Done(
            ended.code if isinstance(ended.code, int) else 1, out.getvalue(), err.getvalue()
        )
    finally:
        sys.argv = before
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert code is None or done.returncode == code, done
    return done
