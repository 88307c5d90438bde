"""What the engine alone would have been expected to reach: an estimate beside a study that others
took part in.

The trials of the study say, by the engine's own process, what the objective may look like. Of
these functions one is drawn, the engine is let loose on it from the default on, and the best value
that it meets is noted; then the next one is drawn. The draw is exact at the points that it visits:
each value is drawn given the study and all that was drawn before it.

A process does not know that losses have a floor, so the draws go too far below the best that was
seen. Of what lies beyond that only a share is believed, which was measured on tables of real
trainings (``benchmarks/shadow.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agenthpo.records import Analysis, Direction, Outcome, Stop, Trial
from agenthpo.search.engine.belief import Belief
from agenthpo.search.engine.engine import Engine
from agenthpo.search.engine.threads import one_thread
from agenthpo.seeds import spawn_seed
from agenthpo.shadow import Shadow
from agenthpo.task import Task
from agenthpo.trials import course, ranked, upward

__all__ = ["random_shadow", "shadow_of"]

_FEWEST, _MOST = 5, 100
"""Results below which nothing is estimated, and trials above which it would take too long."""
_PROPOSALS, _REPEATS = 120, 5
"""What the estimate may cost, and the functions that are drawn at most."""
_STUDIES = 100
"""Studies of random search that are drawn."""
_BEYOND = 0.2
"""Share of what a draw promises beyond the best value of the study that is believed."""


def shadow_of(task: Task, trials: Sequence[Trial], seed: int = 0) -> Shadow | None:
    """Return what the engine alone would be expected to have reached in as many trials; None where
    there are too few results to say it, or too many trials to try it out.
    """
    done = [t for t in trials if t.outcome is not None]
    if sum(t.value is not None for t in done) < _FEWEST or len(done) > _MOST:
        return None
    repeats = min(_REPEATS, max(2, _PROPOSALS // len(done)))
    with one_thread():
        belief = Engine(seed).belief(task, done)
        found = [_played(task, belief, done, spawn_seed(seed, "shadow", i)) for i in range(repeats)]
    direction = task.objective.direction
    courses = [
        [_believed(value, done, direction) for value in values] for values in found if values
    ]
    if not courses:
        return None
    values = [each[-1] for each in courses]
    # a study that found nothing more to try keeps its best value; all begin with the same default
    length = max(map(len, courses))
    whole = np.array([each + each[-1:] * (length - len(each)) for each in courses])
    return Shadow(
        len(done),
        float(np.mean(values)),
        min(values),
        max(values),
        len(values),
        tuple(float(value) for value in whole.mean(axis=0)),
    )


def random_shadow(task: Task, trials: Sequence[Trial], engine: Engine) -> Shadow | None:
    """Return what random search would be expected to have reached in as many trials, by the
    engine's process of their results; None where there are too few to say it.
    """
    done = [t for t in trials if t.outcome is not None]
    if sum(t.value is not None for t in done) < _FEWEST:
        return None
    rng = np.random.default_rng(spawn_seed(engine.seed, "random shadow", len(done)))
    direction = task.objective.direction
    values = list[float]()
    with one_thread():
        belief = engine.belief(task, done)
        for _ in range(_STUDIES):
            rows = belief.encoding.drawn(rng, len(done))
            mean, spread = belief.at(rows)
            losses = rng.normal(mean, spread)
            if belief.feasible is not None:
                runs = np.exp(belief.feasible.log_probability(rows))
                losses = losses[rng.random(len(rows)) < runs]
            if len(losses):
                value = belief.sign * belief.warp.loss(float(losses.min()))
                values.append(_believed(value, done, direction))
    if not values:
        return None
    low, high = np.quantile(values, (0.05, 0.95))
    return Shadow(len(done), float(np.mean(values)), float(low), float(high), len(values))


def _believed(value: float, done: Sequence[Trial], direction: Direction) -> float:
    """Return ``value``, of which only a share counts where it is beyond the study's best."""
    best = ranked(done, direction)[0].value
    assert best is not None
    is_beyond = upward(direction) * (value - best) > 0
    return best + _BEYOND * (value - best) if is_beyond else value


def _played(task: Task, belief: Belief, done: Sequence[Trial], seed: int) -> list[float]:
    """Return the best value so far, from the first value on, of one study of the engine's on a
    function that the trials allow.
    """
    rng = np.random.default_rng(seed)
    process = belief.processes[rng.choice(len(belief.processes), p=np.exp(belief.weights))]
    engine = Engine(seed)
    first = {task.space.key(t.proposal.params): t.outcome for t in reversed(done)}
    trials = list[Trial]()
    while len(trials) < len(done):
        proposal = engine.propose(task, trials)
        if isinstance(proposal, Stop):
            break
        row = belief.encoding.rows([proposal.params])
        key = task.space.key(proposal.params)
        outcome = first.get(key) if not trials else None  # the default came out as it did
        if outcome is None and belief.feasible is not None:
            runs = np.exp(belief.feasible.log_probability(row))[0]
            if rng.random() > runs:
                outcome = Outcome("failed", error="as others did")
        if outcome is None:
            mean, spread = process.at(row)
            loss = rng.normal(mean[0], np.hypot(spread[0], np.sqrt(process.noise)))
            process = process.with_observed(row, np.array([loss]))
            outcome = Outcome("complete", belief.sign * belief.warp.loss(loss))
        trials.append(Trial(len(trials), proposal, outcome, Analysis("completed")))
    return course(trials, task.objective.direction)[1]
