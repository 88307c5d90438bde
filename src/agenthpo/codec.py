"""Records to plain JSON values and back, for the experience log and the files beside a trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from agenthpo.records import Analysis, Expected, Outcome, Proposal, Trial, Usage

__all__ = ["decode_analysis", "decode_outcome", "decode_proposal", "encode", "trial_to_json"]


def encode(record: Proposal | Outcome | Analysis) -> dict[str, Any]:
    """Return ``record`` as what ``json.dumps`` takes."""
    return asdict(record)


def decode_proposal(raw: Mapping[str, Any]) -> Proposal:
    """Return the proposal that ``encode`` made ``raw`` of."""
    expected = raw["expected"] and Expected(**raw["expected"])
    return Proposal(**{**raw, "expected": expected, "usage": Usage(**raw["usage"])})


def decode_outcome(raw: Mapping[str, Any]) -> Outcome:
    """Return the outcome that ``encode`` made ``raw`` of."""
    curves = {name: tuple((float(s), float(v)) for s, v in curve) for name, curve in raw["curves"].items()}
    return Outcome(**{**raw, "curves": curves})


def decode_analysis(raw: Mapping[str, Any]) -> Analysis:
    """Return the analysis that ``encode`` made ``raw`` of."""
    return Analysis(**{**raw, "evidence": tuple(raw["evidence"]), "usage": Usage(**raw["usage"])})


def trial_to_json(trial: Trial) -> dict[str, Any]:
    """Return a trial as ``show --json`` and the events print it: flat, without the curves and the log."""
    proposal, outcome, analysis = trial.proposal, trial.outcome, trial.analysis
    return {
        "number": trial.number,
        "state": outcome.status if outcome else "running",
        "source": proposal.source,
        "params": proposal.params,
        "value": trial.value,
        "step": outcome.step if outcome else None,
        "test_value": outcome.test_value if outcome else None,
        "error": outcome.error if outcome else "",
        "rationale": proposal.rationale,
        "hypothesis": proposal.hypothesis,
        "expected": proposal.expected and asdict(proposal.expected),
        "model": proposal.model,
        "note": proposal.note,
        "mode": proposal.mode,
        "turn": proposal.turn,
        "analysis": analysis and {k: v for k, v in asdict(analysis).items() if k != "usage"},
        "usage": asdict(trial.usage),
        "duration_s": outcome.duration_s if outcome else None,
        "peak_mb": outcome.peak_mb if outcome else None,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
    }
