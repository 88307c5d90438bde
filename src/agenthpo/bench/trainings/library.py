"""The library of recorded trainings: one Parquet file a pair, made once and read ever after.

A row is a configuration: its parameters, and for each split the loss (null where the training
failed), the seconds and the error. The first row is the library's own default, the next 300 are a
Sobol sequence. For the pairs of the live games, 300 more come from an evolution, which only bounds
what can be reached. A second file has the default with one parameter changed at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agenthpo.bench.store import about
from agenthpo.bench.tables.problems import Pool
from agenthpo.bench.trainings.training import SPLITS, Pair, Trained, pair_named, pair_names
from agenthpo.bench.workers import in_processes
from agenthpo.errors import StudyError, TaskError
from agenthpo.files import write_whole
from agenthpo.records import Params
from agenthpo.space import Parameter, Space

__all__ = [
    "FOLDER",
    "HELD_OUT",
    "TUNING",
    "VARIED",
    "Recording",
    "at_unit",
    "missing_pairs",
    "read_recording",
    "record_pairs",
]

FOLDER = Path("benchmarks/recorded")
VARIED = "varied"
"""The folder therein of the recordings that change one parameter of the default at a time."""
CONFIGURATIONS = 300
"""Of the Sobol sequence, and of the evolution."""
TUNING = (
    "linear-on-credit",
    "linear-on-ames",
    "forest-on-cells",
    "forest-on-wages",
    "xgboost-on-spam",
    "xgboost-on-diabetes",
    "xgboost-on-ames",
    "network-on-digits",
    "network-on-credit",
    "network-on-wages",
    "kernel-on-cells",
    "kernel-on-diabetes",
    "text-on-questions",
    "text-on-reviews",
)
HELD_OUT = (
    "svm-on-water",
    "svm-on-california",
    "neighbours-on-churn",
    "neighbours-on-cars",
    "extra-trees-on-mortgages",
    "extra-trees-on-california",
    "histogram-on-attrition",
    "histogram-on-cars",
    "lightgbm-on-breast-cancer",
    "lightgbm-on-churn",
    "lightgbm-on-cars",
    "sgd-on-water",
    "sgd-on-attrition",
    "sgd-on-mortgages",
)
"""The pairs of the live games. The halves share neither a family nor a data set."""
_VERSIONS = ("agenthpo", "numpy", "scipy", "scikit-learn", "xgboost-cpu", "xgboost", "lightgbm")
_POPULATION, _SHRINK = 30, 0.15
_PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Where on its scale a number is put instead of its default."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What is known of one pair."""

    name: str
    configurations: tuple[Params, ...]
    origins: tuple[str, ...]
    """``default``, ``sobol``, ``evolved`` or ``varied``, for each configuration."""
    losses: np.ndarray
    """Shape (configurations, splits); nan where the training failed."""
    seconds: np.ndarray
    """The same shape."""
    errors: tuple[str, ...]
    """The first error of each configuration; empty where there is none."""

    @property
    def means(self) -> np.ndarray:
        """The mean loss over the splits of each configuration; infinite if one of them failed."""
        return np.where(np.isnan(self.losses).any(axis=1), np.inf, self.losses.mean(axis=1))

    def pool(self, kept: np.ndarray) -> Pool:
        """Return those of the Sobol sequence that are ``kept`` (a bool for each configuration),
        ranked: they stand for the space.
        """
        chosen = kept & np.array([origin == "sobol" for origin in self.origins])
        configurations = [self.configurations[i] for i in np.flatnonzero(chosen)]
        return Pool.of(configurations, self.means[chosen])


def at_unit(space: Space, row: np.ndarray) -> Params:
    """Return the configuration at a point of the unit cube, each parameter on its own scale."""
    params: Params = {}
    for parameter, place in zip(space, row, strict=True):
        if parameter in space.active(params):
            params[parameter.name] = _value(parameter, float(place))
    return params


def _value(parameter: Parameter, place: float) -> Any:
    if parameter.is_discrete:
        return parameter.values[min(int(place * len(parameter.values)), len(parameter.values) - 1)]
    low, high = float(parameter.low or 0), float(parameter.high or 0)
    value = low * (high / low) ** place if parameter.log else low + place * (high - low)
    if parameter.step is not None:
        value = low + round((value - low) / parameter.step) * parameter.step
    # six digits: more would tell nothing, and take most of a file
    value = round(value) if parameter.kind == "int" else float(f"{value:.6g}")
    return parameter.snap(min(max(value, low), high))


def missing_pairs(folder: Path, names: Sequence[str]) -> list[str]:
    """Return those of ``names``, all pairs if there are none, that ``folder`` does not hold.

    The pairs of the live games come first.

    :raises TaskError: for a name that is no pair.
    """
    known = pair_names()
    for name in names:
        if name not in known:
            pair_named(name)  # says what is wrong with it
    games = [name for pair in zip(TUNING, HELD_OUT, strict=True) for name in pair]
    wanted = list(names) or [*games, *(name for name in known if name not in games)]
    return [
        name
        for name in wanted
        if not (_path(folder, name).exists() and _path(folder / VARIED, name).exists())
    ]


def record_pairs(folder: Path, names: Sequence[str], *, jobs: int) -> Iterator[str]:
    """Train and keep the pairs ``names`` in ``jobs`` processes, and yield each when it is kept."""
    for name, _ in in_processes(partial(_record, folder), names, jobs=jobs):
        yield name


