"""How much a study may spend, and the sentence that says why it stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Budget", "Spent"]


@dataclass(frozen=True)
class Spent:
    """What a study has used up so far: trials started, and seconds of trials and thinking."""

    trials: int = 0
    time_s: float = 0.0

    def with_running(self, count: int) -> Spent:
        """Return what is spent once ``count`` running trials are counted."""
        return replace(self, trials=self.trials + count)


@dataclass(frozen=True)
class Budget:
    """The limits of a study; None is without limit."""

    trials: int = 20
    time_s: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    target: float | None = None
    """A value of the objective that is good enough."""
    patience: int | None = None
    """Trials without a new best after which to stop."""
    creator_may_stop: bool = False

    def reason(self, spent: Spent) -> str | None:
        """Return in words why ``spent`` leaves nothing to go on with, or None while something is left."""
        if spent.trials >= self.trials:
            return f"all {self.trials} trials of the budget are done"
        if self.time_s is not None and spent.time_s >= self.time_s:
            return f"the time budget of {self.time_s:.0f} s is spent"
        return None
