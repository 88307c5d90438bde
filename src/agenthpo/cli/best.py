"""What ``agenthpo best`` prints: the winning configuration as a command line, YAML or JSON, ready
to paste.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from agenthpo.cli.repair import opened_to_read
from agenthpo.codec import to_json
from agenthpo.command.resolve import placeholders
from agenthpo.errors import StudyError
from agenthpo.experience.log import ExperienceLog
from agenthpo.records import Params, Trial
from agenthpo.rounds import certificate_of
from agenthpo.script import PARAMS_FILE, PARAMS_VARIABLE
from agenthpo.studies import task_of
from agenthpo.task import Task
from agenthpo.text.pasting import pasted, quoted
from agenthpo.text.phrases import gain_words, nothing_kept
from agenthpo.text.printing import say
from agenthpo.training.attempts import write_inputs
from agenthpo.trials import upward

__all__ = ["print_best"]

FORMATS = ("command", "yaml", "json")
BEST = "best"
"""The folder beside the trials' that ``{trial_dir}`` and the like name in the line."""


def print_best(folder: Path, form: str | None) -> None:
    """Print the incumbent in the given form; without one, as a command line where the study has a
    task file, else as JSON.

    :raises StudyError: if no trial has succeeded, or the form is not known.
    """
    if form not in (None, *FORMATS):
        raise StudyError(f"--format is '{form}', but must be command, yaml or json")
    with opened_to_read(folder) as log:
        best, words = _winner(log, folder)
        meta = log.meta
        broken = nothing_kept(log.trials())
        own = log.workdir(best.number).parent.parent / BEST if best else Path()
    if best is None:
        why = "has succeeded yet" if not broken else "keeps what results have to keep"
        raise StudyError(f"no trial of the study {folder} {why}; see {quoted('show', folder)}")
    say(words, error=True)
    if form is None:
        form = "command" if meta.task_file else "json"
    if form == "command":
        # a folder of its own: what is run again must not write over what the trial left
        say(command_line(task_of(folder, meta), best, workdir=own.absolute(), seed=meta.seed))
        return
    params = best.proposal.params
    if meta.task_file:  # which knows what the words of lists stand for
        params = task_of(folder, meta).space.given(params)
    if form == "yaml":
        say(_as_yaml(params), end="")
    else:
        print(to_json(params))


def _winner(log: ExperienceLog, folder: Path) -> tuple[Trial | None, str]:
    """Return the certified winner, else the incumbent, and in words how sure it is."""
    best, trials = log.incumbent(), log.trials()
    found = certificate_of(folder)
    if found is not None and found.trials == len(trials):
        leader = None if found.leader is None else found.leader.trial
        number = leader if found.winner is None else found.winner
        if number is not None and number < len(trials):
            return trials[number], found.sentence
    if best is None:
        return None, ""
    if log.meta.goals:
        return best, f"The best in {log.meta.metric}; the front: {pasted('show', folder)}"
    more = "" if found is None else " since trials were added"
    return best, f"Not certified{more}: {_luck(log, folder, best)}"


def _luck(log: ExperienceLog, folder: Path, best: Trial) -> str:
    """Return how large the gain is beside the noise of a single run, and how to be sure."""
    trials, direction = log.trials(), log.direction
    default = next((t for t in trials if t.proposal.source == "default"), None)
    gain = 0.0
    if default is not None and default.value is not None and best.value is not None:
        gain = upward(direction) * (best.value - default.value)
    if gain <= 0:
        return f"the gain is {gain_words(trials, best)}."
    from agenthpo.operations.telling import noise_of  # with the engine behind it

    noise = None if log.meta.task_file is None else noise_of(task_of(folder, log.meta), trials)
    beside = (
        f"is {gain / noise:.1f} times the noise of a single run"
        if noise
        else "and nobody knows how much another seed moves a value"
    )
    return f"the gain of {gain:.4g} {beside}; be sure by: {pasted('certify', folder)}"


def command_line(task: Task, best: Trial, *, workdir: Path, seed: int) -> str:
    """Return a line for a shell that runs ``best`` again, as the study ran it, in the task's
    folder. The files that it names are written into ``workdir``.
    """
    task = replace(task, train=replace(task.train, run_folder=None))  # it runs in the task's folder
    spec = task.spec(best.number, best.proposal.params, seed=seed, workdir=workdir)
    words = shlex.join(spec.command) if not task.train.shell else spec.command[-1]
    named = {name for text in task.train.command for name in placeholders(text)}
    env = dict(spec.env)
    if not named & {*task.space.names, "flags", "overrides"} and not spec.files:
        env = {PARAMS_VARIABLE: str(workdir / PARAMS_FILE), **env}
    if any(str(workdir) in word for word in (words, *env.values())):
        write_inputs(workdir, spec)
    settings = "".join(f"{name}={shlex.quote(value)} " for name, value in env.items())
    return f"cd {shlex.quote(task.train.cwd or '.')} && {settings}{words}"


def _as_yaml(params: Params) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    text = StringIO()
    YAML(typ="safe", pure=True).dump(params, text)
    return text.getvalue()
