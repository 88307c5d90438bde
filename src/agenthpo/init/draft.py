"""A task file, drafted from a script: what is known, what is guessed and says so, and what is left
as it is.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agenthpo.command.python_text import imports, parsed
from agenthpo.errors import TaskError
from agenthpo.init.background import drafted
from agenthpo.init.help_text import help_of, options_in_help
from agenthpo.init.metric_names import direction_of
from agenthpo.init.printed import Told, returned_metrics, told_metrics
from agenthpo.init.ranges import Choice, Left
from agenthpo.init.spacy_config import (
    is_spacy_config,
    spacy_background,
    spacy_told,
    spacy_way,
)
from agenthpo.init.ways import Way, hydra_main, way_of, way_of_function
from agenthpo.scalars import NO_VALUE
from agenthpo.space import format_number
from agenthpo.text.cleaning import clean_line

__all__ = ["Draft", "draft"]

_TRIALS = 20
_MOST_OTHERS = 6
_MOST_ABOUT = 80
_MOST_LEFT = 30
_ROLE = re.compile(r"^(?:val|valid|validation|dev|eval|test|best)[_ /.-]?", re.IGNORECASE)
"""What of a metric's name says on which data it is measured."""
_NAMELESS = {"config", "train", "main", "run", "script", "experiment"}


Complete = Callable[[dict[str, str]], dict[str, str]]


@dataclass(frozen=True)
class Draft:
    """The text of a task file, and what is to be said of it."""

    text: str
    metric: str
    tuned: Sequence[str]
    left: int
    """How many options or constants are left as they are."""
    how: str
    """How values go into the script."""
    guessed: Sequence[str]
    """What a person is to look at, each as a sentence."""
    to_fill: Sequence[str] = ()
    """What a person has to fill in before it runs."""


def draft(
    script: Path,
    metric: str | None = None,
    function: str | None = None,
    *,
    runs_help: bool = False,
    complete: Complete | None = None,
) -> Draft:
    """Return a task file for ``script``, which is read and not run, unless for its help.

    :param metric: the metric to tune; the best suited one that the script tells of without it.
    :param function: module:function, which the script defines and which is called instead of it.
    :param complete: what completes the background, given what was found of it.
    :param runs_help: whether ``script --help`` is run, for options that its text does not show.
    :raises TaskError: where the script cannot be read, or takes no values that could be tuned.
    """
    if is_spacy_config(script) and script.is_file():
        return _drafted(
            script,
            spacy_way(script),
            spacy_told(script),
            complete(spacy_background(script)) if complete else spacy_background(script),
            metric,
        )
    tree = _read(script)
    if function is None:
        shown = options_in_help(help_of(script)) if runs_help else []
        way, told = way_of(tree, script, script.name, shown), told_metrics(tree)
        main = hydra_main(tree) if "hydra" in imports(tree) else None
        told = [*(returned_metrics(main) if main else []), *told]
    else:
        found = way_of_function(tree, function)
        if found is None:
            raise TaskError(
                f"--function: {script} defines no function {function.partition(':')[2]}"
            )
        way, told = found[0], [*returned_metrics(found[1]), *told_metrics(tree)]
    if not way.choices:
        raise TaskError(
            f"{script} shows no hyperparameter that could be tuned, neither an option nor a "
            "constant at its top; give it options (argparse), or write a task file by hand "
            "(agenthpo init without a script writes a template)"
        )
    background = drafted(tree, script, way.options, goal="")
    background = complete(background) if complete else background
    return _drafted(script, way, told, background, metric)


def _drafted(
    script: Path, way: Way, told: Sequence[Told], background: dict[str, str], metric: str | None
) -> Draft:
    """Return the draft of a task whose values go in by ``way`` and whose metrics are ``told``."""
    best, guessed = _objective(told, metric, script)
    direction = direction_of(best.name)
    if direction is None:
        guessed.append(f"whether more of {best.name} is better (maximize is a guess)")
    goal = f"{'Lowest' if direction == 'minimize' else 'Highest'} {best.name}."
    background = {**background, "goal": background.get("goal") or goal}
    if way.to_fill:
        guessed.insert(0, f"{', '.join(way.to_fill)} in train.command, which the script requires")
    others = [t for t in told if t.name != best.name]
    return Draft(
        _text(script, way, background, best=best, others=others, direction=direction or "maximize"),
        best.name,
        [c.option.name for c in way.choices],
        len(way.left),
        way.how,
        [*guessed, "the ranges in space"],
        way.to_fill,
    )


def _read(script: Path) -> ast.Module:
    if not script.is_file():
        raise TaskError(f"{script} does not exist; give the path of a training script")
    if script.suffix == ".ipynb":
        raise TaskError(
            f"{script} is a notebook; make a script of it by jupyter nbconvert --to script "
            f"{script.name}, or call agenthpo.tune() in it"
        )
    tree = parsed(script)
    if tree is None:
        raise TaskError(
            f"{script} cannot be read as Python; write a task file by hand (agenthpo init without "
            "a script writes a template)"
        )
    return tree


