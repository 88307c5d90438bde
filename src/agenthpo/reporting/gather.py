"""A study's evidence, gathered from its folder."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from agenthpo.audit import audit_of
from agenthpo.budget import Spent
from agenthpo.certainty import anytime_interval
from agenthpo.errors import AgentHPOError
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import StudyMeta
from agenthpo.experience.requests import Asked, read_requests
from agenthpo.experience.seen import seen_space
from agenthpo.failures import cause_of, failure_rules
from agenthpo.operations.telling import noise_of
from agenthpo.pareto import front, hypervolume
from agenthpo.records import Direction, Trial
from agenthpo.reporting.border import passed
from agenthpo.reporting.evidence import (
    Answer,
    Calibration,
    Claims,
    Cost,
    Edge,
    Evidence,
    Failures,
    Made,
    Parameter,
    Prediction,
    Source,
    TestGap,
    TrialEvidence,
)
from agenthpo.reporting.exchanges import Exchanges, read_exchanges
from agenthpo.reporting.modelled import contour_of, random_search
from agenthpo.reporting.narrative import narrative
from agenthpo.rounds import certificate_of
from agenthpo.search.engine.encoding import Encoding
from agenthpo.search.engine.engine import Engine
from agenthpo.search.heard import deed
from agenthpo.search.importance import importances
from agenthpo.space import Space, format_number
from agenthpo.studies import task_of
from agenthpo.surroundings import surroundings
from agenthpo.task import Objective, Task, Train
from agenthpo.text.pasting import pasted
from agenthpo.text.phrases import claim_words
from agenthpo.text.story import changes, nearest
from agenthpo.thinning import thinned
from agenthpo.trials import (
    claim_verdict,
    default_trial,
    gain_over_default,
    improvements,
    ledger,
    upward,
    verdict,
)
from agenthpo.winner import command_line, own_folder, winner_of

__all__ = ["FORM", "evidence_of"]

FORM = 2
"""The form of the evidence; see ``Evidence``."""
_COMPARED, _POINTS = 100, 60
"""Earlier trials that a trial is compared with, and points of a curve."""
_EDGE = 0.02
"""How near to an end of its range a value is at the end, as a share of the range."""
_HOUR_S = 3600.0


def evidence_of(folder: Path) -> Evidence:
    """Return the evidence of the study in ``folder``; nothing is written.

    :raises StudyError: if there is no study, or it cannot be read.
    """
    with ExperienceLog.open(folder, space=None, read_only=True) as log:
        return _gathered(log, folder)


def _gathered(log: ExperienceLog, folder: Path) -> Evidence:
    meta, trials, direction = log.meta, log.trials(), log.direction
    space, asked, exchanges = seen_space(log), read_requests(folder), read_exchanges(folder)
    task = _task(meta, space, direction)
    engine = Engine(meta.seed)  # it keeps what it last believed
    certificate, audit = certificate_of(folder), audit_of(folder)
    # what fresh seeds showed goes before what is believed of trials that may share one
    measured = (certificate and certificate.noise) or (audit and audit.noise)
    noise = measured or (None if task is None else noise_of(task, trials, engine))
    predictions = _predictions(trials)
    answer = _answer(log, folder, noise, is_measured=bool(measured))
    shares = [] if space is None else importances(space, trials, direction, seed=meta.seed)
    known = {each.name: each.share for each in shares}
    best = next((t for t in trials if t.number == answer.best), None)
    top = [each.name for each in shares[:2]]
    evidence = Evidence(
        form=FORM,
        study=folder.resolve().name,
        task=meta.name or folder.resolve().name,
        metric=meta.metric,
        direction=direction,
        goals=meta.goals,
        test_metric=meta.test_metric,
        made_at=time.time(),
        answer=answer,
        space=_parameters(space),
        trials=_told(trials, direction, asked),
        certificate=certificate,
        audit=audit,
        matters=tuple(shares),
        edges=_edges(space, best),
        claims=_claims(trials, direction, known),
        contour=None if task is None or meta.goals else contour_of(task, trials, top, best, engine),
        predictions=predictions,
        calibration=_calibration(predictions),
        sources=_sources(trials, direction),
        duplicates=len(trials) - len({t.proposal.sorted_params for t in trials}),
        fallbacks=Counter(
            t.proposal.note[:200] or "no reason was kept"
            for t in trials
            if t.proposal.source == "fallback"
        ),
        replies=exchanges.problems,
        shadow=meta.shadow,
        random=None if task is None or meta.goals else random_search(task, trials, engine),
        gap=_gap(trials, best, direction),
        failures=_failures(trials),
        rules=tuple(str(rule) for rule in failure_rules(trials)),
        pinned=asked.pins,
        widened=asked.ranges,
        people=_people(asked, trials),
        made=_made(log, folder, best, exchanges),
    )
    return passed(narrative(evidence))


def _task(meta: StudyMeta, space: Space | None, direction: Direction) -> Task | None:
    """Return as much of the task as the study itself knows, so that a study can be read without its
    task file, or after that was changed.
    """
    if space is None:
        return None
    return Task(meta.name, Objective(meta.metric, direction), space, Train())


def _parameters(space: Space | None) -> tuple[Parameter, ...]:
    if space is None:
        return ()
    return tuple(
        Parameter(p.name, tuple(p.values) if p.is_discrete else (), p.low, p.high, p.log)
        for p in space
    )


def _told(trials: Sequence[Trial], direction: Direction, asked: Asked) -> tuple[TrialEvidence, ...]:
    improved = {t.number for t in improvements(trials, direction)}
    return tuple(
        _trial(t, trials[:i], direction, is_best_so_far=t.number in improved, asked=asked)
        for i, t in enumerate(trials)
    )


def _trial(
    trial: Trial,
    earlier: Sequence[Trial],
    direction: Direction,
    *,
    is_best_so_far: bool,
    asked: Asked,
) -> TrialEvidence:
    proposal, outcome, analysis = trial.proposal, trial.outcome, trial.analysis
    base = nearest(proposal.params, earlier[-_COMPARED:], direction)
    notes = [proposal.turn, proposal.note]
    notes += [f"{note.by}: {note.text}" for note in asked.notes(trial.number)]
    struck = analysis.crossed_out if analysis is not None else ()
    if analysis is not None and not struck:
        notes.append(analysis.note)
    return TrialEvidence(
        number=trial.number,
        who=proposal.who,
        source=proposal.source,
        model=proposal.model,
        state=outcome.status if outcome else "running",
        diagnosis=analysis.diagnosis if analysis else "",
        value=trial.value,
        test=outcome.test_value if outcome else None,
        is_best_so_far=is_best_so_far,
        is_kept=trial.is_kept,
        share=proposal.share,
        params=proposal.params,
        base=None if base is None else base.number,
        changes="" if base is None else changes(base.proposal.params, proposal.params),
        rationale=proposal.rationale,
        hypothesis=proposal.hypothesis,
        expected=proposal.expected,
        prediction=verdict(trial, direction) or "",
        claim=claim_words(trial, [*earlier, trial], direction),
        error=outcome.error if outcome else "",
        insight=analysis.insight if analysis else "",
        insight_by=analysis.author if analysis else "",
        advice=analysis.advice if analysis else "",
        seen=analysis.evidence if analysis else (),
        notes=tuple(note for note in notes if note),
        struck=struck,
        seconds=outcome.duration_s if outcome else None,
        memory_mb=outcome.peak_mb if outcome else None,
        tokens=trial.usage.tokens,
        curves={n: thinned(points, _POINTS) for n, points in outcome.curves.items()}
        if outcome
        else {},
        others=dict(outcome.others) if outcome else {},
        margins=dict(outcome.margins) if outcome else {},
        repeats=outcome.repeats if outcome else (),
    )


def _answer(log: ExperienceLog, folder: Path, noise: float | None, *, is_measured: bool) -> Answer:
    trials, meta, direction = log.trials(), log.meta, log.direction
    found = winner_of(log, folder, lambda: noise)
    best, default = (found.trial if found else None), default_trial(trials)
    gain = gain_over_default(best, default, direction)
    is_certified = found is not None and found.is_certified
    spent = Spent.of(trials, direction)
    done = [t.outcome for t in trials if t.outcome is not None]
    running = len(trials) - len(done)
    ended = meta.budget.reason(spent, direction) or ""
    return Answer(
        best=None if best is None else best.number,
        is_certified=is_certified,
        params={} if best is None else best.proposal.params,
        value=None if best is None else best.value,
        test=None if best is None or best.outcome is None else best.outcome.test_value,
        default=None if default is None else default.number,
        default_value=None if default is None else default.value,
        gain=gain,
        noise=noise,
        is_noise_measured=is_measured,
        sure="No trial has given a value that counts." if found is None else found.words,
        next_hour=""
        if is_certified or meta.goals
        else _next_hour(trials, gain, noise, meta.workers, is_measured=is_measured),
        ended="" if running else ended,
        front=tuple(t.number for t in front(trials, direction, meta.goals)) if meta.goals else (),
        hypervolume=hypervolume(trials, direction, meta.goals) if meta.goals else None,
        cost=Cost(
            trials=len(trials),
            failed=sum(outcome.value is None for outcome in done),
            training_s=sum(outcome.duration_s for outcome in done),
            elapsed_s=spent.time_s,
            tokens=spent.tokens,
            cost_usd=spent.cost_usd,
        ),
    )


def _next_hour(
    trials: Sequence[Trial],
    gain: float | None,
    noise: float | None,
    workers: int,
    *,
    is_measured: bool,
) -> str:
    """Return what one more hour of paired runs of the best configuration and the default would
    settle, in a sentence; empty where there is no gain to settle.
    """
    took = [t.outcome.duration_s for t in trials if t.outcome is not None and t.value is not None]
    if not gain or gain <= 0 or not took:
        return ""
    runs = int(_HOUR_S * max(workers, 1) / max(statistics.median(took), 0.01))
    pairs = runs // 2
    if noise is None:
        return f"One more hour, about {runs} runs, would show how much another seed moves a value."
    if pairs < 3:
        return f"One more hour is only {runs} runs, too few to tell a gain from noise."
    pairs = min(pairs, 1000)
    # differences of a normal sample, alternating about 0, have the spread of two values
    spread = noise * 2**0.5
    low, high = anytime_interval([spread * (-1) ** i for i in range(pairs)])
    smallest = (high - low) / 2
    settles = "would settle it" if gain > smallest else "would probably leave it open"
    if_so = "" if is_measured else ", if another seed moves a value no more than the trials show"
    return (
        f"One more hour, about {runs} runs, can tell a gain of {smallest:.3g} from noise{if_so}; "
        f"this one is {gain:.3g}, so that certifying it {settles}."
    )


def _edges(space: Space | None, best: Trial | None) -> tuple[Edge, ...]:
    """Return the parameters of the best configuration that lie at an end of their range."""
    if space is None or best is None:
        return ()
    found = []
    for axis in Encoding(space).axes:
        p = axis.parameter
        value = best.proposal.params.get(p.name)
        has_ends = p.is_ordered and p.count > 2 and (p.is_discrete or p.low != p.high)
        if not has_ends or p.name not in best.proposal.params or p.violation(value) is not None:
            continue
        place = axis.place(value)
        way = "downwards" if place <= _EDGE else "upwards" if place >= 1 - _EDGE else ""
        if way:
            words = (
                f"The best {p.name}, {format_number(value)}, lies at an end of its range: "
                f"widen {p.name} {way}, and better ones may be found."
            )
            found.append(Edge(p.name, value, way, words))
    return tuple(found)


def _people(asked: Asked, trials: Sequence[Trial]) -> tuple[str, ...]:
    """Return what was asked, a sentence each, in the order in which it came."""
    served = {t.proposal.queued: t.number for t in trials}
    found = []
    for r in asked.requests:
        said = deed(r, asked)
        if not said:  # a request for trials is none of a person's words
            continue
        if r.kind == "try":
            became = f"trial {served[r.id]}" if r.id in served else "it waits"
            said += f" ({'taken back' if r.id in asked.vetoed else became})"
        why = r.text or r.rationale
        at = time.strftime("%Y-%m-%d %H:%M", time.gmtime(r.at))
        found.append(f"{r.by}, {at} UTC, {said}" + (f": {why}" if why else ""))
    return tuple(found)


def _claims(
    trials: Sequence[Trial], direction: Direction, shares: Mapping[str, float]
) -> tuple[Claims, ...]:
    found: dict[str, list[bool]] = {}
    for trial in trials:
        claim = trial.proposal.claim
        was_so = claim_verdict(trial, trials, direction)
        if claim is not None and was_so is not None:
            found.setdefault(claim.parameter, []).append(was_so)
    return tuple(
        Claims(name, len(each), sum(each), shares.get(name))
        for name, each in sorted(found.items(), key=lambda pair: -len(pair[1]))
    )


def _predictions(trials: Sequence[Trial]) -> tuple[Prediction, ...]:
    return tuple(
        Prediction(t.number, t.proposal.who, t.proposal.expected, t.value)
        for t in trials
        if t.proposal.expected is not None and t.value is not None
    )


def _calibration(predictions: Sequence[Prediction]) -> tuple[Calibration, ...]:
    found: dict[str, list[Prediction]] = {}
    for each in predictions:
        found.setdefault(each.who, []).append(each)
    return tuple(
        Calibration(
            who,
            len(each),
            sum(p.expected.holds(p.value) for p in each),
            statistics.fmean(p.value - p.expected.value for p in each),
        )
        for who, each in found.items()
    )


def _sources(trials: Sequence[Trial], direction: Direction) -> tuple[Source, ...]:
    return tuple(
        Source(
            who=a.who,
            proposed=a.proposed,
            failed=a.failed,
            won=a.won,
            gained=a.gained,
            held=a.held,
            judged=a.judged,
            tokens=a.usage.tokens,
            cost_usd=a.usage.cost_usd,
        )
        for a in ledger(trials, direction)
    )


def _gap(trials: Sequence[Trial], best: Trial | None, direction: Direction) -> TestGap | None:
    """Return how validation and test differ; None while fewer than five trials have both."""
    gaps = {
        t.number: upward(direction) * (t.value - t.outcome.test_value)
        for t in trials
        if t.value is not None and t.outcome is not None and t.outcome.test_value is not None
    }
    if best is None or best.number not in gaps or len(gaps) < 5:
        return None
    others = [gap for number, gap in gaps.items() if number != best.number]
    middle, mine = statistics.median(others), gaps[best.number]
    # as usual as not: half of all gaps lie nearer to the middle than this
    usual = statistics.median(abs(gap - middle) for gap in others)
    grows = mine > middle + 3 * 1.4826 * usual and mine > 0
    words = (
        f"The best trial's test value is {mine:.3g} worse than its validation value, against "
        f"{middle:.3g} in the middle of all trials: some of its gain is luck of the validation set."
        if grows
        else f"The best trial's test value lies {abs(mine):.3g} "
        f"{'below' if mine > 0 else 'above'} its validation value in quality, as is usual here "
        f"({middle:.3g} in the middle)."
    )
    return TestGap(mine, middle, grows, words)


def _failures(trials: Sequence[Trial]) -> tuple[Failures, ...]:
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.outcome is not None and trial.value is None:
            cause = f"{trial.outcome.status}: {cause_of(trial.outcome)}".rstrip(": ")
            found.setdefault(cause, []).append(trial)
    return tuple(
        Failures(
            cause[:300],
            len(each),
            tuple(t.number for t in each),
            each[0].outcome.error if each[0].outcome else "",
        )
        for cause, each in sorted(found.items(), key=lambda pair: -len(pair[1]))
    )


def _made(log: ExperienceLog, folder: Path, best: Trial | None, exchanges: Exchanges) -> Made:
    meta = log.meta
    text = command = ""
    if meta.task_file is not None:
        try:
            task = task_of(folder, meta)
            if task.file is not None:
                text = Path(task.file).read_text(encoding="utf-8", errors="replace")
            if best is not None:
                command = command_line(
                    task, best, workdir=own_folder(log, best), seed=meta.seed, writes=False
                )
        except (AgentHPOError, OSError) as problem:
            text = text or f"# it cannot be read: {problem}"
    return Made(
        version=meta.version,
        seed=meta.seed,
        model=meta.model,
        proposer=meta.proposer,
        workers=meta.workers,
        task_file=meta.task_file,
        task=text,
        command=command,
        audit=pasted("audit", folder, "--trials", "10"),
        prompts=exchanges.digest,
        exchanges=exchanges.count,
        made_with=meta.begun_on or surroundings(),
        is_begun_there=bool(meta.begun_on),
    )
