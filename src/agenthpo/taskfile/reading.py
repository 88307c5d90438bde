"""Read a task file (YAML 1.2), refusing every mistake in one sentence that names the file, the
field and the fix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from agenthpo.budget import Budget
from agenthpo.command.config_file import ConfigFile
from agenthpo.command.option_style import BARE, LEFT_OUT, LISTS, STYLES
from agenthpo.command.programs import (
    asks_for_config,
    check_function,
    check_program,
    named_below,
    script_of,
    sources_of,
)
from agenthpo.command.resolve import placeholders, quotes_at
from agenthpo.command.script_options import Option, read_options
from agenthpo.command.shell_line import Line, split_line
from agenthpo.errors import TaskError
from agenthpo.fidelity import Fidelity
from agenthpo.pareto import Goal
from agenthpo.records import RunFolder
from agenthpo.scalars import NO_VALUE
from agenthpo.space import Parameter, Space
from agenthpo.stop_rule import StopRule
from agenthpo.task import TEMPLATES, Background, Objective, Task, Train
from agenthpo.taskfile.config_template import read_template
from agenthpo.taskfile.form import (
    BudgetForm,
    FidelityForm,
    ResourcesForm,
    StopForm,
    TaskForm,
    TrainForm,
)
from agenthpo.taskfile.pydantic_errors import close_to, did_you_mean, parse
from agenthpo.taskfile.space import RESERVED, limits_of, parse_space, with_constraints
from agenthpo.taskfile.yaml_lines import read_yaml
from agenthpo.text.metric_pattern import compile_pattern
from agenthpo.units import parse_duration, parse_memory

__all__ = ["check_name", "load_task", "parse_task"]

_PARSERS = re.compile(rb"\b(?:argparse|click|typer|tyro|simple_parsing|jsonargparse)\b")
"""Those that take a word with a dash before it for an option."""


_SETTINGS = {
    "chance": ("forecast", "wilcoxon"),
    "patience": ("patient",),
    "reduction": ("asha", "hyperband"),
    "longest": ("hyperband",),
}
"""Setting of a stop rule -> the rules that have it."""


def load_task(path: str | Path) -> Task:
    """Return the task in the file ``path`` (or in ``path/task.yaml``).

    :raises TaskError: for anything wrong with it, in one sentence.
    """
    file = Path(path)
    file = file / "task.yaml" if file.is_dir() else file
    if file.suffix in (".py", ".ipynb"):
        raise TaskError(
            f"{file} is a script, no task file; draft one by agenthpo init {file}, then run that"
        )
    document = read_yaml(file)
    try:
        return parse_task(document.data, file=file)
    except TaskError as problem:
        raise TaskError(document.located(str(problem))) from None


def parse_task(raw: Any, *, file: Path) -> Task:
    """Return the task that ``raw``, read from ``file``, describes; paths in it are relative to the
    file's folder.
    """
    where = str(file)
    folder = file.resolve().parent
    if not isinstance(raw, Mapping):
        raise TaskError(
            f"{where}: this is not a mapping; a task file has the keys name, background, "
            "objective, train, space, budget"
        )
    # the space has a reader of its own, with better sentences
    outline = {**raw, "space": {}} if "space" in raw else dict(raw)
    outline |= _first_of_several(raw, where)
    parsed = parse(TaskForm, outline, where=f"{where}: ", error=TaskError)
    fidelity = _fidelity(parsed.fidelity, where)
    space = with_constraints(
        parse_space(_with_fidelity(raw["space"], fidelity), where=f"{where}: space"),
        parsed.constraints,
        where=f"{where}: constraints",
    )
    return Task(
        name=check_name(parsed.name or folder.name, where=f"{where}: name"),
        background=Background(
            **{k: " ".join(v.split()) for k, v in parsed.background.model_dump().items()}
        ),
        objective=_objective(parsed, where),
        space=space,
        train=replace(
            _train(parsed.train, space, folder=folder, where=where),
            cpus=parsed.resources.cpus,
            gpus=_gpus(parsed.resources, where),
        ),
        budget=(budget := _budget(parsed.budget, where)),
        written_budget=budget,
        file=str(file.resolve()),
        prompts=_prompts(folder, where),
        goals=_goals(parsed, where),
        limits=limits_of(
            space,
            parsed.constraints,
            test_metric=parsed.objective.test_metric,
            where=f"{where}: constraints",
        ),
        stop=_stop(parsed.stop, where),
        fidelity=fidelity,
        repeats=parsed.repeats,
        certify=_certify(parsed, where),
    )


def _prompts(folder: Path, where: str) -> Path | None:
    """Return the folder of the task's own templates, if it has one."""
    prompts = folder / "prompts"
    for file in sorted(prompts.glob("*.md")):
        if file.stem not in TEMPLATES:
            raise TaskError(
                f"{where}: {file} is no template that could be replaced; "
                f"{did_you_mean(file.stem, TEMPLATES)}"
            )
    return prompts if prompts.is_dir() else None


