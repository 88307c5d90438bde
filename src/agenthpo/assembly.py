"""From names to parts: the language model that a study asks, and who proposes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from agenthpo.agents.creator import Creator
from agenthpo.errors import AgentHPOError, ModelError, TaskError
from agenthpo.exchange import Hint
from agenthpo.experience.log import ExperienceLog
from agenthpo.experience.meta import OnFailure
from agenthpo.llm.client import LLM
from agenthpo.llm.model_class import class_of
from agenthpo.llm.names import NONE, REPLAY, ModelName, parse_model
from agenthpo.llm.opening import open_model
from agenthpo.llm.prices import cost_usd, price_missing
from agenthpo.llm.recorded import EXCHANGES
from agenthpo.llm.replay import ReplayLLM
from agenthpo.parts import ENGINE_PART, PARTS, TOLD
from agenthpo.search import Proposer
from agenthpo.search.engine.engine import ENGINE, Engine
from agenthpo.search.engine.objectives import ForObjectives
from agenthpo.search.hybrid import ASKING, CREATOR, HYBRID, INFORMED, PAPER, Hybrid
from agenthpo.search.informed import Informed
from agenthpo.search.optuna_samplers import OptunaSampler, check_sampler
from agenthpo.search.stateful_samplers import Stateful, is_stateful, loaded
from agenthpo.search.trust import Record, assessed, record_of
from agenthpo.studies import find_study, meta_of
from agenthpo.task import Task

__all__ = [
    "ModelChoice",
    "check_priced",
    "check_proposer",
    "checked_temperature",
    "opened_model",
    "proposer_named",
    "record_in",
    "replayed",
]

_HOTTEST = 2.0
_EARLIER = 5
"""Studies beside a new one that are looked at for what its model showed there."""


@dataclass(frozen=True)
class ModelChoice:
    """Which model to ask. ``hint`` is a sentence for the user, such as how to get one."""

    name: str = NONE
    base_url: str | None = None
    hint: str = ""
    on_failure: OnFailure = "fallback"
    """What a failed request does: the engine steps in, visibly, or the study stops and
    can be resumed.
    """
    timeout_s: float | None = None
    """Seconds that a remote model has to answer; None leaves it to the model's kind."""
    temperature: float | None = None
    """How freely it draws its words, from 0 to 2; None leaves it to the model."""

    def __post_init__(self) -> None:
        if self.temperature is not None:
            checked_temperature(self.temperature)

    @property
    def model(self) -> ModelName:
        """What the name means."""
        return parse_model(self.name, self.base_url)

    def with_hint(self, said: str) -> ModelChoice:
        """Return it with one more sentence, which may be empty, for the user."""
        return replace(self, hint=" ".join(filter(None, [self.hint, said])))


def checked_temperature(given: float | str) -> float:
    """Return a temperature as a number.

    :raises TaskError: if it is none from 0 to 2.
    """
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 <= value <= _HOTTEST:
        raise TaskError(f"the temperature {given} must be a number from 0 to 2")
    return value


@contextmanager
def opened_model(choice: ModelChoice) -> Iterator[LLM | None]:
    """Open the chosen model, make sure that it can be asked, and close it in the end; None where
    none is wanted.

    :raises ModelError: if it cannot be used.
    """
    named = choice.model
    if named.is_none:
        yield None
        return
    if named.kind == "replay":
        yield ReplayLLM(find_study(named.own) / EXCHANGES)
        return
    llm = open_model(
        choice.name,
        base_url=choice.base_url,
        timeout_s=choice.timeout_s,
        temperature=choice.temperature,
    )
    try:
        llm.verify()
        yield llm
    finally:
        llm.close()


def replayed(choice: ModelChoice) -> tuple[ModelChoice, int | None]:
    """Return ``choice`` with the study it replays, if it does, by its full path, and that study's
    seed.
    """
    if choice.model.kind != "replay":
        return choice, None
    folder = find_study(choice.model.own)
    return replace(choice, name=f"{REPLAY}{folder.resolve()}"), meta_of(folder).seed


