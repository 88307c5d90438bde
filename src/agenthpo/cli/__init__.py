"""The command line. Commands are in ``app``, which is imported here only when one is run."""

from __future__ import annotations

import os
import signal
import sys
import threading

from agenthpo.cli.exit_codes import DONE, INTERRUPTED, MISTAKE

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code, one of ``exit_codes``."""
    from agenthpo.cli.app import app
    from agenthpo.errors import AgentHPOError

    # a stop by the system, or by a terminal that closes, is as clean as one by Ctrl-C
    for name in ("SIGTERM", "SIGHUP", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
            signal.signal(number, signal.default_int_handler)
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()  # here, where a reader that is gone is met
    except AgentHPOError as mistake:
        code = _say(f"Error: {mistake}", MISTAKE)
    except KeyboardInterrupt:
        code = _say("Interrupted.", INTERRUPTED)
    except BrokenPipeError:
        # `agenthpo show | head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = DONE
    except Exception as problem:
        show = getattr(problem, "show", None)  # click's usage errors know how to show themselves
        if show is None:
            raise
        show()
        code = MISTAKE
    if code == INTERRUPTED or _is_thinking():
        sys.stdout.flush()
        sys.stderr.flush()
        # all that counts is on disk; a model that is thinking would keep the process for as long as
        # it likes
        os._exit(code or DONE)
    sys.exit(code or DONE)


def _is_thinking() -> bool:
    """Return whether an embedded model has not finished yet, which nobody waits for any more."""
    embedded = sys.modules.get("agenthpo.llm.embedded")
    return embedded is not None and any(t.name == embedded.THINKS for t in threading.enumerate())


def _say(text: str, code: int) -> int:
    from agenthpo.text.printing import say

    say(text, error=True)
    return code
