"""Write what the Creator is sent at trials 2, 10 and 100 into docs/prompts, to be read.

    .venv/bin/python docs/prompts.py [PAIR] [MODEL]

The trials are recorded trainings (``benchmarks/recorded``) in the order of their Sobol sequence,
analysed by the rules. The engine's view is real, so that a run takes some seconds.
"""

import sys
from dataclasses import replace
from pathlib import Path

from agenthpo.agents.creator import creator_messages
from agenthpo.agents.executor import Executor
from agenthpo.bench.trainings.library import read_recording
from agenthpo.bench.trainings.training import pair_named
from agenthpo.budget import Budget
from agenthpo.llm.opening import manner_of
from agenthpo.records import Outcome, Proposal, Trial
from agenthpo.search.engine.engine import Engine
from agenthpo.task import Background, Objective, Task, Train

FOLDER = Path(__file__).parent / "prompts"
AT = (2, 10, 100)
"""The numbers of the trials that are proposed."""


def study(name: str) -> tuple[Task, list[Trial]]:
    """Return the task of the pair ``name``, and a hundred of its recorded trials."""
    pair, recorded = pair_named(name), read_recording(name)
    task = Task(
        name=name,
        objective=Objective("loss", "minimize"),
        space=pair.space,
        train=Train(command=("python", "train.py")),
        background=Background.of(pair.background),
        budget=Budget(trials=120),
    )
    executor, trials = Executor(), list[Trial]()
    for number, params in enumerate(recorded.configurations[: max(AT)]):
        loss, seconds = float(recorded.losses[number, 0]), float(recorded.seconds[number, 0])
        ended = (
            Outcome("complete", loss, duration_s=seconds)
            if loss == loss
            else Outcome("failed", error=recorded.errors[number], duration_s=seconds)
        )
        trial = Trial(number, Proposal(params, "engine" if number else "default"))
        analysis = executor.analyse(task, trial, outcome=ended, trials=[*trials, trial])
        trials.append(replace(trial, outcome=ended, analysis=analysis))
    return task, trials


def main(name: str = "xgboost-on-wages", model: str = "openai:gpt-5") -> None:
    """Write the files."""
    task, trials = study(name)
    FOLDER.mkdir(exist_ok=True)
    for number in AT:
        known = trials[:number]
        view = Engine(0).view(task, known)
        messages = creator_messages(manner_of(model), task, known, view=view)
        text = "\n\n".join(f"--- {m.role} ---\n{m.text}" for m in messages)
        (FOLDER / f"trial-{number}.txt").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
