"""The figures of the twelve tasks, after the paper's: trajectories, OPRO beside the agent, two
models, strategy; and validation beside test.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agenthpo.bench.tasks.groups import (
    Runs,
    directions_of,
    main_runs,
    model_runs,
    opro_runs,
    part_runs,
    tasks_of,
)
from agenthpo.bench.tasks.scores import AT, gain, label, peak, scored, sources_of, trials_of
from agenthpo.bench.tasks.stored_runs import StoredRun
from agenthpo.bench.tasks.strategy import changes
from agenthpo.bench.tasks.trained import TASKS_FOLDER, load_bench_task
from agenthpo.records import Direction

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "PEAK_LABEL", "draw", "trajectory"]

_TRIALS = max(AT)
PEAK_LABEL = "100-trial peak"
_PEAK_COLOUR = "#444"
_COLOURS = (
    *("#4c6a92", "#d1823a", "#5a9367", "#b0413e", "#7b5ea7", "#8c6d46", "#c2739f", "#6b6b6b"),
    *("#2a9d8f", "#e9c46a", "#9bb1d4", "#f0b27a", "#a3c9a8", "#d98880", "#c3b1e1", "#c4a882"),
)


def trajectory(run: StoredRun, direction: Direction) -> list[float]:
    """Return the validation score of the best configuration after each trial; nan while there is
    none.
    """
    trials = trials_of(run)[:_TRIALS]
    found = [scored(trials[:n], direction) for n in range(1, len(trials) + 1)]
    return [float("nan") if score is None else score[0] for score in found]


def draw(runs: Runs, folder: Path, tasks: Path = TASKS_FOLDER) -> list[Path]:
    """Draw every figure that ``runs`` has something for as a PNG file in ``folder``, and return the
    files. A proposer has the same colour in all of them.
    """
    import matplotlib as mpl

    mpl.use("agg")
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    for name, make in FIGURES.items():
        figure = make(runs, tasks)
        if figure is None:
            continue
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=110, metadata={"Software": None})
        mpl.pyplot.close(figure)
        done.append(path)
    return done


def _trajectories(runs: Runs, tasks: Path) -> Figure | None:
    return _panels(main_runs(runs), runs, tasks)


def _link(runs: Runs, tasks: Path) -> Figure | None:
    """OPRO against the agent on link prediction."""
    return _panels(opro_runs(runs), runs, tasks)


def _models(runs: Runs, tasks: Path) -> Figure | None:
    """Two models side by side, on the tasks that both have tuned."""
    return _panels(model_runs(runs), runs, tasks)


def _strategy(runs: Runs, tasks: Path) -> Figure | None:
    """How far each of the Creator's trials is from the incumbent of its time, by parameter."""
    chosen = [r for r in main_runs(runs) if r.proposer == "creator"]
    here = tasks_of(chosen)
    if not here:
        return None
    figure, places = _grid(len(here), height=3.0)
    for name, place in zip(here, places, strict=True):
        task = load_bench_task(name, tasks)
        found = changes(
            [r for r in chosen if r.task == name],
            task.space,
            direction=task.objective.direction,
            trials=_TRIALS,
        )
        image = place.imshow(found, vmin=0, vmax=1, cmap="magma_r", aspect="auto")
        place.set_yticks(range(len(task.space)), task.space.names, fontsize=6)
        place.set_xticks(
            range(0, _TRIALS - 1, 2), [str(n) for n in range(2, _TRIALS + 1, 2)], fontsize=7
        )
        place.set_title(name, fontsize=9)
    figure.colorbar(
        image,
        ax=list(places),
        shrink=0.5,
        label="distance from the incumbent, as a share of the range",
    )
    return figure


def _parts(runs: Runs, tasks: Path) -> Figure | None:
    """What the paper's proposer comes to without each of its parts."""
    return _panels(part_runs(runs), runs, tasks)


