"""Trials an hour beside Optuna's own threads and Ray Tune: ``python benchmarks/throughput.py``.

The same training (a process that sleeps for half a second), the same space, two at once, in one
run, the contestants in turn. Also how long the two workers stood idle, without a language model and
with one that takes two seconds to answer (a server on loopback).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import optuna

from agenthpo.assembly import ModelChoice
from agenthpo.events import Event, Finished, Started
from agenthpo.records import Trial
from agenthpo.session import begin
from agenthpo.taskfile.reading import load_task

TRIALS, WORKERS, ROUNDS = 40, 2, 3
TRAINING = "import sys, time; time.sleep({seconds}); print('score:', float(sys.argv[1]))"
TASK = """\
name: sleep
objective: {{metric: score, direction: maximize}}
train: {{command: "{{python}} train.py {{x}} {{y}}"}}
space:
  x: {{type: float, low: 0.0, high: 1.0, default: 0.5}}
  y: {{type: float, low: 0.0, high: 1.0, default: 0.5}}
budget: {{trials: {trials}}}
"""


def ours(
    seconds: float, model: ModelChoice | None = None
) -> tuple[float, float, tuple[Trial, ...]]:
    """Return the seconds of our study, the share of its workers' time without a training, and its
    trials.
    """
    Path("train.py").write_text(TRAINING.format(seconds=seconds))
    Path("task.yaml").write_text(TASK.format(trials=TRIALS))
    task = load_task("task.yaml")
    busy, began = 0.0, time.monotonic()
    starts: dict[int, float] = {}
    ends: list[float] = []

    def seen(event: Event) -> None:
        nonlocal busy
        if isinstance(event, Started):
            starts[event.trial.number] = time.monotonic()
        elif isinstance(event, Finished):
            ends.append(time.monotonic())
            busy += ends[-1] - starts[event.trial.number]

    folder = Path(f".agenthpo/{time.time_ns()}")
    stopped = begin(task, folder, model=model, workers=WORKERS, on_event=seen)
    took = time.monotonic() - began
    # from where the first trial begins to where the last one ends
    span = max(ends) - min(starts.values())
    return took, 1 - busy / (WORKERS * span), stopped.trials


def optunas(seconds: float) -> float:
    """Return the seconds that Optuna takes, whose objective runs the same process."""
    Path("train.py").write_text(TRAINING.format(seconds=seconds))
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: optuna.Trial) -> float:
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
        words = [sys.executable, "train.py", str(x), str(y)]
        return float(subprocess.run(words, capture_output=True, text=True).stdout.split()[-1])

    began = time.monotonic()
    study = optuna.create_study(direction="maximize", storage=optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(f"{time.time_ns()}.log")
    ))  # fmt: skip
    study.optimize(objective, n_trials=TRIALS, n_jobs=WORKERS)
    return time.monotonic() - began


def tunes(seconds: float) -> float:
    """Return the seconds that Ray Tune takes once Ray is up, whose objective runs the same
    process.
    """
    import ray
    from ray import tune

    Path("train.py").write_text(TRAINING.format(seconds=seconds))
    script = str(Path("train.py").absolute())

    def objective(config: dict[str, float]) -> dict[str, float]:
        words = [sys.executable, script, str(config["x"]), str(config["y"])]
        said = subprocess.run(words, capture_output=True, text=True).stdout
        return {"score": float(said.split()[-1])}

    if not ray.is_initialized():
        ray.init(num_cpus=WORKERS, log_to_driver=False, include_dashboard=False)
    began = time.monotonic()
    tuner = tune.Tuner(
        objective,
        param_space={"x": tune.uniform(0, 1), "y": tune.uniform(0, 1)},
        tune_config=tune.TuneConfig(
            metric="score", mode="max", num_samples=TRIALS, max_concurrent_trials=WORKERS
        ),
        run_config=tune.RunConfig(verbose=0, storage_path=str(Path("tune").absolute())),
    )
    tuner.fit()
    return time.monotonic() - began


class Slow(BaseHTTPRequestHandler):
    """A model that answers after two seconds, with as many configurations as it is asked for."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(2)

        def one() -> dict[str, object]:
            params = {"x": random.random(), "y": random.random()}
            expected = {"value": 0.5, "low": -10, "high": 10}
            words = {"rationale": "It is another one.", "hypothesis": "It comes out as expected."}
            return {**words, "params": params, "expected": expected}

        said = {**one(), "more": [one()]}
        message: dict[str, object] = {"role": "assistant", "content": json.dumps(said)}
        if tools := body.get("tools"):
            call = {"name": tools[0]["function"]["name"], "arguments": json.dumps(said)}
            message["tool_calls"] = [{"id": "1", "type": "function", "function": call}]
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
        data = json.dumps({**answer, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def with_model() -> tuple[float, int]:
    """Return the share of two workers' time without a training, where trainings and a model's
    answers take two seconds each, and how many of the trials were the model's.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["OPENAI_API_KEY"] = "none"
    url = f"http://127.0.0.1:{server.server_port}/v1"
    _, idle, trials = ours(2.0, ModelChoice("openai:gpt-5", url))
    server.shutdown()
    return idle, sum(t.proposal.source == "creator" for t in trials)


def main() -> None:
    """Print all of it, for half a second and for two."""
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        for seconds in (0.5, 2.0):
            several = range(ROUNDS if seconds < 1 else 1)
            rounds = [(ours(seconds), optunas(seconds), tunes(seconds)) for _ in several]
            took = min(each[0][0] for each in rounds)
            theirs = [min(each[i] for each in rounds) for i in (1, 2)]  # type: ignore[type-var]
            print(json.dumps({
                "training_s": seconds,
                "trials": TRIALS,
                "ours_an_hour": round(3600 * TRIALS / took),
                "optuna_an_hour": round(3600 * TRIALS / theirs[0]),
                "ray_tune_an_hour": round(3600 * TRIALS / theirs[1]),
                "of_the_better": round(min(theirs) / took, 3),
                "idle": round(min(each[0][1] for each in rounds), 3),
            }), flush=True)  # fmt: skip
        idle, number = with_model()
        print(json.dumps({"model_s": 2, "training_s": 2, "idle": round(idle, 3), "its": number}))
        os.chdir("/")


if __name__ == "__main__":
    main()
