"""The commands: they read arguments, call ``session``, and hand events to a view. Heavy imports
happen inside the commands.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from agenthpo.cli.audit import audit
from agenthpo.cli.bench_commands import bench
from agenthpo.cli.certify import certify
from agenthpo.cli.compare import compare
from agenthpo.cli.export import export
from agenthpo.cli.options import (
    BaseUrl,
    By,
    Json,
    Model,
    StudyName,
    StudyOptions,
    TaskFile,
    Trust,
    Values,
    Why,
    duration_of,
    with_options,
)
from agenthpo.cli.report import report
from agenthpo.cli.watching import shortened, watched
from agenthpo.cli.worker import worker
from agenthpo.text.pasting import pasted
from agenthpo.text.printing import say

if TYPE_CHECKING:
    from agenthpo.events import OnEvent, Stopped

app = typer.Typer(
    name="agenthpo",
    help="Tune a training script with two language-model agents and an optimisation engine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from agenthpo import __version__

        print(__version__)
        raise typer.Exit


@app.command()
def check(
    task: TaskFile,
    try_: Annotated[
        bool,
        typer.Option("--try", help="Run the default configuration once, for at most 20 seconds."),
    ] = False,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="DURATION", help="With --try: for how long instead (90, 2m, 1h)."
        ),
    ] = None,
    model: Model = None,
    base_url: BaseUrl = None,
    json: Json = False,
) -> int:
    """Validate a task file; show the command, the space, the prompt and what the budget may cost.
    Spends nothing.
    """
    from agenthpo.assembly import ModelChoice
    from agenthpo.cli.check import print_check
    from agenthpo.cli.trying import try_once
    from agenthpo.errors import TaskError
    from agenthpo.llm.default_model import choose_model
    from agenthpo.taskfile.reading import load_task
    from agenthpo.trying import TRY_S

    loaded = load_task(task)
    if for_ is not None and not try_:
        raise TaskError("--for says how long --try may take; add --try")
    if try_:
        seconds = duration_of("--for", for_) or TRY_S
        return 0 if try_once(loaded, seconds=seconds, as_json=json) else 2
    print_check(loaded, ModelChoice(choose_model(model)[0], base_url), as_json=json)
    return 0


@app.command()
def init(
    script: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SCRIPT]", help="The training script; a commented template without it."
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric", metavar="NAME", help="What to tune; the best suited metric without it."
        ),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(
            "--function",
            metavar="MODULE:NAME",
            help="A function in a module of this folder, whose parameters are tuned.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to write; task.yaml beside the script without it."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="A language model that completes the background from the script's text; none "
            "without it.",
        ),
    ] = None,
    base_url: BaseUrl = None,
    run_help: Annotated[
        bool,
        typer.Option(
            "--run-help",
            help="Run SCRIPT --help, too, for options that its text does not show.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Draft a task file from a script, which is read and not run. No file is overwritten."""
    from agenthpo.assembly import ModelChoice
    from agenthpo.cli.init import init_function, init_script, init_template

    if function is not None:
        init_function(script, function, metric, out or Path("task.yaml"), as_json=json)
    elif script is None:
        init_template(out or Path("task.yaml"), as_json=json)
    else:
        init_script(
            script,
            metric,
            out or script.parent / "task.yaml",
            runs_help=run_help,
            model=ModelChoice(model, base_url) if model else None,
            as_json=json,
        )


@app.command()
def schema() -> None:
    """Print the JSON schema of a task file, for an editor to complete and check by."""
    from json import dumps

    from agenthpo.taskfile.form import json_schema

    print(dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
@with_options
def run(
    task: TaskFile,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            help="Seed of the search and, as {seed} and AGENTHPO_SEED, of the training; "
            "0 without it.",
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="The study's name; the task's name without it.")
    ] = None,
    earlier: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="STUDY",
            help="Try what was best in an earlier study first: its name or folder, a folder of "
            "studies, a CSV file, or an Optuna storage (file or URL). Can be repeated.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="PART",
            help="Go without a part, to see what it is worth: knowledge (what was good on other "
            "data sets), engine, and what the model is told: background, history, analysis. "
            "Can be repeated.",
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL",
            help="An Optuna storage for the trials, such as sqlite:///study.db; "
            "a journal file without it.",
        ),
    ] = None,
    begin_only: Annotated[
        bool,
        typer.Option(
            "--begin-only", help="Only begin the study; 'agenthpo worker' runs its trials."
        ),
    ] = False,
    *,
    options: StudyOptions,
) -> int:
    """Tune: propose, train, analyse, until the budget is spent."""
    from agenthpo.assembly import replayed
    from agenthpo.session import begin, create
    from agenthpo.studies import study_folder
    from agenthpo.taskfile.reading import check_name, load_task

    limits = options.limits()
    loaded = load_task(task).with_budget(limits)
    name = check_name(study or loaded.name, where="--study")
    folder = study_folder(name, beside=Path(loaded.file or ".").parent)
    choice, its_seed = replayed(options.choice())
    chosen_seed = next(s for s in (seed, its_seed, 0) if s is not None)

    given: dict[str, Any] = {
        "model": choice,
        "seed": chosen_seed,
        "storage": storage,
        "proposer": options.proposer,
        "earlier": earlier or (),
        "without": without or (),
        "workers": options.workers,
        "pool": options.pool_choice(),
    }
    if begin_only:
        create(loaded, shortened(folder), **given)
        say(f"Begun. Work in it by: {pasted('worker', shortened(folder))}")
        return 0

    def begun(on_event: OnEvent) -> Stopped:
        return begin(
            loaded, shortened(folder), **given, keep_going=options.keep_going, on_event=on_event
        )

    return watched(folder, begun, as_json=options.json)


