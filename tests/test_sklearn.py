"""The scikit-learn face: scikit-learn's own checks, and what the search gives."""

import pickle
import warnings

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.utils.estimator_checks import check_estimator

import agenthpo
from agenthpo.errors import AgentHPOError, SpaceError
from agenthpo.foreign_space import read_foreign
from agenthpo.sklearn import AgentSearchCV

C = {"type": "float", "low": 1e-3, "high": 1e3, "log": True}
X, y = load_iris(return_X_y=True)


class Picky(ClassifierMixin, BaseEstimator):
    """It trains only below a threshold."""

    def __init__(self, size=0.1):
        self.size = size

    def fit(self, X, y):
        if self.size > 0.5:
            raise RuntimeError(f"out of memory at {self.size:.3f}")
        self.classes_ = np.unique(y)
        self.share_ = self.size
        return self

    def predict(self, X):
        return np.where(np.arange(len(X)) < self.share_ * len(X), 0, 1)


@pytest.mark.parametrize(
    "search",
    [
        AgentSearchCV(GaussianNB(), {"var_smoothing": {**C, "low": 1e-9}}, trials=2, cv=2),
        AgentSearchCV(Ridge(), {"alpha": [1, 10]}, trials=2, cv=2, scoring="r2"),
    ],
)
def test_it_passes_scikit_learns_own_checks(search):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(search, on_fail=None)
    assert len(results) > 50
    assert [r["check_name"] for r in results if r["status"] == "failed"] in (
        [],
        ["check_supervised_y_2d"],  # GridSearchCV(Ridge()) fails it as well
    )


def test_it_begins_with_the_estimators_own_values_and_finds_better_ones():
    pipe = Pipeline([("scale", StandardScaler()), ("svc", SVC(C=0.01, gamma=0.1))])
    scales = [pipe.named_steps["scale"], MinMaxScaler()]
    space = {"svc__C": C, "svc__gamma": {**C, "low": 1e-4}, "scale": scales}
    search = AgentSearchCV(pipe, space, trials=10, cv=3, random_state=0, return_train_score=True)
    search.fit(X, y)
    results = search.cv_results_
    first = results["params"][0]
    assert (first["svc__C"], first["svc__gamma"]) == (0.01, 0.1)
    assert isinstance(first["scale"], StandardScaler)
    assert search.best_score_ == max(results["mean_test_score"]) > results["mean_test_score"][0]
    assert len(results["params"]) == 10 and "mean_train_score" in results
    assert search.best_params_ == results["params"][search.best_index_]
    assert search.predict(X).shape == y.shape
    assert [t.value for t in search.trials_] == list(results["mean_test_score"])
    again = pickle.loads(pickle.dumps(search))
    assert (again.predict(X) == search.predict(X)).all()


def test_what_is_known_of_the_kind_of_model_is_tried():
    space = {"svr__C": C, "svr__gamma": {**C, "low": 1e-4}, "svr__epsilon": C}
    pipe = Pipeline([("scale", StandardScaler()), ("svr", SVR(gamma=0.1))])
    search = AgentSearchCV(pipe, space, trials=2, cv=2).fit(X, y)
    assert "other data sets for support vector machines" in search.trials_[1].proposal.rationale
    without = clone(search).set_params(without=["knowledge"]).fit(X, y)
    assert without.trials_[1].proposal.source == "engine"


def test_the_same_seed_finds_the_same_with_any_number_of_jobs():
    found = []
    for jobs in (1, 2):
        search = AgentSearchCV(Ridge(), {"alpha": C}, trials=6, cv=3, n_jobs=jobs, random_state=3)
        found.append([p["alpha"] for p in search.fit(X, y).cv_results_["params"]])
    assert found[0] == found[1]
    assert len(cross_val_score(clone(search), X, y, cv=2)) == 2  # a search within a search


def test_what_cannot_be_trained_is_a_row_and_teaches():
    search = AgentSearchCV(
        Picky(), {"size": {"type": "float", "low": 0.0, "high": 1.0}}, trials=12, cv=3,
        random_state=0,
    )  # fmt: skip
    with pytest.warns(FitFailedWarning, match="out of memory at"):
        search.fit(X, y)
    results = search.cv_results_
    scores = np.array(results["mean_test_score"])
    failed = np.isnan(scores)
    assert len(scores) == 12 and 1 <= failed.sum() <= 6
    assert all(p["size"] > 0.5 for p, bad in zip(results["params"], failed, strict=True) if bad)
    assert min(results["rank_test_score"][failed]) > max(results["rank_test_score"][~failed])
    assert results["param_size"][failed].compressed().min() > 0.5
    assert {t.outcome.status for t in search.trials_} == {"complete", "failed"}
    assert all(len(column) == 12 for column in results.values())