def _objective(told: Sequence[Told], metric: str | None, script: Path) -> tuple[Told, list[str]]:
    """Return the metric to tune, and what is guessed of it."""
    if metric is not None:
        plain = _plain(metric)
        for found in sorted(told, key=lambda t: t.is_read, reverse=True):
            if _plain(found.name) == plain:
                return Told(metric, found.pattern, found.line, found.split, found.by), []
        return Told(metric), [
            f"how {metric} is read: nothing in {script.name} prints it under that name; a line "
            f"such as {metric}: 0.25 is read without a pattern"
        ]
    if not told:
        return Told("val_loss"), [
            f"the metric: nothing was found that {script.name} prints or logs; have it print a "
            "line such as val_loss 0.25, or call agenthpo.report(val_loss=…)"
        ]
    best = told[0]
    where = f"line {best.line} of {script.name}" if best.line else script.name
    if best.is_kept:
        return best, [f"the metric {best.name}, which {where} gives to {best.by}"]
    if not best.is_read:
        return best, [
            f"how {best.name} is read: {where} gives it to {best.by}, and nothing prints it; have "
            f"it print it too, or call agenthpo.report({_identifier(best.name)}=…)"
        ]
    verb = {"return": "returns", "report": "reports"}.get(best.by, "prints")
    words = [f"the metric {best.name}, which {where} {verb}"]
    if best.split in ("test", "train"):
        words[0] += f"; it is measured on the {best.split} data, a validation metric is better"
    return best, words


def _text(
    script: Path,
    way: Way,
    background: dict[str, str],
    *,
    best: Told,
    others: Sequence[Told],
    direction: str,
) -> str:
    lines = [
        f"# Drafted by agenthpo init from {script.name}, which was read and not run. What is",
        "# guessed says so. Next: agenthpo check task.yaml --try, then agenthpo run task.yaml",
        f"name: {_name(script)}",
        "background:",
        *(f"  {key}: {_quoted(text)}" for key, text in background.items()),
        "objective:",
        f"  metric: {_quoted(best.name)}  # guessed" + (f", line {best.line}" if best.line else ""),
        f"  direction: {direction}",
    ]
    tested = _tested(best, others)
    if tested:
        lines.append(f"  test_metric: {_quoted(tested.name)}  # guessed: no agent sees it")
    others = [told for told in others if told is not tested]
    if others:
        lines.append("  # others that it tells of:")
        for told in others[:_MOST_OTHERS]:
            way_out = told.pattern and f", by {_quoted(told.pattern)}"
            told_to = "" if told.is_read else f", to {told.by} only"
            lines.append(f"  #   {clean_line(told.name)}{clean_line(way_out or told_to)}")
    key, value = ("function", way.function) if way.function else ("command", way.command)
    lines += ["train:", f"  {key}: {_quoted(value)}  # {way.how}"]
    if way.config:
        lines.append(f"  config: {{from: {_quoted(way.config)}}}")
    if best.is_kept:
        lines.append(f"  metrics: auto  # looks for the files of {best.by}")
        if best.by == "Weights & Biases":
            lines.append("  env: {WANDB_MODE: offline}")
    elif best.pattern:
        lines += ["  metrics:", f"    {_quoted(best.name)}: {_quoted(best.pattern)}"]
        if tested and tested.pattern:
            lines.append(f"    {_quoted(tested.name)}: {_quoted(tested.pattern)}")
    lines += ["  timeout: 30m  # guessed: of one trial", "space:"]
    lines += [_parameter(choice) for choice in way.choices]
    if way.left:
        lines.append("  # left as they are:")
        lines += [f"  #   {_left(each)}" for each in way.left[:_MOST_LEFT]]
        if len(way.left) > _MOST_LEFT:
            lines.append(f"  #   and {len(way.left) - _MOST_LEFT} more")
    lines.append(f"budget: {{trials: {_TRIALS}}}")
    return "\n".join(lines) + "\n"


def _tested(best: Told, others: Sequence[Told]) -> Told | None:
    """Return the metric that is the same as the ``best`` on the test data; None where a script
    tells none, or the best is measured on them itself.
    """
    stem = _ROLE.sub("", best.name).lower()
    if best.split == "test":
        return None
    same = (t for t in others if t.is_read and t.split == "test")
    return next((t for t in same if _ROLE.sub("", t.name).lower() == stem), None)


def _parameter(choice: Choice) -> str:
    fields = dict(choice.fields)
    if about := clean_line(choice.option.about):
        fields["about"] = about if len(about) <= _MOST_ABOUT else about[: _MOST_ABOUT - 1] + "…"
    inner = ", ".join(f"{key}: {_value(value)}" for key, value in fields.items())
    return f"  {_quoted(choice.option.name)}: {{{inner}}}  # guessed: {choice.reason}"


def _left(left: Left) -> str:
    default = left.option.default
    is_plain = default is not NO_VALUE and isinstance(default, bool | int | float | str | None)
    shown = f" {format_number(default)}" if is_plain else ""
    return clean_line(f"{left.option.name}{shown[:40]}: {left.why}")


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, str) and re.fullmatch(r"float|int|categorical|bool", value):
        return value
    return _quoted(value) if isinstance(value, str) else format_exact(value)


def format_exact(value: Any) -> str:
    """Return a number, a switch or null as YAML reads it back."""
    return repr(value) if isinstance(value, float) else json.dumps(value)


def _quoted(text: str) -> str:
    """Return a text as YAML reads it back: bare where that is safe, else in quotes."""
    reserved = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
    if re.fullmatch(r"[A-Za-z][\w.-]*", text, re.ASCII) and text.lower() not in reserved:
        return text
    return (
        '"' + "".join(c if c.isprintable() and c not in '"\\' else _escaped(c) for c in text) + '"'
    )


def _escaped(character: str) -> str:
    """Return what stands for a character in a YAML text; it knows no pairs of surrogates."""
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else json.dumps(character)[1:-1]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _name(script: Path) -> str:
    """Return a study's name: the script's, or its folder's where that says nothing."""
    own = script.resolve().parent.name if script.stem in _NAMELESS else script.stem
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", own).strip("-._")[:60]
    return cleaned or "study"
