"""What ``agenthpo check`` prints: the command, the space, the prompt, what the budget may cost."""

from __future__ import annotations

import functools
import shlex
from dataclasses import asdict
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
from agenthpo.known import hints_of
from agenthpo.limit import limits_words
from agenthpo.llm.client import Manner
from agenthpo.llm.opening import manner_of
from agenthpo.llm.prices import cost_usd, price_missing
from agenthpo.pareto import goals_words
from agenthpo.records import Params
from agenthpo.session import rehearse
from agenthpo.space import Parameter, format_number, same
from agenthpo.task import Task
from agenthpo.text.cleaning import clean_line
from agenthpo.text.phrases import budget_words
from agenthpo.text.printing import clean_console
from agenthpo.trying import example

__all__ = ["far_corner", "print_check", "space_table"]


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
    say(f"    at a far corner: {facts['far_corner']}")
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
    for line in facts["rules"]:
        say(line)
    for reason in facts["known"]:
        say(f"Known: {reason}")
    for message in facts["prompt"]:
        console.rule(f"prompt, {message['role']}", align="left")
        say(message["text"])
    console.rule()
    say(_estimate_words(facts) if facts["prompt"] else "No model is asked: the engine runs alone.")


def _rules(task: Task) -> list[str]:
    """Return how trials are run and judged, beyond the usual, a sentence each."""
    lines = [f"Must hold: {each.text}" for each in task.space.constraints]
    if task.goals:
        what = goals_words(task.objective.metric, task.objective.direction, task.goals)
        lines.append(f"Objectives: {what}")
    if task.limits:
        lines.append(f"Results have to keep: {limits_words(task.limits)}")
    if task.fidelity:
        rungs = ", ".join(f"{rung:g}" for rung in task.fidelity.rungs)
        lines.append(
            f"Fidelity: {task.fidelity.parameter} {rungs}; one in {task.fidelity.eta} goes on, and "
            "the budget counts whole trainings"
        )
    if task.repeats > 1:
        lines.append(f"Runs of a trial: {task.repeats}, each with another seed")
    if task.stop:
        lines.append(f"Stopped early by the rule {task.stop.rule}")
    if task.certify:
        lines.append(f"Kept to certify the winner: {task.certify} trials")
    return lines


def _facts(task: Task, choice: ModelChoice) -> dict[str, Any]:
    spec = task.spec(0, example(task), seed=0, workdir=Path("TRIAL_DIR"))
    manner = None if choice.model.is_none else manner_of(choice.name, base_url=choice.base_url)
    return {
        "name": task.name,
        "objective": asdict(task.objective),
        "budget": asdict(task.budget),
        "command": list(spec.command),
        "command_line": shlex.join(spec.command),
        "far_corner": shlex.join(
            task.spec(0, far_corner(task), seed=0, workdir=Path("TRIAL_DIR")).command
        ),
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
        "rules": _rules(task),
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


def far_corner(task: Task) -> Params:
    """Return the configuration at the other end of everything: of each range the end that is
    farther from the default, of each list the last value that is not it.
    """
    return task.space.restrict({p.name: _far(p) for p in task.space})


def _far(parameter: Parameter) -> Any:
    if parameter.is_discrete:
        others = [v for v in parameter.values if not same(v, parameter.default)]
        return others[-1]
    low, high = parameter.low, parameter.high
    if parameter.has_default and low is not None and high is not None:
        is_low = parameter.default - low > high - parameter.default
        return parameter.snap(low if is_low else high)
    return parameter.snap(high)


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
