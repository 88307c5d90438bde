"""The engine: a Gaussian process from the fourth trial on.

The default configuration, two points from the middle of the space, then where improvement is most
to be expected. Failed trials teach where not to go, never a value; pending trials are taken to come
out as expected, and stopped ones as their curves foretell. Past some hundreds of trials TPE takes
over, which costs less by then.

Two processes are fitted, one that takes parameters for simple and one that expects narrow valleys,
and weighed by how probable each makes the results; the same decides whether losses are taken as
they are or as logarithms. Where values turn out noisy, every other trial looks for more than a
small improvement, which could not be told from luck. docs/experiments.md has what else was tried.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from agenthpo.exchange import View
from agenthpo.records import Expected, Params, Proposal, Stop, Trial
from agenthpo.search.engine.acquisition import candidates, climbed, fingerprints
from agenthpo.search.engine.belief import CAUTION, Belief
from agenthpo.search.engine.encoding import Encoding, Matrix, Vector
from agenthpo.search.engine.feasibility import feasible_of
from agenthpo.search.engine.front import Front
from agenthpo.search.engine.gp import Process, Settings, fit, squared_differences
from agenthpo.search.engine.limits import limits_of
from agenthpo.search.engine.threads import one_thread
from agenthpo.search.engine.view import apart, view_of
from agenthpo.search.engine.warp import Warp, warps
from agenthpo.search.optuna_samplers import (
    OptunaSampler,
    any_left,
    default_proposal,
    drawn_one,
    exhausted,
)
from agenthpo.search.stopping.foreseen import Foreseen
from agenthpo.seeds import spawn_seed
from agenthpo.task import Task, Train
from agenthpo.trials import best_measured, next_number, upward

__all__ = ["ENGINE", "HANDOVER", "Belief", "Engine", "Knobs"]

ENGINE = "engine"
"""The name of this proposer."""
HANDOVER = 300
"""Trials with a result after which TPE takes over."""
_SMOOTH = Settings(noise_location=-2.0)
_NARROW = Settings(scale_location=-1.0, scale_spread=0.6)
"""Either a smooth function under much noise, or a narrow valley under little: the results say which
is the more probable.
"""
_LARGEST = 1e150
"""Beyond it, squares of losses would overflow; who comes so far has other troubles than which of
two is better.
"""
_OPTIONS = 3
"""Proposals that may be chosen among."""
_MODELLED = 3
"""Results from which on the model is worth listening to."""


@dataclass(frozen=True)
class Knobs:
    """What was chosen by measuring, on the half of the benchmark that is for it."""

    design: int = 2
    """Random points after the default."""
    design_width: float = 0.4
    """Which share of each range they are drawn from, in its middle."""
    design_kept: float = 0.5
    """With which probability each of their parameters keeps the default's value instead."""
    inside: float = 5.0
    """Weight of the prior that good values are inside their ranges, to be divided by the number of
    trials.
    """
    far: int = 600
    near: int = 100
    centres: int = 4
    climbers: int = 5
    rounds: int = 4
    climb_width: int = 30
    processes: tuple[Settings, ...] = (_SMOOTH, _NARROW)
    fitted: int = 120
    """Results that hyperparameters are fitted to, at most: the best and the latest."""
    remeasured: int = 3
    """How often the incumbent of a noisy objective is measured before the search continues: it may
    have been lucky.
    """
    remeasured_from: int = 12
    """Trials before which it is not: a short study has better uses for its trials."""
    margin: float = 0.5
    """By how much, in standardised losses, every other trial is to improve on the best, where the
    noise is loud.
    """
    margin_from: int = 20
    """Trials from which on that holds for an objective that nobody called noisy: people do not
    know. Of a noisy one it holds at once.
    """


