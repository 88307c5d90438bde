"""A study for other tools: each by its own library, without a network."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agenthpo.codec import to_json
from agenthpo.errors import AgentHPOError
from agenthpo.experience.log import ExperienceLog
from agenthpo.records import Trial
from agenthpo.reporting.border import passed
from agenthpo.trial_rows import trial_columns, trial_rows, write_csv

__all__ = ["TARGETS", "export"]


@dataclass(frozen=True)
class _Study:
    """What is exported, without secrets."""

    name: str
    task: str
    metric: str
    direction: str
    trials: tuple[Trial, ...]

    def words(self, trial: Trial) -> dict[str, str]:
        """Return what was said of a trial."""
        analysis = trial.analysis
        said = {
            "source": trial.proposal.who,
            "rationale": trial.proposal.rationale,
            "hypothesis": trial.proposal.hypothesis,
            "model": trial.proposal.model,
            "state": trial.outcome.status if trial.outcome else "running",
            "error": trial.outcome.error if trial.outcome else "",
            "diagnosis": analysis.diagnosis if analysis else "",
            "insight": analysis.insight if analysis else "",
        }
        return {name: text for name, text in said.items() if text}

    def results(self, trial: Trial) -> dict[str, float]:
        """Return a trial's final numbers: the objective under its metric's name, the others, the
        test value, seconds and memory.
        """
        outcome = trial.outcome
        if outcome is None:
            return {}
        found: dict[str, float | None] = {
            self.metric: outcome.value,
            **outcome.others,
            "test_value": outcome.test_value,
            "duration_s": outcome.duration_s,
            "peak_mb": outcome.peak_mb,
        }
        return {name: value for name, value in found.items() if value is not None}


def _csv(study: _Study, to: Path) -> None:
    with to.open("w", newline="", encoding="utf-8") as file:
        write_csv(study.trials, file)


def _parquet(study: _Study, to: Path) -> None:
    import pandas

    rows = trial_rows(study.trials)
    table = pandas.DataFrame(rows, columns=list(rows[0]) if rows else trial_columns())
    # a column has one kind: a parameter with numbers and words becomes words
    for name in table.columns:
        kinds = {type(value) for value in table[name] if value is not None} - {int, float}
        if kinds and (len(kinds) > 1 or table[name].map(type).isin([int, float]).any()):
            table[name] = table[name].map(lambda value: None if value is None else to_json(value))
    table.to_parquet(to, index=False)


def _tensorboard(study: _Study, to: Path) -> None:
    from tensorboardX import SummaryWriter

    for trial in study.trials:
        with SummaryWriter(str(to / f"{study.name}-{trial.number:04d}")) as writer:
            for name, points in _curves(trial).items():
                for step, value in points:
                    writer.add_scalar(name, value, int(step))
            told = "\n\n".join(f"{name}: {text}" for name, text in study.words(trial).items())
            writer.add_text("trial", told.replace("<", "&lt;"), 0)
            params = {n: v if _is_simple(v) else str(v) for n, v in trial.proposal.params.items()}
            results = {f"final/{n}": v for n, v in study.results(trial).items()}
            writer.add_hparams(params, results, name="trial", global_step=0)


def _mlflow(study: _Study, to: Path) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{to.resolve()}")
    known = client.get_experiment_by_name(study.name)
    experiment = known.experiment_id if known else client.create_experiment(study.name)
    done = {
        run.data.tags.get("agenthpo.trial")
        for run in client.search_runs([experiment], max_results=50_000)
    }
    for trial in study.trials:
        if str(trial.number) in done or trial.outcome is None:
            continue
        tags = {f"agenthpo.{name}": text[:5000] for name, text in study.words(trial).items()}
        tags |= {"agenthpo.trial": str(trial.number), "mlflow.note.content": _note(study, trial)}
        run = client.create_run(
            experiment,
            start_time=int(1000 * trial.started_at),
            run_name=f"trial {trial.number}",
            tags=tags,
        ).info.run_id
        for name, value in trial.proposal.params.items():
            client.log_param(run, _safe(name), str(value)[:6000])
        for name, points in _curves(trial).items():
            for step, value in points:
                client.log_metric(run, _safe(name), value, step=int(step))
        for name, value in study.results(trial).items():
            client.log_metric(run, _safe(f"final {name}"), value)
        status = "FINISHED" if trial.value is not None else "FAILED"
        client.set_terminated(run, status, end_time=int(1000 * (trial.finished_at or 0)) or None)


def _wandb(study: _Study, to: Path) -> None:
    os.environ.setdefault("WANDB_SILENT", "true")
    import wandb

    to.mkdir(parents=True, exist_ok=True)
    for trial in study.trials:
        with wandb.init(
            mode="offline",
            dir=str(to),
            project=study.task,
            group=study.name,
            name=f"trial {trial.number}",
            config=dict(trial.proposal.params),
            notes=_note(study, trial),
            reinit="create_new",
            settings=wandb.Settings(console="off", disable_git=True, save_code=False),
        ) as run:
            for step, values in _by_step(trial):
                run.log(values, step=step)
            run.summary.update({**study.results(trial), **study.words(trial)})


def _trackio(study: _Study, to: Path) -> None:
    os.environ["TRACKIO_DIR"] = str(to.resolve())
    import trackio

    for trial in study.trials:
        run = trackio.init(
            project=study.name,
            name=f"trial {trial.number}",
            config={**trial.proposal.params, **study.words(trial)},
            embed=False,
            auto_log_cpu=False,
            auto_log_gpu=False,
        )
        for step, values in _by_step(trial):
            run.log(values, step=step)
        if results := study.results(trial):
            run.log({f"final {name}": value for name, value in results.items()})
        # not run.finish(), which is said again at the end of the process
        trackio.finish()  # type: ignore[no-untyped-call]


def _curves(trial: Trial) -> Mapping[str, tuple[tuple[float, float], ...]]:
    return trial.outcome.curves if trial.outcome else {}


def _by_step(trial: Trial) -> Iterator[tuple[int, dict[str, float]]]:
    """Return what was reported at each step, in ascending order."""
    steps: dict[int, dict[str, float]] = {}
    for name, points in _curves(trial).items():
        for step, value in points:
            steps.setdefault(int(step), {})[name] = value
    yield from sorted(steps.items())


def _note(study: _Study, trial: Trial) -> str:
    words = study.words(trial)
    return " ".join(filter(None, [words.get("rationale"), words.get("insight")]))[:5000]


def _is_simple(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _safe(name: str) -> str:
    """Return a name as MLflow takes it."""
    return "".join(c if c.isalnum() or c in "_-. /" else "_" for c in name)[:250] or "_"


TARGETS: Mapping[str, tuple[Callable[[_Study, Path], None], str, str]] = {
    "csv": (_csv, "{}.csv", ""),
    "parquet": (_parquet, "{}.parquet", "pandas and pyarrow"),
    "tensorboard": (_tensorboard, "runs", "tensorboardX"),
    "mlflow": (_mlflow, "mlflow.db", "mlflow-skinny"),
    "wandb": (_wandb, ".", "wandb"),
    "trackio": (_trackio, "trackio", "trackio"),
}
"""The tools: what writes, where it writes without being told, and what it needs."""


def export(folder: Path, target: str, to: Path | None = None) -> Path:
    """Write the study in ``folder`` for another tool, and return where.

    :param target: one of ``TARGETS``.
    :param to: a file or a folder, as the tool has it.
    :raises AgentHPOError: where there is no study or no such tool, its library is not installed, or
        the place cannot be written.
    """
    if target not in TARGETS:
        raise AgentHPOError(f"--to is '{target}', but must be one of {', '.join(TARGETS)}")
    write, place, needs = TARGETS[target]
    with ExperienceLog.open(folder, space=None, read_only=True) as log:
        meta, name = log.meta, folder.resolve().name
        study = passed(
            _Study(name, meta.name or name, meta.metric, log.direction, tuple(log.trials()))
        )
    to = to or Path(place.format(study.name))
    try:
        # what a tool says on the way is not ours, nor what it warns of its own parts
        with (
            open(os.devnull, "w", encoding="utf-8") as nowhere,
            contextlib.redirect_stdout(nowhere),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            write(study, to)
    except ImportError as problem:
        raise AgentHPOError(
            f"{target} needs {needs}, which is not installed ({problem.name}); install it by: "
            "pip install 'agenthpo[export]'"
        ) from None
    except OSError as problem:
        raise AgentHPOError(
            f"{to} cannot be written ({problem.strerror}); give another place by -o"
        ) from None
    return to
