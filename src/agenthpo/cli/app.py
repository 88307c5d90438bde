"""The commands: they read arguments, call ``session``, and hand events to a face. Heavy imports
happen inside the commands.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agenthpo.text.pasting import pasted
from agenthpo.text.printing import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from agenthpo.assembly import ModelChoice
    from agenthpo.events import OnEvent, Stopped

app = typer.Typer(
    name="agenthpo",
    help="Tune a training script with two language-model agents and an optimisation engine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
TaskFile = Annotated[
    Path, typer.Argument(metavar="TASK.yaml", help="The task file, or its folder.")
]
StudyName = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study's name or folder, or a task's folder.")
]
Trials = Annotated[
    int | None,
    typer.Option(
        "--trials", min=1, help="How many trials in all; the task file's budget without it."
    ),
]
Time = Annotated[
    str | None,
    typer.Option("--timeout", help="How long the study may take: 90 (seconds), 30m, 8h."),
]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", min=0.0, help="How many US dollars the model may cost."),
]
MaxTokens = Annotated[
    int | None,
    typer.Option("--max-tokens", min=1, help="How many tokens the model may read and write."),
]
Target = Annotated[
    float | None,
    typer.Option("--target", help="A value of the metric that is good enough to stop."),
]
Patience = Annotated[
    int | None,
    typer.Option("--patience", min=1, help="Stop after so many trials without a new best."),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="local:NAME, PROVIDER:MODEL (openai:gpt-5 …), replay:STUDY or none; without it AGENTHPO_MODEL, else the embedded model if it is downloaded.",
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="An OpenAI-compatible server that has the model.")
]
ProposerName = Annotated[
    str | None,
    typer.Option(
        "--proposer",
        metavar="NAME",
        help="Who proposes: hybrid (Creator and engine, the default), creator, engine, a sampler of Optuna's (tpe, gp, cmaes, random, qmc), "
        "or module:Class, or hub:PACKAGE from OptunaHub.",
    ),
]
OnFailure = Annotated[
    str,
    typer.Option(
        "--on-llm-failure",
        metavar="fallback|stop",
        help="When the model fails: search on without it, visibly, or stop resumably.",
    ),
]
KeepGoing = Annotated[
    bool,
    typer.Option(
        "--keep-going",
        help="Spend the whole budget even where it is the task that fails, and not a configuration.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


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
    model: Model = None,
    base_url: BaseUrl = None,
    json: Json = False,
) -> int:
    """Validate a task file; show the command, the space, the prompt and what the budget may cost.
    Spends nothing.
    """
    from agenthpo.assembly import ModelChoice
    from agenthpo.cli.check import print_check, try_once
    from agenthpo.llm.default_model import choose_model
    from agenthpo.taskfile.reading import load_task

    loaded = load_task(task)
    if try_:
        return 0 if try_once(loaded, as_json=json) else 2
    print_check(loaded, ModelChoice(choose_model(model)[0], base_url), as_json=json)
    return 0


@app.command()
def schema() -> None:
    """Print the JSON schema of a task file, for an editor to complete and check by."""
    from json import dumps

    from agenthpo.taskfile.form import json_schema

    print(dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def run(
    task: TaskFile,
    trials: Trials = None,
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            help="Seed of the search and, as {seed} and AGENTHPO_SEED, of the training; 0 without it.",
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="The study's name; the task's name without it.")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL",
            help="An Optuna storage for the trials, such as sqlite:///study.db; a journal file without it.",
        ),
    ] = None,
    proposer: ProposerName = None,
    on_llm_failure: OnFailure = "fallback",
    timeout: Time = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    target: Target = None,
    patience: Patience = None,
    keep_going: KeepGoing = False,
    json: Json = False,
) -> int:
    """Tune: propose, train, analyse, until the budget is spent."""
    from agenthpo.assembly import replayed
    from agenthpo.session import begin
    from agenthpo.studies import study_folder
    from agenthpo.taskfile.reading import check_name, load_task

    limits = _limits(trials, timeout, max_tokens, max_cost, target, patience)
    loaded = load_task(task).with_budget(**limits)
    folder = study_folder(
        check_name(study or loaded.name, where="--study"), beside=Path(loaded.file or ".").parent
    )
    choice, its_seed = replayed(_choice(model, base_url, on_llm_failure))
    chosen_seed = next(s for s in (seed, its_seed, 0) if s is not None)

    def begun(on_event: OnEvent) -> Stopped:
        return begin(
            loaded,
            _short(folder),
            model=choice,
            seed=chosen_seed,
            storage=storage,
            proposer=proposer,
            keep_going=keep_going,
            on_event=on_event,
        )

    return _watched(folder, json, begun)


@app.command()
def resume(
    study: StudyName,
    trials: Trials = None,
    model: Model = None,
    base_url: BaseUrl = None,
    proposer: ProposerName = None,
    on_llm_failure: Annotated[
        str | None, typer.Option("--on-llm-failure", metavar="fallback|stop", help="As in run.")
    ] = None,
    timeout: Time = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    target: Target = None,
    patience: Patience = None,
    keep_going: KeepGoing = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run what a study names that was not made here.")
    ] = False,
    json: Json = False,
) -> int:
    """Go on with a study where it stopped, with the model it was begun with unless another one is
    named.
    """
    from agenthpo.session import go_on
    from agenthpo.studies import find_study, foreign_study, foreign_words, meta_of

    limits = _limits(trials, timeout, max_tokens, max_cost, target, patience)
    folder = find_study(study)
    meta = meta_of(folder)
    same = model is None and base_url is None
    choice = _choice(
        model or meta.model,
        meta.base_url if same else base_url,
        on_llm_failure or meta.on_llm_failure,
    )
    named = (
        ""
        if trust
        else foreign_words(folder, meta, has_task=False, has_model=not same, proposer=proposer)
    )
    if named and not _agrees(f"The study {folder} was not made here, and {named}. Go on?"):
        raise foreign_study(folder, named)

    def gone_on(on_event: OnEvent) -> Stopped:
        return go_on(
            folder,
            model=choice,
            proposer=proposer,
            limits=limits,
            keep_going=keep_going,
            trusted=True,
            on_event=on_event,
        )

    return _watched(folder, json, gone_on)


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
    """Read the files of the embedded models that are downloaded, and say whether each is the catalogue's."""
    from agenthpo.cli.models import print_verified

    return 0 if print_verified(as_json=json) else 2


