"""Read a task file (YAML 1.2), refusing every mistake in one sentence that names the file, the field and the fix."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agenthpo.budget import Budget
from agenthpo.errors import TaskError
from agenthpo.shape import did_you_mean, parse
from agenthpo.space import Space
from agenthpo.space_file import RESERVED, ParameterSpec, parse_space
from agenthpo.task import Background, Objective, Task, Train, fill, placeholders
from agenthpo.units import parse_duration

__all__ = ["check_name", "load_task", "parse_task"]

_STRICT = ConfigDict(extra="forbid")
_INTERPRETERS = re.compile(r"(python|pypy|ruby|perl|node|julia|Rscript|lua|php|sh|bash|dash|zsh)[0-9.]*")
_SHELL_WORDS = {"|", "||", "&&", ";", ">", "<", "&", ">>", "2>&1", "2>"}


class _Background(BaseModel):
    model_config = _STRICT
    task: str = ""
    dataset: str = ""
    model: str = ""
    goal: str = ""
    notes: str = ""


class _Objective(BaseModel):
    model_config = _STRICT
    metric: str
    direction: Literal["minimize", "maximize"]
    at: Literal["last", "best"] = "last"
    test_metric: str | None = None


class _Train(BaseModel):
    model_config = _STRICT
    command: str
    shell: bool = False
    timeout: int | float | str | None = None
    metrics: dict[str, str] = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)


class _Budget(BaseModel):
    model_config = _STRICT
    trials: int = Field(20, ge=1)
    time: int | float | str | None = None


class _TaskFile(BaseModel):
    model_config = _STRICT
    name: str = ""
    background: _Background = Field(default_factory=lambda: _Background.model_validate({}))
    objective: _Objective
    train: _Train
    space: dict[str, ParameterSpec]
    budget: _Budget = Field(default_factory=lambda: _Budget.model_validate({}))


def load_task(path: str | Path) -> Task:
    """Return the task in the file ``path`` (or in ``path/task.yaml``).

    :raises TaskError: for anything wrong with it, in one sentence.
    """
    file = Path(path)
    file = file / "task.yaml" if file.is_dir() else file
    return parse_task(_read(file), file=file)


def parse_task(raw: Any, *, file: Path) -> Task:
    """Return the task that ``raw``, read from ``file``, describes; paths in it are relative to the file's folder."""
    where, folder = str(file), file.resolve().parent
    if not isinstance(raw, Mapping):
        raise TaskError(f"{where} is not a mapping; a task file has the keys name, background, objective, train, space, budget")
    outline = {**raw, "space": {}} if "space" in raw else raw  # the space has a reader of its own, with better sentences
    parsed = parse(_TaskFile, outline, where=f"{where}: ", error=TaskError)
    space = parse_space(raw["space"], where=f"{where}: space")
    return Task(
        name=check_name(parsed.name or folder.name, where=f"{where}: name"),
        background=Background(**{k: " ".join(v.split()) for k, v in parsed.background.model_dump().items()}),
        objective=_objective(parsed, where),
        space=space,
        train=_train(parsed.train, space, folder, where),
        budget=Budget(trials=parsed.budget.trials, time_s=_seconds(parsed.budget.time, f"{where}: budget.time")),
        file=str(file.resolve()),
    )