def _test(runs: Runs, tasks: Path) -> Figure | None:
    """What each proposer gained over the default on validation, and what of it is left on test."""
    gains: dict[str, list[list[float | None]]] = {}
    directions = directions_of(runs, tasks)
    for run in runs:
        direction = directions[run.task]
        trials = trials_of(run)
        if trials[:1] and trials[0].proposal.source != "default":
            continue
        first, last = scored(trials[:1], direction), scored(trials[:_TRIALS], direction)
        if first and last and len(trials) >= _TRIALS:
            both = [gain(b, a, direction) for a, b in zip(first, last, strict=True)]
            if None not in both:
                gains.setdefault(label(run), []).append(both)
    if not gains:
        return None
    figure, (place,) = _grid(1, height=4.0)
    colours = _colours(runs, runs)
    for who, pairs in sorted(gains.items()):
        x, y = np.array(pairs).T
        place.scatter(x, y, s=18, alpha=0.6, color=colours[who], label=who)
    limits = np.array([pair for pairs in gains.values() for pair in pairs])
    place.plot(
        [limits.min(), limits.max()], [limits.min(), limits.max()], color="#999", linewidth=0.8
    )
    place.axhline(0, color="#ccc", linewidth=0.8)
    place.set_xlabel("gain over the default on validation, percent", fontsize=8)
    place.set_ylabel("on test, percent", fontsize=8)
    for scale in (place.set_xscale, place.set_yscale):
        scale("symlog", linthresh=5)
    return _with_legend(figure, colours)


FIGURES = {
    "trajectories": _trajectories,
    "opro": _link,
    "models": _models,
    "parts": _parts,
    "strategy": _strategy,
    "validation-and-test": _test,
}
"""What draws each figure, by the name of its file; None where there is nothing to draw yet."""


def _panels(runs: Runs, pool: Runs, tasks: Path) -> Figure | None:
    """Draw the trajectories of each task's ``runs`` in a place of its own, with the peak of those
    in ``pool``.
    """
    names = tasks_of(runs)
    if not names:
        return None
    figure, places = _grid(len(names))
    colours = _colours(runs, pool)
    has_peak = False
    for name, place in zip(names, places, strict=True):
        objective = load_bench_task(name, tasks).objective
        here = [run for run in runs if run.task == name]
        _lines(place, here, colours, objective.direction)
        if best := peak([run for run in pool if run.task == name], objective.direction):
            place.axhline(best["value"], color=_PEAK_COLOUR, linestyle=":", linewidth=1)
            has_peak = True
        place.set_title(f"{name} ({sources_of(here)})", fontsize=9)
        place.set_ylabel(objective.metric, fontsize=7)
        place.tick_params(labelsize=7)
    return _with_legend(figure, colours, has_peak=has_peak)


def _lines(place: Axes, runs: Runs, colours: Mapping[str, str], direction: Direction) -> None:
    for who in sorted({label(run) for run in runs}):
        paths = [trajectory(run, direction) for run in runs if label(run) == who]
        table = np.full((len(paths), _TRIALS), np.nan)
        for row, path in zip(table, paths, strict=True):
            row[: len(path)] = path
        counted = np.isfinite(table)
        mean = np.nansum(table, axis=0) / np.maximum(counted.sum(axis=0), 1)
        spread = np.sqrt(
            np.nansum((table - mean) ** 2, axis=0) / np.maximum(counted.sum(axis=0) - 1, 1)
        )
        mean[~counted.any(axis=0)] = np.nan
        steps = np.arange(1, _TRIALS + 1)
        place.plot(steps, mean, color=colours[who], linewidth=1.4, marker=".", markersize=4)
        place.fill_between(
            steps, mean - spread, mean + spread, color=colours[who], alpha=0.12, linewidth=0
        )


def _grid(count: int, height: float = 2.6) -> tuple[Figure, list[Axes]]:
    from matplotlib import pyplot

    columns = min(3, count)
    rows = -(-count // columns)
    figure, places = pyplot.subplots(
        rows,
        columns,
        figsize=(4.2 * max(columns, 1.4), height * rows + 0.6),
        squeeze=False,
        layout="constrained",
    )
    for place in places.flat[count:]:
        place.set_visible(False)
    return figure, list(places.flat[:count])


def _with_legend(figure: Figure, colours: Mapping[str, str], *, has_peak: bool = False) -> Figure:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=".", label=who) for who, colour in colours.items()
    ]
    if has_peak:
        handles.append(Line2D([], [], color=_PEAK_COLOUR, linestyle=":", label=PEAK_LABEL))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(int(figure.get_figwidth() / 2.5), len(handles)),
        fontsize=8,
        frameon=False,
    )
    return figure


def _colours(runs: Runs, every: Runs) -> dict[str, str]:
    """Return the colour of each proposer of ``runs``; its place among ``every`` run's decides, so
    that it is the same in each figure.
    """
    places = {who: i for i, who in enumerate(sorted({label(run) for run in every}))}
    shown = sorted({label(run) for run in runs})
    return {who: _COLOURS[places[who] % len(_COLOURS)] for who in shown}
