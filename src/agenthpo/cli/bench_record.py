"""``agenthpo bench record``: train the pairs that are not recorded yet, with progress."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agenthpo.bench.trainings.library import missing_pairs, record_pairs
from agenthpo.cli.bench_tables import counted
from agenthpo.codec import to_json

__all__ = ["bench_record"]


def bench_record(folder: Path, pairs: Sequence[str], *, jobs: int, as_json: bool) -> None:
    """Record those of ``pairs``, all without any, that ``folder`` does not hold."""
    todo = missing_pairs(folder, pairs)
    done = counted(
        record_pairs(folder, todo, jobs=jobs),
        f"{len(todo)} pairs to record",
        total=len(todo),
        said=str,
    )
    if as_json:
        print(to_json({"recorded": done, "folder": str(folder)}))
    else:
        print(f"{len(done)} pairs were recorded into {folder}")
