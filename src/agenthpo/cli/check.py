"""What ``agenthpo check`` prints: the command, the space, the prompt, what the budget may cost;
and, with ``--try``, one short run.
"""

from __future__ import annotations

import functools
import shlex
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from agenthpo.agents.cost_estimate import first_prompt, forecast
from agenthpo.assembly import ModelChoice
from agenthpo.codec import to_json
from agenthpo.command.option_style import write_option
from agenthpo.command.programs import programs, sources_of
from agenthpo.command.script_options import read_options
from agenthpo.errors import TaskError
from agenthpo.known import hints_of
from agenthpo.llm.client import Manner
from agenthpo.llm.opening import manner_of
from agenthpo.llm.prices import cost_usd, price_missing
from agenthpo.records import Outcome, Params
from agenthpo.session import rehearse
from agenthpo.space import Parameter, format_number, same
from agenthpo.task import Task
from agenthpo.text import printing
from agenthpo.text.cleaning import clean_line
from agenthpo.text.phrases import budget_words, params_words
from agenthpo.text.printing import clean_console
from agenthpo.training.runner import run
from agenthpo.units import format_duration

__all__ = ["print_check", "space_table", "try_once"]

TRY_S = 20.0
_LAST_LINES = 8


def print_check(task: Task, choice: ModelChoice, *, as_json: bool) -> None:
    """Print what the task file means, and what the model would be sent; nothing is run
    or asked.
    """
    facts = _facts(task, choice)
    rehearse(task)
    if as_json:
        print(to_json(facts))
        return
    console = clean_console()
    say = functools.partial(console.print, soft_wrap=True)
    say(
        Text(task.name, "bold").append(
            f": {task.objective.direction} {task.objective.metric}, {budget_words(task.budget)}",
            "not bold",
        )
    )
    say(f"Command: {facts['command_line']}")
    for name, found in facts["programs"].items():
        say(f"    {name} is {found}")
    say(f"In folder: {task.train.cwd}")
    for name, ways in facts["switches"].items():
        say(
            f"    {name}: "
            + ", ".join(f"{value} by {words or 'leaving it out'}" for value, words in ways.items())
        )
    for name, own in facts["own_defaults"].items():
        p = task.space[name]
        if p.has_default and not same(p.default, own):
            say(
                f"    {name}: the script's own default is {format_number(own)}, the "
                f"task's {format_number(p.default)}"
            )
    console.print(space_table(task))
    if task.space.default() is None:
        say(
            "Not every parameter has a default, so that there is no default "
            "configuration to begin and compare with."
        )
    for reason in facts["known"]:
        say(f"Known: {reason}")
    for message in facts["prompt"]:
        console.rule(f"prompt, {message['role']}", align="left")
        say(message["text"])
    console.rule()
    say(_estimate_words(facts) if facts["prompt"] else "No model is asked: the engine runs alone.")


def try_once(task: Task, *, as_json: bool) -> bool:
    """Run the default configuration once for at most 20 seconds, report what arrived, and return
    whether that was as it should be.
    """
    params = _example(task)
    with tempfile.TemporaryDirectory(prefix="agenthpo-try-") as folder:
        limit = min(TRY_S, task.train.timeout_s or TRY_S)
        spec = replace(task.spec(0, params, seed=0, workdir=Path(folder, "trial")), timeout_s=limit)
        printing.say(f"Trying {params_words(params)} for at most {limit:.0f} s …", error=True)
        outcome = run(spec)
    curve = outcome.curves.get(task.objective.metric, ())
    stopped = outcome.status == "timeout"
    good = outcome.value is not None or (stopped and bool(curve))
    if as_json:
        shown = (
            "status",
            "value",
            "test_value",
            "duration_s",
            "peak_mb",
            "exit_code",
            "error",
            "log_tail",
            "taken",
            "warnings",
        )
        values = [value for _, value in curve]
        print(
            to_json(
                {
                    "try": {
                        "ok": good,
                        "values": values,
                        **{key: getattr(outcome, key) for key in shown},
                    }
                }
            )
        )
        return good
    printing.say(*_try_words(task, outcome))
    if not good and not stopped:
        raise TaskError(
            f"{task.file}: the default configuration {outcome.status}: {outcome.error}; "
            "see the last lines above"
        )
    return True


def _facts(task: Task, choice: ModelChoice) -> dict[str, Any]:
    spec = task.spec(0, _example(task), seed=0, workdir=Path("TRIAL_DIR"))
    manner = None if choice.model.is_none else manner_of(choice.name, base_url=choice.base_url)
    return {
        "name": task.name,
        "objective": asdict(task.objective),
        "budget": asdict(task.budget),
        "command": list(spec.command),
        "command_line": shlex.join(spec.command),
        "programs": {}
        if task.train.shell
        else programs(task.train.command, Path(task.train.cwd or ".")),
        "folder": task.train.cwd,
        "switches": {
            name: _ways(name, task.space[name], style) for name, style in task.train.styles.items()
        },
        "own_defaults": _own_defaults(task),
        "space": [_parameter_facts(p) for p in task.space],
        "default": task.space.default(),
        "known": [hint.rationale for hint in hints_of(task)],
        "model": choice.name,
        "prompt": [asdict(m) for m in first_prompt(task, manner)] if manner else [],
        "estimate": _estimate(task, choice, manner) if manner else None,
    }


