"""Scripted advisors: they stand for a language model in the benchmark, from an expert to an
adversary, each with true or false confidence.

Most draw from a slice of the problem's ranking, which a real model cannot see. Two are made after
what a frontier model was seen to do: they move a step away from the incumbent, and gain as often
as it did. What changes over time goes by the study's trial number, as a model's advice would that
grows better or worse with the history it reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

import numpy as np

from agenthpo.bench.tables.problems import Problem, sampled
from agenthpo.exchange import Attempt, Choice, View
from agenthpo.records import Expected, Params, Proposal, Stop, Trial, Usage
from agenthpo.search.engine.encoding import Encoding
from agenthpo.seeds import spawn_seed
from agenthpo.space import Key
from agenthpo.task import Task
from agenthpo.trials import incumbent, next_number

__all__ = ["ADVISORS", "STEPPING", "Advisor", "Alone"]

_NEAR = 0.1
"""How far from the default, of a parameter's range, the stubborn one goes."""
_STEPS = (0.03, 0.3)
"""How far from the incumbent, of a parameter's range, a skilled one goes."""
_HOLDS = 0.6
"""How often its intervals hold."""
_STEPPED = 300
"""Steps that are looked through for one that improves, or one that does not."""


Slice = tuple[float, float] | None
"""The shares of the ranking between which is drawn; None for near the default."""
ADVISORS: dict[str, Callable[[int], Slice]] = {
    "expert": lambda _: (0.0, 0.01),
    "good": lambda _: (0.0, 0.05),
    "fading": lambda number: (0.0, 0.01) if number <= 3 else (0.0, 1.0),
    "late": lambda number: (0.0, 1.0) if number <= 5 else (0.0, 0.01),
    "useless": lambda _: (0.0, 1.0),
    "stubborn": lambda _: None,
    "adversarial": lambda _: (0.9, 1.0),
    "failing": lambda _: (0.0, 1.0),
}
"""Name -> the slice it draws from, by trial number. ``failing`` has nothing valid to say every
other time.
"""
STEPPING: dict[str, Callable[[int], float]] = {
    "skilled": lambda number: 0.5 if number <= 5 else 0.35,
    "strong-then-stuck": lambda number: 0.5 if number <= 5 else 0.35 if number <= 8 else 0.0,
}
"""Name -> how probable its step is to improve on the incumbent, by trial number."""


class Advisor:
    """One advisor on one problem, instead of the Creator."""

    def __init__(self, problem: Problem, kind: str, seed: int, *, honest: bool = True) -> None:
        self.problem, self.kind, self.seed, self.honest = problem, kind, seed, honest

    def attempt(self, task: Task, trials: Sequence[Trial], view: View | None = None) -> Attempt:
        """Return a proposal that was not tried before, or nothing."""
        number = next_number(trials)
        rng = np.random.default_rng(spawn_seed(self.seed, number, 99))
        if self.kind == "failing" and rng.random() < 0.5:
            return Attempt(
                None, "3 replies were refused, the last because lr must lie from 1e-5 to 1"
            )
        tried = {task.space.key(t.proposal.params) for t in trials}
        if self.kind in STEPPING:
            params = self._stepped(task, trials, tried=tried, rng=rng)
        else:
            params = self._drawn(task, number, rng)
            for _ in range(50):
                if task.space.key(params) not in tried:
                    break
                params = self._drawn(task, number, rng)
        return Attempt(
            Proposal(
                params,
                "creator",
                rationale=f"So says {self.kind}.",
                expected=self._expected(params, rng),
                model=self.kind,
            )
        )

    def has_next(self, task: Task, trials: Sequence[Trial]) -> bool:
        """Return False: it is asked each time."""
        return False

    def choose(self, task: Task, trials: Sequence[Trial], candidates: Sequence[Params]) -> Choice:
        """Choose as well as it proposes at this time: the best, the worst, or any of them, but
        always the same in either order.
        """
        number = next_number(trials)
        rng = np.random.default_rng(spawn_seed(self.seed, number, 97))
        piece = (0.0, 0.01) if self.kind in STEPPING else ADVISORS[self.kind](number)
        if self.kind == "failing" and rng.random() < 0.5:
            return Choice(None, "the model named none of the candidates", Usage())
        losses = [self._loss(params) for params in candidates]
        if piece is not None and piece[1] <= 0.05:
            return Choice(int(np.argmin(losses)), "", Usage())
        return Choice(
            int(np.argmax(losses))
            if self.kind == "adversarial"
            else int(rng.integers(len(candidates))),
            "",
            Usage(),
        )

    def _drawn(self, task: Task, number: int, rng: np.random.Generator) -> Params:
        piece = ADVISORS[self.kind](number)
        if piece is not None:
            return self.problem.ranked.at(rng.uniform(*piece))
        default = task.space.default()
        if default is None:
            return sampled(task.space, rng)
        encoding = Encoding(task.space)
        return encoding.params(
            encoding.near(encoding.rows([default]), rng, steps=np.array([_NEAR]), changes=1.0)[0]
        )

    def _stepped(
        self,
        task: Task,
        trials: Sequence[Trial],
        *,
        tried: Collection[Key],
        rng: np.random.Generator,
    ) -> Params:
        """Return a configuration a step away from the best result: a better one as often as the
        advisor is skilled, if any of the steps leads to one.
        """
        best = incumbent(trials, task.objective.direction)
        centre = best.proposal.params if best else task.space.default()
        if centre is None:
            return sampled(task.space, rng)
        encoding = Encoding(task.space)
        steps = np.exp(rng.uniform(math.log(_STEPS[0]), math.log(_STEPS[1]), size=_STEPPED))
        around = np.repeat(encoding.rows([task.space.restrict(centre)]), _STEPPED, axis=0)
        near = [
            params
            for row in encoding.near(around, rng, steps=steps, changes=2.0)
            if task.space.key(params := encoding.params(row)) not in tried
        ]
        if not near:
            return sampled(task.space, rng)
        bound = self._loss(centre)
        is_gain = rng.random() < STEPPING[self.kind](next_number(trials))
        wanted = (params for params in near if (self._loss(params) < bound) == is_gain)
        return next(wanted, near[0])

    def _loss(self, params: Params) -> float:
        loss = self.problem.mean(params)
        return np.inf if loss is None else loss

    def _expected(self, params: Params, rng: np.random.Generator) -> Expected:
        """Return an interval that holds about nine times in ten; one of false confidence promises
        the optimum, and is narrow.
        """
        width = 0.3 * (self.problem.median - self.problem.best)
        mean = self.problem.mean(params)
        if not self.honest or mean is None:
            return Expected(
                self.problem.best,
                self.problem.best - 0.05 * width,
                self.problem.best + 0.05 * width,
            )
        middle = mean + 0.3 * width * float(rng.normal())
        if self.kind in STEPPING and rng.random() > _HOLDS:
            middle -= 2.5 * width  # it hopes for more
        return Expected(middle, middle - width, middle + width)


class Alone:
    """An advisor that proposes everything after the default; where it has nothing, it draws at
    random.
    """

    def __init__(self, advisor: Advisor) -> None:
        self.advisor = advisor

    def propose(self, task: Task, trials: Sequence[Trial]) -> Proposal | Stop:
        """Return its proposal."""
        default = task.space.default()
        if not trials and default is not None:
            return Proposal(default, "default")
        found = self.advisor.attempt(task, trials).proposal
        rng = np.random.default_rng(spawn_seed(self.advisor.seed, next_number(trials), 98))
        return found or Proposal(sampled(task.space, rng), "fallback")
