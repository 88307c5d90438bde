"""The model families of the recorded trainings: each with its search space and its library's own
default.

Ranges are those that the libraries' documentation and common practice name. Where a default is no
point of a range (``None``, 0 on a log scale), the nearest point stands for it and the comment says
so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agenthpo.bench.tables.fields import one_of, real, whole
from agenthpo.bench.trainings.datasets import DataSet, Kind
from agenthpo.errors import TaskError
from agenthpo.records import Params

__all__ = ["FAMILIES", "Family", "family_named"]

Raw = dict[str, dict[str, Any]]
_TABULAR: tuple[Kind, ...] = ("classes", "numbers")


@dataclass(frozen=True)
class Family:
    """A kind of model that can be trained on some kinds of data sets."""

    name: str
    about: str
    kinds: tuple[Kind, ...]
    space: Callable[[DataSet], Raw]
    """The search space on a data set, as in a task file, every parameter with its default."""
    build: Callable[[Params, DataSet, int], Any]
    """From parameters, data set and seed to an estimator in scikit-learn's form."""
    rows: int = 1000
    """Rows to train on, at most."""


def _switch(default: bool, about: str, **more: Any) -> dict[str, Any]:
    return {"type": "bool", "default": default, "about": about, **more}


_SCALING = one_of("standard", "standard", "minmax", "none", about="how the columns are scaled")