def check_name(name: str, *, where: str) -> str:
    """Return ``name`` if it can name a study's folder.

    :raises TaskError: if not.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise TaskError(
            f"{where} is {name!r}, but names a folder; use letters, digits, '.', '_' and '-' only"
        )
    return name


def _objective(parsed: TaskForm, where: str) -> Objective:
    objective = parsed.objective
    if not objective.metric:
        raise TaskError(
            f"{where}: objective.metric is empty; name the metric that the script reports"
        )
    if objective.test_metric == objective.metric:
        raise TaskError(
            f"{where}: objective.test_metric is the tuned metric itself; name another one, "
            "or remove it"
        )
    for key, name in (("metric", objective.metric), ("test_metric", objective.test_metric)):
        read = parsed.train.metrics if isinstance(parsed.train.metrics, dict) else {}
        others = {n for n in read if n not in (objective.metric, objective.test_metric)}
        if name and name not in read and (close := close_to(name, others)):
            raise TaskError(
                f"{where}: objective.{key} is '{name}', but train.metrics reads '{close}'; "
                "write the same name in both"
            )
    return Objective(**objective.model_dump())


def _first_of_several(raw: Mapping[Any, Any], where: str) -> dict[str, Any]:
    """Return what stands for ``objectives`` in the form: the first, and the others."""
    if "objectives" not in raw:
        return {}
    several = raw["objectives"]
    if "objective" in raw:
        raise TaskError(f"{where}: it has objective and objectives; keep one of the two")
    if not isinstance(several, list) or len(several) < 2:
        raise TaskError(
            f"{where}: objectives must be a list of two or more, such as "
            "[{metric: acc, direction: maximize}, {metric: latency_ms, direction: minimize}]"
        )
    return {"objective": several[0], "objectives": several[1:]}


def _goals(parsed: TaskForm, where: str) -> tuple[Goal, ...]:
    goals = tuple(Goal(goal.metric, goal.direction) for goal in parsed.objectives)
    if not goals:
        return ()
    names = [parsed.objective.metric, *(goal.metric for goal in goals)]
    if len(set(names)) < len(names) or parsed.objective.test_metric in names[1:]:
        raise TaskError(f"{where}: objectives names a metric twice; name each once")
    # each of these asks which trial is the best, or when one is good enough
    alone = {
        "stop": parsed.stop,
        "certify": parsed.certify,
        "fidelity": parsed.fidelity,
        "budget.target": parsed.budget.target,
        "budget.patience": parsed.budget.patience,
    }
    if wrong := next((key for key, value in alone.items() if value), None):
        raise TaskError(
            f"{where}: {wrong} is for a single objective, and objectives has {len(names)}; "
            "remove one of the two"
        )
    return goals


def _budget(form: BudgetForm, where: str) -> Budget:
    fields = {**form.model_dump(exclude={"time", "cost"}), "cost_usd": form.cost}
    return Budget(**fields, time_s=_read(parse_duration, form.time, f"{where}: budget.time"))


def _fidelity(form: FidelityForm | None, where: str) -> Fidelity | None:
    if form is None:
        return None
    if form.high < form.low * form.eta:
        raise TaskError(
            f"{where}: fidelity.high is {form.high:g}, but must be at least {form.eta} times "
            f"fidelity.low ({form.low:g}), so that there is something to go on to"
        )
    is_whole = float(form.low).is_integer() and float(form.high).is_integer()
    return Fidelity(form.parameter, form.low, form.high, form.eta, is_whole)


def _with_fidelity(space: Any, fidelity: Fidelity | None) -> Any:
    """Return the raw space with the fidelity's parameter, whose range are its rungs."""
    if fidelity is None or not isinstance(space, Mapping):
        return space
    given = space.get(fidelity.parameter)
    low, high = fidelity.rungs[0], fidelity.rungs[-1]
    kept = {"about": given["about"]} if isinstance(given, Mapping) and "about" in given else {}
    kind = "int" if fidelity.is_whole else "float"
    own = {"type": kind, "low": low, "high": high, "default": high, **kept}
    return {**space, fidelity.parameter: own}


