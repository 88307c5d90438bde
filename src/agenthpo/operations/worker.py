"""The process that runs what was asked for, and ends when that is done (run as a module)."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path

from agenthpo.errors import AgentHPOError, StudyBusy, first_line
from agenthpo.experience.progress import note_error
from agenthpo.operations.place import Standing
from agenthpo.search.heeding import NOTHING_ASKED
from agenthpo.session import go_on

__all__ = ["WORKER_LOG", "work"]

WORKER_LOG = "worker.log"
"""What it says, in the study's folder."""


def work(folder: Path) -> None:
    """Run every trial that is asked for in the study in ``folder``. Where another driver has it,
    that one heeds the requests too.
    """
    while True:
        try:
            stopped = go_on(folder, only_asked=True)
        except StudyBusy:
            return
        except AgentHPOError as problem:
            note_error(folder, str(problem))
            return
        except Exception as problem:
            note_error(folder, f"the driver crashed ({first_line(problem)}); see {WORKER_LOG}")
            raise
        # what was asked for while the study was still ours found it taken, and started nobody
        opened = Standing.at(folder)
        if stopped.reason != NOTHING_ASKED or not opened.asked.left_to_run(opened.trials):
            return


def main() -> None:
    """Work in the study whose folder is the argument."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        work(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
