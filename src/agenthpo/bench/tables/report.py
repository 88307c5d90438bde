"""What the stored results come to, as tables of text: the regret of every method, and the ratios
that the project promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agenthpo.bench.tables.continuous import CONTINUOUS
from agenthpo.bench.tables.play import CHECKPOINTS, Played
from agenthpo.bench.tables.stats import ratio, summary
from agenthpo.bench.tables.stored_tables import TABLES
from agenthpo.bench.trainings.failing import FAILING
from agenthpo.bench.trainings.library import HELD_OUT, TUNING
from agenthpo.bench.trainings.live import LIVE

__all__ = ["GROUPS", "GROUP_OF", "PEERS", "PROMISES", "as_json", "failures", "promises", "regrets"]

PEERS = ("random", "qmc", "tpe", "tpe-3", "cmaes", "gp", "gp-3", "smac")
GROUPS: dict[str, tuple[str, ...]] = {
    "tables": TABLES,
    "tables for tuning": TABLES[::2],
    "tables held out": TABLES[1::2],
    "continuous": CONTINUOUS,
    "continuous for tuning": CONTINUOUS[::2],
    "continuous held out": CONTINUOUS[1::2],
    "live": LIVE,
    "live for tuning": TUNING,
    "live held out": HELD_OUT,
    "failing": FAILING,
}
"""The problems by group; constants were chosen on those for tuning alone."""


_WHOLE = {"tables": TABLES, "continuous": CONTINUOUS, "live": LIVE, "failing": FAILING}
GROUP_OF = {name: group for group, names in _WHOLE.items() for name in names}
"""The group of each problem."""


@dataclass(frozen=True)
class Promise:
    """What the mean regret of ``method`` over that of the best of ``others`` should be at most, by
    trials.
    """

    method: str
    others: tuple[str, ...]
    at_most: dict[int, float]
    group: str = "tables"


_FEWEST = 5
"""Seeds below which a peer is shown, and not competed with."""
_BAD = {5: 1.2, 10: 1.15, 25: 1.05, 50: 1.05}
_AHEAD = {3: 0.9, 5: 0.8, 10: 0.75, 25: 0.8, 100: 0.8}
_NO_WORSE = {3: 1.03, 5: 1.03, 10: 1.03, 25: 1.03}
PROMISES: tuple[Promise, ...] = (
    Promise("engine", PEERS, _AHEAD),
    Promise(
        method="engine",
        others=PEERS,
        at_most={5: 1.0, 10: 0.9, 25: 0.8, 50: 0.8, 100: 0.8},
        group="continuous",
    ),
    Promise("engine", PEERS, _AHEAD, "live"),
    Promise("engine", PEERS, {10: 0.8, 25: 0.8}, "failing"),
    Promise("informed", PEERS, {3: 0.7, 5: 0.65, 10: 0.65, 25: 0.75}, "live"),
    Promise("informed", ("engine",), _NO_WORSE, "tables"),
    Promise("informed", ("engine",), _NO_WORSE, "continuous"),
    Promise("hybrid-expert", ("engine",), {5: 0.65, 10: 0.8, 25: 0.9}),
    Promise("hybrid-expert", ("alone-expert",), {5: 1.15, 10: 1.1, 25: 1.0}),
    Promise("hybrid-good", ("engine",), {5: 0.9, 10: 1.0, 25: 1.0}),
    Promise("hybrid-fading", ("engine",), {5: 0.9, 10: 1.0, 25: 1.0}),
    Promise("hybrid-late", ("engine",), {10: 1.05, 25: 0.95}),
    *(
        Promise(f"hybrid-{kind}", ("engine",), _BAD)
        for kind in ("useless", "stubborn", "failing", "smollm2", "qwen")
    ),
    Promise("hybrid-skilled", ("alone-skilled",), {5: 1.0, 10: 1.0, 25: 0.9}),
    Promise("hybrid-strong-then-stuck", ("alone-strong-then-stuck",), {25: 0.7}),
    Promise("hybrid-adversarial", ("engine",), {5: 1.3, 10: 1.25, 25: 1.1, 50: 1.05}),
)


def _cell(measured: float, peer: str, target: float | None, *, has_peers: bool) -> str:
    """Return a ratio, the best peer where there are several, and the target, which is marked where
    it was missed.
    """
    text = f"{measured:.2f} ({peer})" if has_peers else f"{measured:.2f}"
    if target is None:
        return text
    is_met = round(measured, 2) <= target
    return f"{text} ≤ {target}" if is_met else f"{text} ✗ (target {target})"


def promises(results: Sequence[Played], *, group: str | None = None) -> list[str]:
    """Return the promises as a Markdown table: the ratio that was measured, and its target."""
    shown = (3, 5, 10, 25, 50, 100)
    lines = [
        "| ratio of mean regrets | problems | " + " | ".join(f"T={t}" for t in shown) + " |",
        "|---|---|" + "---|" * len(shown),
    ]
    for promise in PROMISES:
        name = promise.group if group is None else group
        if group is not None and not group.startswith(promise.group):
            continue
        seeds = {r.seed for r in results if r.method == promise.method}
        # A peer that was played with a few seeds only would be the best by luck.
        others = [
            o
            for o in promise.others
            if len({r.seed for r in results if r.method == o}) >= min(_FEWEST, len(seeds))
        ]
        names = [
            n
            for n in GROUPS[name]
            if any(r.method == promise.method and r.problem == n for r in results)
        ]
        cells = []
        for trials in shown:
            found = (
                ratio(results, promise.method, others=others, trials=trials, problems=names)
                if names and others
                else None
            )
            bound = promise.at_most.get(trials)
            cells.append(
                "" if found is None else _cell(*found, bound, has_peers=len(promise.others) > 1)
            )
        other = "best peer" if len(promise.others) > 1 else promise.others[0]
        if any(cells):
            lines.append(
                f"| {promise.method} / {other} | {len(names)} {name} | " + " | ".join(cells) + " |"
            )
    return lines


def failures(results: Sequence[Played], methods: Sequence[str]) -> list[str]:
    """Return for each method and failing problem the mean number of failed trials, and the seeds
    that never got better than the default, of how many; at the most trials that all have.
    """
    played = [r for r in results if GROUP_OF.get(r.problem) == "failing"]
    if not played:
        return []
    lines = [
        "| method | trials | " + " | ".join(FAILING) + " |",
        "|---|---|" + "---|" * len(FAILING),
    ]
    for method in methods:
        mine = [r for r in played if r.method == method]
        if not mine:
            continue
        cells = [_failed_cell([r for r in mine if r.problem == name]) for name in FAILING]
        lines.append(f"| {method} | {min(r.trials for r in mine)} | {' | '.join(cells)} |")
    return lines


def _failed_cell(results: Sequence[Played]) -> str:
    if not results:
        return ""
    failed = sum(r.failed for r in results) / len(results)
    stuck = sum(r.regret[max(r.regret, key=int)] >= r.regret["1"] for r in results)
    return f"{failed:.1f} failed, {stuck} of {len(results)} stuck"


def regrets(results: Sequence[Played], methods: Sequence[str], group: str) -> list[str]:
    """Return the mean normalised regret of each method by trials, with 95 % intervals over
    problems, its rank and its time a trial.
    """
    rows = summary(results, methods, GROUPS[group], baseline="engine")
    shown = [t for t in CHECKPOINTS if any(row.trials == t for row in rows)]
    lines = [
        "| method | seeds | " + " | ".join(f"T={t}" for t in shown) + " | rank | ms a trial |",
        "|---|---|" + "---|" * (len(shown) + 2),
    ]
    for method in methods:
        mine = {row.trials: row for row in rows if row.method == method}
        if not mine:
            continue
        seeds = len({r.seed for r in results if r.method == method})
        cells = [
            f"{mine[t].mean:.3f} ({mine[t].low:.2f}–{mine[t].high:.2f})" if t in mine else ""
            for t in shown
        ]
        last = mine[max(mine)]
        lines.append(
            f"| {method} | {seeds} | "
            + " | ".join(cells)
            + f" | {last.rank:.1f} | {1000 * last.seconds:.0f} |"
        )
    return lines


def as_json(results: Sequence[Played], methods: Sequence[str]) -> dict[str, Any]:
    """Return every row of every group."""
    return {
        group: [asdict(row) for row in summary(results, methods, names, baseline="engine")]
        for group, names in GROUPS.items()
    }