@app.command()
@with_options
def resume(
    study: StudyName,
    trust: Trust = False,
    *,
    options: StudyOptions,
) -> int:
    """Resume a study where it stopped, with the model it was begun with unless another one is
    named.
    """
    from agenthpo.session import go_on
    from agenthpo.studies import find_study, foreign_study, foreign_words, meta_of

    limits, pool = options.limits(), options.pool_choice()
    folder = find_study(study)
    meta = meta_of(folder)
    same = options.model is None and options.base_url is None
    chosen = replace(
        options,
        model=options.model or meta.model,
        base_url=meta.base_url if same else options.base_url,
        on_llm_failure=options.on_llm_failure or meta.on_llm_failure,
    )
    choice = chosen.choice()
    temperature = meta.temperature if choice.temperature is None else choice.temperature
    timeout_s = choice.timeout_s or meta.llm_timeout_s
    choice = replace(choice, timeout_s=timeout_s, temperature=temperature)
    named = ""
    if not trust:
        named = foreign_words(
            folder, meta, has_task=False, has_model=not same, proposer=options.proposer
        )
    if named and not _agrees(f"The study {folder} was not made here, and {named}. Continue?"):
        raise foreign_study(folder, named)

    def gone_on(on_event: OnEvent) -> Stopped:
        return go_on(
            folder,
            model=choice,
            proposer=options.proposer,
            limits=limits,
            workers=options.workers,
            pool=pool,
            keep_going=options.keep_going,
            trusted=True,
            on_event=on_event,
        )

    return watched(folder, gone_on, as_json=options.json)


app.command()(worker)
app.command()(certify)
app.command()(audit)
app.command()(report)
app.command()(compare)
app.command()(export)


@app.command()
def show(
    study: StudyName,
    trial: Annotated[
        int | None, typer.Argument(metavar="[N]", help="A trial's number, for its story.")
    ] = None,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the trials as CSV.")] = False,
) -> None:
    """Show a study's trials and its best configuration, or tell the story of one trial."""
    from agenthpo.cli.story import print_trial
    from agenthpo.cli.tables import print_csv, print_study
    from agenthpo.studies import find_study

    folder = find_study(study)
    if trial is not None:
        print_trial(folder, trial, as_json=json)
    elif csv:
        print_csv(folder)
    else:
        print_study(folder, as_json=json)


@app.command()
def best(
    study: StudyName,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="command|yaml|json",
            help="In which form; a command line without it.",
        ),
    ] = None,
) -> None:
    """Print the winning configuration, ready to paste."""
    from agenthpo.cli.best import print_best
    from agenthpo.studies import find_study

    print_best(find_study(study), form)


@app.command()
def repair(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="The study's folder, or its name.")
    ],
    json: Json = False,
) -> None:
    """Write a repaired copy of a study whose journal is damaged, and say what is missing; the
    original stays as it is.
    """
    from agenthpo.cli.repair import print_repaired
    from agenthpo.studies import find_study

    print_repaired(find_study(str(study)), as_json=json)


@app.command()
def enqueue(
    study: StudyName,
    values: Values,
    why: Why = "",
    by: By = None,
    json: Json = False,
) -> None:
    """Have a configuration tried next in a study, while it runs or when it is resumed; what is not
    named is as in the best trial so far.
    """
    from agenthpo.cli.agent import for_people, pairs

    given = {"params": pairs(values), "why": why}
    for_people("enqueue", study, given, by=by, as_json=json)


@app.command()
def pin(
    study: StudyName,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="What to hold.")
    ] = None,
    off: Annotated[
        str, typer.Option("--off", metavar="NAME", help="Let this parameter go again.")
    ] = "",
    why: Why = "",
    by: By = None,
    json: Json = False,
) -> None:
    """Hold parameters of a study at a value from its next trial on, whoever proposes."""
    from agenthpo.cli.agent import for_people, pairs

    given = {"params": pairs(values or ()), "off": off, "why": why}
    for_people("pin", study, given, by=by, as_json=json)


