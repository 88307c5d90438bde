"""No agent sees the test metric before the search is over, wherever a line may speak of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["without_test"]


def without_test(lines: Sequence[str], metric: str | None) -> list[str]:
    """Return the ``lines`` that do not speak of the test ``metric``.

    >>> without_test(["val_acc 0.9", "test_acc 0.8"], "test_acc")
    ['val_acc 0.9']
    """
    if metric is None:
        return list(lines)
    named = re.compile(rf"(?<!\w){re.escape(metric)}(?!\w)", re.IGNORECASE)
    return [line for line in lines if not named.search(line)]