def _certify(parsed: TaskForm, where: str) -> int:
    if parsed.certify and parsed.certify >= parsed.budget.trials:
        raise TaskError(
            f"{where}: certify keeps {parsed.certify} of {parsed.budget.trials} trials, which "
            "leaves none to search with; keep fewer, or raise budget.trials"
        )
    return parsed.certify


def _stop(form: StopForm | None, where: str) -> StopRule | None:
    if form is None:
        return None
    said = form.model_dump(exclude_none=True)
    for name, rules in _SETTINGS.items():
        if name in said and form.rule not in rules:
            raise TaskError(
                f"{where}: stop.{name} is a setting of {' and '.join(rules)}, but stop.rule is "
                f"{form.rule}; remove it"
            )
    return StopRule(**said)


def _gpus(resources: ResourcesForm, where: str) -> float:
    if resources.gpus > 1 and resources.gpus != int(resources.gpus):
        raise TaskError(
            f"{where}: resources.gpus is {resources.gpus:g}, but must be a whole number above 1; "
            "only a share of one GPU may be a fraction, such as 0.5"
        )
    return float(resources.gpus)


def _train(train: TrainForm, space: Space, *, folder: Path, where: str) -> Train:
    command, before = _command(train, folder, where)
    train = train.model_copy(update={"env": {**before, **train.env}})
    texts = {
        "train.command": command,
        "train.env": train.env.values(),
        "train.metrics_file": (train.metrics_file or "",),
    }
    for key, held in texts.items():
        _check_placeholders(held, [*space.names, *sorted(RESERVED)], f"{where}: {key}")
    if train.command and not train.shell:
        _check_dashes(command, space, folder=folder, where=f"{where}: train.command")
    if train.shell and train.command:
        _check_shell_line(train.command, f"{where}: train.command")
    if train.command and not train.shell:
        check_program(command, folder, f"{where}: train.command")
    if train.command:
        _check_reaches_script(
            command, space, train=train, folder=folder, where=f"{where}: train.command"
        )
    config = _config(train, command, space, folder=folder, where=where)
    patterns = train.metrics if isinstance(train.metrics, dict) else {}
    for name, pattern in patterns.items():
        _check_pattern(pattern, f"{where}: train.metrics.{name}")
    return Train(
        command=command,
        shell=train.shell,
        styles=_styles(command, space, style=train.style, folder=folder, where=where),
        cwd=str(folder),
        run_folder=_run_folder(train, command, folder),
        env=train.env,
        pty=train.pty,
        timeout_s=_read(parse_duration, train.timeout, f"{where}: train.timeout"),
        silence_s=_read(parse_duration, train.silence, f"{where}: train.silence"),
        ignores_exit_code=train.exit_code == "ignore",
        memory_mb=_read(parse_memory, train.memory, f"{where}: train.memory"),
        patterns=patterns,
        finds_metrics=train.metrics == "auto",
        metrics_file=train.metrics_file,
        config=config,
    )


def _run_folder(train: TrainForm, command: tuple[str, ...], folder: Path) -> RunFolder | None:
    """Return what each trial's own folder holds; None where the command runs in the task's."""
    if train.folder == "here":
        return None
    names = named_below((*command, *train.env.values()), folder)
    return RunFolder(str(folder), None if train.folder == "copy" else names)


