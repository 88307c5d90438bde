"""The evidence as a page: one file that loads nothing from elsewhere.

Its data, the plotting library and the exchanges with the model stand in it as gzip in base64. Every
text of a log, a model or a study is escaped where it enters the page, and the page's policy runs no
script but its own.
"""

from __future__ import annotations

import base64
import gzip
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from agenthpo.codec import to_json
from agenthpo.errors import AgentHPOError
from agenthpo.pareto import goals_words
from agenthpo.reporting.comparing import Comparison, Group
from agenthpo.reporting.evidence import Evidence, TrialEvidence
from agenthpo.reporting.numbers import money, shown_number
from agenthpo.space import format_number
from agenthpo.taskfile.yaml_text import as_yaml
from agenthpo.text.cleaning import clean
from agenthpo.text.phrases import params_words
from agenthpo.text.redaction import redactor
from agenthpo.units import format_duration, format_memory

__all__ = ["MOST_BYTES", "comparison_page", "page"]

MOST_BYTES = 6_000_000
"""A page is smaller than that."""
_EXCHANGES_BYTES = 1_500_000
"""What the exchanges may take of it; the latest stay."""
_SECTIONS = (
    ("answer", "Answer"),
    ("course", "Course"),
    ("reasoning", "Reasoning"),
    ("matters", "What matters"),
    ("audit", "Audit"),
    ("account", "Honest account"),
    ("failures", "Failures"),
    ("reproduce", "Reproduce"),
)
_SOURCES = (
    *("source", "proposed", "no value", "best so far", "moved the best by", "predictions held"),
    *("tokens", "paid"),
)
_DRAWN = (
    *("number", "who", "state", "diagnosis", "value", "is_best_so_far", "is_kept", "share"),
    *("params", "rationale", "insight", "error", "seconds", "curves", "others"),
)
"""What the pictures need of a trial."""