def check_name(name: str, *, where: str) -> str:
    """Return ``name`` if it can name a study's folder.

    :raises TaskError: if not.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise TaskError(f"{where} is {name!r}, but names a folder; use letters, digits, '.', '_' and '-' only")
    return name


def _read(file: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TaskError(f"{file} does not exist; give the path of a task file, such as task.yaml") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise TaskError(f"{file} cannot be read ({problem}); give a UTF-8 text file that you may read") from None
    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as problem:
        raise TaskError(f"{file} is not valid YAML: {_yaml_problem(problem)}") from None


def _yaml_problem(problem: Exception) -> str:
    mark = getattr(problem, "problem_mark", None)
    words = str(getattr(problem, "problem", None) or problem).split("\n")[0]
    return f"{words} (line {mark.line + 1}, column {mark.column + 1}); mend that line" if mark else f"{words}; mend it"


def _objective(parsed: _TaskFile, where: str) -> Objective:
    objective = parsed.objective
    if not objective.metric:
        raise TaskError(f"{where}: objective.metric is empty; name the metric that the script reports")
    if objective.test_metric == objective.metric:
        raise TaskError(f"{where}: objective.test_metric is the tuned metric itself; name another one, or remove it")
    return Objective(**objective.model_dump())


def _train(train: _Train, space: Space, folder: Path, where: str) -> Train:
    command = (train.command,) if train.shell else _split(train.command, f"{where}: train.command")
    for key, texts in (("train.command", command), ("train.env", train.env.values())):
        _check_placeholders(texts, [*space.names, *sorted(RESERVED)], f"{where}: {key}")
    if not train.shell:
        _check_program(command, str(folder), f"{where}: train.command")
    _check_reaches_script(command, space, train, where)
    for name, pattern in train.metrics.items():
        _check_pattern(pattern, f"{where}: train.metrics.{name}")
    return Train(
        command=command,
        shell=train.shell,
        cwd=str(folder),
        env=train.env,
        timeout_s=_seconds(train.timeout, f"{where}: train.timeout"),
        patterns=train.metrics,
    )


def _split(text: str, where: str) -> tuple[str, ...]:
    """Split a command line as a shell would, without running one."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as problem:
        raise TaskError(f"{where} cannot be split into words ({problem}); balance its quotes") from None
    if not words:
        raise TaskError(f"{where} is empty; give the command that trains, such as python train.py --lr {{learning_rate}}")
    if found := next((w for w in words if w in _SHELL_WORDS), None):
        raise TaskError(f"{where} holds '{found}', but no shell runs it; set train.shell: true, or put the line into a script")
    return words


def _check_placeholders(texts: Any, known: list[str], where: str) -> None:
    for name in (name for text in texts for name in placeholders(text)):
        if name not in known:
            raise TaskError(f"{where}: {{{name}}} is neither a parameter of the space nor a known placeholder; {did_you_mean(name, known)}")


def _check_program(command: tuple[str, ...], cwd: str, where: str) -> None:
    names = {name for word in command[:2] for name in placeholders(word)}
    words = [fill(word, dict.fromkeys(names, "0") | {"python": sys.executable}) for word in command[:2]]
    program = words[0]
    if shutil.which(str(Path(cwd, program)) if "/" in program else program) is None:
        hint = "use {python} for the interpreter that runs agenthpo" if program.startswith("python") else "install it, or mend its name"
        if Path(cwd, program).is_file():
            hint = f"make it executable (chmod +x {program})" if "/" in program else f"write ./{program}"
        raise TaskError(f"{where}: the program '{program}' cannot be found or run; {hint}")
    is_script = len(words) == 2 and _INTERPRETERS.fullmatch(Path(program).name) and not words[1].startswith("-")
    if is_script and not placeholders(command[1]) and not Path(cwd, words[1]).is_file():
        raise TaskError(f"{where}: the script '{words[1]}' does not exist in {cwd}; paths are relative to the task file's folder")


def _check_reaches_script(command: tuple[str, ...], space: Space, train: _Train, where: str) -> None:
    """Refuse a command that names some parameters and forgets others; one that names none reads ``agenthpo.config()``."""
    named = {name for text in (*command, *train.env.values()) for name in placeholders(text)}
    missing = [name for name in space.names if name not in named]
    if named & set(space.names) and missing and not named & {"flags", "config_file", "trial_dir"}:
        raise TaskError(
            f"{where}: train.command never hands {missing[0]} to the script; add --{missing[0]} {{{missing[0]}}}, or {{flags}} for all"
        )


def _check_pattern(pattern: str, where: str) -> None:
    if "{number}" in pattern:
        return
    try:
        groups = re.compile(pattern).groups
    except re.error as problem:
        raise TaskError(f"{where} is not a regular expression ({problem}); mend {pattern!r}, or write {{number}} for the value") from None
    if groups != 1:
        raise TaskError(
            f"{where} must hold {{number}} where the value stands (or one group), such as 'val acc {{number}}', not {pattern!r}"
        )


def _seconds(value: Any, field: str) -> float | None:
    try:
        return None if value is None else parse_duration(value)
    except ValueError as problem:
        raise TaskError(f"{field}: {problem}") from None
