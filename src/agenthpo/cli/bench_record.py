"""``agenthpo bench record``: train the pairs that are not recorded yet, with progress; and
``agenthpo bench portfolios``: what they teach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from agenthpo.bench.trainings.library import missing_pairs, record_pairs
from agenthpo.bench.trainings.portfolios import recorded_portfolios, written
from agenthpo.cli.bench_tables import counted
from agenthpo.codec import to_json
from agenthpo.files import write_whole

__all__ = ["bench_portfolios", "bench_record"]


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


def bench_portfolios(folder: Path, out: Path, *, as_json: bool) -> None:
    """Write what the recordings in ``folder`` teach into the file ``out``, and print it."""
    found = recorded_portfolios(folder=folder)
    write_whole(out, written(found).encode())
    if as_json:
        print(to_json([asdict(each) for each in found]))
        return
    for each in found:
        tips = ", ".join(f"{tip.better} of {tip.of}" for tip in each.tips)
        print(f"{each.family}, {each.kind}: better than the default on {tips} data sets")
    print(f"{len(found)} portfolios were written into {out}")