def page(
    evidence: Evidence,
    exchanges: Sequence[Mapping[str, Any]] = (),
    *,
    version: str = "",
    watch: str = "",
) -> str:
    """Return the page.

    :param exchanges: what the model was asked and answered, in the order in which it was.
    :param watch: what the page is a picture of; it asks where it came from for that of a newer one,
        and loads itself again. Without it the page asks for nothing.
    :raises AgentHPOError: where the packages that draw it are not installed.
    """
    kept, packed = _packed(exchanges)
    answer = evidence.answer
    is_paid = any(money(s.cost_usd) for s in evidence.sources)
    has_value = [t for t in evidence.trials if t.value is not None]
    metrics = dict.fromkeys(n for t in evidence.trials for n, c in t.curves.items() if len(c) > 1)
    first = evidence.metric if evidence.metric in metrics else None
    return _rendered(
        "page",
        e=evidence,
        a=answer,
        version=version,
        watch=watch,
        headline=_headline(evidence),
        subline=_subline(evidence),
        sections=_SECTIONS,
        **_front(evidence),
        best_yaml=as_yaml(answer.params),
        best_json=to_json(answer.params, indent=2),
        certificate_rows=_certificate_rows(evidence),
        course_says=_course_says(evidence),
        course_heads=("trial", "source", evidence.metric, "diagnosis", "changed", "seconds"),
        course_rows=[_course_row(t) for t in evidence.trials],
        has_curves=bool(metrics),
        has_values=len(has_value) > 1,
        curve_names=[*([first] if first else []), *(n for n in metrics if n != first)],
        curve_trials=_curve_trials(evidence),
        pair=_pair(evidence),
        whos=list(dict.fromkeys(t.who for t in evidence.trials)),
        states=list(dict.fromkeys(t.state for t in evidence.trials)),
        calibration_says=_calibration_says(evidence),
        calibration_rows=[
            (c.who, c.judged, c.inside, f"{c.inside / c.judged:.0%}", format_number(c.mean_error))
            for c in evidence.calibration
        ],
        importance_says="; ".join(f"{m.name} {m.share:.0%}" for m in evidence.matters),
        importance_height=80 + 28 * len(evidence.matters),
        importance_rows=[
            (m.name, f"{m.share:.0%}", f"{m.low:.0%}", f"{m.high:.0%}") for m in evidence.matters
        ],
        claims_rows=[
            (c.name, c.claimed, c.borne_out, "not known" if c.share is None else f"{c.share:.0%}")
            for c in evidence.claims
        ],
        audit_rows=_audit_rows(evidence),
        audit_says="; ".join(c.words for c in evidence.audit.changes) if evidence.audit else "",
        audit_height=80 + 32 * len(evidence.audit.changes) if evidence.audit else 0,
        minimal_json=to_json(evidence.audit.minimal, indent=2) if evidence.audit else "",
        sources_heads=_SOURCES if is_paid else _SOURCES[:-1],
        sources_rows=[
            (
                s.who,
                s.proposed,
                s.failed,
                s.won,
                format_number(float(f"{s.gained:.4g}")),
                f"{s.held} of {s.judged}" if s.judged else "none",
                f"{s.tokens:,}",
                *([money(s.cost_usd)] if is_paid else []),
            )
            for s in evidence.sources
        ],
        made_on=datetime.fromtimestamp(evidence.made_at, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        data=_squeezed(to_json(_data(evidence)).encode()),
        exchanges=packed,
        exchanges_kept=kept,
        exchanges_left=len(exchanges) - kept,
    )


def _data(evidence: Evidence) -> dict[str, Any]:
    """Return what the pictures are drawn from."""
    return {
        "metric": evidence.metric,
        "direction": evidence.direction,
        "default_value": evidence.answer.default_value,
        "goals": [asdict(goal) for goal in evidence.goals],
        "front": evidence.answer.front,
        "space": [asdict(p) for p in evidence.space],
        "matters": [asdict(m) for m in evidence.matters],
        "audit": [asdict(change) for change in evidence.audit.changes] if evidence.audit else [],
        "contour": evidence.contour and asdict(evidence.contour),
        "predictions": [asdict(p) for p in evidence.predictions],
        "shadow": evidence.shadow and asdict(evidence.shadow),
        "random": evidence.random and asdict(evidence.random),
        "trials": [{name: getattr(t, name) for name in _DRAWN} for t in evidence.trials],
    }


def _squeezed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def _packed(exchanges: Sequence[Mapping[str, Any]]) -> tuple[int, str]:
    """Return how many of the latest exchanges fit into the page, and those."""
    told = [
        {
            "time": entry.get("time", 0),
            "form": entry.get("form", ""),
            "model": entry.get("model", ""),
            "messages": [
                {"role": str(m.get("role", "")), "content": clean(str(m.get("text", "")))}
                for m in entry.get("messages", ())
                if isinstance(m, Mapping)
            ],
            "reply": clean(str(entry.get("reply", entry.get("failure", "")))),
        }
        for entry in exchanges
    ]
    without_secrets = redactor(quick=True)
    lines = [without_secrets(json.dumps(each)) for each in told]
    while lines:
        packed = _squeezed(f"[{','.join(lines)}]".encode())
        if len(packed) <= _EXCHANGES_BYTES:
            return len(lines), packed
        lines = lines[len(lines) // 3 + 1 :]
    return 0, ""


@cache
def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise _missing("plotly") from None
    return _squeezed(get_plotlyjs().encode())


def _missing(package: str) -> AgentHPOError:
    return AgentHPOError(
        f"the page needs {package}, which is not installed; install it by: "
        "pip install 'agenthpo[report]', or take --format md"
    )


def _part(name: str) -> str:
    return files("agenthpo.reporting").joinpath("page_parts", name).read_text(encoding="utf-8")


def _rendered(name: str, **given: Any) -> str:
    """Return the template ``name`` filled in; what is given is escaped, our own parts are not."""
    try:
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup
    except ImportError:
        raise _missing("jinja2") from None
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: dict[str, Callable[..., str]] = {
        "num": shown_number,
        "money": money,
        "gain": lambda value: "none known" if value is None else f"{value:+.4g}",
        "duration": lambda value: "" if value is None else format_duration(value),
        "memory": format_memory,
        "params": params_words,
    }
    environment.filters.update(filters)
    return environment.from_string(_part(f"{name}.html.j2")).render(
        **given,
        nonce=secrets.token_urlsafe(16),
        css=Markup(_part("page.css")),
        js=Markup(_part("plots.js") + _part(f"{name}.js")),
        plotly=_plotly(),
    )


def comparison_page(found: Comparison) -> str:
    """Return the page of studies over one another.

    :raises AgentHPOError: where the packages that draw it are not installed.
    """

    def shown(value: float | None) -> str:
        return "not known" if value is None else f"{value:.5g}"

    groups = [
        (g.name, len(g.studies), *(_at(g, n) for n in found.points), ", ".join(g.studies))
        for g in found.groups
    ]
    pairs = [
        (p.one, p.another, p.trials, shown(p.ahead), shown(p.low), shown(p.high))
        for p in found.pairs
    ]
    heads = ("who", "studies", *(f"after {n}" for n in found.points), "names")
    return _rendered(
        "compare",
        c=found,
        tables=[
            ("Best value so far", heads, groups),
            ("Two by two", ("one", "another", "trials", "ahead by", "from", "to"), pairs),
        ],
        data=_squeezed(to_json(found.to_json()).encode()),
    )


def _at(group: Group, trials: int) -> str:
    mean, low, high = (each[trials - 1] for each in (group.mean, group.low, group.high))
    return f"{mean:.5g}" if len(group.studies) == 1 else f"{mean:.5g} ({low:.5g} to {high:.5g})"


def _headline(evidence: Evidence) -> str:
    answer = evidence.answer
    if answer.best is None:
        return f"{evidence.metric}: no result yet"
    value = shown_number(answer.value)
    sure = "certified" if answer.is_certified else "not certified"
    return f"{evidence.metric} {value}, {sure}"


def _subline(evidence: Evidence) -> str:
    cost = evidence.answer.cost
    goals = goals_words(evidence.metric, evidence.direction, evidence.goals)
    took = f"{cost.trials} trials in {format_duration(cost.elapsed_s)}"
    return f"{goals}, {took}, model {evidence.made.model}"


def _front(evidence: Evidence) -> dict[str, Any]:
    """Return what the page has of the Pareto front, best of the first objective first."""
    names = [evidence.metric, *(goal.metric for goal in evidence.goals)]
    numbered = {t.number: t for t in evidence.trials}
    rows = [
        (
            number,
            *(shown_number(_values(numbered[number], evidence).get(name)) for name in names),
            params_words(numbered[number].params),
        )
        for number in evidence.answer.front
    ]
    return {
        "front_heads": ("trial", *names, "configuration"),
        "front_rows": rows,
        "front_says": f"{' against '.join(names[:2])}: {len(rows)} trials are on the front",
    }


def _values(trial: TrialEvidence, evidence: Evidence) -> dict[str, float | None]:
    return {evidence.metric: trial.value, **trial.others}


def _audit_rows(evidence: Evidence) -> list[tuple[object, ...]]:
    found = evidence.audit
    if found is None:
        return []

    def shown(value: float | None) -> str:
        return "not known" if value is None else f"{value:+.3g}"

    return [
        (
            ", ".join(change.names),
            *(
                ", ".join(map(format_number, values.values()))
                for values in (change.before, change.after)
            ),
            change.runs,
            *map(shown, (change.gain, change.low, change.high)),
            change.judgement,
        )
        for change in found.changes
    ]


def _certificate_rows(evidence: Evidence) -> list[tuple[object, ...]]:
    found = evidence.certificate
    if found is None:
        return []

    def shown(value: float | None) -> str:
        return "" if value is None else format_number(float(f"{value:.5g}"))

    rows: list[tuple[object, ...]] = [
        (
            f"default (trial {found.default.trial})",
            found.default.runs,
            *(shown(found.default.mean), "", "", "", found.default.why),
        )
    ]
    rows += [
        (f"trial {c.trial}", c.runs, *map(shown, (c.mean, c.gain, c.low, c.high)), c.why)
        for c in found.contenders
    ]
    return rows


def _course_says(evidence: Evidence) -> str:
    answer, metric = evidence.answer, evidence.metric
    if answer.best is None:
        return f"{metric} by trial: no trial has a value"
    default = "" if answer.default_value is None else f", the default's is {answer.default_value:g}"
    return f"{metric} by trial: the best, {answer.value:g}, is trial {answer.best}{default}"


def _course_row(trial: TrialEvidence) -> tuple[object, ...]:
    value = trial.state if trial.value is None else shown_number(trial.value)
    took = "" if trial.seconds is None else f"{trial.seconds:.1f}"
    return (trial.number, trial.who, value, trial.diagnosis, trial.changes[:200], took)


def _curve_trials(evidence: Evidence) -> str:
    """Return the trials whose curves are shown first: the default's, the best and the latest."""
    with_curves = [t.number for t in evidence.trials if any(len(c) > 1 for c in t.curves.values())]
    first = [evidence.answer.default, evidence.answer.best, *with_curves[-1:]]
    return ", ".join(str(n) for n in dict.fromkeys(first) if n in with_curves)


def _pair(evidence: Evidence) -> tuple[int, int]:
    """Return the two trials that are shown side by side first: the default and the best."""
    numbers = [t.number for t in evidence.trials] or [0]
    one, another = evidence.answer.default, evidence.answer.best
    return (
        numbers[0] if one is None else one,
        numbers[-1] if another is None or another == one else another,
    )


def _calibration_says(evidence: Evidence) -> str:
    each = [f"{c.inside} of {c.judged} by {c.who}" for c in evidence.calibration]
    return f"Expected against observed values; within their interval: {', '.join(each)}"
