"""``agenthpo.Result``: what a study found, as text, as a table, as a frame and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agenthpo.records import Direction, Params, Trial
from agenthpo.space import format_number
from agenthpo.text.html import study_html
from agenthpo.text.phrases import params_words
from agenthpo.trial_rows import trial_rows
from agenthpo.trials import course, incumbent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Result"]


@dataclass(frozen=True, repr=False)
class Result:
    """What a study found. A notebook shows it as a table."""

    best_params: Params | None
    """The best configuration; None if no trial succeeded."""
    best_value: float | None
    """Its value of the metric; None if no trial succeeded."""
    trials: tuple[Trial, ...]
    """All trials in order, failed ones too."""
    reason: str
    """Why the study ended."""
    folder: Path
    """Where the study lives; ``agenthpo show FOLDER`` shows it."""
    metric: str = "value"
    """The metric that was tuned."""
    direction: Direction = "maximize"
    """Whether a larger or a smaller value is better."""

    def __repr__(self) -> str:
        return f"Result({self._headline()})"

    def _headline(self) -> str:
        trials = f"{len(self.trials)} trial{'s' if len(self.trials) != 1 else ''}"
        if self.best_params is None:
            return f"no value after {trials}, {self.folder}"
        found = f"{self.metric} {format_number(self.best_value)}"
        return f"{found} after {trials}: {params_words(self.best_params)}"

    def _repr_html_(self) -> str:
        best = incumbent(self.trials, self.direction)
        return study_html(self._headline(), self.trials, metric=self.metric, best=best)

    def to_frame(self) -> pd.DataFrame:
        """Return the trials as a pandas frame: a row a trial, indexed by its number; a column
        ``params.NAME`` a parameter, NaN or None where it is not active.

        :raises ImportError: without pandas.
        """
        import pandas as pd

        return pd.DataFrame(trial_rows(self.trials)).set_index("number")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw every trial's value, coloured by who proposed it, and the best value so far.

        :param ax: where to draw; a figure of its own without it.
        :returns: the matplotlib axes.
        :raises ImportError: without matplotlib.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(figsize=(7, 3.5), layout="constrained")[1]
        for source in dict.fromkeys(t.proposal.source for t in self.trials):
            points = {
                t.number: t.value
                for t in self.trials
                if t.proposal.source == source and t.value is not None
            }
            ax.scatter(list(points), list(points.values()), label=source, s=24)
        numbers, best = course(self.trials, self.direction)
        ax.step(numbers, best, where="post", color="black", linewidth=1, label="best so far")
        for trial in self.trials:
            if trial.outcome is not None and trial.value is None:
                ax.axvline(trial.number, color="lightgrey", linestyle=":", zorder=0)
        ax.set_xlabel("trial (a dotted line failed)")
        ax.set_ylabel(self.metric)
        ax.legend(frameon=False)
        return ax
