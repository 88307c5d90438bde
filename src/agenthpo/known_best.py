"""Metrics of which nothing can be better than a number that everybody knows: an accuracy of 1."""

from __future__ import annotations

import re

from agenthpo.records import Direction

__all__ = ["best_there_is"]

_AT_MOST_ONE = frozenset(
    {
        *("accuracy", "acc", "auc", "auroc", "auprc", "f1", "precision", "recall", "r2", "dice"),
        *("iou", "miou", "jaccard", "ndcg", "mrr", "map", "map50", "top1", "top5"),
        *("specificity", "sensitivity"),
    }
)
"""Words of names of shares, where more is better: at most 1, or 100 in percent."""
_AT_LEAST_ZERO = frozenset({"error", "err", "mse", "rmse", "mae", "mape", "wer", "cer", "brier"})
"""Words of names of errors, where less is better."""
_AFTER = frozenset({"loss", "gap", "change", "improvement", "negative", "neg", "log"})
"""Words that make a name that of something else."""


def best_there_is(metric: str, direction: Direction, value: float | None = None) -> float | None:
    """Return the value of ``metric`` that nothing can beat; None where its name does not say one.

    :param value: the best so far, which tells percents from shares.

    >>> best_there_is("val_accuracy", "maximize"), best_there_is("top1", "maximize", 71.5)
    (1.0, 100.0)
    >>> best_there_is("rmse", "minimize"), best_there_is("reward", "maximize")
    (0.0, None)
    """
    words = set(re.findall(r"[a-z]+[0-9]*", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", metric).lower()))
    if words & _AFTER:
        return None
    if direction == "maximize" and words & _AT_MOST_ONE:
        if value is None or value <= 1:
            return 1.0
        return 100.0 if value <= 100 else None  # beyond it is no share at all
    return 0.0 if direction == "minimize" and words & _AT_LEAST_ZERO else None
