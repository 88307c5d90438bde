"""What trainings report while they run, as Optuna keeps it: intermediate values, which its pruners
and its dashboard read.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial

from agenthpo.experience.patience import Patience

__all__ = ["Curves"]

_ALL = 100
"""Reports of a trial that are all kept; of later ones every second, from 200 on every fourth, and
so on, at the same steps in each trial.
"""


@dataclass
class _Course:
    """An attempt of a trial."""

    reports: int = 0
    last: int = -1
    values: dict[int, float] = field(default_factory=dict)


class Curves:
    """The intermediate values of a study's running trials."""

    def __init__(self, study: optuna.Study, patiently: Patience) -> None:
        self.study, self._patiently = study, patiently
        self._courses: dict[int, _Course] = {}

    def begin(self, number: int) -> None:
        """Forget what an earlier attempt of trial ``number`` had reported."""
        self._courses[number] = _Course()

    def report(self, number: int, step: float, value: float) -> FrozenTrial | None:
        """Keep a value of the metric, and return the trial with what this attempt has reported, for
        a pruner; None where the report is passed over, as one of very many, no number, or of a
        trial that another driver has ended.

        Steps are kept as they are reported where they are whole numbers that rise; else they are
        counted.
        """
        course = self._courses.setdefault(number, _Course())
        is_whole = math.isfinite(step) and step == int(step) and course.last < step < 2**31
        course.last = int(step) if is_whole else course.last + 1
        course.reports += 1
        stride = (
            1 if course.reports <= _ALL else 2 ** int(math.log2((course.reports - 1) / _ALL) + 1)
        )
        if course.reports % stride or not math.isfinite(value):
            return None
        course.values[course.last] = value
        storage = self.study._storage  # a running trial of an earlier process has no public way in
        frozen = self._patiently(lambda: self._kept(storage, number, course.last, value))
        if frozen is None:
            return None
        found = copy.copy(frozen)
        found.intermediate_values = dict(course.values)
        return found

    def _kept(
        self, storage: optuna.storages.BaseStorage, number: int, step: int, value: float
    ) -> FrozenTrial | None:
        stored = storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)
        try:
            storage.set_trial_intermediate_value(stored, step, value)
        except UpdateFinishedTrialError:  # another driver has taken it over and ended it
            return None
        return storage.get_trial(stored)
