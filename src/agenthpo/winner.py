"""The winning configuration of a study: how sure it is, and the command that runs it again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from agenthpo.command.resolve import placeholders
from agenthpo.experience.log import ExperienceLog
from agenthpo.records import Trial
from agenthpo.rounds import certificate_of
from agenthpo.script import PARAMS_FILE, PARAMS_VARIABLE
from agenthpo.task import Task
from agenthpo.text.pasting import pasted
from agenthpo.text.phrases import gain_words
from agenthpo.training.attempts import write_inputs
from agenthpo.trials import default_trial, gain_over_default

__all__ = ["Winner", "command_line", "own_folder", "winner_of"]

_BEST = "best"
"""The folder beside the trials' that ``{trial_dir}`` and the like name in the line."""


@dataclass(frozen=True)
class Winner:
    """The configuration to use."""

    trial: Trial
    is_certified: bool
    """Whether fresh seeds have decided about it."""
    words: str
    """How sure it is, in a sentence."""


def winner_of(
    log: ExperienceLog, folder: Path, noise_of: Callable[[], float | None]
) -> Winner | None:
    """Return the certified winner, else the incumbent; None while no trial may be either.

    :param noise_of: asked for the standard deviation of a single value where nothing is certified;
        None where nobody knows it.
    """
    best, trials = log.incumbent(), log.trials()
    found = certificate_of(folder)
    if found is not None and found.is_of(len(trials)):
        leader = None if found.leader is None else found.leader.trial
        number = leader if found.winner is None else found.winner
        if number is not None and number < len(trials):
            return Winner(trials[number], found.winner is not None, found.sentence)
    if best is None:
        return None
    if log.meta.goals:
        words = f"The best in {log.meta.metric}; the front: {pasted('show', folder)}"
        return Winner(best, False, words)
    more = "" if found is None else " since trials were added"
    # what fresh seeds showed of the noise holds for the trials that were added, too
    measured = None if found is None else found.noise
    luck = _luck(log, folder, best, lambda: measured or noise_of())
    return Winner(best, False, f"Not certified{more}: {luck}")


def _luck(
    log: ExperienceLog, folder: Path, best: Trial, noise_of: Callable[[], float | None]
) -> str:
    """Return how large the gain is beside the noise of a single run, and how to be sure."""
    gain = gain_over_default(best, default_trial(log.trials()), log.direction) or 0.0
    if gain <= 0:
        return f"the gain is {gain_words(log.trials(), best)}."
    noise = noise_of()
    beside = (
        f"the gain of {gain:.4g} is {gain / noise:.1f} times the noise of a single run"
        if noise
        else f"the gain is {gain:.4g}, and how much another seed moves a value is not known"
    )
    return f"{beside}; be sure by: {pasted('certify', folder)}"


def own_folder(log: ExperienceLog, best: Trial) -> Path:
    """Return the folder that a run of the best configuration has to itself, absolute: what is run
    again must not write over what the trial left.
    """
    return (log.workdir(best.number).parent.parent / _BEST).absolute()


def command_line(task: Task, best: Trial, *, workdir: Path, seed: int, writes: bool = True) -> str:
    """Return a line for a shell that runs ``best`` again, as the study ran it, in the task's
    folder.

    :param writes: whether the files that it names are written into ``workdir``.
    """
    task = replace(task, train=replace(task.train, run_folder=None))  # it runs in the task's folder
    spec = task.spec(best.number, best.proposal.params, seed=seed, workdir=workdir)
    words = shlex.join(spec.command) if not task.train.shell else spec.command[-1]
    named = {name for text in task.train.command for name in placeholders(text)}
    env = dict(spec.env)
    if not named & {*task.space.names, "flags", "overrides"} and not spec.files:
        env = {PARAMS_VARIABLE: str(workdir / PARAMS_FILE), **env}
    if writes and any(str(workdir) in word for word in (words, *env.values())):
        write_inputs(workdir, spec)
    settings = "".join(f"{name}={shlex.quote(value)} " for name, value in env.items())
    return f"cd {shlex.quote(task.train.cwd or '.')} && {settings}{words}"