class Engine:
    """Propose by the model; a configuration is not tried twice while others are left, unless the
    noise asks for it.
    """

    def __init__(self, seed: int = 0, knobs: Knobs | None = None) -> None:
        self.seed = seed
        self.knobs = knobs or Knobs()
        self._later = OptunaSampler(seed)
        self._encoding: Encoding | None = None
        self._rows: dict[int, tuple[Proposal, Vector]] = {}
        self._believed: tuple[Task, tuple[Trial, ...], Belief] | None = None
        self._foreseen = Foreseen()

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return the next configuration, why it was chosen and, where there is a model, the value
        it expects.
        """
        if proposal := default_proposal(task, trials):
            return proposal
        if sum(t.value is not None for t in trials) >= HANDOVER:
            return self._later.propose(task, trials)
        trials = self._foreseen(task, trials)
        scored = sum(t.value is not None for t in trials)
        with one_thread():
            return self._proposed(task, trials, scored)

    def _proposed(self, task: Task, trials: Sequence[Trial], scored: int) -> Proposal | Stop:
        if self._is_designed(task, trials, scored):
            rng = self._rng(trials)
            encoding, rows = self._encoded(task, trials)
            tried = set(fingerprints(_as_whole(task, encoding, rows)))
            drawn, why = self._designed(encoding, rows, trials, train=task.train, rng=rng)
            row = self._fresh(task, trials, rows=drawn, tried=tried)
            if row is None:
                return exhausted(task.space, trials)
            return Proposal(encoding.params(row), "engine", rationale=why)
        belief = self.belief(task, trials)
        if doubted := self._doubted(task, trials):
            return self._proposal(
                belief,
                belief.encoding.rows([doubted])[0],
                "Measured again, since values are noisy and it may have been lucky",
            )
        row = self.next_row(task, trials, belief)
        if row is None:
            return exhausted(task.space, trials)
        return self._proposal(belief, row, _why(belief, row))

    def has_model(self, task: Task, trials: Sequence[Trial]) -> bool:
        """Return whether a model of ``trials`` proposes the next one."""
        scored = sum(t.value is not None for t in trials)
        return scored < HANDOVER and not self._is_designed(task, trials, scored)

    def next_row(
        self, task: Task, trials: Sequence[Trial], belief: Belief | Front
    ) -> Vector | None:
        """Return the most promising row that was not tried; None where none is left."""
        encoding, rows = self._encoded(task, trials)
        tried = set(fingerprints(_as_whole(task, encoding, rows)))
        found = self._sought(belief, self._rng(trials))
        return self._fresh(task, trials, rows=found, tried=tried)

    def _is_designed(self, task: Task, trials: Sequence[Trial], scored: int) -> bool:
        first = self.knobs.design + (task.space.default() is not None)
        return scored < 2 or len(trials) < first

    def _designed(
        self,
        encoding: Encoding,
        rows: Matrix,
        trials: Sequence[Trial],
        *,
        train: Train,
        rng: np.random.Generator,
    ) -> tuple[Matrix, str]:
        """Return rows to try before the losses say anything, the most promising first, and why."""
        feasible = feasible_of(encoding, rows, trials, train)
        if feasible is None:
            default = _default_row(encoding)
            inner = encoding.drawn(rng, 64, width=self.knobs.design_width)
            why = "At random from the middle of the space, to begin with."
            if default is not None:
                kept = rng.random(inner.shape) < self.knobs.design_kept
                kept[np.arange(len(inner)), rng.integers(encoding.width, size=len(inner))] = False
                inner = encoding.settled(np.where(kept, default, inner))
                inner = inner[encoding.allowed(inner)]
                why = "At random from the middle of the space, half of it as in the default."
            return np.concatenate([inner, encoding.drawn(rng, 64)]), why
        # Failures teach at once: rows are drawn from all of the space, and about what ran, with a
        # probability in proportion to P(does not fail)^caution. The largest of the logarithms with
        # Gumbel noise added is such a draw.
        ran = np.array([t.value is not None for t in trials], dtype=bool)
        drawn = candidates(encoding, rows[ran], rng, far=self.knobs.far, near=self.knobs.near)
        weighed = CAUTION * feasible.log_probability(drawn) + rng.gumbel(size=len(drawn))
        why = "Away from what failed, since too little has run to say more."
        return drawn[np.argsort(-weighed, kind="stable")], why

    def view(self, task: Task, trials: Sequence[Trial]) -> View | None:
        """Return what the engine thinks of the objective, in data; None before there is a model,
        and after the hand-over.
        """
        trials = self._foreseen(task, trials)
        if not _MODELLED <= sum(t.value is not None for t in trials) < HANDOVER:
            return None
        with one_thread():
            belief = self.belief(task, trials)
            tried = [task.space.restrict(t.proposal.params) for t in trials]
            known = set(fingerprints(_as_whole(task, *self._encoded(task, trials))))
            rows = self._sought(belief, self._rng(trials))
            return view_of(belief, _untried(rows, known), tried)

    def forecast(self, task: Task, trials: Sequence[Trial], params: Params) -> Expected | None:
        """Return the value that ``params`` are expected to come to; None before there is a model,
        and after the hand-over.
        """
        trials = self._foreseen(task, trials)
        if not _MODELLED <= sum(t.value is not None for t in trials) < HANDOVER:
            return None
        with one_thread():
            belief = self.belief(task, trials)
            return belief.expected(belief.encoding.rows([task.space.restrict(params)])[0])

    def options(self, task: Task, trials: Sequence[Trial]) -> tuple[Proposal, ...]:
        """Return up to three proposals to choose among, the first of which is what it proposes:
        before it has a model any of its design points, which it takes for equally good, then its
        candidates. Empty where something is to be measured again, and after the hand-over.
        """
        trials = self._foreseen(task, trials)
        scored = sum(t.value is not None for t in trials)
        if scored >= HANDOVER:
            return ()
        with one_thread():
            rng = self._rng(trials)
            encoding, rows = self._encoded(task, trials)
            tried = set(fingerprints(_as_whole(task, encoding, rows)))
            if self._is_designed(task, trials, scored):
                drawn, why = self._designed(encoding, rows, trials, train=task.train, rng=rng)
                return tuple(
                    Proposal(encoding.params(row), "engine", rationale=why)
                    for row in _untried(drawn, tried)[:_OPTIONS]
                )
            belief = self.belief(task, trials)
            if self._doubted(task, trials):
                return ()
            fresh = _untried(self._sought(belief, rng), tried)
            return tuple(
                self._proposal(belief, fresh[i], _why(belief, fresh[i]))
                for i in apart(belief, fresh, _OPTIONS)
            )

    def belief(self, task: Task, trials: Sequence[Trial]) -> Belief:
        """Return what the trials say, two or more of which have a value; the latest is kept, since
        a Creator's turn asks for a view and a forecast of the same trials.
        """
        trials = self._foreseen(task, trials)
        kept = self._believed
        if kept is None or not (
            kept[0] is task
            and len(kept[1]) == len(trials)
            and all(a is b for a, b in zip(kept[1], trials, strict=True))
        ):
            kept = task, tuple(trials), self._believes(task, trials)
            self._believed = kept
        return kept[2]

    def _believes(self, task: Task, trials: Sequence[Trial]) -> Belief:
        sign = -upward(task.objective.direction)
        encoding, rows = self._encoded(task, trials)
        scored = np.array([t.value is not None for t in trials], dtype=bool)
        pending = np.array([t.outcome is None for t in trials], dtype=bool)
        values = np.array([t.value for t in trials if t.value is not None], dtype=float)
        losses = np.clip(sign * values, -_LARGEST, _LARGEST)

        # Losses y at rows X. For each warp g and each prior k of the hyperparameters theta, a
        # process f_k ~ GP(m, K_theta) is fitted to the standardised z = g(y):
        #
        #     theta_k = argmax p(z | X, theta) p_k(theta)
        #
        # A fit costs O(n^3) at each step of the search for theta, so it sees the most telling rows
        # only. The others are observed afterwards, under the theta that was found.
        chosen = _telling(losses, self.knobs.fitted)
        warp, fitted = self._fitted(encoding, rows[scored][chosen], losses[chosen])
        losses = warp.standardised(losses)
        rest = np.setdiff1d(np.arange(len(losses)), chosen)
        if len(rest):
            fitted = [p.with_observed(rows[scored][rest], losses[rest]) for p in fitted]

        # The processes are averaged by their posterior weights,
        #
        #     w_k = p(z | X, theta_k) p_k(theta_k) / sum_j p(z | X, theta_j) p_j(theta_j),
        #
        # of which p.loss is the negative logarithm of the numerator.
        weights = -np.array([p.loss for p in fitted])

        # A pending trial at x is taken to end at its posterior mean E[f_k(x) | z] ("kriging
        # believer", Ginsbourger et al. 2010): the mean stays, the variance about x falls.
        pending |= _begun(task, trials)
        if pending.any():
            ahead = _as_whole(task, encoding, rows[pending])
            fitted = [p.with_observed(ahead, p.at(ahead)[0]) for p in fitted]

        feasible = feasible_of(encoding, rows, trials, task.train)
        measured = [t for t in trials if t.value is not None]
        kept = np.array([t.is_kept for t in measured], dtype=bool)
        is_doubted = task.objective.noisy or len(trials) >= self.knobs.margin_from
        margin = self.knobs.margin if is_doubted and len(trials) % 2 else 0.0
        inside = self.knobs.inside / len(trials)
        return Belief(
            encoding=encoding,
            processes=tuple(fitted),
            weights=weights - logsumexp(weights),
            feasible=feasible,
            known=_as_whole(task, encoding, rows[scored]),
            kept=kept,
            limits=limits_of(encoding, rows[scored], measured),
            pending=_as_whole(task, encoding, rows[pending]),
            warp=warp,
            sign=sign,
            margin=margin,
            inside=inside,
        )

    def _fitted(
        self, encoding: Encoding, rows: Matrix, losses: Vector
    ) -> tuple[Warp, list[Process]]:
        """Return the warp that makes the losses the most probable, and the processes behind it."""
        apart = squared_differences(encoding, rows)
        found = []
        for warp in warps(losses):
            values = warp.standardised(losses)
            fitted = [
                fit(encoding, rows, values=values, settings=settings, apart=apart)
                for settings in self.knobs.processes
            ]
            found.append(
                (logsumexp([-p.loss for p in fitted]) + warp.log_density(losses), warp, fitted)
            )
        return max(found, key=lambda each: each[0])[1:]

    def _encoded(self, task: Task, trials: Sequence[Trial]) -> tuple[Encoding, Matrix]:
        """Return the encoding and the trials' rows; those that were encoded before are kept, since
        a proposal needs them all.
        """
        space = task.space
        known = self._encoding
        if known is None or known.space != space or known.pins != task.pins:
            self._encoding = known = Encoding(space, task.pins)
            self._rows = {}
        for t in trials:
            if t.number not in self._rows or self._rows[t.number][0] is not t.proposal:
                self._rows[t.number] = (
                    t.proposal,
                    known.rows([space.restrict(t.proposal.params)])[0],
                )
        return known, np.array([self._rows[t.number][1] for t in trials]).reshape(
            len(trials), len(space)
        )

    def _rng(self, trials: Sequence[Trial]) -> np.random.Generator:
        return np.random.default_rng(spawn_seed(self.seed, "engine", next_number(trials)))

    def _sought(self, belief: Belief | Front, rng: np.random.Generator) -> Matrix:
        """Return rows to try, the most promising first."""
        knobs, encoding = self.knobs, belief.encoding
        centres = belief.centres(knobs.centres)
        drawn = candidates(encoding, centres, rng, far=knobs.far, near=knobs.near)
        scores = belief.score(drawn)
        starts = drawn[np.argsort(-scores)[: knobs.climbers]]
        ends, heights = climbed(
            encoding,
            starts,
            score=belief.score,
            rng=rng,
            rounds=knobs.rounds,
            width=knobs.climb_width,
        )
        every: Matrix = np.concatenate([ends, drawn])
        order = np.argsort(-np.concatenate([heights, scores]), kind="stable")
        return np.asarray(every[order])

    def _fresh(
        self, task: Task, trials: Sequence[Trial], *, rows: Matrix, tried: set[bytes]
    ) -> Vector | None:
        """Return the first of ``rows`` that was not tried, any other one where all were, or None
        where none is left.
        """
        each: list[Vector] = list(rows)
        for row, mark in zip(each, fingerprints(rows), strict=True):
            if mark not in tried:
                return row
        encoding = self._encoded(task, trials)[0]
        barred = task.barred(trials)
        if task.objective.noisy:
            for row in each:
                if task.space.key(encoding.params(row)) not in barred:
                    return row
        seed = spawn_seed(self.seed, "engine, anything left", len(trials))
        otherwise = drawn_one(encoding, seed)
        left = any_left(task.space, barred, seed=seed, otherwise=otherwise, holds=task.is_pinned)
        return None if left is None else encoding.rows([left])[0]

    def _doubted(self, task: Task, trials: Sequence[Trial]) -> Params | None:
        """Return the incumbent's configuration where it was measured too seldom to be believed."""
        if not (
            task.objective.noisy
            and self.knobs.remeasured
            and len(trials) >= self.knobs.remeasured_from
        ):
            return None
        best = best_measured(trials, task.objective.direction)
        if not best or not task.is_pinned(best[0].proposal.params):
            return None
        return best[0].proposal.params if len(best) < self.knobs.remeasured else None

    def _proposal(self, belief: Belief, row: Vector, why: str) -> Proposal:
        expected = belief.expected(row)
        numbers = f"{expected.value:.4g} expected, {expected.low:.4g} to {expected.high:.4g}"
        runs = ""
        if belief.feasible is not None:
            probability = float(np.exp(belief.feasible.log_probability(row[None, :]))[0])
            runs = f" By what failed so far, it runs with a probability of {probability:.0%}."
        return Proposal(
            belief.encoding.params(row),
            "engine",
            rationale=f"{why}: {numbers}.{runs}",
            expected=expected,
        )


