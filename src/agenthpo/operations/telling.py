"""What came of a trial, and of the study."""

from __future__ import annotations

from collections.abc import Sequence

from agenthpo.agents.claims import Shown
from agenthpo.agents.prompt.log_lines import informative
from agenthpo.agents.reply.validate import words_of
from agenthpo.errors import StudyError
from agenthpo.experience.requests import Request, add_request
from agenthpo.operations.answers import Analysed, Source, Verdict
from agenthpo.operations.hiding import without_test
from agenthpo.operations.opening import is_over, was_told
from agenthpo.operations.place import Place, Standing
from agenthpo.operations.running import line_of
from agenthpo.records import Trial
from agenthpo.rounds import certificate_of
from agenthpo.search.engine.engine import Engine
from agenthpo.task import Task
from agenthpo.text.cleaning import clean_line
from agenthpo.text.pasting import pasted
from agenthpo.text.phrases import gain_words, nothing_kept
from agenthpo.text.story import story
from agenthpo.thinning import thinned
from agenthpo.trials import default_trial, incumbent, ledger, upward

__all__ = ["analyse", "noise_of", "verdict"]

_LOG, _POINTS, _LONGEST = 1500, 30, 800
_CERTAIN = 3.0
"""A gain of so many standard deviations of a difference of two values stands out."""


def analyse(at: Place, study: str, trial: int, insight: str = "") -> Analysed:
    """Tell a trial's story: what changed and why, what was expected and what came, its curve and
    log.

    :param trial: its number.
    :param insight: what it taught; sentences with a number or quotation that is not in the
        evidence are left out.
    :raises StudyError: where there is no such trial.
    """
    folder = at.study(study)
    opened = Standing.at(folder)
    found = opened.trial(trial)
    hidden = opened.task.objective.test_metric
    objective, outcome = opened.task.objective, found.outcome
    lines = story(
        found,
        [t for t in opened.trials if t.number < trial],
        metric=objective.metric,
        direction=objective.direction,
        shows_test=False,
    )
    lines = without_test(lines, hidden)
    log = "\n".join(filter(None, [outcome.log_head, outcome.log_tail])) if outcome else ""
    told = informative(log, most=_LOG, hidden=hidden)
    curve = outcome.curves.get(objective.metric, ()) if outcome else ()
    points = [[step, value] for step, value in thinned(curve, _POINTS)]
    kept, struck = "", list[str]()
    if insight:
        if outcome is None:
            raise StudyError(f"trial {trial} has not ended; an insight needs its result")
        seen = [line for line in lines if not line.startswith("Turn: ")]
        evidence = "\n".join([*seen, *told, *(f"{x:g} {y!r}" for x, y in curve)])
        numbers = [t.number for t in opened.trials]
        shown = Shown(evidence, numbers, _ahead(opened, found))
        checked = shown.checked(words_of(clean_line(insight), _LONGEST))
        kept, struck = checked.text, [each.why for each in checked.struck]
        if kept and all(r.text != kept for r in opened.asked.notes(trial)):
            add_request(
                folder, Request("note", at.by, is_person=at.is_person, text=kept, trial=trial)
            )
    lines += [f"Note ({r.by}): {r.text}" for r in opened.asked.notes(trial)]
    return Analysed(
        trial=trial,
        state=outcome.status if outcome else "running",
        story=lines,
        log=told,
        curve=points,
        insight=kept,
        struck=struck,
    )


def _ahead(opened: Standing, trial: Trial) -> float | None:
    """Return by how much the trial is better than the best before it."""
    direction = opened.task.objective.direction
    best = incumbent([t for t in opened.trials if t.number < trial.number], direction)
    if best is None or best.value is None or trial.value is None:
        return None
    return upward(direction) * (trial.value - best.value)


def verdict(at: Place, study: str, final: bool = False) -> Verdict:
    """Tell the best configuration, how sure it is, who found what, and the command that uses it.

    :param final: whether the search is over: the test metric is told then, once, and no further
        trial is run. It is over by itself when the budget is spent.
    """
    folder = at.study(study)
    opened = Standing.at(folder)
    direction = opened.task.objective.direction
    best = incumbent(opened.trials, direction)
    noise = noise_of(opened.task, opened.trials, opened.engine)
    test, note = _test(opened, best, final=final, at=at)
    return Verdict(
        best=None if best is None else line_of(opened, best),
        gain=gain_words(opened.trials, best)
        if best is not None
        else nothing_kept(opened.trials) or "no trial has given a value",
        noise=noise,
        sure=_certified(opened) or _sure(opened, best, noise),
        sources=[
            Source(a.who, a.proposed, a.failed, a.won, float(f"{a.gained:.6g}"), a.usage.tokens)
            for a in ledger(opened.trials, direction)
        ],
        command=pasted("best", folder),
        test=test,
        notes=[note] if note else [],
    )


def _test(
    opened: Standing, best: Trial | None, *, final: bool, at: Place
) -> tuple[float | None, str]:
    """Return the test metric's value where it may be told now, and what is to be said of it."""
    metric = opened.task.objective.test_metric
    if metric is None or best is None or best.outcome is None:
        return None, ""
    if was_told(opened.asked):
        return None, f"{metric} was told before, and is told once"
    if any(t.outcome is None for t in opened.trials):
        return None, f"{metric} is told when nothing trains any more"
    if not final and not is_over(opened):
        return None, f"{metric} is told at the end: when the budget is spent, or with final"
    if best.outcome.test_value is None:
        return None, f"the best trial gave no {metric}"
    said = Request("told", at.by, is_person=at.is_person, trial=best.number)
    add_request(opened.folder, said, known=opened.asked)  # two that ask at once are not both told
    return best.outcome.test_value, f"{metric} of trial {best.number}; no further trial is run"


def noise_of(task: Task, trials: Sequence[Trial], engine: Engine | None = None) -> float | None:
    """Return the standard deviation of a single value, as the engine takes it from the trials that
    fit the space; None while it knows too little.
    """
    fitting = [t for t in trials if not task.space.violations(t.proposal.params)]
    view = (engine or Engine()).view(task, fitting)
    return None if view is None else float(f"{view.noise:.2g}")


def _certified(opened: Standing) -> str:
    """Return what was found on fresh seeds; empty where that was not, or before the last trial."""
    found = certificate_of(opened.folder)
    return found.words if found is not None and found.is_of(len(opened.trials)) else ""


def _sure(opened: Standing, best: Trial | None, noise: float | None) -> str:
    default = default_trial(opened.trials)
    if best is None or best.value is None:
        return "there is nothing to be sure of"
    if default is None or default.value is None or best.number == default.number:
        return "there is no gain over the default to be sure of"
    if noise is None:
        return "how noisy a value is, is not known yet: a small gain may be luck"
    gain = abs(best.value - default.value)
    of_difference = noise * 2**0.5
    if not of_difference:
        return f"the gain is {gain:.3g}, and values show no noise"
    words = f"the gain of {gain:.3g} is {gain / of_difference:.1f} times the noise of a difference"
    if gain > _CERTAIN * of_difference:
        return f"{words}; it was the best of {len(opened.done)}, which flatters it"
    return f"{words}: it may be luck, so measure it again before you build on it"