def _config(
    train: TrainForm, command: tuple[str, ...], space: Space, *, folder: Path, where: str
) -> ConfigFile | None:
    """Return the configuration file of ``train.config``: it holds the parameters that have no other
    way into the script.

    :raises TaskError: where the command does not hand it over, or it has no place for one.
    """
    if train.config is None:
        return None
    named = {name for text in (*command, *train.env.values()) for name in placeholders(text)}
    is_all = bool(named & {"flags", "overrides", "config_file", "config_yaml"})
    left = [name for name in space.names if name not in named and not is_all]
    found = read_template(
        train.config, left, required=set(left), folder=folder, where=f"{where}: train.config"
    )
    if not any(f"{{trial_dir}}/{found.to}" in text for text in (*command, *train.env.values())):
        raise TaskError(
            f"{where}: train.config is written to {{trial_dir}}/{found.to}, but train.command does "
            f"not hand that to the script; add it, such as --config {{trial_dir}}/{found.to}"
        )
    return found


def _check_dashes(command: tuple[str, ...], space: Space, *, folder: Path, where: str) -> None:
    """Refuse a text that begins with a dash where it would stand alone and the script's parser
    would take it for an option.

    :raises TaskError: naming the fix.
    """
    for before, word in pairwise(command):
        name = word[1:-1]
        if (
            word != f"{{{name}}}"
            or name not in space.names
            or re.fullmatch(r"--?[A-Za-z][\w-]*", before)
        ):
            continue
        value = next(
            (v for v in space[name].values if isinstance(v, str) and v.startswith("-")), None
        )
        if value is not None and any(
            _PARSERS.search(source.read_bytes()) for source in sources_of(command, folder)
        ):
            raise TaskError(
                f"{where}: space.{name}.values holds {value!r}, which the script would "
                f"take for an option where {word} stands; "
                f"give it an option of its own (--{name} {word}), or hand it over by "
                f"{{config_file}}"
            )


def _check_shell_line(line: str, where: str) -> None:
    """Refuse a placeholder where the shell would execute what its value holds, or read it again.

    :raises TaskError: naming the fix.
    """
    try:
        quotes_at(line)
    except ValueError as problem:
        raise TaskError(
            f"{where}: {problem} stands within quoted $( ), backticks, the quotes of an "
            "inner shell or a here-document, where the shell would execute what its value "
            "holds; "
            "hand it over by train.env, or put the line into a script"
        ) from None


def _has_word_values(parameter: Parameter) -> bool:
    """Return whether true, false, null or a list is among the parameter's values."""
    values = parameter.values
    if any(isinstance(value, list | tuple) for value in parameter.objects.values()):
        return True
    return parameter.kind == "bool" or None in values or any(isinstance(v, bool) for v in values)


def _styles(
    command: tuple[str, ...], space: Space, *, style: str, folder: Path, where: str
) -> dict[str, str]:
    """Return how ``{flags}`` writes true, false and null: as the task says, else as the script's
    own text does.

    :raises TaskError: where neither does, so that a value would be recorded that the script may
        never have had.
    """
    asked = [p for p in space if _has_word_values(p)]
    if not asked or "flags" not in {name for text in command for name in placeholders(text)}:
        every = {p.name: p.style or (style if p.kind == "bool" else "") for p in asked}
        return {name: given for name, given in every.items() if given}
    options = read_options(sources_of(command, folder), [p.name for p in asked])
    found = {}
    for p in asked:
        option = options.get(p.name, Option())
        if p.objects:
            found[p.name] = _list_style(p, option, where)
            continue
        switches = any(isinstance(v, bool) for v in p.values)
        given = p.style or (style if p.kind == "bool" else "")
        if not given and switches and (option.problem or not option.style):
            why = option.problem or "the script's text does not show how its option takes them"
            raise TaskError(
                f"{where}: space.{p.name} is true or false, but {why}; set "
                f"space.{p.name}.style (or train.style) to one of "
                f"{', '.join(STYLES[:5])} …, or hand it over by {{config_file}}"
            )
        if given == BARE and option.default not in (False, NO_VALUE) and option.default is not None:
            raise TaskError(
                f"{where}: space.{p.name}.style is {BARE}, which says nothing for false, "
                f"but the script's own default is {option.default}; "
                "use a style that says both, such as --name/--no-name"
            )
        if not given and None in p.values and not switches:
            if option.default is not None and not option.null:
                raise TaskError(
                    f"{where}: space.{p.name}.values holds null, but {{flags}} has no word "
                    "for it that the script is known to take; set "
                    f"space.{p.name}.style to '--name None', or hand it over by {{config_file}}"
                )
            given = LEFT_OUT if option.default is None else option.null
        found[p.name] = given or option.style
    return found