def _record(folder: Path, name: str) -> None:
    pair = pair_named(name)
    (folder / VARIED).mkdir(parents=True, exist_ok=True)
    if not _path(folder, name).exists():
        rows = [*_sampled(pair)]
        if name in TUNING or name in HELD_OUT:
            rows += _evolved(pair, rows)
        _write(_path(folder, name), pair, rows)
    if not _path(folder / VARIED, name).exists():
        _write(_path(folder / VARIED, name), pair, [*_varied(pair)])


@dataclass(frozen=True)
class _Row:
    params: Params
    origin: str
    place: np.ndarray
    trained: tuple[Trained, ...]

    @property
    def loss(self) -> float:
        losses = [each.loss for each in self.trained]
        return np.inf if None in losses else float(np.mean(losses))  # type: ignore[arg-type]


def _row(pair: Pair, params: Params, origin: str, place: np.ndarray) -> _Row:
    trained = tuple(pair.train(params, split) for split in range(SPLITS))
    return _Row(params, origin, place=place, trained=trained)


def _default_row(pair: Pair) -> _Row:
    default = pair.space.default()
    assert default is not None, pair.name
    return _row(pair, default, "default", place=np.full(len(pair.space), 0.5))


def _varied(pair: Pair) -> Iterator[_Row]:
    """Yield the default, and the default with one of its parameters changed: to each other name, or
    to numbers from low to high.
    """
    first = _default_row(pair)
    yield first
    defaults = {parameter.name: parameter.default for parameter in pair.space}
    for parameter in pair.space:
        if parameter.name not in first.params:
            continue
        values = (
            parameter.values
            if parameter.is_discrete
            else dict.fromkeys(_value(parameter, place) for place in _PLACES)
        )
        for value in values:
            if value != parameter.default:
                changed = pair.space.restrict({**defaults, parameter.name: value})
                yield _row(pair, changed, "varied", place=first.place)


def _sampled(pair: Pair) -> Iterator[_Row]:
    from scipy.stats.qmc import Sobol

    width = len(pair.space)
    yield _default_row(pair)
    # a Sobol sequence is balanced at powers of two; its beginning is nearly so
    for place in Sobol(width, seed=0).random_base2(9)[:CONFIGURATIONS]:
        yield _row(pair, at_unit(pair.space, place), "sobol", place=place)


def _evolved(pair: Pair, rows: Sequence[_Row]) -> list[_Row]:
    """Return 300 configurations bred from the best ones: crossed, and moved a little."""
    rng = np.random.default_rng(0)
    known = list(rows)
    for _ in range(CONFIGURATIONS):
        best = sorted(known, key=lambda row: row.loss)[:_POPULATION]
        one, other = (best[i].place for i in rng.integers(len(best), size=2))
        crossed = np.where(rng.random(len(one)) < 0.5, one, other)
        moved = rng.random(len(one)) < 0.4
        place = np.clip(crossed + moved * rng.normal(size=len(one)) * _SHRINK, 0.0, 1.0)
        known.append(_row(pair, at_unit(pair.space, place), "evolved", place=place))
    return known[len(rows) :]


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.parquet"


def _write(path: Path, pair: Pair, rows: Sequence[_Row]) -> None:
    import io

    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = {"origin": pa.array([row.origin for row in rows]).dictionary_encode()}
    for name in pair.space.names:
        # no entry where the parameter is not active; a null that is a value has one
        values = [json.dumps(r.params[name]) if name in r.params else None for r in rows]
        columns[f"param:{name}"] = pa.array(values, pa.string())
    for split in range(SPLITS):
        trained = [row.trained[split] for row in rows]
        columns[f"loss:{split}"] = pa.array([each.loss for each in trained], pa.float32())
        columns[f"seconds:{split}"] = pa.array([each.seconds for each in trained], pa.float32())
    errors = [next((each.error for each in row.trained if each.error), "") for row in rows]
    columns["error"] = pa.array(errors).dictionary_encode()
    table = pa.table(columns).replace_schema_metadata({"about": json.dumps(about(_VERSIONS))})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    write_whole(path, buffer.getvalue())


def read_recording(name: str, folder: Path = FOLDER) -> Recording:
    """Return what is recorded of the pair ``name``.

    :raises TaskError: if nothing is.
    :raises StudyError: if the file cannot be read.
    """
    from pyarrow import ArrowException, parquet

    path = _path(folder, name)
    if not path.exists():
        raise TaskError(f"there is no {path}; make it by: agenthpo bench record {name}")
    try:
        table = parquet.read_table(path)
    except (ArrowException, OSError) as problem:
        raise StudyError(
            f"{path} cannot be read ({problem}); delete it and record it anew"
        ) from None
    names = [column for column in table.column_names if column.startswith("param:")]
    configurations = []
    for values in zip(*(table[column].to_pylist() for column in names), strict=True):
        given = {name: v for name, v in zip(names, values, strict=True) if v is not None}
        configurations.append({n.removeprefix("param:"): json.loads(v) for n, v in given.items()})
    losses = [table[f"loss:{split}"].to_numpy() for split in range(SPLITS)]
    seconds = [table[f"seconds:{split}"].to_numpy() for split in range(SPLITS)]
    return Recording(
        name=name,
        configurations=tuple(configurations),
        origins=tuple(table["origin"].to_pylist()),
        losses=np.column_stack(losses).astype(float),
        seconds=np.column_stack(seconds).astype(float),
        errors=tuple(table["error"].to_pylist()),
    )
