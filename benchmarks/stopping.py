"""What each stop rule saves and costs, on the learning curves of LCBench.

    pip install onnxruntime
    .venv/bin/python benchmarks/stopping.py [--half held-out] [--seeds 2] [--rules never,forecast]

34 data sets, networks of seven hyperparameters, 52 epochs, as YAHPO Gym's surrogate tells them
(``AGENTHPO_DATA``/yahpo/lcbench). Every second data set is for tuning, 16 of the others are held
out. Configurations are random, or come from Optuna's TPE with its own pruners, or from the engine.
Printed: at as many trials the share of the epochs that a rule takes, and the regret; and the regret
at as many epochs. Regret is a share of the distance from the median of 500 random configurations
to the best value that was ever seen.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import optuna

from agenthpo.experience.curves import Curves
from agenthpo.experience.patience import Patience
from agenthpo.fidelity import Fidelity
from agenthpo.records import Outcome, Params, Proposal, Stop, Trial
from agenthpo.search.engine.engine import Engine
from agenthpo.search.optuna_samplers import OptunaSampler
from agenthpo.search.promoting import Promoting
from agenthpo.search.stopping.rules import Stopper
from agenthpo.space import Space
from agenthpo.stop_rule import StopRule
from agenthpo.task import Objective, Task, Train
from agenthpo.taskfile.space import parse_space

METRICS = {"val_accuracy": (1, "maximize"), "val_cross_entropy": (2, "minimize")}
"""Metric -> its column among the surrogate's outputs, and its direction."""
EPOCHS, DRAWN = 52, 500
TRIALS = 40
WHOLE = 20
"""Whole trainings whose epochs are spent where epochs are equal."""
SPACE = {
    "batch_size": {"type": "int", "low": 16, "high": 512, "log": True},
    "learning_rate": {"type": "float", "low": 1.0001e-4, "high": 0.1, "log": True},
    "momentum": {"type": "float", "low": 0.1, "high": 0.99},
    "weight_decay": {"type": "float", "low": 1e-5, "high": 0.1},
    "num_layers": {"type": "int", "low": 1, "high": 5},
    "max_units": {"type": "int", "low": 64, "high": 1024, "log": True},
    "max_dropout": {"type": "float", "low": 0.0, "high": 1.0},
}
ARMS = (
    *(f"random+{rule}" for rule in ("never", "forecast", "median", "asha", "hyperband")),
    *(f"tpe+{rule}" for rule in ("never", "forecast", "median", "asha", "hyperband")),
    *(f"engine+{rule}" for rule in ("never", "forecast", "median", "asha", "promote", "resume")),
)


