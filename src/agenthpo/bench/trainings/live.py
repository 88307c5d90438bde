"""Live games: problems whose every proposal is trained for real, on pairs of the recorded library.

The recording only bounds what is good: the lowest mean loss that it knows, and the median of its
Sobol sequence. What was trained once is kept in a file and not trained again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from agenthpo.bench.store import append, stored
from agenthpo.bench.tables.problems import Problem
from agenthpo.bench.trainings.library import FOLDER, HELD_OUT, TUNING, Recording, read_recording
from agenthpo.bench.trainings.training import SPLITS, Pair, pair_named
from agenthpo.errors import TaskError
from agenthpo.records import Params

__all__ = ["CACHE", "LIVE", "live_problem", "load_live"]

LIVE = tuple(name for both in zip(TUNING, HELD_OUT, strict=True) for name in both)
"""The pairs of the games, one for tuning and one held out in turn."""
CACHE = Path(".agenthpo/bench/live")


class _Trainings:
    """The losses of one pair by configuration and split: recorded, kept from earlier, or trained
    now.
    """

    def __init__(self, pair: Pair, recording: Recording, cache: Path) -> None:
        self._pair = pair
        self._path = cache / f"{pair.name}.jsonl"
        self._known: dict[tuple[str, int], float | None] = {}
        for params, losses in zip(recording.configurations, recording.losses, strict=True):
            for split, loss in enumerate(losses):
                self._known[_key(params), split] = None if np.isnan(loss) else float(loss)
        for line in stored(self._path):
            self._known[line["key"], line["split"]] = line["loss"]

    def loss(self, params: Params, split: int) -> float | None:
        """Return the loss on a split, None where the training failed."""
        key = _key(params)
        if (key, split) not in self._known:
            loss = self._pair.train(params, split).loss
            self._known[key, split] = loss
            self._path.parent.mkdir(parents=True, exist_ok=True)
            append(self._path, {"key": key, "split": split, "loss": loss})
        return self._known[key, split]

    def observe(self, params: Params, rng: np.random.Generator) -> float | None:
        """Return the loss on a split that is drawn: a trial's noise."""
        return self.loss(params, int(rng.integers(SPLITS)))

    def mean(self, params: Params) -> float | None:
        """Return the mean loss over the splits, None where one of them failed."""
        losses = [self.loss(params, split) for split in range(SPLITS)]
        return None if None in losses else float(np.mean(losses))  # type: ignore[arg-type]


def load_live(name: str, *, folder: Path = FOLDER, cache: Path = CACHE) -> Problem:
    """Return the pair ``name`` as a problem.

    :raises TaskError: if it is no pair of the games, or is not recorded.
    """
    if name not in LIVE:
        raise TaskError(f"there is no live game '{name}'; known are {', '.join(LIVE)}")
    return live_problem(read_recording(name, folder), cache)


def live_problem(recording: Recording, cache: Path) -> Problem:
    """Return the recorded pair as a problem whose proposals are trained."""
    pair = pair_named(recording.name)
    trainings = _Trainings(pair, recording, cache)
    pool = recording.pool(np.ones(len(recording.configurations), dtype=bool))
    return Problem(
        name=recording.name,
        group="live",
        raw=pair.raw,
        observe=trainings.observe,
        mean=trainings.mean,
        ranked=pool,
        best=float(recording.means.min()),
        median=pool.median,
        # nobody says so: a person does not know it either
        noisy=False,
        background=pair.background,
        data=pair.data.name,
    )


def _key(params: Mapping[str, object]) -> str:
    return json.dumps(params, sort_keys=True)