def test_where_the_task_itself_fails_it_says_so_after_two():
    search = AgentSearchCV(Picky(), {"size": {"type": "float", "low": 0.6, "high": 0.9}}, trials=9)
    broken = AgentSearchCV(LogisticRegression(), {"C": C}, trials=9)
    with pytest.warns(FitFailedWarning), pytest.raises(ValueError, match="All the 5 fits failed"):
        search.fit(X, y)
    with (
        pytest.warns(FitFailedWarning) as told,
        pytest.raises(ValueError, match="Input X contains NaN"),
    ):
        broken.fit(np.full_like(X, np.nan), y)
    assert len(told) == 2


def test_several_metrics_need_the_one_that_counts():
    search = AgentSearchCV(
        LogisticRegression(max_iter=500), {"C": C}, trials=4, cv=3,
        scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss",
    )  # fmt: skip
    search.fit(X, y)
    losses = search.cv_results_["mean_test_neg_log_loss"]
    assert search.best_score_ == losses.max()
    assert [t.value for t in search.trials_] == list(losses)
    with pytest.raises(ValueError, match="name by refit= the one to tune"):
        clone(search).set_params(refit=False).fit(X, y)


def test_a_space_may_be_written_in_every_usual_way():
    space = {
        "C": stats.loguniform(1e-2, 1e2),
        "momentum": stats.uniform(0.1, 0.8),
        "degree": stats.randint(1, 6),
        "gamma": FloatDistribution(1e-4, 1.0, log=True),
        "size": IntDistribution(8, 64, step=8),
        "kernel": CategoricalDistribution(["rbf", "poly"]),
        "shrinking": [True, False],
        "weight": [None, "balanced"],
        "hidden": [(64,), (64, 64)],
        "units": np.array([8, 16, 32]),
        "rate": [0.1, 0.01],
    }
    raw = read_foreign(space).raw
    assert raw["C"] == {"type": "float", "low": 0.01, "high": 100.0, "log": True}
    assert raw["momentum"]["low"] == 0.1 and raw["momentum"]["high"] == pytest.approx(0.9)
    assert raw["degree"] == {"type": "int", "low": 1, "high": 5}
    assert raw["size"] == {"type": "int", "low": 8, "high": 64, "log": False, "step": 8}
    assert raw["kernel"] == {"type": "categorical", "values": ["rbf", "poly"]}
    assert raw["shrinking"] == {"type": "bool"}
    assert raw["units"] == {"type": "int", "values": [8, 16, 32]}
    assert raw["rate"]["type"] == "categorical", "no order was meant"
    opt = agenthpo.Optimizer(raw, direction="maximize")
    assert read_foreign(space).own(opt.ask())["hidden"] in [(64,), (64, 64)]
    with pytest.raises(SpaceError, match=r"space\.a is scipy\.stats\.norm, which has no range"):
        read_foreign({"a": stats.norm()})
    with pytest.raises(SpaceError, match=r"space\.a is a float; give a list of values"):
        read_foreign({"a": 0.5})


def test_objects_as_choices_reach_the_estimator_as_they_are():
    space = {
        "scale": [StandardScaler(), MinMaxScaler(), "passthrough"],
        "best__score_func": [np.max, np.min],
        "net__hidden_layer_sizes": [(4,), (8, 8)],
    }
    pipe = Pipeline(
        [("scale", StandardScaler()), ("best", SelectKBest(k="all")), ("net", MLPClassifier())]
    )
    space["best__score_func"] = [pipe.named_steps["best"].score_func]
    with pytest.raises(SpaceError, match="at least two values"):
        AgentSearchCV(pipe, space, trials=2).fit(X, y)
    del space["best__score_func"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the network is to end early
        search = AgentSearchCV(pipe, space, trials=5, cv=2, random_state=0).fit(X, y)
    tried = search.cv_results_["params"]
    assert {p["net__hidden_layer_sizes"] for p in tried} <= {(4,), (8, 8)}
    assert any(not isinstance(p["scale"], StandardScaler) for p in tried)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"space": {}}, "space is empty"),
        ({"space": {"C": {"type": "float", "low": 1}}}, r"space\.C\.high is missing"),
        ({"model": "local:no-such"}, "there is no embedded model"),
        ({"proposer": "tpee"}, "tpee"),
    ],
)
def test_a_mistake_is_one_sentence(given, words):
    search = AgentSearchCV(LogisticRegression(), {"C": C}).set_params(**given)
    with pytest.raises(AgentHPOError, match=words):
        search.fit(X, y)


def test_a_number_of_trials_is_one():
    with pytest.raises(ValueError, match="trials == 0, must be >= 1"):
        AgentSearchCV(LogisticRegression(), {"C": C}, trials=0).fit(X, y)
    assert agenthpo.AgentSearchCV is AgentSearchCV