@app.command()
def widen(
    study: StudyName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The parameter.")],
    low: Annotated[
        float | None, typer.Option("--low", help="The new lower end of its range.")
    ] = None,
    high: Annotated[
        float | None, typer.Option("--high", help="The new upper end of its range.")
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="VALUE", help="A value to add to its list; several times."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Its range is the task file's again.")
    ] = False,
    why: Why = "",
    by: By = None,
    json: Json = False,
) -> None:
    """Widen a parameter's range from the study's next trial on; the task file stays as it is."""
    from agenthpo.cli.agent import for_people, pairs

    values = [pairs([f"{name}={value}"])[name] for value in add or ()]
    given = {"parameter": name, "low": low, "high": high, "values": values or None, "why": why}
    for_people("widen", study, {**given, "undo": undo}, by=by, as_json=json)


@app.command()
def note(
    study: StudyName,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say.")],
    trial: Annotated[
        int | None, typer.Option("--trial", help="The trial it is on; the study without it.")
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Leave a note in a study, for people and for agents that work in it."""
    from agenthpo.cli.agent import for_people

    for_people("note", study, {"text": text, "trial": trial}, by=by, as_json=json)


@app.command()
def veto(
    study: StudyName,
    what: Annotated[
        str,
        typer.Argument(metavar="WHAT", help="The id of what waits (r3), or a trial's number."),
    ],
    why: Why = "",
    by: By = None,
    json: Json = False,
) -> None:
    """Take back a configuration that waits for its trial, or stop a trial that trains."""
    from agenthpo.cli.agent import for_people

    for_people("veto", study, {"what": what, "why": why}, by=by, as_json=json)


@app.command()
def mcp(
    root: Annotated[
        Path, typer.Option("--root", help="The folder that it touches; this one without it.")
    ] = Path(),
    by: Annotated[
        str | None,
        typer.Option("--by", help="The agent's name; what the client calls itself without it."),
    ] = None,
    http: Annotated[
        int | None,
        typer.Option(
            "--http",
            metavar="PORT",
            min=1,
            max=65535,
            help="Serve on a port of this machine, under a token, not on standard input.",
        ),
    ] = None,
    install: Annotated[
        str | None,
        typer.Option(
            "--install",
            metavar="claude|codex|cursor|vscode",
            help="Add the server to a client's configuration in this folder, after showing it.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --install: write it without asking.")
    ] = False,
    json: Json = False,
) -> int:
    """Serve a coding agent: it proposes, AgentHPO trains, keeps the record and judges (MCP)."""
    from agenthpo.cli.mcp import install_client, serve

    if install is not None:
        return install_client(install, root, agreed=yes, as_json=json)
    serve(root, by, http)
    return 0


skill = typer.Typer(
    help="The skill that teaches a coding agent to tune by the commands.", no_args_is_help=True
)
app.add_typer(skill, name="skill")


@skill.command("install")
def skill_install(
    to: Annotated[
        Path | None,
        typer.Option("--to", help="The folder of skills; .claude/skills without it."),
    ] = None,
    json: Json = False,
) -> None:
    """Copy the skill to where a coding agent finds it."""
    from agenthpo.cli.mcp import install_skill

    install_skill(to, as_json=json)


models = typer.Typer(help="The embedded models: list them, pull one.", no_args_is_help=True)
app.add_typer(models, name="models")


@models.command("list")
def models_list(json: Json = False) -> None:
    """List the embedded models and which of them are downloaded."""
    from agenthpo.cli.models import print_models

    print_models(as_json=json)


@models.command("pull")
def models_pull(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name of the list, such as local:smollm2.")
    ],
) -> None:
    """Fetch an embedded model, check it, and keep it for every study."""
    from agenthpo.cli.models import pull_with_progress

    say(str(pull_with_progress(name)))


@models.command("verify")
def models_verify(json: Json = False) -> int:
    """Read the files of the embedded models that are downloaded, and say whether each is the
    catalogue's.
    """
    from agenthpo.cli.models import print_verified

    return 0 if print_verified(as_json=json) else 2


def _agrees(question: str) -> bool:
    """Ask a person at a terminal; nobody there, or no answer, is a no."""
    from agenthpo.text.cleaning import clean

    try:
        return sys.stdin.isatty() and typer.confirm(clean(question))
    except typer.Abort:
        return False


app.add_typer(bench, name="bench")


class _Operations(TyperGroup):
    """The commands of ``agenthpo agent``, made when one is asked for: what they stand on takes a
    second to import.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the operations' names."""
        return self._filled.list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the operation's command, None where there is none of that name."""
        return self._filled.get_command(ctx, cmd_name)

    @cached_property
    def _filled(self) -> TyperGroup:
        from agenthpo.cli.agent import fill

        group = typer.Typer()
        fill(group)
        made = typer.main.get_command(group)
        assert isinstance(made, TyperGroup)
        return made


agent = typer.Typer(
    cls=_Operations,
    help="The operations of a study, one call each, for a coding agent.",
    no_args_is_help=True,
)
app.add_typer(agent, name="agent")