def check_priced(task: Task, model: ModelChoice) -> None:
    """Refuse a limit on money where nobody knows what the model costs."""
    limit = task.budget.cost_usd
    if (
        limit is not None
        and cost_usd(model.name, input_tokens=1, output_tokens=1, base_url=model.base_url) is None
    ):
        why = price_missing(model.name, model.base_url)
        raise ModelError(
            f"the budget is ${limit:g}, but the price of the model {model.name} is not "
            f"known{', ' * bool(why)}{why}; limit its tokens instead"
        )


def check_proposer(name: str, *, has_model: bool, without: frozenset[str] = frozenset()) -> None:
    """Refuse a proposer that is not known or cannot work, or not without the parts named.

    :raises TaskError: naming the fix.
    """
    if name in (CREATOR, PAPER) and not has_model:
        raise TaskError(
            f"the proposer '{name}' is a language model; name one by --model, or leave it "
            "to the engine"
        )
    asks = has_model and name in ASKING
    for part in sorted(without & (TOLD | {ENGINE_PART})):
        if not asks:
            raise TaskError(
                f"--without {part} leaves out {PARTS[part]}, which only a language model would "
                f"miss, and none is asked; name one by --model with --proposer {HYBRID}, or drop it"
            )
    if is_stateful(name):
        loaded(name)
    elif name not in (*ASKING, ENGINE):
        check_sampler(name)


def record_in(studies: Path, model: str) -> Record:
    """Return what ``model`` showed in the latest other studies in the folder ``studies``; what
    cannot be read counts for nothing.

    A study that is replayed goes the way it went, and so begins with the record it had.
    """
    named = parse_model(model)
    if named.is_none:
        return 0.0, 0.0
    if named.kind == "replay":
        return meta_of(find_study(named.own)).record
    latest = sorted(
        (folder for folder in studies.glob("*") if folder.is_dir()),
        key=lambda folder: folder.stat().st_mtime,
    )[-_EARLIER:]
    found = []
    for folder in latest:
        with (
            suppress(AgentHPOError, OSError),
            ExperienceLog.open(folder, space=None, read_only=True) as log,
        ):
            if log.meta.model == model:
                found.append(assessed(log.trials(), log.direction))
    return record_of(found)


def proposer_named(
    name: str,
    llm: LLM | None,
    *,
    seed: int,
    record: Record = (0.0, 0.0),
    hints: Sequence[Hint] = (),
    without: frozenset[str] = frozenset(),
    at_once: int = 1,
    several: bool = False,
) -> Proposer:
    """Return who proposes: ``hybrid``, ``creator``, ``paper``, ``engine``, or one of Optuna's
    samplers.

    :param hints: what hybrid and engine try first.
    :param at_once: how many trials run at once.
    :param several: whether there are several objectives.
    :param without: parts of ``agenthpo.parts``. Without the engine every trial is the Creator's,
        and where it has nothing valid a random configuration is tried.
    :raises TaskError: for a name that is not known.
    """
    check_proposer(name, has_model=llm is not None, without=without)
    if is_stateful(name):
        return Stateful(seed, name)
    is_alone = name == PAPER or ENGINE_PART in without
    engine: Proposer
    if is_alone:
        engine = OptunaSampler(seed, "random")
    elif name in (*ASKING, ENGINE):
        engine = ForObjectives(seed) if several else Engine(seed)
    else:
        engine = OptunaSampler(seed, name)
    if hints and name in INFORMED:
        engine = Informed(engine, hints)
    if llm is None or name not in ASKING:
        return engine
    return Hybrid(
        Creator(llm, seed, without, at_once=at_once),
        engine,
        model=llm.name,
        kind=class_of(llm.name, embedded=llm.holds_to_grammar),
        record=record,
        always=name == CREATOR or is_alone,
        default_first=name != PAPER,
    )
