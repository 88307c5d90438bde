"""Who found what: by the source of each proposal, how many there were, how many beat all before
them, and which won the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agenthpo.bench.tasks.groups import Runs, directions_of
from agenthpo.bench.tasks.score_tables import percent_words
from agenthpo.bench.tasks.scores import gain, label, trials_of
from agenthpo.bench.tasks.trained import TASKS_FOLDER
from agenthpo.trials import best_measured, improvements

__all__ = ["credit", "credit_words"]


def credit(runs: Runs, folder: Path = TASKS_FOLDER) -> list[dict[str, Any]]:
    """Return for each proposer and source: proposals, failures, improvements, runs won, and what
    the wins gained over the default.

    ``gain`` is the mean over the runs that the source won, in percent of the default's score; None
    where it won none, or by the default.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    directions = directions_of(runs, folder)
    for run in runs:
        direction = directions[run.task]
        trials = trials_of(run)
        who = label(run)
        for trial in trials:
            source = trial.proposal.source
            row = rows.setdefault(
                (who, source),
                {
                    "proposer": who,
                    "source": source,
                    "proposals": 0,
                    "failed": 0,
                    "improved": 0,
                    "won": 0,
                    "gains": [],
                },
            )
            row["proposals"] += 1
            row["failed"] += trial.value is None
        for trial in improvements(trials, direction)[1:]:
            rows[who, trial.proposal.source]["improved"] += 1
        if best := best_measured(trials, direction):
            row = rows[who, best[0].proposal.source]
            row["won"] += 1
            if (
                best[0].number
                and trials[0].proposal.source == "default"
                and (gained := gain(best[0].value, trials[0].value, direction)) is not None
            ):
                row["gains"].append(gained)
    found = []
    for _, row in sorted(rows.items()):
        gains = row.pop("gains")
        found.append({**row, "gain": sum(gains) / len(gains) if gains else None})
    return found


def credit_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table in Markdown."""
    lines = [
        "| proposer | source | proposals | failed | improved | runs won | gain over the default |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [
            row["proposer"],
            row["source"],
            *(str(row[name]) for name in ("proposals", "failed", "improved", "won")),
            percent_words(row["gain"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
