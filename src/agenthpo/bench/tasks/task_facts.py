"""What is measured of a task, for its README: the default, how much its seed matters, the peak of a
hundred trials, seconds a trial.
"""

from __future__ import annotations

from statistics import mean, median, stdev

from agenthpo.bench.tasks.groups import Runs
from agenthpo.bench.tasks.score_tables import number_words
from agenthpo.bench.tasks.scores import peak, sources_of
from agenthpo.records import Direction

__all__ = ["MARK", "facts", "with_facts"]

MARK = "<!-- measured: written by `agenthpo bench figures` -->"
"""What follows it in a README is written anew each time."""


def facts(runs: Runs, task: str, direction: Direction) -> str:
    """Return the facts on ``task`` in Markdown."""
    here = [run for run in runs if run.task == task]
    firsts = {run.seed: run.trials[0] for run in here if run.trials[0].source == "default"}
    values = [first.value for first in firsts.values() if first.value is not None]
    best = peak(here, direction)
    seconds = [t.duration_s for run in here for t in run.trials if t.duration_s is not None]
    lines = ["", f"Measured by `agenthpo bench run` ({sources_of(here)} data):", ""]
    spread = (
        f", standard deviation over {len(values)} seeds {number_words(stdev(values))} (the "
        "noise floor)"
        if len(values) > 1
        else ", one seed"
    )
    lines.append(
        f"- Default: {number_words(mean(values))}{spread}." if values else "- Default: it fails."
    )
    if best:
        test = "" if best["test_value"] is None else f", {number_words(best['test_value'])} on test"
        lines.append(
            f"- Best of {best['of']} trials: {number_words(best['value'])} (by {best['by']}{test})."
        )
    else:
        lines.append("- Best of 100 trials: not measured yet (`--proposers random,tpe --seeds 5`).")
    lines.append(
        f"- Seconds a trial, one core: median {median(seconds):.1f}, most {max(seconds):.1f}."
    )
    return "\n".join([*lines, ""])


def with_facts(text: str, told: str) -> str:
    """Return a README's ``text`` with what is ``told`` at its end, instead of what was told
    before.
    """
    return f"{text.split(MARK)[0].rstrip()}\n\n{MARK}\n{told}"
