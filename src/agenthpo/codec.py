"""Records to plain JSON values and back, for the experience log and the files beside a trial."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import asdict, fields
from typing import Any, get_args

from agenthpo.records import Analysis, Outcome, Proposal, Status, Trial

__all__ = [
    "adapter",
    "current_source",
    "decode_analysis",
    "decode_outcome",
    "decode_proposal",
    "encode",
    "to_json",
    "trial_to_json",
]

_EARLIER_ENGINE = "classical"
"""What earlier versions called the source ``engine``."""


def current_source(source: Any) -> Any:
    """Return a proposal's source by its name of today."""
    return "engine" if source == _EARLIER_ENGINE else source


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return ``value`` as JSON, on one line without ``indent``. Infinite numbers and nan, which
    JSON does not have, are null.
    """
    try:
        return json.dumps(value, allow_nan=False, indent=indent)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, indent=indent)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def encode(record: Proposal | Outcome | Analysis) -> dict[str, Any]:
    """Return ``record`` as what ``json.dumps`` takes."""
    return asdict(record)


def decode_proposal(raw: Any) -> Proposal:
    """Return the proposal that ``encode`` made ``raw`` of.

    :raises ValueError: if ``raw`` is no such thing.
    """
    if isinstance(raw, dict) and "source" in raw:
        raw = {**raw, "source": current_source(raw["source"])}
    proposal: Proposal = adapter(Proposal).validate_python(raw)
    return proposal


def decode_outcome(raw: Any) -> Outcome:
    """Return the outcome that ``encode`` made ``raw`` of.

    :raises ValueError: if ``raw`` is no such thing.
    """
    try:
        curves = {str(name): _curve(points) for name, points in raw["curves"].items()}
        # a later version may say more
        known = {field.name: raw[field.name] for field in fields(Outcome) if field.name in raw}
        margins = {str(text): float(by) for text, by in raw.get("margins", {}).items()}
        outcome = Outcome(
            **{
                **known,
                "curves": curves,
                "warnings": tuple(raw.get("warnings", ())),
                "margins": margins,
                "repeats": tuple(map(float, raw.get("repeats", ()))),
                "others": {str(n): float(v) for n, v in raw.get("others", {}).items()},
            }
        )
        numbers = (outcome.value, outcome.step, outcome.test_value, outcome.exit_code)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"no outcome: {problem}") from None
    if outcome.status not in get_args(Status) or not all(
        n is None or isinstance(n, int | float) for n in numbers
    ):
        raise ValueError("an outcome whose status or value is none")
    if (
        not isinstance(outcome.duration_s, int | float)
        or not isinstance(outcome.log_tail, str)
        or not isinstance(outcome.log_head, str)
        or not isinstance(outcome.error, str)
    ):
        raise ValueError("an outcome without its time or words")
    if (outcome.status == "complete") != (
        outcome.value is not None and math.isfinite(outcome.value)
    ):
        raise ValueError(f"an outcome that is {outcome.status} with the value {outcome.value}")
    return outcome


def _curve(points: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(step), float(value)) for step, value in points)


def decode_analysis(raw: Any) -> Analysis:
    """Return the analysis that ``encode`` made ``raw`` of.

    :raises ValueError: if ``raw`` is no such thing.
    """
    analysis: Analysis = adapter(Analysis).validate_python(raw)
    return analysis


@functools.cache
def adapter(kind: type) -> Any:
    """Return what validates plain data as a ``kind``, a dataclass; made once."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def trial_to_json(trial: Trial) -> dict[str, Any]:
    """Return a trial as ``show --json`` and the events print it: flat, without the curves and the
    log.
    """
    proposal, outcome, analysis = trial.proposal, trial.outcome, trial.analysis
    return {
        "number": trial.number,
        "state": outcome.status if outcome else "running",
        "source": proposal.source,
        "params": proposal.params,
        "value": trial.value,
        "step": outcome.step if outcome else None,
        "test_value": outcome.test_value if outcome else None,
        "margins": dict(outcome.margins) if outcome else {},
        "others": dict(outcome.others) if outcome else {},
        "repeats": list(outcome.repeats) if outcome else [],
        "beaten_by": outcome.beaten_by if outcome else None,
        "error": outcome.error if outcome else "",
        "rationale": proposal.rationale,
        "hypothesis": proposal.hypothesis,
        "expected": proposal.expected and asdict(proposal.expected),
        "model": proposal.model,
        "note": proposal.note,
        "mode": proposal.mode,
        "turn": proposal.turn,
        "forecast": proposal.forecast and asdict(proposal.forecast),
        "claim": proposal.claim and asdict(proposal.claim),
        "needs": proposal.needs and asdict(proposal.needs),
        "given_with": proposal.given_with,
        "by": proposal.by,
        "queued": proposal.queued,
        "asked": proposal.asked,
        "share": proposal.share,
        "promoted_from": proposal.promoted_from,
        "widening": proposal.widening and asdict(proposal.widening),
        "analysis": analysis and {k: v for k, v in asdict(analysis).items() if k != "usage"},
        "usage": asdict(trial.usage),
        "duration_s": outcome.duration_s if outcome else None,
        "peak_mb": outcome.peak_mb if outcome else None,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
    }
