"""The form of a task file: its keys, what each may hold, and the JSON schema that editors complete
and check by.

What a form cannot say (that a placeholder is a parameter, that a script exists) is checked by
``task_file``.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from agenthpo.budget import DEFAULT_TRIALS
from agenthpo.scalars import Number, Switch, Text, Whole
from agenthpo.stop_rule import RuleName
from agenthpo.taskfile.space import ParameterSpec, Style

__all__ = [
    "BackgroundForm",
    "BudgetForm",
    "ConfigForm",
    "ObjectiveForm",
    "ResourcesForm",
    "StopForm",
    "TaskForm",
    "TrainForm",
    "json_schema",
]


_POINTS = r"(last|best|(mean|median) of last [1-9][0-9]{0,5})"


def _as_point(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(_POINTS, value):
        raise ValueError("must be last, best, 'mean of last 5' or 'median of last 5'")
    return value


Point = Annotated[
    str,
    BeforeValidator(_as_point),
    WithJsonSchema({"type": "string", "pattern": f"^{_POINTS}$"}),
]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class BackgroundForm(_Form):
    """The task in plain words; the agents read it."""

    task: Text = ""
    """What is learnt."""
    dataset: Text = ""
    """From which data: name, size, classes, splits."""
    model: Text = ""
    """By which model."""
    goal: Text = ""
    """To which end."""
    notes: Text = ""
    """Whatever else a colleague should know."""


class ObjectiveForm(_Form):
    """What is tuned."""

    metric: str
    """The metric's name, as the script reports it."""
    direction: Literal["minimize", "maximize"]
    """Which way is better."""
    at: Point = "last"
    """Which reported value counts: last, best (for scripts that keep their best checkpoint), or
    'mean of last 5', 'median of last 5' (for curves that jump).
    """
    test_metric: str | None = None
    """A metric that is recorded and shown to people, never to an agent or an optimiser."""
    perfect: Number | None = None
    """The value that nothing can beat, at which the study ends; an accuracy's is 1 without it."""
    noisy: Switch = False
    """Whether the same configuration may give another value, so that trying it again is worth a
    trial.
    """


class GoalForm(_Form):
    """An objective beside the first."""

    metric: Text
    """The metric's name, as the script reports it; its last value counts."""
    direction: Literal["minimize", "maximize"]
    """Which way is better."""


class ConfigForm(_Form):
    """A configuration file that each trial gets."""

    source: str = Field(alias="from")
    """The YAML, JSON or TOML file to begin from, beside the task file; a parameter ``optim.lr`` is
    the key ``lr`` below ``optim`` in it.
    """
    to: str | None = None
    """Where the trial's own is written: {trial_dir}/NAME; under the same name without it."""


class TrainForm(_Form):
    """How to train: a command, or a Python function."""

    command: str | None = None
    """The command line, with {parameter} where a value goes; {flags} stands for all of them,
    {config_file} for a JSON file.
    """
    function: str | None = None
    """Instead of a command: module:function, called with the parameters by their names, or with a
    dict where it has not got them; it returns the metric or a mapping of metrics.
    """
    shell: Switch = False
    """Whether a shell (sh) runs the command."""
    style: Style = ""
    """How true and false are written in the command: 'True', '1', --name/--no-name …, instead of
    what the script's text says.
    """
    pty: Switch = False
    """Whether the command writes to a terminal, for programs that hold their output back where they
    write to a file.
    """
    timeout: int | float | str | None = None
    """How long one trial may take: 90 (seconds), 5m, 2h."""
    silence: int | float | str | None = None
    """How long a trial may write nothing, neither output nor metrics, before it counts as hanging.
    """
    folder: Literal["here", "copy", "trial"] = "here"
    """Where the command runs: in the task's folder, which all trials share; in a copy of it for
    each trial (large files are links); or in an empty folder for each trial, with links to the
    files that the command names.
    """
    exit_code: Literal["check", "ignore"] = "check"
    """Whether a script that reported the metric and then ended with an exit code above 0 has
    failed; one that a signal ended has.
    """
    memory: str | None = None
    """How much memory the script and its children may hold together: 8GB, 500MB."""
    metrics: dict[str, str] | Literal["auto"] = Field(default_factory=dict)
    """Metric name -> text of an output line with {number} where the value stands; auto: look for
    the files of known loggers where the script runs.
    """
    metrics_file: str | None = None
    """A file that the script writes, such as {trial_dir}/history.csv: CSV (with a heading), JSON
    lines, JSON, YAML, TensorBoard's events, a W&B run; a pattern (lightning_logs/*/metrics.csv) or
    a folder stands for the newest in it.
    """
    config: ConfigForm | None = None
    """A configuration file of the script's, with the trial's values in it; the command hands it
    over by {trial_dir}/NAME.
    """
    env: dict[str, Text] = Field(default_factory=dict)
    """Environment variables for the script; placeholders are filled in as in the command."""


class ResourcesForm(_Form):
    """What one trial needs of a machine, where several run at once."""

    cpus: Whole | None = Field(None, ge=1, le=4096)
    """How many processors it gets; an even share of this machine's without it, and one on a
    cluster.
    """
    gpus: Number = Field(0, ge=0, le=64)
    """How many GPUs it sees, by CUDA_VISIBLE_DEVICES; at 0.5 two trials share one."""