def _limits(
    trials: int | None,
    timeout: str | None,
    tokens: int | None,
    cost: float | None,
    target: float | None,
    patience: int | None,
) -> dict[str, object]:
    """Return the limits of a budget that the command line sets, None for the others."""
    from agenthpo.errors import TaskError
    from agenthpo.units import parse_duration

    try:
        time_s = None if timeout is None else parse_duration(timeout)
    except ValueError as problem:
        raise TaskError(f"--timeout: {problem}") from None
    return {
        "trials": trials,
        "time_s": time_s,
        "tokens": tokens,
        "cost_usd": cost,
        "target": target,
        "patience": patience,
    }


def _choice(model: str | None, base_url: str | None, on_failure: str) -> ModelChoice:
    """Return the model to use; naming an embedded one is asking for it to be fetched."""
    from agenthpo.assembly import ModelChoice
    from agenthpo.errors import ModelError
    from agenthpo.llm.default_model import choose_model
    from agenthpo.llm.names import parse_model
    from agenthpo.text.urls import is_open_to_others, shown_url

    if on_failure not in ("fallback", "stop"):
        raise ModelError(f"--on-llm-failure is '{on_failure}', but must be fallback or stop")

    name, hint = choose_model(model)
    named = parse_model(name, base_url)
    if base_url is not None and named.is_none:
        raise ModelError(
            f"--base-url {shown_url(base_url)} names a server, but no model on it; add --model NAME"
        )
    if base_url is not None and is_open_to_others(base_url):
        hint = f"Prompts and the key go to {shown_url(base_url)} unencrypted, for everybody on the way to read; use https if it has it. {hint}"
    if named.kind == "embedded":
        from agenthpo.cli.models import pull_with_progress

        pull_with_progress(name)
    return ModelChoice(name, base_url, hint, on_failure)  # type: ignore[arg-type]


def _agrees(question: str) -> bool:
    """Ask a person at a terminal; nobody there, or no answer, is a no."""
    from agenthpo.text.cleaning import clean

    try:
        return sys.stdin.isatty() and typer.confirm(clean(question))
    except typer.Abort:
        return False


def _watched(folder: Path, json: bool, tune: Callable[[OnEvent], Stopped]) -> int:
    """Run ``tune`` with a face and return the exit code; an interruption says how to go on."""
    from agenthpo.cli.exit_codes import INTERRUPTED, NOTHING_FOUND

    try:
        with _face(json) as on_event:
            stopped = tune(on_event)
    except KeyboardInterrupt:
        say(f"Interrupted. Go on with: {pasted('resume', _short(folder))}", error=True)
        return INTERRUPTED
    if stopped.fault:
        say(
            f"Error: {stopped.fault}. Then resume with: {pasted('resume', _short(folder))} (--keep-going to spend the budget all the same)",
            error=True,
        )
        return NOTHING_FOUND
    return 0 if stopped.incumbent else NOTHING_FOUND


def _face(json: bool) -> AbstractContextManager[OnEvent]:
    """Return what shows events: JSON where it was asked for, the live view in a terminal, else
    lines.
    """
    from agenthpo.text.event_lines import TextLines, print_json

    if json:
        return nullcontext(print_json)
    if not sys.stdout.isatty():
        return nullcontext(TextLines())
    from agenthpo.cli.live import live_view
    from agenthpo.text.printing import clean_console

    return live_view(clean_console())


