"""What ``agenthpo init`` writes and says: a task file drafted from a script, or a template."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from functools import partial
from importlib import resources
from pathlib import Path

from rich.text import Text

from agenthpo.agents.describe import described
from agenthpo.assembly import ModelChoice, opened_model
from agenthpo.cli.check import space_table
from agenthpo.codec import to_json
from agenthpo.command.programs import check_function
from agenthpo.errors import LLMFailure, TaskError
from agenthpo.init.draft import Draft, draft
from agenthpo.init.writing import write_new
from agenthpo.llm.client import LLM
from agenthpo.llm.redact import Redacting
from agenthpo.task import Task
from agenthpo.taskfile.reading import load_task
from agenthpo.text.printing import clean_console, say

__all__ = ["init_function", "init_script", "init_template"]


def init_script(
    script: Path,
    metric: str | None,
    out: Path,
    *,
    runs_help: bool = False,
    model: ModelChoice | None = None,
    as_json: bool,
) -> None:
    """Draft a task file for ``script`` into ``out``, read it back, and say what is guessed.

    :raises TaskError: where there is nothing to draft from, or ``out`` is there already.
    """
    if out.resolve().parent != script.resolve().parent:
        raise TaskError(
            f"{out} is not beside {script}, but a task file runs the script in its own folder; "
            f"name a file in {script.parent}"
        )
    with opened_model(model or ModelChoice()) as llm:
        drafted = draft(
            script,
            metric,
            runs_help=runs_help,
            complete=partial(_completed, script, Redacting(llm)) if llm else None,
        )
    _keep(out, drafted, as_json=as_json)


def _completed(script: Path, llm: LLM, known: dict[str, str]) -> dict[str, str]:
    """Return the background as the model completes it; as it is where it gives no reply."""
    try:
        found, left_out = described(script.read_text("utf-8", "replace"), known, llm)
    except LLMFailure as problem:
        say(f"The background is without {llm.name}'s words: {problem}", error=True)
        return known
    for sentence in left_out:
        said = f"Left out of {llm.name}'s words, since {script.name} does not show it:"
        say(f"{said} {sentence}", error=True)
    return found


def init_function(
    script: Path | None, function: str, metric: str | None, out: Path, *, as_json: bool
) -> None:
    """Draft a task file for ``function`` (module:name) of a module in the folder of ``out``.

    :raises TaskError: where there is no such function, or ``out`` is there already.
    """
    if script is not None:
        raise TaskError(f"--function names the module itself; leave {script} out")
    check_function(function, out.resolve().parent, "--function")
    module = out.parent.joinpath(*function.partition(":")[0].split("."))
    file = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
    _keep(out, draft(file, metric, function), as_json=as_json)


def _keep(out: Path, drafted: Draft, *, as_json: bool) -> None:
    """Write a draft, read it back, and say what is guessed in it."""
    write_new(out, drafted.text)
    task = load_task(out)
    if as_json:
        print(to_json({"file": str(out), **asdict(drafted)}))
        return
    _print(out, drafted, task)


def init_template(out: Path, *, as_json: bool) -> None:
    """Write a commented template of a task file.

    :raises TaskError: where ``out`` is there already.
    """
    write_new(out, resources.files("agenthpo.init").joinpath("template.yaml").read_text("utf-8"))
    if as_json:
        print(to_json({"file": str(out)}))
        return
    say(
        f"{out} is a template: every line says what it is for.",
        f"Next: fill it in, then agenthpo check {shlex.quote(str(out))} --try",
    )


def _print(out: Path, drafted: Draft, task: Task) -> None:
    console = clean_console()
    tuned = f"{len(task.space)} parameter{'s' * (len(task.space) != 1)}"
    console.print(
        Text(str(out), "bold").append(
            f": {task.objective.direction} {task.objective.metric} over {tuned}", "not bold"
        ),
        soft_wrap=True,
    )
    console.print(f"Values go in by {drafted.how}.", soft_wrap=True)
    console.print(space_table(task))
    if drafted.left:
        console.print(f"{drafted.left} others are left as they are; the file lists them.")
    console.print("Look at what is guessed:")
    for each in drafted.guessed:
        console.print(f"    {each}", soft_wrap=True)
    name = shlex.quote(str(out))
    console.print(f"Next: agenthpo check {name} --try, then agenthpo run {name}", soft_wrap=True)