def _begun(task: Task, trials: Sequence[Trial]) -> np.ndarray:
    """Return which trials are the beginning of a training that may go on, and so stand for it: the
    next one is not to be beside them.
    """
    if task.fidelity is None:
        return np.zeros(len(trials), dtype=bool)
    keys = [task.space.key(task.fidelity.rest(t.proposal.params)) for t in trials]
    last = {key: i for i, key in enumerate(keys)}
    return np.array(
        [t.value is not None and not t.is_whole and last[k] == i
         for i, (t, k) in enumerate(zip(trials, keys, strict=True))],
        dtype=bool,
    )  # fmt: skip


def _as_whole(task: Task, encoding: Encoding, rows: Matrix) -> Matrix:
    """Return the rows as whole trainings, which is what is proposed and compared."""
    if task.fidelity is None or not len(rows):
        return rows
    column = encoding.space.names.index(task.fidelity.parameter)
    found = rows.copy()
    found[:, column] = encoding.axes[column].place(task.fidelity.rungs[-1])
    return found


def _why(belief: Belief, row: Vector) -> str:
    """Say whether ``row`` builds upon what is known or looks where little is."""
    mean, spread = belief.at(row[None, :])
    known = belief.at(belief.known)[0].min()
    if mean[0] < known:
        return "The engine expects an improvement here"
    return (
        "The engine expects no better here, but knows little of it"
        if spread[0] > 0.3
        else "Close to the best, to settle what is left to gain"
    )


def _telling(losses: Vector, most: int) -> np.ndarray:
    """Return which results to fit to: all, or the best third of ``most`` and the latest."""
    if len(losses) <= most:
        return np.arange(len(losses))
    best = np.argsort(losses, kind="stable")[: most // 3]
    later = [i for i in range(len(losses) - 1, -1, -1) if i not in set(best.tolist())][
        : most - len(best)
    ]
    return np.sort(np.concatenate([best, later]))


def _untried(rows: Matrix, tried: Collection[bytes]) -> Matrix:
    """Return those of ``rows`` that are not among the fingerprints ``tried``, each once."""
    places = {mark: i for i, mark in reversed([*enumerate(fingerprints(rows))])}
    return rows[sorted(place for mark, place in places.items() if mark not in tried)]


def _default_row(encoding: Encoding) -> Vector | None:
    default = encoding.space.default()
    return None if default is None else encoding.rows([default])[0]
