"""Small tasks and trials for tests of what decides."""

from pathlib import Path

from agenthpo.budget import Budget
from agenthpo.records import Analysis, Outcome, Proposal, Trial
from agenthpo.task import Background, Objective, Task, Train
from agenthpo.taskfile.space import parse_space

ROOT = Path(__file__).parent.parent
"""The checkout."""
SPACE = {
    "lr": {
        "type": "float",
        "low": 1e-5,
        "high": 0.1,
        "log": True,
        "default": 0.001,
        "about": "step size",
    },
    "size": {"type": "int", "values": [8, 16, 32], "default": 16},
    "opt": {"type": "categorical", "values": ["adam", "sgd"], "default": "adam"},
    "momentum": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.9, "when": {"opt": "sgd"}},
    "epochs": {"type": "int", "low": 1, "high": 50, "default": 10},
}


def make_task(space=None, direction="maximize", trials=10, **fields):
    return Task(
        name="toy",
        objective=Objective("acc", direction),
        space=parse_space(space or SPACE),
        train=Train(command=("true",)),
        background=Background(task="A toy.", goal="High acc."),
        budget=Budget(trials=trials),
        **fields,
    )


def make_trial(number, params, value, source="engine", diagnosis="completed", insight="", **fields):
    outcome = (
        Outcome("failed", error="exit code 1")
        if value is None
        else Outcome("complete", value, curves={"acc": ((0.0, value),)})
    )
    analysis = Analysis("crashed" if value is None else diagnosis, insight=insight)
    return Trial(number, Proposal(params, source, **fields), outcome, analysis)


def shown(name="toy"):
    """What ``agenthpo show NAME --json`` prints of the trials, read in this process, which takes a
    second less.
    """
    from agenthpo.codec import trial_to_json
    from agenthpo.experience.log import ExperienceLog

    with ExperienceLog.open(
        Path(name) if "/" in name else Path(".agenthpo", name), space=None, read_only=True
    ) as log:
        return [trial_to_json(trial) for trial in log.trials()]