def _short(folder: Path) -> Path:
    """Return ``folder`` relative to the working folder where it lies within."""
    folder = folder.resolve()
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


bench = typer.Typer(help="The benchmark against peers.", no_args_is_help=True)
app.add_typer(bench, name="bench")


def _benched(play: Callable[[], None]) -> int:
    """Run a benchmark and return the exit code; an interruption says how to go on."""
    from agenthpo.cli.exit_codes import DONE, INTERRUPTED

    try:
        play()
    except KeyboardInterrupt:
        say(
            "Interrupted. What was done is stored; the same command goes on from there.", error=True
        )
        return INTERRUPTED
    return DONE


@bench.command("tables")
def bench_tables(
    methods: Annotated[
        str, typer.Option("--methods", metavar="A,B", help="Which methods; all without it.")
    ] = "",
    problems: Annotated[
        str, typer.Option("--problems", metavar="A,B", help="Which problems; all without it.")
    ] = "",
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, help="How many seeds, at most what each method is worth."),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, help="How many trials, at most what each method is worth."),
    ] = None,
    without_default: Annotated[
        bool, typer.Option("--without-default", help="Begin without a default configuration.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many processes.")] = 1,
    results: Annotated[Path, typer.Option("--results", help="Where results are kept.")] = Path(
        "benchmarks/results/tables"
    ),
    json: Json = False,
) -> int:
    """Play tables of real trainings and made-up problems against peers; only what is not stored
    yet.
    """
    from agenthpo.cli.bench_tables import bench_tables as play

    chosen_methods = [name for name in methods.split(",") if name]
    chosen_problems = [name for name in problems.split(",") if name]
    return _benched(
        lambda: play(
            chosen_methods,
            chosen_problems,
            seeds=seeds,
            trials=trials,
            has_default=not without_default,
            jobs=jobs,
            folder=results,
            as_json_=json,
        )
    )


@bench.command("run")
def bench_run(
    tasks: Annotated[
        str, typer.Option("--tasks", help="Which, by commas; all twelve unless named.")
    ] = "",
    proposers: Annotated[
        str, typer.Option("--proposers", help="Which, by commas.")
    ] = "random,tpe,creator,hybrid",
    model: Annotated[
        str, typer.Option("--model", help="The language model that creator, hybrid and opro ask.")
    ] = "local:smollm2",
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trials a run.")] = 10,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Runs of each proposer.")] = 3,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many processes.")] = 1,
    smoke: Annotated[
        bool,
        typer.Option("--smoke", help="A reduced form: two quick tasks, three trials, one seed."),
    ] = False,
    folder: Annotated[Path, typer.Option("--folder", help="Where the tasks are.")] = Path(
        "benchmarks/tasks"
    ),
    results: Annotated[Path, typer.Option("--results", help="Where results are kept.")] = Path(
        "benchmarks/results/tasks"
    ),
    cache: Annotated[
        Path, typer.Option("--cache", help="Where every training and every reply is kept.")
    ] = Path(".agenthpo/bench"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what they came to as JSON.")
    ] = False,
) -> int:
    """Tune the twelve tasks by every proposer, real trainings all, where that is not stored yet,
    and print the scores.
    """
    from agenthpo.bench.tasks.runs import Where
    from agenthpo.bench.tasks.trained import QUICK
    from agenthpo.cli.bench_tasks import bench_run as play

    chosen = [name for name in tasks.split(",") if name] or (list(QUICK) if smoke else [])
    least = {"trials": min(trials, 3), "seeds": 1} if smoke else {"trials": trials, "seeds": seeds}
    who = [name for name in proposers.split(",") if name]
    return _benched(
        lambda: play(
            Where(folder, results, cache),
            chosen,
            who,
            model=model,
            jobs=jobs,
            as_json=as_json,
            **least,
        )
    )


@bench.command("figures")
def bench_figures(
    folder: Annotated[Path, typer.Option("--folder", help="Where the tasks are.")] = Path(
        "benchmarks/tasks"
    ),
    results: Annotated[Path, typer.Option("--results", help="Where results are kept.")] = Path(
        "benchmarks/results/tasks"
    ),
    out: Annotated[Path, typer.Option("--out", help="Where figures and page are written.")] = Path(
        "benchmarks/results/figures"
    ),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print which files were written as JSON.")
    ] = False,
) -> None:
    """Draw the runs that are stored: figures as PNG, one HTML page, every trial as CSV; and write
    what is known of each task into its README.
    """
    from agenthpo.bench.tasks.runs import Where
    from agenthpo.cli.bench_tasks import bench_figures as write

    write(Where(folder, results, Path()), out, as_json=as_json)
