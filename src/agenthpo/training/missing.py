"""Why a run ended without a value of the metric, and how to get one: the words for its user."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agenthpo.records import Curve, RunSpec
from agenthpo.training.patterns import Pattern, PatternError

__all__ = ["suggested_pattern", "why_missing"]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORDS_BEFORE = re.compile(r"(?:[A-Za-z_]+[ ./-]+){1,2}$")
_LONGEST = 40


def why_missing(
    spec: RunSpec, curves: Mapping[str, Curve], *, alike: Sequence[str], file_problem: str
) -> str:
    """Return the end of a sentence: what there was instead, and what to set.

    :param alike: the lines of output that come nearest to a report of the metric.
    :param file_problem: why a metrics file gave none, or which one would.
    """
    if file_problem and (spec.metrics_file or spec.finds_metrics):
        return file_problem
    if curves:
        return f"it reported {', '.join(sorted(curves))}"
    if file_problem:
        return file_problem
    pattern = spec.patterns.get(spec.metric)
    if not alike:
        none = f"no line matched the pattern {pattern!r}; " if pattern else ""
        return f"{none}call agenthpo.report(), print a JSON line, or set train.metrics"
    lines = " | ".join(repr(line) for line in alike)
    better = next(filter(None, (suggested_pattern(line, spec.metric) for line in alike)), None)
    fix = f", such as {better!r}" if better else ""
    if pattern:
        return (
            f"no line matched the pattern {pattern!r}, and the lines most like it are {lines}; "
            f"put another pattern with {{number}} into train.metrics{fix}"
        )
    return (
        f"the lines most like it are {lines}; put a pattern with {{number}} into train.metrics{fix}"
    )


def suggested_pattern(line: str, metric: str) -> str | None:
    """Return a pattern that reads ``metric`` from ``line``: the words from its name to the next
    number. None where the line does not name it.

    >>> suggested_pattern("Epoch 3 | Val Acc is 0.91 (best 0.95)", "acc")
    'Val Acc is {number}'
    """
    words = re.findall(r"[^\W_]+", metric)
    if not words:
        return None
    stems = r"\w*[^\w{}]*".join(re.escape(word[:3]) for word in words)
    for match in re.finditer(rf"(?<!\w){stems}", line, re.IGNORECASE):
        number = _NUMBER.search(line, match.end())
        if number is None or number.start() - match.start() > _LONGEST:
            continue
        words_before = _WORDS_BEFORE.search(line[: match.start()])
        start = words_before.start() if words_before else match.start()
        before = line[start : number.start()]
        if "{" not in before and _reads(f"{before}{{number}}", line, metric):
            return f"{before}{{number}}"
    return None


def _reads(pattern: str, line: str, metric: str) -> bool:
    try:
        return Pattern(metric, pattern).value(line) is not None
    except (PatternError, re.error):
        return False
