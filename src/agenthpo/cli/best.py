"""What ``agenthpo best`` prints: the winning configuration as a command line, YAML or JSON, ready
to paste.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agenthpo.cli.repair import opened_to_read
from agenthpo.codec import to_json
from agenthpo.errors import StudyError
from agenthpo.experience.meta import StudyMeta
from agenthpo.records import Trial
from agenthpo.studies import task_of
from agenthpo.taskfile.yaml_text import as_yaml
from agenthpo.text.pasting import quoted
from agenthpo.text.phrases import nothing_kept
from agenthpo.text.printing import say
from agenthpo.winner import command_line, own_folder, winner_of

__all__ = ["print_best"]

FORMATS = ("command", "yaml", "json")


def print_best(folder: Path, form: str | None) -> None:
    """Print the incumbent in the given form; without one, as a command line where the study has a
    task file, else as JSON.

    :raises StudyError: if no trial has succeeded, or the form is not known.
    """
    if form not in (None, *FORMATS):
        raise StudyError(f"--format is '{form}', but must be command, yaml or json")
    with opened_to_read(folder) as log:
        meta, trials = log.meta, log.trials()
        found = winner_of(log, folder, lambda: _noise(folder, meta, trials))
        broken = nothing_kept(trials)
        own = own_folder(log, found.trial) if found else Path()
    if found is None:
        why = "has succeeded yet" if not broken else "keeps what results have to keep"
        raise StudyError(f"no trial of the study {folder} {why}; see {quoted('show', folder)}")
    best = found.trial
    say(found.words, error=True)
    if form is None:
        form = "command" if meta.task_file else "json"
    if form == "command":
        say(command_line(task_of(folder, meta), best, workdir=own, seed=meta.seed))
        return
    params = best.proposal.params
    if meta.task_file:  # which knows what the words of lists stand for
        params = task_of(folder, meta).space.given(params)
    if form == "yaml":
        say(as_yaml(params), end="")
    else:
        print(to_json(params))


def _noise(folder: Path, meta: StudyMeta, trials: Sequence[Trial]) -> float | None:
    from agenthpo.operations.telling import noise_of  # with the engine behind it

    return None if meta.task_file is None else noise_of(task_of(folder, meta), trials)
