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


def _float(low: float, high: float, default: float, about: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "float", "low": low, "high": high, "default": default, "about": about, **more
    }  # fmt: skip


def _log(low: float, high: float, default: float, about: str, **more: Any) -> dict[str, Any]:
    return _float(low, high, default, about, log=True, **more)


def _int(low: int, high: int, default: int, about: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "int", "low": low, "high": high, "default": default, "about": about, **more
    }  # fmt: skip


def _choice(values: list[Any], default: Any, about: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "categorical", "values": values, "default": default, "about": about, **more
    }  # fmt: skip


def _switch(default: bool, about: str, **more: Any) -> dict[str, Any]:
    return {"type": "bool", "default": default, "about": about, **more}


_SCALING = _choice(["standard", "minmax", "none"], "standard", "how the columns are scaled")


def _scaled(params: Params, model: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    scalers = {"standard": StandardScaler(), "minmax": MinMaxScaler(), "none": "passthrough"}
    return make_pipeline(scalers[params["scaling"]], model)


def _weighting(data: DataSet) -> Raw:
    """Return the parameter that classes alone have."""
    if data.kind == "numbers":
        return {}
    return {"class_weight": _choice([None, "balanced"], None, "weights of the classes")}


def _without(params: Params, *names: str) -> Params:
    return {name: value for name, value in params.items() if name not in names}


def _linear_space(data: DataSet) -> Raw:
    strength = (
        {"alpha": _log(1e-5, 10.0, 1.0, "strength of the penalty")}
        if data.kind == "numbers"
        else {"C": _log(1e-4, 1e4, 1.0, "inverse strength of the penalty")}
    )
    ratio = 0.5 if data.kind == "numbers" else 0.0
    return {
        **strength,
        "l1_ratio": _float(0.0, 1.0, ratio, "share of the L1 penalty"),
        "fit_intercept": _switch(True, "whether there is an intercept"),
        "max_iter": _int(10, 1000, 100, "most passes over the data", log=True),
        "tol": _log(1e-5, 0.1, 1e-4, "change at which the solver stops"),
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
        {"epsilon": _log(1e-3, 1.0, 0.1, "width of the tube without a loss")}
        if data.kind == "numbers"
        else _weighting(data)
    )
    gamma = min(max(1 / data.columns, 1e-5), 10.0)  # "scale", on standardised columns
    return {
        "C": _log(1e-3, 1e3, 1.0, "inverse strength of the penalty"),
        "kernel": _choice(["rbf", "linear", "poly", "sigmoid"], "rbf", "the kernel"),
        "gamma": _log(
            1e-5, 10.0, gamma, "inverse width", when={"kernel": ["rbf", "poly", "sigmoid"]}
        ),
        "degree": _int(2, 5, 3, "degree of the polynomial", when={"kernel": "poly"}),
        "coef0": _float(-1.0, 1.0, 0.0, "constant term", when={"kernel": ["poly", "sigmoid"]}),
        "shrinking": _switch(True, "whether the solver shrinks its problem"),
        "tol": _log(1e-5, 0.1, 1e-3, "change at which the solver stops"),
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
        "n_neighbors": _int(1, 100, 5, "how many neighbours decide", log=True),
        "weights": _choice(["uniform", "distance"], "uniform", "how they are weighted"),
        "p": _float(1.0, 5.0, 2.0, "power of the distance"),
        "scaling": _SCALING,
        "components": _float(0.1, 1.0, 1.0, "share of principal components that is kept"),
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
        "n_estimators": _int(5, 100, 100, "how many trees", log=True),
        "max_features": _float(0.02, 1.0, max(share, 0.02), "share of columns a split looks at"),
        "max_depth": _int(1, 30, 30, "deepest tree; 30 stands for no limit"),
        "min_samples_split": _int(2, 100, 2, "fewest rows to split", log=True),
        "min_samples_leaf": _int(1, 100, 1, "fewest rows of a leaf", log=True),
        "criterion": _choice(criteria, criteria[0], "what a split improves"),
        "bootstrap": _switch(bootstrap, "whether each tree draws its rows"),
        "max_samples": _float(
            0.1, 1.0, 1.0, "share of rows a tree draws", when={"bootstrap": True}
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
        "learning_rate": _log(0.005, 1.0, 0.1, "shrinkage of each tree"),
        "max_iter": _int(5, 100, 100, "how many trees", log=True),
        "max_leaf_nodes": _int(2, 64, 31, "most leaves of a tree", log=True),
        "min_samples_leaf": _int(1, 100, 20, "fewest rows of a leaf", log=True),
        "l2_regularization": _log(1e-8, 100.0, 1e-8, "penalty of the leaves; 1e-8 for none"),
        "max_bins": _int(8, 255, 255, "bins of a column", log=True),
        "max_features": _float(0.1, 1.0, 1.0, "share of columns a split looks at"),
        **_weighting(data),
    }


def _histogram(params: Params, data: DataSet, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    numbers = data.kind == "numbers"
    kind = HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier
    return kind(**params, early_stopping=False, random_state=seed)


def _xgboost_space(data: DataSet) -> Raw:
    return {
        "learning_rate": _log(0.005, 1.0, 0.3, "shrinkage of each tree"),
        "n_estimators": _int(5, 100, 100, "how many trees", log=True),
        "max_depth": _int(1, 12, 6, "deepest tree"),
        "min_child_weight": _log(0.1, 100.0, 1.0, "least weight of a leaf"),
        "subsample": _float(0.2, 1.0, 1.0, "share of rows a tree draws"),
        "colsample_bytree": _float(0.1, 1.0, 1.0, "share of columns a tree draws"),
        "gamma": _log(1e-8, 10.0, 1e-8, "least gain of a split; 1e-8 for none"),
        "reg_lambda": _log(1e-3, 100.0, 1.0, "L2 penalty of the leaves"),
        "reg_alpha": _log(1e-8, 10.0, 1e-8, "L1 penalty of the leaves; 1e-8 for none"),
    }


def _xgboost(params: Params, data: DataSet, seed: int) -> Any:
    from xgboost import XGBClassifier, XGBRegressor

    kind = XGBRegressor if data.kind == "numbers" else XGBClassifier
    return kind(**params, random_state=seed, n_jobs=1)


def _lightgbm_space(data: DataSet) -> Raw:
    return {
        "learning_rate": _log(0.005, 1.0, 0.1, "shrinkage of each tree"),
        "n_estimators": _int(5, 100, 100, "how many trees", log=True),
        "num_leaves": _int(2, 128, 31, "most leaves of a tree", log=True),
        "min_child_samples": _int(1, 100, 20, "fewest rows of a leaf", log=True),
        "subsample": _float(0.2, 1.0, 1.0, "share of rows a tree draws"),
        "colsample_bytree": _float(0.1, 1.0, 1.0, "share of columns a tree draws"),
        "reg_lambda": _log(1e-8, 100.0, 1e-8, "L2 penalty of the leaves; 1e-8 for none"),
        "reg_alpha": _log(1e-8, 10.0, 1e-8, "L1 penalty of the leaves; 1e-8 for none"),
        **_weighting(data),
    }


def _lightgbm(params: Params, data: DataSet, seed: int) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMRegressor if data.kind == "numbers" else LGBMClassifier
    return kind(**params, subsample_freq=1, random_state=seed, n_jobs=1, verbose=-1)


def _network_space(data: DataSet) -> Raw:
    return {
        "learning_rate_init": _log(1e-4, 0.1, 1e-3, "step size"),
        "hidden": _int(4, 128, 100, "units of a hidden layer", log=True),
        "layers": _int(1, 3, 1, "hidden layers"),
        "alpha": _log(1e-7, 1.0, 1e-4, "L2 penalty"),
        "batch_size": _int(16, 256, 200, "rows of a step", log=True),
        "activation": _choice(["relu", "tanh", "logistic"], "relu", "activation"),
        "solver": _choice(["adam", "sgd"], "adam", "optimiser"),
        "momentum": _float(0.0, 0.99, 0.9, "momentum", when={"solver": "sgd"}),
        "max_iter": _int(3, 60, 60, "epochs; the library's 200 would take too long", log=True),
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
    gamma = min(max(1 / data.columns, 1e-5), 10.0)
    return {
        "alpha": _log(1e-5, 1e3, 1.0, "strength of the penalty"),
        "kernel": _choice(["rbf", "laplacian", "poly", "sigmoid"], "rbf", "the kernel"),
        "gamma": _log(1e-5, 10.0, gamma, "inverse width"),
        "degree": _int(2, 5, 3, "degree of the polynomial", when={"kernel": "poly"}),
        "coef0": _float(-1.0, 1.0, 1.0, "constant term", when={"kernel": ["poly", "sigmoid"]}),
        "n_components": _int(5, 300, 100, "landmarks of the approximation", log=True),
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
        "loss": _choice(losses, losses[0], "the loss"),
        "alpha": _log(1e-7, 1.0, 1e-4, "strength of the penalty"),
        "l1_ratio": _float(0.0, 1.0, 0.0, "share of the L1 penalty"),
        "learning_rate": _choice(schedules, "invscaling" if numbers else "optimal", "schedule"),
        "eta0": _log(
            1e-4,
            1.0,
            0.01,
            "first step size",
            when={"learning_rate": ["constant", "invscaling", "adaptive"]},
        ),
        "max_iter": _int(3, 300, 100, "passes over the data", log=True),
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
        "longest": _int(1, 3, 1, "words of an n-gram, at most"),
        "min_df": _int(1, 20, 1, "texts that a word must be in", log=True),
        "max_features": _int(100, 20_000, 20_000, "words that are kept", log=True),
        "sublinear_tf": _switch(False, "whether counts are logarithms"),
        "use_idf": _switch(True, "whether rare words weigh more"),
        "norm": _choice(["l2", "l1"], "l2", "how a text is scaled"),
        "alpha": _log(1e-7, 1e-1, 1e-4, "strength of the penalty"),
        "loss": _choice(["hinge", "log_loss", "modified_huber"], "hinge", "the loss"),
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