def _ways(name: str, parameter: Parameter, style: str) -> dict[str, str]:
    """Return for true, false and null, if ``parameter`` has them, the words of the command
    that say so.
    """
    values = [v for v in reversed(parameter.values) if v is None or isinstance(v, bool)]
    return {format_number(value): shlex.join(write_option(name, value, style)) for value in values}


def _own_defaults(task: Task) -> dict[str, Any]:
    """Return the defaults that the script's own text gives its options, as far as it can be
    read.
    """
    options = read_options(
        sources_of(task.train.command, Path(task.train.cwd or ".")), task.space.names
    )
    own = {name: options[name].default for name in task.space.names if name in options}
    return {
        name: value
        for name, value in own.items()
        if value is None or isinstance(value, bool | int | float | str)
    }


def _example(task: Task) -> Params:
    """Return the default configuration, or the first value of each parameter that has none."""
    values = {
        p.name: p.default if p.has_default else p.values[0] if p.is_discrete else p.low
        for p in task.space
    }
    return task.space.restrict(values)


def _parameter_facts(p: Any) -> dict[str, Any]:
    facts = {
        "name": p.name,
        "type": p.kind,
        "low": p.low,
        "high": p.high,
        "log": p.log,
        "step": p.step,
        "values": list(p.values),
    }
    given = {"default": p.default} if p.has_default else {}
    return {
        **facts,
        **given,
        "when": {parent: list(values) for parent, values in p.when},
        "about": p.about,
    }


def _range_words(parameter: Parameter) -> str:
    words = parameter.extent()
    if parameter.log:
        words += ", log"
    if parameter.step:
        words += f", step {format_number(parameter.step)}"
    return words


def space_table(task: Task) -> Table:
    """Return the search space as a table."""
    table = Table(
        "parameter", "kind", "values", "default", "when", "about", box=SIMPLE, pad_edge=False
    )
    for p in task.space:
        extent = p.choices() if p.is_discrete else _range_words(p)
        when = ", ".join(
            f"{parent} is {' or '.join(map(format_number, values))}" for parent, values in p.when
        )
        cells = (
            p.name,
            p.kind,
            extent,
            format_number(p.default) if p.has_default else "",
            when,
            p.about,
        )
        table.add_row(*(Text(clean_line(cell)) for cell in cells))
    return table


def _estimate(task: Task, choice: ModelChoice, manner: Manner) -> dict[str, Any]:
    usage = forecast(task, manner)
    tokens = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return {
        "requests": usage.requests,
        **tokens,
        "cost_usd": cost_usd(choice.name, **tokens, base_url=choice.base_url),
        "price_missing": price_missing(choice.name, choice.base_url),
    }


def _estimate_words(facts: dict[str, Any]) -> str:
    estimate = facts["estimate"]
    cost = estimate["cost_usd"]
    price = (
        ", ".join(filter(None, ["its price is not known", facts["estimate"]["price_missing"]]))
        if cost is None
        else "which cost nothing"
        if cost == 0
        else f"about ${cost:.2f}"
    )
    return (
        f"The whole budget with {facts['model']}: about {estimate['requests']} "
        f"requests, {estimate['input_tokens']:,} tokens in and "
        f"{estimate['output_tokens']:,} out, {price}."
    )


def _try_words(task: Task, outcome: Outcome) -> list[str]:
    lines = [_what_came(task, outcome)]
    lines += [
        f"    {name} was taken from the line {line.strip()!r}"
        for name, line in outcome.taken.items()
    ]
    lines += [f"    Warning: {warning}" for warning in outcome.warnings]
    if outcome.value is None and not (
        outcome.status == "timeout" and outcome.curves.get(task.objective.metric)
    ):
        lines += [
            "It last printed:",
            *(f"    {line}" for line in outcome.log_tail.splitlines()[-_LAST_LINES:]),
        ]
    return lines


def _what_came(task: Task, outcome: Outcome) -> str:
    metric = task.objective.metric
    curve = outcome.curves.get(task.objective.metric, ())
    memory = "" if outcome.peak_mb is None else f", {outcome.peak_mb:.0f} MB"
    took = f"{format_duration(outcome.duration_s)}{memory}"
    if outcome.value is not None:
        tested = (
            ""
            if outcome.test_value is None
            else f", {task.objective.test_metric} {format_number(outcome.test_value)}"
        )
        return (
            f"It works: {metric} {format_number(outcome.value)}{tested} from {len(curve)} "
            f"reports, in {took}."
        )
    if outcome.status == "timeout" and curve:
        values = ", ".join(format_number(value) for _, value in curve[-5:])
        return (
            f"It works so far: {len(curve)} reports of {metric}, the last {values}, in "
            f"{took}; stopped there."
        )
    if outcome.status == "timeout":
        return f"It runs, but had not reported {metric} in {took}; stopped there."
    return f"It ended as {outcome.status} in {took}."