def _list_style(parameter: Parameter, option: Option, where: str) -> str:
    """Return how ``{flags}`` writes a parameter whose choices are lists."""
    style = parameter.style or option.list_style
    if not style:
        raise TaskError(
            f"{where}: space.{parameter.name}.values holds lists, but the script's text does not "
            f"show how its option takes them; set space.{parameter.name}.style to one of "
            f"{', '.join(map(repr, LISTS))}, or hand it over by {{config_file}}"
        )
    return style


def _command(train: TrainForm, folder: Path, where: str) -> Line:
    if (train.command is None) == (train.function is None):
        raise TaskError(
            f"{where}: train needs either command (such as python train.py {{flags}}) or "
            "function (module:function)"
        )
    if train.function is not None:
        check_function(train.function, folder, f"{where}: train.function")
        words = ("{python}", "-m", "agenthpo.training.call_function", train.function)
        return Line(words, {})
    assert train.command is not None
    if train.shell:
        return Line((train.command,), {})
    return _split(train.command, folder, f"{where}: train.command")


def _split(text: str, folder: Path, where: str) -> Line:
    """Split a command line as a shell would, without running one."""
    try:
        line = split_line(text, folder)
    except ValueError as problem:
        if "quotation" in str(problem) or "escaped" in str(problem):
            raise TaskError(
                f"{where} cannot be split into words ({problem}); balance its quotes"
            ) from None
        raise TaskError(
            f"{where} {problem}, but no shell runs it; set train.shell: true, put the line into a "
            "script, or quote what is meant as it stands"
        ) from None
    if not line.words:
        raise TaskError(
            f"{where} is empty; give the command that trains, such as python train.py --lr "
            f"{{learning_rate}}"
        )
    return line


def _check_placeholders(texts: Any, known: list[str], where: str) -> None:
    for name in (name for text in texts for name in placeholders(text)):
        if name not in known:
            raise TaskError(
                f"{where}: {{{name}}} is neither a parameter of the space nor a known "
                f"placeholder; {did_you_mean(name, known)}"
            )


def _check_reaches_script(
    command: tuple[str, ...], space: Space, *, train: TrainForm, folder: Path, where: str
) -> None:
    """Refuse a command that names some parameters and forgets others, or names none for a script
    that does not ask for them.
    """
    named = {name for text in (*command, *train.env.values()) for name in placeholders(text)}
    if train.config or named & {"flags", "overrides", "config_file", "config_yaml", "trial_dir"}:
        return
    missing = [name for name in space.names if name not in named]
    if missing and len(missing) < len(space):
        raise TaskError(
            f"{where} never hands {missing[0]} to the script; add --{missing[0]} "
            f"{{{missing[0]}}}, or {{flags}} for all (Hydra: {{overrides}})"
        )
    if missing and (script := script_of(command, folder)) and not asks_for_config(script):
        raise TaskError(
            f"{where} hands no parameter to {script.name}, which does not call "
            f"agenthpo.config() either; add {{flags}} or {{config_file}}"
        )


def _check_pattern(pattern: str, where: str) -> None:
    try:
        groups = compile_pattern(pattern).groups
    except re.error as problem:
        raise TaskError(
            f"{where} is not a regular expression ({problem}); fix {pattern!r}, or write "
            f"{{number}} for the value"
        ) from None
    if groups != 1:
        raise TaskError(
            f"{where} must hold {{number}} where the value stands (or one group), such as "
            f"'val acc {{number}}', not {pattern!r}; other groups are written (?:…)"
        )


def _read(reader: Callable[[Any], float], value: Any, field: str) -> float | None:
    try:
        return None if value is None else reader(value)
    except ValueError as problem:
        raise TaskError(f"{field}: {problem}") from None
