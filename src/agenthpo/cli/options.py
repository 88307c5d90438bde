"""The options that several commands share, each declared once, and what they ask for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from agenthpo.assembly import ModelChoice
    from agenthpo.budget import Budget
    from agenthpo.pool_choice import PoolChoice

__all__ = [
    "AtOnce",
    "BaseUrl",
    "By",
    "Json",
    "KeepGoing",
    "Model",
    "StudyName",
    "StudyOptions",
    "TaskFile",
    "Trust",
    "Values",
    "Why",
    "duration_of",
    "with_options",
]

TaskFile = Annotated[
    Path, typer.Argument(metavar="TASK.yaml", help="The task file, or its folder.")
]
StudyName = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study's name or folder, or a task's folder.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="local:NAME, PROVIDER:MODEL (openai:gpt-5 …), replay:STUDY or none; without it "
        "AGENTHPO_MODEL, else the embedded model if it is downloaded.",
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="An OpenAI-compatible server that has the model.")
]
Values = Annotated[
    list[str], typer.Argument(metavar="NAME=VALUE...", help="Parameters and their values.")
]
Why = Annotated[str, typer.Option("--why", help="The reason, for the record.")]
By = Annotated[str | None, typer.Option("--by", help="Your name; the user's without it.")]
AtOnce = Annotated[
    int | None,
    typer.Option("--workers", min=1, max=256, help="How many trainings run at once."),
]
Trust = Annotated[
    bool, typer.Option("--trust", help="Run what a study names that was not made here.")
]
KeepGoing = Annotated[
    bool,
    typer.Option(
        "--keep-going",
        help="Spend the whole budget even if it is the task that fails, and not a configuration.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@dataclass(frozen=True)
class StudyOptions:
    """What ``run`` and ``resume`` both take. None leaves it to the task file or to the study."""

    trials: Annotated[
        int | None,
        typer.Option(
            "--trials", min=1, help="How many trials in all; the task file's budget without it."
        ),
    ] = None
    model: Model = None
    base_url: BaseUrl = None
    proposer: Annotated[
        str | None,
        typer.Option(
            "--proposer",
            metavar="NAME",
            help="Who proposes: hybrid (Creator and engine, the default), creator, engine, "
            "paper (every trial the Creator's, no default first, no engine), "
            "a sampler of Optuna's (tpe, gp, cmaes, random, qmc), "
            "or module:Class, or hub:PACKAGE from OptunaHub.",
        ),
    ] = None
    on_llm_failure: Annotated[
        str | None,
        typer.Option(
            "--on-llm-failure",
            metavar="fallback|stop",
            help="When the model fails: continue with the engine alone (each trial says so; the "
            "default), or stop so that you can resume later.",
        ),
    ] = None
    llm_timeout: Annotated[
        str | None,
        typer.Option(
            "--llm-timeout",
            metavar="DURATION",
            help="How long a remote model may take to answer: 90 (seconds), 10m; 2m without it, "
            "and 10m for a model that thinks first.",
        ),
    ] = None
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature",
            min=0.0,
            max=2.0,
            help="How freely the model draws its words, from 0 to 2; the model's own without it.",
        ),
    ] = None
    timeout: Annotated[
        str | None,
        typer.Option("--timeout", help="How long the study may take: 90 (seconds), 30m, 8h."),
    ] = None
    max_tokens: Annotated[
        int | None,
        typer.Option("--max-tokens", min=1, help="How many tokens the model may read and write."),
    ] = None
    max_cost: Annotated[
        float | None,
        typer.Option("--max-cost", min=0.0, help="How many US dollars the model may cost."),
    ] = None
    target: Annotated[
        float | None,
        typer.Option("--target", help="A value of the metric that is good enough to stop."),
    ] = None
    patience: Annotated[
        int | None,
        typer.Option("--patience", min=1, help="Stop after so many trials without a new best."),
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=256,
            help="How many trials run at once, on this machine each with its share of the "
            "processors; 1 without it (on a Ray cluster as many as it has room for), and as before "
            "for a study that is resumed.",
        ),
    ] = None
    pool: Annotated[
        str | None,
        typer.Option(
            "--pool",
            metavar="local|ray|slurm",
            help="Where trials run: on this machine (the default), on a Ray cluster, or as jobs of "
            "Slurm; as before for a study that is resumed.",
        ),
    ] = None
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            metavar="HOST:PORT",
            help="The Ray cluster (auto for the one that this machine is part of); without it one "
            "is begun here.",
        ),
    ] = None
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            "--slurm",
            metavar="KEY=VALUE",
            help="A setting of Slurm's jobs, such as partition=gpu or account=me. Can be repeated.",
        ),
    ] = None
    keep_going: KeepGoing = False
    json: Json = False

    def limits(self) -> Budget:
        """Return the limits that the command line sets.

        :raises TaskError: for a duration that is none.
        """
        from agenthpo.budget import Budget

        return Budget(
            trials=self.trials,
            time_s=duration_of("--timeout", self.timeout),
            tokens=self.max_tokens,
            cost_usd=self.max_cost,
            target=self.target,
            patience=self.patience,
        )

    def pool_choice(self) -> PoolChoice | None:
        """Return where trials are to run; None where the command line does not say.

        :raises TaskError: for a name that is none, or options of another pool.
        """
        from agenthpo.errors import TaskError
        from agenthpo.pool_choice import PoolChoice

        pairs = [each.partition("=") for each in self.slurm or ()]
        if wrong := next(("".join(p) for p in pairs if not (p[0].strip() and p[1])), None):
            raise TaskError(f"--slurm is {wrong!r}, but must be KEY=VALUE, such as partition=gpu")
        settings = {key.strip(): value.strip() for key, _, value in pairs}
        return PoolChoice.of(self.pool, self.address, settings)

    def choice(self) -> ModelChoice:
        """Return the model to use; naming an embedded one is asking for it to be fetched.

        :raises ModelError: for options that contradict each other.
        """
        from agenthpo.assembly import ModelChoice
        from agenthpo.errors import ModelError
        from agenthpo.llm.default_model import choose_model
        from agenthpo.llm.names import parse_model
        from agenthpo.text.urls import is_open_to_others, shown_url

        on_failure, base_url = self.on_llm_failure or "fallback", self.base_url
        if on_failure not in ("fallback", "stop"):
            raise ModelError(f"--on-llm-failure is '{on_failure}', but must be fallback or stop")
        name, hint = choose_model(self.model)
        named = parse_model(name, base_url)
        if base_url is not None and named.is_none:
            raise ModelError(
                f"--base-url {shown_url(base_url)} names a server, but no model on it; "
                "add --model NAME"
            )
        if base_url is not None and is_open_to_others(base_url):
            warning = (
                f"Prompts and the key go to {shown_url(base_url)} unencrypted, for everybody "
                "on the way to read; use https if it has it."
            )
            hint = f"{warning} {hint}"
        if named.kind == "embedded":
            from agenthpo.cli.models import pull_with_progress

            pull_with_progress(name)
        return ModelChoice(
            name=name,
            base_url=base_url,
            hint=hint,
            on_failure=on_failure,  # type: ignore[arg-type]
            timeout_s=duration_of("--llm-timeout", self.llm_timeout),
            temperature=self.temperature,
        )


def duration_of(option: str, given: str | None) -> float | None:
    """Return the seconds that ``option`` was given, None where it was not.

    :raises TaskError: for what is no duration.
    """
    from agenthpo.errors import TaskError
    from agenthpo.units import parse_duration

    try:
        return None if given is None else parse_duration(given)
    except ValueError as problem:
        raise TaskError(f"{option}: {problem}") from None


def with_options(command: Callable[..., int]) -> Callable[..., int]:
    """Let typer see the fields of ``StudyOptions`` instead of a command's ``options``."""
    own = inspect.signature(command, eval_str=True).parameters
    hints = get_type_hints(StudyOptions, include_extras=True)
    shared = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=hints[each.name],
        )
        for each in fields(StudyOptions)
    ]

    @wraps(command)
    def called(**given: Any) -> int:
        options = StudyOptions(**{each.name: given.pop(each.name) for each in shared})
        return command(**given, options=options)

    seen = [each for name, each in own.items() if name != "options"]
    ordered = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in seen]
    called.__signature__ = inspect.Signature([*ordered, *shared])  # type: ignore[attr-defined]
    called.__annotations__ = {}
    return called
