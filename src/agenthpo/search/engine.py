"""The engine: a Gaussian process from the fourth trial on.

The default configuration, one or two points to begin with, then what the model expects most of. Failed trials teach where not to go,
never a value; pending trials are taken to come out as expected.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import logsumexp

from agenthpo.records import Params, Proposal, Stop, Trial, next_number, upward
from agenthpo.search.acquire import candidates, climbed, fingerprints, knowledge_gradient, log_expected_improvement, log_feasible
from agenthpo.search.encoding import Encoding, Matrix, Vector
from agenthpo.search.gp import Process, Settings, fit
from agenthpo.search.samplers import default_proposal
from agenthpo.seeds import spawn_seed
from agenthpo.task import Task

__all__ = ["ENGINE", "Engine", "Knobs"]

ENGINE = "engine"
"""The name of this proposer."""


@dataclass(frozen=True)
class Knobs:
    """What was chosen by measuring, on the half of the benchmark that is for it."""

    design: int = 2
    far: int = 600
    near: int = 100
    centres: int = 4
    climbers: int = 5
    rounds: int = 4
    climb_width: int = 30
    settings: Settings = field(default_factory=Settings)
    repeat: str = "never"
    winsor: float = 0.0
    pick: str = "value"
    plug: str = "mean"
    spread: int = 0
    rstart: int = 12
    rtimes: int = 2
    fnoise: float = 0.01
    mix: tuple[Settings, ...] = (Settings(), Settings(scale_location=-1, scale_spread=0.6))
    temper: float = 1.0


class Engine:
    """Propose by the model; a configuration is not tried twice while others are left, unless the noise asks for it."""

    def __init__(self, seed: int = 0, knobs: Knobs | None = None) -> None:
        self.seed = seed
        self.knobs = knobs or Knobs()

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the next configuration and what it was chosen by."""
        if proposal := default_proposal(task, trials):
            return proposal
        encoding, rng = Encoding(task.space), np.random.default_rng(spawn_seed(self.seed, next_number(trials), 17))
        rows = encoding.rows([task.space.restrict(t.proposal.params) for t in trials])
        scored = np.array([t.value is not None for t in trials], dtype=bool)
        has_default = task.space.default() is not None
        if scored.sum() < 2 or len(trials) < self.knobs.design + has_default:
            row = self._spread_out(encoding, rows, rng)
            return Proposal(encoding.params(row), "classical", rationale="Chosen far from what was tried, to begin with.")
        if self.knobs.repeat == "challenge" and task.objective.noisy and len(trials) >= self.knobs.rstart:
            groups: dict = {}
            for t in trials:
                if t.value is not None:
                    groups.setdefault(task.space.key(t.proposal.params), []).append(t)
            sign = -upward(task.objective.direction)
            best = min(groups.values(), key=lambda g: sign * np.mean([t.value for t in g]))
            if len(best) < self.knobs.rtimes:
                return Proposal(best[0].proposal.params, "classical", rationale="Measured again.")
        row = self._modelled(task, encoding, trials, rows, scored, rng)
        return Proposal(encoding.params(row), "classical", rationale="From the model.")

    def _spread_out(self, encoding: Encoding, rows: Matrix, rng: np.random.Generator) -> Vector:
        if self.knobs.spread and len(rows):
            drawn = encoding.drawn(rng, self.knobs.spread)
            ones = np.ones(encoding.width)
            a, b = encoding.spread(drawn, ones), encoding.spread(rows, ones)
            far = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2).min(axis=1)
            return drawn[int(far.argmax())]
        drawn = encoding.drawn(rng, 1)
        return drawn[0]

    def _modelled(
        self, task: Task, encoding: Encoding, trials: Sequence[Trial], rows: Matrix, scored: np.ndarray, rng: np.random.Generator
    ) -> Vector:
        knobs = self.knobs
        values = self._standardised(-upward(task.objective.direction) * np.array([t.value for t in trials if t.value is not None]))
        processes = [fit(encoding, rows[scored], values, s) for s in (knobs.mix or (knobs.settings,))]
        logw = np.array([-p.loss * knobs.temper for p in processes])
        logw -= logsumexp(logw)
        process = processes[int(logw.argmax())]
        pending = np.array([t.outcome is None for t in trials], dtype=bool)
        failed = ~scored & ~pending
        if pending.any():
            processes = [process.with_observed(rows[pending], process.at(rows[pending])[0]) for process in processes]
        feasible = None
        if failed.any():
            settled = scored | failed
            feasible = fit(encoding, rows[settled], np.where(scored[settled], 1.0, -1.0), knobs.settings)
        known = rows[scored]
        at_known = process.at(known)[0]
        bests = [float(p.at(known)[0].min()) for p in processes]

        def score(asked: Matrix) -> Vector:
            found = logsumexp(
                [w + log_expected_improvement(*p.at(asked), b) for p, w, b in zip(processes, logw, bests, strict=True)], axis=0
            )
            return found if feasible is None else found + log_feasible(feasible, asked, knobs.fnoise)

        centres = known[np.argsort(at_known)[: knobs.centres]]
        drawn = candidates(encoding, centres, rng, far=knobs.far, near=knobs.near)
        tried = set(fingerprints(rows))
        scores = score(drawn)
        starts = drawn[np.argsort(-scores)[: knobs.climbers]]
        ends, values = climbed(encoding, starts, score, rng, rounds=knobs.rounds, width=knobs.climb_width)
        every, values = np.concatenate([ends, drawn]), np.concatenate([values, scores])
        order = np.argsort(-values, kind="stable")
        fresh = [i for i in order[:400] if fingerprints(every[i : i + 1])[0] not in tried]
        chosen = every[fresh[0]] if fresh else self._left(task, encoding, tried)
        if knobs.repeat == "kg" and task.objective.noisy:
            unique = known[np.unique(known, axis=0, return_index=True)[1]]
            gains = knowledge_gradient(process, unique, np.concatenate([unique, chosen[None, :]]))
            if gains[:-1].max() > gains[-1]:
                return unique[gains[:-1].argmax()]
        return chosen

    def _left(self, task: Task, encoding: Encoding, tried: set[bytes]) -> Vector:
        if task.space.size() < 20_000:
            left = [row for row in encoding.rows(list(task.space.configurations())) if fingerprints(row[None, :])[0] not in tried]
            if left:
                return random.Random(self.seed).choice(left)
        return encoding.drawn(np.random.default_rng(0), 1)[0]

    def _process(self, task: Task, encoding: Encoding, trials: Sequence[Trial], rows: Matrix, scored: np.ndarray) -> Process:
        values = -upward(task.objective.direction) * np.array([t.value for t in trials if t.value is not None])
        return fit(encoding, rows[scored], self._standardised(values), self.knobs.settings)

    def _standardised(self, values: Vector) -> Vector:
        if self.knobs.winsor:
            median = np.median(values)
            room = median - values.min()
            if self.knobs.winsor > 0 or room <= 0:
                values = np.minimum(values, median + self.knobs.winsor * room + 1e-12)
            else:
                room *= -self.knobs.winsor
                over = np.maximum(values - median, 0)
                values = np.where(over > 0, median + room * np.log1p(over / room), values)
        deviation = values.std()
        return (values - values.mean()) / (deviation if deviation > 0 else 1.0)

    def recommended(self, task: Task, trials: Sequence[Trial]) -> Params | None:
        """Return the configuration to use."""
        scored = [t for t in trials if t.value is not None]
        if not scored:
            return None
        sign = -upward(task.objective.direction)
        if self.knobs.pick == "value" or len(scored) < 3:
            groups: dict = {}
            for t in scored:
                groups.setdefault(task.space.key(t.proposal.params), []).append(t)
            most = max(len(g) for g in groups.values())
            return (
                min(scored, key=lambda t: sign * t.value).proposal.params
                if most == 1
                else min(groups.values(), key=lambda g: sign * np.mean([t.value for t in g]))[0].proposal.params
            )
        encoding = Encoding(task.space)
        rows = encoding.rows([t.proposal.params for t in scored])
        mean, _ = self._process(task, encoding, scored, rows, np.ones(len(scored), dtype=bool)).at(rows)
        return scored[int(mean.argmin())].proposal.params