class Surrogate:
    """LCBench's learning curves."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(folder / "model.onnx")
        self._codes = json.loads((folder / "encoding.json").read_text())["OpenML_task_id"]
        names = json.loads((folder / "config_space.json").read_text())["hyperparameters"]
        self.tasks: list[str] = next(n for n in names if n["name"] == "OpenML_task_id")["choices"]

    def curves(self, task: str, configs: Sequence[Params], column: int) -> np.ndarray:
        """Return the curves of ``configs``, one row each."""
        epochs = np.tile(np.arange(1, EPOCHS + 1), len(configs))
        rows = np.array([[c[name] for name in SPACE] for c in configs], dtype=float)
        inputs = np.column_stack([epochs, np.repeat(rows, EPOCHS, axis=0)]).astype(np.float32)
        codes = np.full((len(inputs), 1), self._codes[task], dtype=np.int32)
        found = self._session.run(None, {"x_cat": codes, "x_cont": inputs})[0]
        return np.asarray(found[:, column].reshape(len(configs), EPOCHS), dtype=float)


@dataclass
class Course:
    """What a study had found after so many epochs."""

    epochs: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)

    def take(self, epochs: int, value: float | None) -> None:
        """Add a trial that took ``epochs``; ``value`` is None where it was stopped."""
        self.epochs.append(epochs)
        self.values.append(value)

    def best(self, sign: int, *, trials: int | None = None, epochs: int | None = None) -> float:
        """Return the best value of the first ``trials``, or of those within ``epochs``."""
        ends = np.cumsum(self.epochs)
        seen = [
            sign * value
            for i, value in enumerate(self.values)
            if value is not None
            and (trials is None or i < trials)
            and (epochs is None or ends[i] <= epochs)
        ]
        return max(seen)


@dataclass(frozen=True)
class Game:
    """One data set with one seed."""

    task: Task
    curve_of: Callable[[Params], np.ndarray]
    seed: int
    drawn: list[Params]
    """Random configurations."""


def played(arm: str, game: Game) -> Course:
    """Play one study until both its trials and its epochs are spent."""
    proposer, rule = arm.split("+")
    course = Course()
    if rule in ("promote", "resume"):
        turns = _by_promoting(proposer, game, resumes=rule == "resume")
    else:
        turns = _by_tpe(rule, game) if proposer == "tpe" else _by_us(proposer, rule, game)
    for used, value in turns:
        course.take(used, value)
        if len(course.values) >= TRIALS and sum(course.epochs) >= WHOLE * EPOCHS:
            break
    return course


def _by_tpe(rule: str, game: Game) -> Iterator[tuple[int, float | None]]:
    """Play Optuna's own loop: TPE, which knows of stopped trials, with its pruner or ours."""
    sampler = optuna.samplers.TPESampler(seed=game.seed)
    pruner = {
        "never": optuna.pruners.NopPruner(),
        "median": optuna.pruners.MedianPruner(),
        "asha": optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
        "hyperband": optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=EPOCHS, reduction_factor=3
        ),
    }.get(rule)
    study = optuna.create_study(
        direction=game.task.objective.direction,
        sampler=sampler,
        pruner=pruner,
        study_name=f"s{game.seed}",
    )
    stopper = None if pruner else Stopper(StopRule(rule))  # type: ignore[arg-type]
    while True:
        trial = study.ask()
        params: Params = {}
        for name, kind in SPACE.items():
            suggest = trial.suggest_int if kind["type"] == "int" else trial.suggest_float
            params[name] = suggest(name, kind["low"], kind["high"], log=kind.get("log", False))  # type: ignore[operator]
        curve = game.curve_of(params)
        used = EPOCHS
        for epoch, value in enumerate(curve, 1):
            trial.report(value, epoch)
            frozen = study._storage.get_trial(trial._trial_id)
            is_stopped = trial.should_prune() if pruner else stopper.reason(study, frozen) != ""  # type: ignore[union-attr]
            if is_stopped and epoch < EPOCHS:
                used = epoch
                break
        is_whole = used == EPOCHS
        study.tell(
            trial,
            curve[-1] if is_whole else None,
            state=None if is_whole else optuna.trial.TrialState.PRUNED,
        )
        yield used, curve[-1] if is_whole else None