class BudgetForm(_Form):
    """When to stop: at the first limit that is reached."""

    trials: Whole = Field(DEFAULT_TRIALS, ge=1)
    """How many trials in all."""
    time: int | float | str | None = None
    """How long the study may take: 90 (seconds), 30m, 8h."""
    tokens: Whole | None = Field(None, ge=1)
    """How many tokens the language model may read and write in all."""
    cost: Number | None = Field(None, gt=0)
    """How many US dollars the language model may cost in all."""
    target: Number | None = None
    """A value of the metric that is good enough to stop."""
    patience: Whole | None = Field(None, ge=1)
    """Stop after so many trials without a new best."""
    creator_may_stop: Switch = False
    """Whether the Creator's proposal to stop is followed."""


class StopForm(_Form):
    """When a training is stopped before its end, by the values of the metric that it reports."""

    rule: RuleName
    """forecast: its end is unlikely to become the best; median: worse than half of the earlier
    trials at the same step; patient: worse than it was, for a while; asha, hyperband: not among the
    best at its step; wilcoxon: worse than the best on the folds that it reports one by one.
    """
    warmup: Whole | None = Field(None, ge=1)
    """Reports of a trial before which it is not stopped; without it a tenth of those of a whole
    training, and one for asha and hyperband.
    """
    trials: Whole = Field(4, ge=1)
    """Trials with a value before which none is stopped."""
    chance: Number | None = Field(None, gt=0, lt=1)
    """For forecast: the probability of becoming the best below which a trial is stopped, 0.05
    without it; for wilcoxon the p-value.
    """
    patience: Whole | None = Field(None, ge=1)
    """For patient: reports in a row that are all worse than the best before them, 10 without it."""
    reduction: Whole | None = Field(None, ge=2)
    """For asha and hyperband: of so many trials one goes on, 3 without it."""
    longest: Whole | None = Field(None, ge=1)
    """For hyperband: how many reports a whole training has; as many as the first one had without
    it.
    """


class FidelityForm(_Form):
    """A parameter that says how much of a training a trial is."""

    parameter: Text
    """Its name, such as epochs; it need not be in the space."""
    low: Number = Field(gt=0)
    """The least that says anything of the end."""
    high: Number = Field(gt=0)
    """A whole training."""
    eta: Whole = Field(3, ge=2)
    """Of so many trials one goes on to as many times as much."""


def _as_stop(value: Any) -> Any:
    return {"rule": value} if isinstance(value, str) else value


def _as_background(value: Any) -> Any:
    return {"task": value} if isinstance(value, str) else value


_STOP = WithJsonSchema(
    {"anyOf": [StopForm.model_json_schema(), {"enum": list(get_args(RuleName))}, {"type": "null"}]}
)
_BACKGROUND = WithJsonSchema({"anyOf": [BackgroundForm.model_json_schema(), {"type": "string"}]})


class TaskForm(_Form):
    """A task for AgentHPO."""

    name: Text = ""
    """The study's name; the folder's without it."""
    background: Annotated[BackgroundForm, BeforeValidator(_as_background), _BACKGROUND] = Field(
        default_factory=lambda: BackgroundForm.model_validate({})
    )
    objective: ObjectiveForm
    objectives: list[GoalForm] = Field(default_factory=list)
    """Instead of objective, two or more: the first one has all of an objective's keys, and is the
    one that a single best trial is chosen by.
    """
    train: TrainForm
    space: dict[str, ParameterSpec]
    """The hyperparameters: name -> kind, range, default, meaning."""
    constraints: list[str] = Field(default_factory=list)
    """What must hold between parameters: 'warmup < epochs', 'num_heads divides width'; and what
    results have to keep: 'latency_ms <= 20'.
    """
    resources: ResourcesForm = Field(default_factory=lambda: ResourcesForm.model_validate({}))
    budget: BudgetForm = Field(default_factory=lambda: BudgetForm.model_validate({}))
    fidelity: FidelityForm | None = None
    """A parameter, such as the epochs, that begins low and is raised for the best."""
    repeats: Whole = Field(1, ge=1, le=100)
    """How many runs a trial has, each with another seed, the same in every trial; its value is
    their mean. What is clearly beaten has fewer.
    """
    certify: Whole = Field(0, ge=0)
    """How many of the budget's trials are kept, at the end, to run the winner and the default again
    on fresh seeds.
    """
    stop: Annotated[StopForm | None, BeforeValidator(_as_stop), _STOP] = None
    """Which trainings are stopped before their end; none without it, but those that diverge."""


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a task file."""
    schema = TaskForm.model_json_schema()
    # the first of several is an objective as a single one is
    first = {"$ref": "#/$defs/ObjectiveForm"}
    several = schema["properties"]["objectives"]
    several |= {"prefixItems": [first], "minItems": 2}
    several.pop("default", None)
    schema["required"].remove("objective")
    schema["oneOf"] = [{"required": ["objective"]}, {"required": ["objectives"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
