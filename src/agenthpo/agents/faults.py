"""Failures that lie in the task, not in a configuration: every further trial would fail the same
way, and cost the same.

A module that is not there, an option that the script does not know, a metric that never comes: the
cause is read from the error, never from a model's words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agenthpo.failures import cause_of
from agenthpo.records import Outcome, Trial

__all__ = ["fault_of", "is_of_task"]

_FIXES = (
    (
        r"No module named '?([\w.]+)|ModuleNotFoundError|ImportError",
        "install it for the Python that the command runs, or run {python}",
    ),
    (
        r"unrecognized arguments|unrecognized options|[Nn]o such option|unknown command "
        r"line flag|could not consume arg|"
        r"unexpected keyword argument|unknown option|unrecognized option|invalid option",
        "give the option the name that the script has for it, in train.command or as the "
        "parameter's name",
    ),
    (
        r"arguments are required|missing option|missing argument|missing \d+ required",
        "hand the script what it asks for in train.command",
    ),
    (
        r"argument \S+: (invalid|expected)|is not a valid (integer|float|boolean|int)",
        "give the parameter the type that the script reads",
    ),
    (r"SyntaxError|IndentationError|TabError|NameError", "fix the script"),
    (
        r"cannot be started|command not found|exit code 12[67]\b",
        "fix the program in train.command, or install it",
    ),
    (
        r"No such file or directory|FileNotFoundError|NotADirectoryError",
        "fix the path; the script runs in the task file's folder",
    ),
    (
        r"No space left on device|Disk quota exceeded",
        "free space on the disk where the script writes, or let it write elsewhere",
    ),
    (
        r"out of shared memory|killed by signal: Bus error",
        "enlarge /dev/shm (docker --shm-size), or let the data loader work in the script's own "
        "process (num_workers=0)",
    ),
    (r"Permission ?(denied|Error)", "let this user read and run what the script uses"),
)
_OF_METRIC = re.compile(r"without reporting|^the pattern of |^the column ")
_FIRST, _LATER = 2, 3
"""How many failures with the same cause stop a study that has no value yet, and one that has."""


def is_of_task(outcome: Outcome) -> bool:
    """Return whether a run failed by a mistake of the task: it ended well without its metric, or by
    an error that no value could fix.
    """
    return outcome.status == "failed" and (
        _OF_METRIC.search(outcome.error) is not None or _fix(outcome.error) != ""
    )


def fault_of(trials: Sequence[Trial]) -> str:
    """Return in a sentence why it is the task that fails, with the cause and the fix, as far as the
    latest of ``trials`` shows; else nothing.

    While none has a value, the default's own failure tells if its cause is one of a task, or two
    configurations that fail the same way; later, three in a row.
    """
    ended = [t for t in trials if t.outcome is not None]
    if not ended or not _is_failure(ended[-1]):
        return ""
    last = ended[-1]
    assert last.outcome is not None
    alike = []
    for trial in reversed(ended):
        if not _is_failure(trial) or _cause(trial) != _cause(last):
            break
        alike.append(trial)
    configurations = {repr(sorted(t.proposal.params.items())) for t in alike}
    if any(t.value is not None for t in ended):
        enough = len(configurations) >= _LATER
    else:
        enough = len(configurations) >= _FIRST or (
            last.proposal.source == "default" and is_of_task(last.outcome)
        )
    return _sentence(alike, last.outcome) if enough else ""


def _is_failure(trial: Trial) -> bool:
    """Return whether ``trial`` failed; too little memory, time or a divergence are the
    configuration's.
    """
    return trial.outcome is not None and trial.outcome.status == "failed"


def _cause(trial: Trial) -> str:
    """Return the error without what differs from run to run: numbers, addresses, folders."""
    return cause_of(trial.outcome) if trial.outcome else ""


def _fix(error: str) -> str:
    return next((fix for pattern, fix in _FIXES if re.search(pattern, error, re.IGNORECASE)), "")


def _sentence(alike: Sequence[Trial], outcome: Outcome) -> str:
    numbers = sorted(t.number for t in alike)
    if len(numbers) > 1:
        which = f"trials {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} failed the same way"
    else:
        which = f"trial {numbers[0]}, the default configuration, failed"
    fix = (
        ""
        if _OF_METRIC.search(outcome.error)
        else f"; {_fix(outcome.error) or 'see its log, and try it by agenthpo check --try'}"
    )
    return f"it is the task that fails, not a configuration: {which} ({outcome.error}){fix}"