def _scaled(params: Params, model: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    scalers = {"standard": StandardScaler(), "minmax": MinMaxScaler(), "none": "passthrough"}
    return make_pipeline(scalers[params["scaling"]], model)


def _weighting(data: DataSet) -> Raw:
    """Return the parameter that classes alone have."""
    if data.kind == "numbers":
        return {}
    return {"class_weight": one_of(None, None, "balanced", about="weights of the classes")}


def _gamma(data: DataSet) -> float:
    """Return what "scale" is on standardised columns, within the range."""
    return min(max(1 / data.columns, 1e-5), 10.0)


def _without(params: Params, *names: str) -> Params:
    return {name: value for name, value in params.items() if name not in names}


def _linear_space(data: DataSet) -> Raw:
    strength = (
        {"alpha": real(1e-5, 10.0, 1.0, about="strength of the penalty", log=True)}
        if data.kind == "numbers"
        else {"C": real(1e-4, 1e4, 1.0, about="inverse strength of the penalty", log=True)}
    )
    ratio = 0.5 if data.kind == "numbers" else 0.0
    return {
        **strength,
        "l1_ratio": real(0.0, 1.0, ratio, about="share of the L1 penalty"),
        "fit_intercept": _switch(True, "whether there is an intercept"),
        "max_iter": whole(10, 1000, 100, about="most passes over the data", log=True),
        "tol": real(1e-5, 0.1, 1e-4, about="change at which the solver stops", log=True),
        "scaling": _SCALING,
        **_weighting(data),
    }


def _linear(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.linear_model import ElasticNet, LogisticRegression

    given = _without(params, "scaling")
    if data.kind == "numbers":
        return _scaled(params, ElasticNet(**given, random_state=seed))
    return _scaled(params, LogisticRegression(solver="saga", **given, random_state=seed))


def _svm_space(data: DataSet) -> Raw:
    own = (
        {"epsilon": real(1e-3, 1.0, 0.1, about="width of the tube without a loss", log=True)}
        if data.kind == "numbers"
        else _weighting(data)
    )
    return {
        "C": real(1e-3, 1e3, 1.0, about="inverse strength of the penalty", log=True),
        "kernel": one_of("rbf", "rbf", "linear", "poly", "sigmoid", about="the kernel"),
        "gamma": real(
            1e-5,
            10.0,
            _gamma(data),
            about="inverse width",
            log=True,
            when={"kernel": ["rbf", "poly", "sigmoid"]},
        ),
        "degree": whole(2, 5, 3, about="degree of the polynomial", when={"kernel": "poly"}),
        "coef0": real(-1.0, 1.0, 0.0, about="constant term", when={"kernel": ["poly", "sigmoid"]}),
        "shrinking": _switch(True, "whether the solver shrinks its problem"),
        "tol": real(1e-5, 0.1, 1e-3, about="change at which the solver stops", log=True),
        "scaling": _SCALING,
        **own,
    }


def _svm(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.svm import SVC, SVR

    given = _without(params, "scaling")
    # a solver that does not end is stopped, as people stop it
    if data.kind == "numbers":
        return _scaled(params, SVR(**given, max_iter=20_000))
    return _scaled(params, SVC(**given, max_iter=20_000, random_state=seed))


def _neighbours_space(data: DataSet) -> Raw:
    return {
        "n_neighbors": whole(1, 100, 5, about="how many neighbours decide", log=True),
        "weights": one_of("uniform", "uniform", "distance", about="how they are weighted"),
        "p": real(1.0, 5.0, 2.0, about="power of the distance"),
        "scaling": _SCALING,
        "components": real(0.1, 1.0, 1.0, about="share of principal components that is kept"),
    }


def _neighbours(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.pipeline import make_pipeline

    kind = KNeighborsRegressor if data.kind == "numbers" else KNeighborsClassifier
    model = kind(**_without(params, "scaling", "components"))
    kept = max(1, round(params["components"] * data.columns))
    return _scaled(params, make_pipeline(PCA(kept, random_state=seed), model))


def _forest_space(data: DataSet, *, bootstrap: bool) -> Raw:
    share = 1.0 if data.kind == "numbers" else round(data.columns**-0.5, 3)  # "sqrt"
    criteria = (
        ["squared_error", "friedman_mse"]
        if data.kind == "numbers"
        else ["gini", "entropy", "log_loss"]
    )
    return {
        "n_estimators": whole(5, 100, 100, about="how many trees", log=True),
        "max_features": real(
            0.02, 1.0, max(share, 0.02), about="share of columns a split looks at"
        ),
        "max_depth": whole(1, 30, 30, about="deepest tree; 30 stands for no limit"),
        "min_samples_split": whole(2, 100, 2, about="fewest rows to split", log=True),
        "min_samples_leaf": whole(1, 100, 1, about="fewest rows of a leaf", log=True),
        "criterion": one_of(criteria[0], *criteria, about="what a split improves"),
        "bootstrap": _switch(bootstrap, "whether each tree draws its rows"),
        "max_samples": real(
            0.1, 1.0, 1.0, about="share of rows a tree draws", when={"bootstrap": True}
        ),
        **_weighting(data),
    }


def _forest(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if data.kind == "numbers" else RandomForestClassifier
    return kind(**params, random_state=seed)


def _extra_trees(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesRegressor if data.kind == "numbers" else ExtraTreesClassifier
    return kind(**params, random_state=seed)


def _histogram_space(data: DataSet) -> Raw:
    return {
        "learning_rate": real(0.005, 1.0, 0.1, about="shrinkage of each tree", log=True),
        "max_iter": whole(5, 100, 100, about="how many trees", log=True),
        "max_leaf_nodes": whole(2, 64, 31, about="most leaves of a tree", log=True),
        "min_samples_leaf": whole(1, 100, 20, about="fewest rows of a leaf", log=True),
        "l2_regularization": real(
            1e-8, 100.0, 1e-8, about="penalty of the leaves; 1e-8 for none", log=True
        ),
        "max_bins": whole(8, 255, 255, about="bins of a column", log=True),
        "max_features": real(0.1, 1.0, 1.0, about="share of columns a split looks at"),
        **_weighting(data),
    }


def _histogram(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    numbers = data.kind == "numbers"
    kind = HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier
    return kind(**params, early_stopping=False, random_state=seed)


def _xgboost_space(data: DataSet) -> Raw:
    return {
        "learning_rate": real(0.005, 1.0, 0.3, about="shrinkage of each tree", log=True),
        "n_estimators": whole(5, 100, 100, about="how many trees", log=True),
        "max_depth": whole(1, 12, 6, about="deepest tree"),
        "min_child_weight": real(0.1, 100.0, 1.0, about="least weight of a leaf", log=True),
        "subsample": real(0.2, 1.0, 1.0, about="share of rows a tree draws"),
        "colsample_bytree": real(0.1, 1.0, 1.0, about="share of columns a tree draws"),
        "gamma": real(1e-8, 10.0, 1e-8, about="least gain of a split; 1e-8 for none", log=True),
        "reg_lambda": real(1e-3, 100.0, 1.0, about="L2 penalty of the leaves", log=True),
        "reg_alpha": real(
            1e-8, 10.0, 1e-8, about="L1 penalty of the leaves; 1e-8 for none", log=True
        ),
    }


def _xgboost(params: Params, data: DataSet, seed: int) -> Any:
    from xgboost import XGBClassifier, XGBRegressor

    kind = XGBRegressor if data.kind == "numbers" else XGBClassifier
    return kind(**params, random_state=seed, n_jobs=1)


def _lightgbm_space(data: DataSet) -> Raw:
    return {
        "learning_rate": real(0.005, 1.0, 0.1, about="shrinkage of each tree", log=True),
        "n_estimators": whole(5, 100, 100, about="how many trees", log=True),
        "num_leaves": whole(2, 128, 31, about="most leaves of a tree", log=True),
        "min_child_samples": whole(1, 100, 20, about="fewest rows of a leaf", log=True),
        "subsample": real(0.2, 1.0, 1.0, about="share of rows a tree draws"),
        "colsample_bytree": real(0.1, 1.0, 1.0, about="share of columns a tree draws"),
        "reg_lambda": real(
            1e-8, 100.0, 1e-8, about="L2 penalty of the leaves; 1e-8 for none", log=True
        ),
        "reg_alpha": real(
            1e-8, 10.0, 1e-8, about="L1 penalty of the leaves; 1e-8 for none", log=True
        ),
        **_weighting(data),
    }


def _lightgbm(params: Params, data: DataSet, seed: int) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMRegressor if data.kind == "numbers" else LGBMClassifier
    return kind(**params, subsample_freq=1, random_state=seed, n_jobs=1, verbose=-1)


def _network_space(data: DataSet) -> Raw:
    return {
        "learning_rate_init": real(1e-4, 0.1, 1e-3, about="step size", log=True),
        "hidden": whole(4, 128, 100, about="units of a hidden layer", log=True),
        "layers": whole(1, 3, 1, about="hidden layers"),
        "alpha": real(1e-7, 1.0, 1e-4, about="L2 penalty", log=True),
        "batch_size": whole(16, 256, 200, about="rows of a step", log=True),
        "activation": one_of("relu", "relu", "tanh", "logistic", about="activation"),
        "solver": one_of("adam", "adam", "sgd", about="optimiser"),
        "momentum": real(0.0, 0.99, 0.9, about="momentum", when={"solver": "sgd"}),
        "max_iter": whole(
            3, 60, 60, about="epochs; the library's 200 would take too long", log=True
        ),
    }


def _network(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPRegressor if data.kind == "numbers" else MLPClassifier
    given = _without(params, "hidden", "layers")
    sizes = (params["hidden"],) * params["layers"]
    return _scaled(
        {"scaling": "standard"}, kind(hidden_layer_sizes=sizes, **given, random_state=seed)
    )


def _kernel_space(data: DataSet) -> Raw:
    return {
        "alpha": real(1e-5, 1e3, 1.0, about="strength of the penalty", log=True),
        "kernel": one_of("rbf", "rbf", "laplacian", "poly", "sigmoid", about="the kernel"),
        "gamma": real(1e-5, 10.0, _gamma(data), about="inverse width", log=True),
        "degree": whole(2, 5, 3, about="degree of the polynomial", when={"kernel": "poly"}),
        "coef0": real(-1.0, 1.0, 1.0, about="constant term", when={"kernel": ["poly", "sigmoid"]}),
        "n_components": whole(5, 300, 100, about="landmarks of the approximation", log=True),
        "scaling": _SCALING,
    }


def _kernel(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import Ridge, RidgeClassifier
    from sklearn.pipeline import make_pipeline

    kind = Ridge if data.kind == "numbers" else RidgeClassifier
    given = _without(params, "alpha", "scaling")
    landmarks = Nystroem(**given, random_state=seed)
    return _scaled(params, make_pipeline(landmarks, kind(alpha=params["alpha"])))


def _sgd_space(data: DataSet) -> Raw:
    numbers = data.kind == "numbers"
    losses = (
        ["squared_error", "huber", "epsilon_insensitive"]
        if numbers
        else ["hinge", "log_loss", "modified_huber", "perceptron"]
    )
    schedules = ["optimal", "constant", "invscaling", "adaptive"]
    return {
        "loss": one_of(losses[0], *losses, about="the loss"),
        "alpha": real(1e-7, 1.0, 1e-4, about="strength of the penalty", log=True),
        "l1_ratio": real(0.0, 1.0, 0.0, about="share of the L1 penalty"),
        "learning_rate": one_of(
            "invscaling" if numbers else "optimal", *schedules, about="schedule"
        ),
        "eta0": real(
            1e-4,
            1.0,
            0.01,
            about="first step size",
            log=True,
            when={"learning_rate": ["constant", "invscaling", "adaptive"]},
        ),
        "max_iter": whole(3, 300, 100, about="passes over the data", log=True),
        "average": _switch(False, "whether weights are averaged"),
        "scaling": _SCALING,
        **_weighting(data),
    }


def _sgd(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    kind = SGDRegressor if data.kind == "numbers" else SGDClassifier
    given = _without(params, "scaling")
    return _scaled(params, kind(penalty="elasticnet", **given, random_state=seed))


def _text_space(data: DataSet) -> Raw:
    return {
        "longest": whole(1, 3, 1, about="words of an n-gram, at most"),
        "min_df": whole(1, 20, 1, about="texts that a word must be in", log=True),
        "max_features": whole(100, 20_000, 20_000, about="words that are kept", log=True),
        "sublinear_tf": _switch(False, "whether counts are logarithms"),
        "use_idf": _switch(True, "whether rare words weigh more"),
        "norm": one_of("l2", "l2", "l1", about="how a text is scaled"),
        "alpha": real(1e-7, 1e-1, 1e-4, about="strength of the penalty", log=True),
        "loss": one_of("hinge", "hinge", "log_loss", "modified_huber", about="the loss"),
        "average": _switch(False, "whether weights are averaged"),
    }


def _text(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import SGDClassifier
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(
        ngram_range=(1, params["longest"]),
        **{name: params[name] for name in ("min_df", "max_features", "sublinear_tf")},
        use_idf=params["use_idf"],
        norm=params["norm"],
    )
    given = {name: params[name] for name in ("alpha", "loss", "average")}
    return make_pipeline(words, SGDClassifier(**given, random_state=seed))


_ALL = (
    Family("linear", "logistic regression or elastic net", _TABULAR, _linear_space, _linear),
    Family("svm", "support vector machine", _TABULAR, _svm_space, _svm, rows=600),
    Family("neighbours", "nearest neighbours", _TABULAR, _neighbours_space, _neighbours),
    Family(
        "forest",
        "random forest",
        _TABULAR,
        lambda data: _forest_space(data, bootstrap=True),
        _forest,
        rows=600,
    ),
    Family(
        "extra-trees",
        "extremely randomised trees",
        _TABULAR,
        lambda data: _forest_space(data, bootstrap=False),
        _extra_trees,
        rows=600,
    ),
    Family("histogram", "histogram boosting", _TABULAR, _histogram_space, _histogram, rows=600),
    Family("xgboost", "XGBoost", _TABULAR, _xgboost_space, _xgboost, rows=600),
    Family("lightgbm", "LightGBM", _TABULAR, _lightgbm_space, _lightgbm, rows=600),
    Family("network", "multi-layer perceptron", _TABULAR, _network_space, _network, rows=600),
    Family("kernel", "ridge on a kernel's landmarks", _TABULAR, _kernel_space, _kernel),
    Family("sgd", "linear model by stochastic gradients", _TABULAR, _sgd_space, _sgd),
    Family("text", "TF-IDF and a linear model", ("texts",), _text_space, _text),
)
FAMILIES: Mapping[str, Family] = {family.name: family for family in _ALL}
"""The families by name."""


def family_named(name: str) -> Family:
    """Return the family ``name``.

    :raises TaskError: if there is none.
    """
    if name not in FAMILIES:
        raise TaskError(f"there is no model family '{name}'; known are {', '.join(FAMILIES)}")
    return FAMILIES[name]
