"""``AgentSearchCV``: a search with scikit-learn's face, beside ``GridSearchCV``."""

from __future__ import annotations

import math
import re
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_scalar

from agenthpo.errors import StudyError
from agenthpo.foreign_space import ForeignSpace, read_foreign
from agenthpo.llm.names import NONE
from agenthpo.optimizer import Optimizer
from agenthpo.records import Params, Trial
from agenthpo.taskfile.space import parse_space

__all__ = ["AgentSearchCV"]

_TELLING = 2
"""First configurations that fail the same way and so tell that it is none of theirs."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class _Failed:
    """A configuration that could not be trained."""

    params: Params
    seconds: float
    problem: str

    @property
    def cause(self) -> str:
        """The last line of what scikit-learn says."""
        return self.problem.strip().splitlines()[-1]


class AgentSearchCV(BaseSearchCV):  # type: ignore[misc]
    """Search an estimator's hyperparameters by cross-validation, as ``GridSearchCV`` does.

    The estimator's own values are the first trial, where they lie in the space. Each next trial
    learns from those before; its folds run in parallel (``n_jobs``).

        >>> from sklearn.datasets import load_wine
        >>> from sklearn.svm import SVC
        >>> from agenthpo.sklearn import AgentSearchCV
        >>> C = {"type": "float", "low": 0.01, "high": 1e4, "log": True}
        >>> space = {"C": C, "kernel": ["linear", "rbf"]}
        >>> search = AgentSearchCV(SVC(), space, trials=6, cv=3, random_state=2)
        >>> bool(search.fit(*load_wine(return_X_y=True)).best_score_ > 0.9)
        True
        >>> search.trials_[0].proposal.params
        {'C': 1.0, 'kernel': 'rbf'}

    :param estimator: an estimator or pipeline.
    :param space: parameter -> a mapping as in a task file, a list of choices (of any objects), a
        frozen ``uniform``, ``loguniform`` or ``randint`` of ``scipy.stats``, or a distribution of
        Optuna.
    :param trials: how many configurations are tried.
    :param background: the task in plain words, for a language model and for what is known of the
        kind of model; the estimators' names are added.
    :param model: the language model; see ``agenthpo.tune``.
    :param base_url: an OpenAI-compatible server that has the model.
    :param proposer: who proposes, as for ``agenthpo.tune``.
    :param earlier: earlier studies to begin with, as for ``agenthpo.tune``.
    :param without: parts to go without, as for ``agenthpo.tune``.
    :param random_state: seed of the search.
    :param scoring: as for ``GridSearchCV``; of several metrics, ``refit`` names the one to tune.
    :param n_jobs: how many folds run at once.
    :param refit: as for ``GridSearchCV``.
    :param cv: as for ``GridSearchCV``.
    :param verbose: as for ``GridSearchCV``.
    :param pre_dispatch: as for ``GridSearchCV``.
    :param error_score: as for ``GridSearchCV``. A configuration of which any fold failed is a
        failed trial, and the search learns from that.
    :param return_train_score: as for ``GridSearchCV``.

    After ``fit`` it has all that ``GridSearchCV`` has (``best_params_``, ``cv_results_`` …), and
    ``trials_``: the ``agenthpo.records.Trial`` of each configuration, with source and reasons.
    """

    def __init__(
        self,
        estimator: Any,
        space: Mapping[str, Any],
        *,
        trials: int = 20,
        background: str = "",
        model: str = NONE,
        base_url: str | None = None,
        proposer: str = "hybrid",
        earlier: Sequence[str] = (),
        without: Sequence[str] = (),
        random_state: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        error_score: Any = math.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.space = space
        self.trials = trials
        self.background = background
        self.model = model
        self.base_url = base_url
        self.proposer = proposer
        self.earlier = earlier
        self.without = without
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, **params: Any) -> AgentSearchCV:
        """Try ``trials`` configurations, each by cross-validation, and fit the best one on all
        data.

        :param X: samples × features, as the estimator takes them.
        :param y: the targets, as the estimator takes them.
        :param params: for the estimator's ``fit``, the scorer and the splitter, as for
            ``GridSearchCV``.
        :returns: this search.
        :raises AgentHPOError: for a mistake in the space or a model that cannot be used.
        :raises ValueError: for what ``GridSearchCV`` raises it for, and if no configuration could
            be trained.
        """
        self._failed: list[_Failed] = []
        super().fit(X, y, **params)
        self.cv_results_: dict[str, Any] = _with_failed(self.cv_results_, self._failed)
        del self._failed
        return self

    def _run_search(self, evaluate_candidates: Callable[..., dict[str, Any]]) -> None:
        check_scalar(self.trials, "trials", target_type=int, min_val=1)
        space = read_foreign(self.space)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with Optimizer(
            space.raw,
            direction="maximize",
            defaults=self._defaults(space),
            proposer=self.proposer,
            earlier=self.earlier,
            without=self.without,
            model=self.model,
            base_url=self.base_url,
            background=self._background(),
            metric=self.scoring if isinstance(self.scoring, str) else "score",
            seed=seed,
        ) as optimizer:
            for _ in range(self.trials):
                try:
                    params = optimizer.ask()
                except StudyError:  # every configuration of the space has been tried
                    break
                value = self._measured(space.own(params), evaluate_candidates)
                if math.isfinite(value):
                    optimizer.tell(params, value)
                else:
                    optimizer.tell(params, status="failed")
                self._check_failures(len(optimizer.trials))
            self.trials_: tuple[Trial, ...] = tuple(optimizer.trials)

    def _measured(
        self, params: Params, evaluate_candidates: Callable[..., dict[str, Any]]
    ) -> float:
        """Return the mean score of ``params``; nan where it could not be trained.

        scikit-learn takes a call of which every fit fails for a mistake; here it is one
        configuration of many.
        """
        began = time.perf_counter()
        try:
            results = evaluate_candidates([params])
        except ValueError as problem:
            if "fits failed" not in str(problem):
                raise
            self._failed.append(_Failed(params, time.perf_counter() - began, str(problem)))
            warnings.warn(
                f"{params} failed: {self._failed[-1].cause}", FitFailedWarning, stacklevel=2
            )
            return math.nan
        return float(results[self._key(results)][-1])

    def _check_failures(self, tried: int) -> None:
        """Raise where it is not a configuration that fails: the first two do the same way, or all
        of them do.
        """
        causes = {failed.cause for failed in self._failed}
        alike = tried == _TELLING and len(causes) == 1
        if len(self._failed) == tried and (alike or tried == self.trials):
            raise ValueError(self._failed[-1].problem)

    def _key(self, results: Mapping[str, Any]) -> str:
        for name in ("score", self.refit):
            if isinstance(name, str) and f"mean_test_{name}" in results:
                return f"mean_test_{name}"
        metrics = [key.removeprefix("mean_test_") for key in results if key.startswith("mean_test")]
        raise ValueError(
            f"scoring gives several metrics ({', '.join(metrics)}); name by refit= the one to tune"
        )

    def _defaults(self, space: ForeignSpace) -> Params:
        """Return the estimator's own values, of those parameters whose space holds them and which
        have no other default.
        """
        own = self.estimator.get_params(deep=True)
        found = {}
        for parameter in parse_space(space.raw):
            if parameter.name in own and not parameter.has_default:
                value = parameter.snap(space.word_of(parameter.name, own[parameter.name]))
                if parameter.violation(value) is None:
                    found[parameter.name] = value
        return found

    def _background(self) -> str:
        """Return the task in words: what the user says, and the kind of model."""
        parts = [self.estimator, *self.estimator.get_params(deep=True).values()]
        kinds = [type(part) for part in parts if hasattr(part, "get_params")]
        names = [f"{_CAMEL.sub(' ', kind.__name__)} ({kind.__module__})" for kind in kinds]
        goal = (
            " Classification."
            if is_classifier(self.estimator)
            else " Regression of a number."
            if is_regressor(self.estimator)
            else ""
        )
        return f"{self.background} {', '.join(dict.fromkeys(names))}.{goal}".strip()


def _with_failed(results: dict[str, Any], failed: Sequence[_Failed]) -> dict[str, Any]:
    """Return ``cv_results_`` with a row for each configuration that failed, whose scores are nan
    and whose rank is the last.
    """
    if not failed:
        return results
    count, rows = len(failed), len(results["params"])
    added = {**results, "params": [*results["params"], *(each.params for each in failed)]}
    for key, column in results.items():
        if key == "params":
            continue
        if key.startswith("param_"):
            name = key.removeprefix("param_")
            values = np.empty(count, dtype=object)
            values[:] = [each.params.get(name) for each in failed]
            missing = [name not in each.params for each in failed]
            mask = np.concatenate([np.ma.getmaskarray(column), missing])
            both = np.concatenate([np.asarray(column, dtype=object), values])
            added[key] = np.ma.MaskedArray(both, mask=mask, dtype=object)
        elif key.startswith("rank_"):
            added[key] = np.concatenate([column, np.full(count, rows + 1, column.dtype)])
        else:
            seconds = [each.seconds if key == "mean_fit_time" else math.nan for each in failed]
            added[key] = np.concatenate([column, seconds])
    return added