def _by_us(proposer: str, rule: str, game: Game) -> Iterator[tuple[int, float | None]]:
    """Play random configurations, or the engine's, with our stop rules."""
    engine, trials = Engine(game.seed), list[Trial]()
    study = optuna.create_study(direction=game.task.objective.direction, study_name=f"s{game.seed}")
    curves = Curves(study, Patience(seconds=0))
    stopper = None if rule == "never" else Stopper(StopRule(rule))  # type: ignore[arg-type]
    order = np.random.default_rng(game.seed).permutation(len(game.drawn))
    while True:
        number = len(trials)
        if proposer == "random":
            proposal = Proposal(game.drawn[order[number]], "engine")
        else:
            found = engine.propose(game.task, trials)
            assert not isinstance(found, Stop)
            proposal = found
        curve = game.curve_of(proposal.params)
        study.ask()
        used = EPOCHS
        for epoch, value in enumerate(curve, 1):
            frozen = curves.report(number, epoch, value)
            if stopper and frozen and epoch < EPOCHS and stopper.reason(study, frozen):
                used = epoch
                break
        value = float(curve[-1]) if used == EPOCHS else None
        if value is None:
            study.tell(number, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(number, value)
        points = tuple((float(e), float(v)) for e, v in enumerate(curve[:used], 1))
        status = "pruned" if value is None else "complete"
        outcome = Outcome(status, value, curves={game.task.objective.metric: points})
        trials.append(Trial(number, proposal, outcome))
        yield used, value


def _by_promoting(
    proposer: str, game: Game, *, resumes: bool
) -> Iterator[tuple[int, float | None]]:
    """Play a study with the epochs as its fidelity; where it ``resumes`` from checkpoints, a trial
    that goes on takes only what is new.
    """
    fidelity = Fidelity("epochs", 1, EPOCHS)
    low, high = fidelity.rungs[0], fidelity.rungs[-1]
    epochs = {"type": "int", "low": low, "high": high, "default": high}
    space = parse_space({**SPACE, "epochs": epochs}, where="space")
    task = replace(game.task, space=space, fidelity=fidelity)
    search = Promoting(
        Engine(game.seed) if proposer == "engine" else OptunaSampler(game.seed, proposer)
    )
    trials = list[Trial]()
    while True:
        proposal = search.propose(task, trials)
        assert not isinstance(proposal, Stop)
        rung = int(proposal.params["epochs"])
        share = fidelity.share(proposal.params)
        params = {n: v for n, v in proposal.params.items() if n != "epochs"}
        curve = game.curve_of(params)[:rung]
        points = tuple((float(e), float(v)) for e, v in enumerate(curve, 1))
        outcome = Outcome("complete", float(curve[-1]), curves={game.task.objective.metric: points})
        trials.append(Trial(len(trials), replace(proposal, share=share), outcome))
        before = proposal.promoted_from
        known = 0 if before is None else int(trials[before].proposal.params["epochs"])
        used = rung - known if resumes else rung
        yield used, float(curve[-1]) if rung == EPOCHS else None


def drawn_from(space: Space, seed: int) -> list[Params]:
    """Return ``DRAWN`` random configurations."""
    optuna_random = np.random.default_rng(seed)
    found = []
    for _ in range(DRAWN):
        params: Params = {}
        for name, kind in SPACE.items():
            low, high = float(kind["low"]), float(kind["high"])  # type: ignore[arg-type]
            share = optuna_random.random()
            value = low * (high / low) ** share if kind.get("log") else low + share * (high - low)
            params[name] = round(value) if kind["type"] == "int" else value
        found.append(params)
    return found


def main() -> None:
    """Play and print a table for each metric."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--half", choices=["held-out", "tuning"], default="held-out")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--metric", choices=sorted(METRICS), action="append")
    asked = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if "AGENTHPO_DATA" not in os.environ:
        sys.exit("set AGENTHPO_DATA to the folder that holds yahpo/lcbench")
    surrogate = Surrogate(Path(os.environ["AGENTHPO_DATA"], "yahpo/lcbench"))
    names = surrogate.tasks[1::2][:16] if asked.half == "held-out" else surrogate.tasks[0::2]
    space = parse_space(SPACE, where="space")
    for metric in asked.metric or METRICS:
        column, direction = METRICS[metric]
        sign = 1 if direction == "maximize" else -1
        task = Task("lcbench", Objective(metric, direction), space, Train(command=("true",)))  # type: ignore[arg-type]
        found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for name in names:
            drawn = drawn_from(space, 0)
            ends = sign * surrogate.curves(name, drawn, column)[:, -1]

            def curve_of(params: Params, name: str = name, column: int = column) -> np.ndarray:
                return surrogate.curves(name, [params], column)[0]

            for seed in range(asked.seeds):
                game = Game(task, curve_of, seed, drawn)
                courses = {arm: played(arm, game) for arm in asked.arms.split(",")}
                top = max(max(c.best(sign) for c in courses.values()), float(ends.max()))
                for arm, course in courses.items():
                    regrets = [
                        (top - course.best(sign, **limit)) / (top - float(np.median(ends)))
                        for limit in ({"trials": TRIALS}, {"epochs": WHOLE * EPOCHS})
                    ]
                    share = sum(course.epochs[:TRIALS]) / (TRIALS * EPOCHS)
                    found[arm].append((share, *regrets))
            print(f"{metric}, {name} played", file=sys.stderr, flush=True)
        print(f"\n{metric}, {len(names)} data sets ({asked.half}), {asked.seeds} seeds")
        print(
            f"{'':<18}epochs of {TRIALS} trials   regret at {TRIALS} trials   "
            f"at {WHOLE} x {EPOCHS} epochs"
        )
        for arm, rows in found.items():
            share, at_trials, at_epochs = np.mean(rows, axis=0)
            print(f"{arm:<18}{share:>12.0%}{at_trials:>22.3f}{at_epochs:>22.3f}", flush=True)


if __name__ == "__main__":
    main()
